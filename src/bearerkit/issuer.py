"""`Issuer`: the settings of one token issuer, wired to the network when asked.

The settings and their checks are in `verify/issuer.py`; verification reads nothing else. What is added here is the
wiring: `entry_of` joins settings to a key source over given ports, and `Issuer.keys` offers the same well-behaved
key source to JWT code that a team already has.
"""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlsplit

from bearerkit.issuer_keys import IssuerKeys
from bearerkit.ports import Clock, Entropy, HttpClient, Observer, Threads
from bearerkit.system import DaemonThreads, SilentObserver, SystemClock, SystemEntropy
from bearerkit.transport.blocking import BlockingClient
from bearerkit.verify.issuer import IssuerSettings
from bearerkit.verify.key_location import KeyLocation
from bearerkit.verify.key_pool import SourcePerUrl
from bearerkit.verify.key_source import KeySource, StaticKeys
from bearerkit.verify.keys import RemoteKeys
from bearerkit.verify.routing import Entry

__all__ = ["Issuer", "entry_of"]


class Issuer(IssuerSettings):
    """One party whose JWTs are accepted, and the rules its access tokens must meet.

    Only `issuer` and `audience` are needed for a server that follows RFC 9068 and publishes metadata. The table of
    parameters, with the providers that need each, is in the docs (docs/issuers.md).

    Args:
        issuer: The exact `iss`; a list if the provider spells it in several ways; a template with `{claim}`
            placeholders (then `placeholders` and `tenants` are required); or `NO_ISSUER`.
        audience: What `aud` must contain: one string, or several of which one must match; `ANY` takes every token
            of the issuer, whoever it was made for.
        audience_from: Claim paths read in place of `aud`, the first present wins.
        audience_optional: A token without an audience passes too. Only together with `until`.
        until: When this entry ends (a datetime with a zone, or epoch seconds): for an issuer on its way out.
        clients: Calling clients that are accepted, by the first present of `client_claims`.
        tenants: Tenants that are accepted: a list, a predicate, or `ANY`. Required with a template.
        placeholders: The format of each placeholder: `uuid`, `dns-label` or `word`.
        token_type: `"access"`, or `"id"` for providers whose bearer is an ID token.
        profile: `"rfc9068"` requires everything that RFC 9068 section 2.2 does.
        typ: Accepted `typ` headers; None stands for an absent one.
        require: Claim path → the value it must have, a list of alternatives (None: may be absent) or `PRESENT`.
        require_any: Claim paths of which at least one must be there.
        forbid: Claim paths that must be absent, in place of the defaults of `token_type`.
        algorithms: Accepted signature algorithms: a closed list that no token or key set can widen.
        metadata_url: Where the metadata is, if not at the well-known place of the issuer.
        metadata_issuer: What the metadata must call itself, if not the issuer.
        jwks_uri: Where the keys are, without metadata; may be a template over `{kid}` and claims.
        keys: Keys at hand, without any fetch: a JWKS, PEM, public key objects, or `SharedSecret`s.
        key_format: `"pem-per-kid"` if `jwks_uri` answers with one PEM key per key id.
        hosts: Further hosts that metadata may send key fetches to.
        network: How fetches are made (`Network`).
        subject: `"optional"` accepts tokens without `sub` (machines).
        leeway: Seconds of clock difference that are forgiven, at most 300.
        lifetime_max: The longest accepted lifetime in seconds, None for no limit.
        claims: Where the fields of `AuthContext` stand in these tokens (`ClaimMapping`, or a mapping of it).
        wildcard_scopes: A token's `orders:*` covers `orders:read`, and `*` covers everything.
        padding: Accept `=` padding in the three parts (AWS ALB only).
        limits: Size limits of tokens (`Limits`).
        key_cache: How long keys are kept (`KeyCache`).

    Raises:
        ConfigError: listing every problem.
    """

    __slots__ = ("_keys",)
    _keys: IssuerKeys

    @property
    def keys(self) -> IssuerKeys:
        """This issuer's keys for code that verifies with PyJWT, joserfc or Authlib (see `IssuerKeys`).

        Cached, refreshed and rate-limited as `Auth` does it, over ports of its own.
        """
        try:
            return self._keys
        except AttributeError:
            entry = entry_of(
                self,
                http=BlockingClient(),
                clock=SystemClock(),
                entropy=SystemEntropy(),
                threads=DaemonThreads(),
                observer=SilentObserver(),
            )
            object.__setattr__(self, "_keys", IssuerKeys(entry, SystemClock()))
            return self._keys


def entry_of(
    issuer: IssuerSettings,
    *,
    http: HttpClient,
    clock: Clock,
    entropy: Entropy,
    threads: Threads,
    observer: Observer,
    untrusted: bool = False,
) -> Entry:
    """The issuer beside a key source over these ports. `untrusted`: its addresses came from data at run time."""

    def remote(location: KeyLocation) -> KeySource:
        return RemoteKeys(
            location,
            http=http,
            clock=clock,
            entropy=entropy,
            threads=threads,
            settings=issuer.key_cache,
            observer=observer,
        )

    location = replace(issuer.location, untrusted=untrusted)
    if issuer.static_keys is not None:
        return Entry(issuer, StaticKeys(issuer.static_keys))
    if not issuer.key_template:
        return Entry(issuer, remote(location))
    template = issuer.key_template[0]
    # A placeholder in the host lets an unverified token choose where we connect to; one in the path does not.
    chosen = untrusted or "{" in urlsplit(template.text).netloc
    return Entry(
        issuer,
        None,
        SourcePerUrl(template, lambda url: remote(replace(location, jwks_uri=url, untrusted=chosen, filled=True))),
    )
