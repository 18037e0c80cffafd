"""`Auth`: the object that a team builds once and every adapter asks.

It wires the configured issuers to ports (HTTP, clock, threads), runs the procedures of `verify/` for sync and async
callers over one shared cache, enforces requirements, and logs what was refused and why. It holds no rule of its
own: what a token must be is decided in `jose/`, what a caller must have in `guards/`, how a refusal looks in
`challenge.py`.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, TypeAlias, final

from bearerkit._drive import run
from bearerkit.challenge import Challenge, render
from bearerkit.context import AuthContext
from bearerkit.errors import BearerkitError, ConfigError
from bearerkit.guards import Fact, Requirement, enforce, refuse_early
from bearerkit.http import Request, Response
from bearerkit.issuer import Issuer
from bearerkit.ports import Clock, Entropy, Evictions, HttpClient, Observer, PolicySource, Revocations, Threads, Waits
from bearerkit.system import AsyncWaits, BlockingWaits
from bearerkit.verify.auth_checks import auth_problems, proxies_from
from bearerkit.verify.authenticator import FixedIdentity, Identifier
from bearerkit.verify.credentials import Places, check_presentation
from bearerkit.verify.evictions import Forgetting
from bearerkit.verify.facts import load_facts
from bearerkit.verify.issuer import IssuerSettings
from bearerkit.verify.kind import KindSettings
from bearerkit.verify.policies import Policies
from bearerkit.verify.refusal_log import note
from bearerkit.verify.resolver import IssuerResolver
from bearerkit.verify.seen import Seen
from bearerkit.verify.world import World
from bearerkit.wiring import authenticator_of, world_of

__all__ = ["Auth", "Verifier"]

Verifier: TypeAlias = Issuer | IssuerResolver | KindSettings
"""What an `Auth` is built from."""

_log = logging.getLogger("bearerkit.auth")
_NOBODY: Final = AuthContext.anonymous()
_NO_FACTS: Final[Mapping[Fact, Any]] = {}
_BLOCKING: Final[Waits] = BlockingWaits()
_ASYNC: Final[Waits] = AsyncWaits()


@final
class Auth:
    """Who is calling, for which tenant, and may they do this?

    One object serves threads, event loops and both at once, and survives a fork. Nothing is fetched before the
    first token arrives (or `warm_up`).

    Args:
        verifiers: `Issuer`s and `IssuerResolver`s for JWTs, `Introspection`, `ApiKeys`, `Sessions`, `InternalSecret`
            for other credentials. Each credential is asked of exactly one; docs/credentials.md says of which.
        realm: The realm that challenges name (RFC 6750 section 3).
        resource_metadata: URL of this API's RFC 9728 metadata, named in every challenge if given.
        places: Where requests carry the credential (`Places`); the Authorization header by default.
        revocations: What was revoked early; asked on every request. None: tokens are good until they expire.
        evictions: Tells every process what to `forget` (`RedisEvictions`). Heard from the first credential to `close`.
        policies: Where the policies of callers come from (`PolicySource`), for `can`; asked once for each request.
        trusted_proxies: Addresses or blocks of the proxies in front, so that policies know `request.ip`; an empty list
            where callers connect directly. None: policies do not know it.
        token_cache: How many verified tokens are remembered; 0 switches the cache off.
        observer: Receives events for metrics (`Observer`).
        http, clock, entropy, threads: Ports; the defaults are the real world.

    Raises:
        ConfigError: listing every problem.
    """

    def __init__(
        self,
        *verifiers: Verifier,
        realm: str = "api",
        resource_metadata: str | None = None,
        places: Places = Places(),
        revocations: Revocations | None = None,
        evictions: Evictions | None = None,
        policies: PolicySource | None = None,
        trusted_proxies: Iterable[str] | None = None,
        token_cache: int = 10_000,
        observer: Observer | None = None,
        http: HttpClient | None = None,
        clock: Clock | None = None,
        entropy: Entropy | None = None,
        threads: Threads | None = None,
    ) -> None:
        problems = auth_problems(verifiers, token_cache, realm, resource_metadata, places, policies)
        proxies = proxies_from(trusted_proxies, problems)
        if problems:
            raise ConfigError(problems)
        self.challenge = Challenge(realm, resource_metadata)
        self.issuers: tuple[IssuerSettings, ...] = tuple(item for item in verifiers if isinstance(item, IssuerSettings))
        self._verifiers = verifiers
        self.places = places
        self._revocations = revocations
        self._token_cache = token_cache
        self._world = world_of(http, clock, entropy, threads, observer)
        self._memo = f"bearerkit.auth.{id(self)}"
        for issuer in self.issuers:
            if issuer.audience is None:
                _log.warning("%r accepts tokens for any audience (audience=ANY)", issuer)
        for kind in (item for item in verifiers if isinstance(item, KindSettings)):
            for warning in kind.warnings():
                _log.warning("%s", warning)
        self._identifier: Identifier = self._wire(self._world)
        self._proxies = proxies
        self._policies = self._own_policies = Policies(policies, proxies, self.now)
        self._forgetting = Forgetting(lambda: self._identifier, evictions)

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Auth:
        """An `Auth` from `BEARERKIT_*` variables; docs/configuration.md lists them.

        Raises ConfigError listing every unknown or missing variable.
        """
        from bearerkit.environment import settings_from

        issuer, options = settings_from(os.environ if environ is None else environ)
        return cls(issuer, **options)

    def verify(self, token: str) -> AuthContext:
        """The context of one bearer token. Raises TokenInvalid or Unavailable.

        A token that is bound to a key (`context.is_bound`) is verified like any other: `authorize` refuses such tokens.

        Inside a running event loop it may block that loop for a fetch: use `averify`.
        """
        self._forgetting.listen()
        try:
            context = self._identifier.at_once(token) or run(self._identifier.verify(token, _BLOCKING))
            return self._policies.at_once(context, None) or run(self._policies.attach(context, None))
        except BearerkitError as refusal:
            self.note(refusal)
            raise

    async def averify(self, token: str) -> AuthContext:
        """`verify` for async code (asyncio and trio); never blocks the loop."""
        self._forgetting.listen()
        try:
            context = self._identifier.at_once(token) or await self._identifier.verify(token, _ASYNC)
            return await self._policies.attach(context, None)
        except BearerkitError as refusal:
            self.note(refusal)
            raise

    def at_once(
        self, request: Request, need: Requirement | None = None, *, optional: bool = False
    ) -> AuthContext | None:
        """`authorize` where nothing has to be waited for; None where `authorize` or `aauthorize` must be asked."""
        if self._forgetting.asleep:
            self._forgetting.listen()
        identifier = self._identifier
        try:
            token = identifier.credential(request, optional)
            context = Seen.in_memo(request.memo, self._memo, identifier, token) if request.memo else None
            if context is None:
                context = _NOBODY if token is None else identifier.at_once(token)
                if context is None or (context := self._policies.at_once(context, request)) is None:
                    return None
                check_presentation(context)
                request.memo[self._memo] = Seen(identifier, token, context)
            if need is not None:
                if need.facts(request):
                    return None
                enforce(need, context, request, _NO_FACTS, identifier.now())
            return context
        except BearerkitError as refusal:
            self.note(refusal)
            raise

    def authorize(self, request: Request, need: Requirement | None = None, *, optional: bool = False) -> AuthContext:
        """Who sent this request, after `need` was met.

        `optional` turns "no credential" into the anonymous context; a bad credential is still refused, and so is
        an anonymous caller where there is a `need`. The token of a request is verified once, however often this is
        called for it. Raises Refused or Unavailable.
        """
        context = self.at_once(request, need, optional=optional)
        if context is not None:
            return context
        try:
            return run(self._procedure(request, need, optional, _BLOCKING))
        except BearerkitError as refusal:
            self.note(refusal)
            raise

    async def aauthorize(
        self, request: Request, need: Requirement | None = None, *, optional: bool = False
    ) -> AuthContext:
        """`authorize` for async code."""
        context = self.at_once(request, need, optional=optional)
        if context is not None:
            return context
        try:
            return await self._procedure(request, need, optional, _ASYNC)
        except BearerkitError as refusal:
            self.note(refusal)
            raise

    def enforce(self, context: AuthContext, request: Request, need: Requirement) -> None:
        """Hold a context, wherever it came from, against a need. Raises Refused or Unavailable."""
        try:
            if need.facts(request):
                run(self._enforce(context, request, need, _BLOCKING))
            else:
                enforce(need, context, request, _NO_FACTS, self.now())
        except BearerkitError as refusal:
            self.note(refusal)
            raise

    async def aenforce(self, context: AuthContext, request: Request, need: Requirement) -> None:
        """`enforce` for async code."""
        try:
            if need.facts(request):
                await self._enforce(context, request, need, _ASYNC)
            else:
                enforce(need, context, request, _NO_FACTS, self.now())
        except BearerkitError as refusal:
            self.note(refusal)
            raise

    def answer(self, refusal: BearerkitError) -> Response:
        """The HTTP answer for a refusal."""
        return render(refusal, self.challenge)

    def note(self, refusal: BearerkitError) -> None:
        """Tell the operator in full why a request was refused, once per refusal. The caller learns `public` only."""
        note(refusal, self._world.observer)

    def warm_up(self) -> None:
        """Fetch the keys of every issuer now, so that the first caller need not wait. Raises KeysUnavailable."""
        run(self._identifier.warm_up(_BLOCKING))

    async def awarm_up(self) -> None:
        """`warm_up` for async code."""
        await self._identifier.warm_up(_ASYNC)

    def forget(
        self,
        *,
        token: str | None = None,
        token_id: str | None = None,
        session_id: str | None = None,
        subject: str | None = None,
        identity_id: str | None = None,
        tenant_id: str | None = None,
        issuer: str | None = None,
    ) -> None:
        """Drop what is cached about one credential, or about every one that matches all given fields.

        Without arguments everything is dropped. This empties a cache and revokes nothing: `Revocations` does. With
        `evictions` every process drops it.
        """
        wanted = {"token_id": token_id, "session_id": session_id, "subject": subject}
        wanted |= {"identity_id": identity_id, "tenant_id": tenant_id, "issuer": issuer}
        self._forgetting.everywhere(token, wanted)

    def now(self) -> float:
        """Epoch seconds by this object's clock."""
        return self._identifier.now()

    def describe(self) -> str:
        """For operators: every issuer with its keys and their age, and every other kind of credential."""
        return self._identifier.describe()

    def close(self) -> None:
        """Empty the caches and close connections. An `Auth` may be used again afterwards."""
        self._forgetting.close()
        self._identifier.close()
        self._world.release()

    async def aclose(self) -> None:
        """`close` for async code."""
        self._forgetting.close()
        await self._identifier.aclose()
        self._world.release()

    def __enter__(self) -> Auth:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Auth:
        return self.__enter__()

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"Auth({', '.join(map(repr, self._verifiers))})"

    @contextmanager
    def replaced(
        self,
        *,
        http: HttpClient | None = None,
        clock: Clock | None = None,
        identity: AuthContext | None = None,
        policies: PolicySource | None = None,
    ) -> Iterator[Auth]:
        """For tests (`bearerkit.testing`): other ports with empty caches, or one identity for every request.

        Requirements are enforced as ever. Policies come from `policies`, or else from where this object always has
        them. Everything is as before when the block ends.
        """
        before, policies_before = self._identifier, self._policies
        self._policies = self._own_policies if policies is None else Policies(policies, self._proxies, self.now)
        if identity is not None:
            self._identifier = FixedIdentity(identity, before.now if clock is None else clock.now)
        else:
            world = self._world if http is None else self._world._replace(http=http, pooled=http)
            self._identifier = self._wire(world if clock is None else world._replace(clock=clock))
        try:
            yield self
        finally:
            self._identifier, self._policies = before, policies_before

    def _wire(self, world: World) -> Identifier:
        return authenticator_of(
            self._verifiers, world, places=self.places, revocations=self._revocations, cache_size=self._token_cache
        )

    async def _procedure(self, request: Request, need: Requirement | None, optional: bool, waits: Waits) -> AuthContext:
        token = (identifier := self._identifier).credential(request, optional)
        context = Seen.in_memo(request.memo, self._memo, identifier, token)
        if context is None:
            context = _NOBODY if token is None else await identifier.verify(token, waits)
            check_presentation(context)
            told = self._policies.at_once(context, request)
            if told is None:
                if need is not None:
                    refuse_early(need, context, request, self.now())
                told = await self._policies.attach(context, request)
            request.memo[self._memo] = Seen(identifier, token, context := told)
        if need is not None:
            await self._enforce(context, request, need, waits)
        return context

    async def _enforce(self, context: AuthContext, request: Request, need: Requirement, waits: Waits) -> None:
        now, seen = self.now(), Seen.of(request.memo, self._memo, self._identifier, context)
        enforce(need, context, request, await load_facts(need, context, request, now, seen, waits), now)
