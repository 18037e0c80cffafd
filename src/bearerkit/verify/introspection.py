"""`Introspection`: what a team says about the issuer that resolves its opaque tokens (RFC 7662).

The constructor checks everything that can be checked without a network and reports all problems in one ConfigError. The
value is immutable and holds no connection; `verify/introspecting.py` is it at work. No rule about answers stands here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import fields
from hashlib import sha256
from typing import Any, Final, Literal, NoReturn, final

from bearerkit.context import AuthContext
from bearerkit.errors import ConfigError, IntrospectionUnavailable, PolicyError
from bearerkit.http import Network
from bearerkit.jose.claims import ANY, Sentinel
from bearerkit.jose.client_auth import ClientAuth, client_auth
from bearerkit.jose.introspection_answer import AnswerRules
from bearerkit.jose.mapping import ClaimMapping
from bearerkit.policy import Policy
from bearerkit.ports import SharedCache
from bearerkit.verify.answer_cache import NEGATIVE_SECONDS_MAX, Outcome
from bearerkit.verify.introspecting import Introspecting
from bearerkit.verify.key_location import KeyLocation, metadata_candidates, url_problem
from bearerkit.verify.kind import Kind, KindSettings
from bearerkit.verify.policies import bringing
from bearerkit.verify.world import World

__all__ = ["Introspection"]

CACHE_SECONDS_MAX: Final = 3_600.0
STALE_SECONDS_MAX: Final = 3_600.0


@final
class Introspection(KindSettings):
    """Opaque tokens that their issuer resolves, one request for each, remembered for a while (RFC 7662).

    Args:
        endpoint: The introspection endpoint. None: the one that the metadata of `issuer` names.
        issuer: The exact `iss` of the answers. JWTs of this issuer are introspected too, unless an `Issuer` verifies
            them; then they are only where a requirement says `live`.
        issuer_optional: Take answers that name no issuer, as many servers give them.
        metadata_url: Where the metadata is, if not at the well-known place of the issuer.
        client_id, client_secret: Who this API is to the issuer (`client_secret_basic`).
        client: Any other way to say so: `client_auth(method="private_key_jwt", …)`.
        audience: What `aud` of an answer must contain: one or several of which one must match; `ANY` or None for every
            one, None with a warning at the start.
        audience_optional: Take answers without `aud`.
        clients: Clients whose tokens are accepted, by `client_id`.
        token_types: Accepted values of `token_type`; then it is required. None: whatever is not said to be a refresh or
            ID token.
        prefixes: How these tokens begin; () for all that no other verifier claims.
        claims: Where the fields of `AuthContext` stand in the answers (`ClaimMapping`, or a mapping of it).
        wildcard_scopes: A granted `orders:*` covers `orders:read`.
        cache_seconds: How long an answer is believed, and so how long a revocation may take to be noticed: 60, at most
            3,600; never beyond `exp`. 0 asks each time.
        negative_seconds: How long "not active" is believed: at most 10.
        cache_size: How many answers are remembered.
        stale_seconds: How much longer an old answer is believed while the issuer does not answer. 0, the default,
            answers 503 instead.
        policy_claim: The member of the answers that holds a policy document, for `can` and `ctx.can`. A caller whose
            answer lacks it has no policy of his own; a document that does not parse is an outage.
        shared: Answers that all processes share (`RedisCache`); `cache_seconds` then counts from when any of them
            asked.
        leeway: Seconds of clock difference that are forgiven, at most 300.
        hosts: Further hosts that metadata may name.
        network: How requests are made; `timeout` bounds one as a whole.

    Raises:
        ConfigError: listing every problem.
    """

    def __init__(
        self,
        endpoint: str | None = None,
        *,
        issuer: str | None = None,
        issuer_optional: bool = False,
        metadata_url: str | None = None,
        client_id: str | None = None,
        client_secret: str | None = None,
        client: ClientAuth | None = None,
        audience: str | Iterable[str] | Literal[Sentinel.ANY] | None = None,
        audience_optional: bool = False,
        clients: Iterable[str] | None = None,
        token_types: Iterable[str] | None = None,
        prefixes: str | Iterable[str] = (),
        claims: ClaimMapping | Mapping[str, Any] | None = None,
        wildcard_scopes: bool = False,
        cache_seconds: float = 60.0,
        negative_seconds: float = 5.0,
        cache_size: int = 10_000,
        stale_seconds: float = 0.0,
        policy_claim: str | None = None,
        shared: SharedCache | None = None,
        leeway: float = 30.0,
        hosts: Iterable[str] = (),
        network: Network = Network(),
    ) -> None:
        problems: list[str] = []
        location = KeyLocation(
            issuers=() if issuer is None else (issuer,),
            metadata_url=metadata_url,
            hosts=tuple(hosts),
            network=network,
        )
        if endpoint is None and not metadata_candidates(location):
            problems.append("an endpoint is needed, or an issuer whose metadata names it")
        for name, url in (("endpoint", endpoint), ("metadata_url", metadata_url)):
            if url is not None and (problem := url_problem(url, network)):
                problems.append(f"{name}={url!r} may not be asked: {problem}")
        bounds: dict[str, tuple[object, float]] = {
            "cache_seconds": (cache_seconds, CACHE_SECONDS_MAX),
            "negative_seconds": (negative_seconds, NEGATIVE_SECONDS_MAX),
            "stale_seconds": (stale_seconds, STALE_SECONDS_MAX),
            "leeway": (leeway, 300.0),
        }
        problems += [
            f"{name} must be a number of seconds from 0 to {most:g}, not {value!r}"
            for name, (value, most) in bounds.items()
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most
        ]
        size: object = cache_size
        if isinstance(size, bool) or not isinstance(size, int) or size < 0:
            problems.append(f"cache_size must be 0 or a positive number of answers, not {cache_size!r}")
        begins: tuple[Any, ...] = (prefixes,) if isinstance(prefixes, str) else tuple(prefixes)
        if not all(isinstance(prefix, str) and prefix for prefix in begins):
            problems.append(f"prefixes must be non-empty texts, not {prefixes!r}")
        mapping = _parsed(claims, problems)
        ours = _client(client, client_id, client_secret, problems)
        if problems or ours is None:
            raise ConfigError(problems)
        given: dict[str, Any] = {
            "endpoint": endpoint,
            "location": location,
            "name": endpoint or location.name,
            "client": ours,
            "network": network,
            "mapping": mapping,
            "wildcard_scopes": wildcard_scopes,
            "audience": audience,
            "rules": AnswerRules.of(
                audience,
                clients,
                audience_optional=audience_optional,
                issuer=issuer,
                issuer_optional=issuer_optional,
                token_types=None if token_types is None else frozenset(name.lower() for name in token_types),
                leeway=leeway,
            ),
            "cache_seconds": cache_seconds,
            "negative_seconds": negative_seconds,
            "stale_seconds": stale_seconds,
            "cache_size": cache_size,
            "shared": shared,
            "policy_claim": policy_claim,
            "leeway": leeway,
            "prefixes": begins,
            "unprefixed": not begins,
            "issuer": issuer,
        }
        for name, value in given.items():
            object.__setattr__(self, name, value)

    endpoint: str | None
    location: KeyLocation
    name: str
    client: ClientAuth
    network: Network
    mapping: ClaimMapping
    wildcard_scopes: bool
    audience: object
    rules: AnswerRules
    cache_seconds: float
    negative_seconds: float
    stale_seconds: float
    cache_size: int
    shared: SharedCache | None
    policy_claim: str | None
    leeway: float

    def enter(self, world: World) -> Kind:
        """These settings at work."""
        return Introspecting(self, world)

    def warnings(self) -> tuple[str, ...]:
        """Which settings take more than they might."""
        found = []
        if self.audience is None or self.audience is ANY:
            found.append(
                f"{self!r} accepts tokens for any audience"
                + ("" if self.audience is ANY else ": set audience=, or ANY if the server tells this API's tokens only")
            )
        if self.stale_seconds:
            found.append(
                f"{self!r} believes answers up to {self.stale_seconds:g} s longer while the issuer does not answer: a "
                "token that was revoked meanwhile passes"
            )
        return tuple(found)

    @property
    def salt(self) -> bytes:
        """What answers depend on besides the token, for the keys of caches: nobody reads another's answers."""
        rules, (mapping,) = self.rules, self.mapping.__reduce__()[1]
        parts = {
            "endpoint": self.name,
            "client": self.client.client_id,
            # By name and sorted: a set has another order in each process.
            "rules": {item.name: _in_order(getattr(rules, item.name)) for item in fields(rules) if item.init},
            "mapping": mapping,
            "wildcards": self.wildcard_scopes,
            "policy": self.policy_claim,
            "version": 1,
        }
        return sha256(json.dumps(parts, default=repr, sort_keys=True).encode()).digest()

    def context_of(self, claims: dict[str, Any]) -> AuthContext:
        """Who an active token belongs to, with the policy that came along."""
        context = AuthContext(claims, self.mapping, credential_kind="opaque", wildcard_scopes=self.wildcard_scopes)
        document = None if self.policy_claim is None else claims.get(self.policy_claim)
        if document is None:
            return context
        try:
            return bringing(context, Policy.parse(document, id=self.policy_claim))
        except PolicyError as error:
            problems = "; ".join(map(str, error.problems[:3]))
            raise IntrospectionUnavailable(
                f"{self.policy_claim!r} of the introspection answer is no policy: {problems}"
            ) from None

    def ends_of(self, outcome: Outcome) -> float:
        """When an answer ends by itself, in epoch seconds."""
        ends = outcome.expires_at if isinstance(outcome, AuthContext) else None
        return float("inf") if ends is None else ends + self.leeway

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"an Introspection does not change: {name} cannot be set")

    def __repr__(self) -> str:
        return f"Introspection({self.name!r})"


def _in_order(value: object) -> object:
    return sorted(value) if isinstance(value, frozenset) else value


def _parsed(claims: ClaimMapping | Mapping[str, Any] | None, problems: list[str]) -> ClaimMapping:
    try:
        return ClaimMapping.parse(claims)
    except ConfigError as error:
        problems += error.problems
        return ClaimMapping()


def _client(
    client: ClientAuth | None, client_id: str | None, client_secret: str | None, problems: list[str]
) -> ClientAuth | None:
    if client is not None:
        if client_id is not None or client_secret is not None:
            problems.append("client= says who this API is; client_id and client_secret say it again")
        return client
    try:
        return client_auth(client_id=client_id, client_secret=client_secret)
    except ConfigError as error:
        problems += error.problems
        return None
