"""From a token string to an `AuthContext`: the order in which the rules are applied.

`at_once` is the whole verification of a token whose key is at hand, as one plain function: shape, issuer, algorithm,
type, signature, then claims. If no usable key is at hand it first refuses whatever the claims alone can refuse, so
that garbage never causes a fetch; the procedure `verify` then obtains the keys and goes on. The rules of a token are
in `jose/` and `routing.py`; those that join a token to its issuer entry (end, tenant, key issuer) are called here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from bearerkit.context import AuthContext
from bearerkit.errors import IssuerMismatch, Malformed, TokenInvalid, Unavailable
from bearerkit.jose import claims as claim_rules
from bearerkit.jose.claims import shown
from bearerkit.jose.compact import Header, Jws, Limits, check_size, parse, parse_claims
from bearerkit.jose.key_issuer import key_may_sign
from bearerkit.jose.keys import VerificationKey
from bearerkit.ports import Clock, Waits
from bearerkit.verify.key_hints import signature_invalid
from bearerkit.verify.key_source import KeySource, Snapshot
from bearerkit.verify.resolver import Resolvers
from bearerkit.verify.routing import Entry, Routes
from bearerkit.verify.token_cache import TokenCache, Verdict, digest_of

__all__ = ["JwtVerifier"]

KNOWN_HEADERS_MAX: Final = 256
"""Checked header segments that are remembered; a provider uses a handful (one per key)."""
REMEMBERED_LENGTH_MAX: Final = 4_096
"""Characters; a longer token is verified each time, so that the cache is bounded in bytes and not only in number."""
TENANT_ASKED_AGAIN: Final = 60
"""Seconds after which the `tenants=` predicate is asked again about a remembered token."""


class _Token(NamedTuple):
    """A token taken apart, its signature not yet looked at. `digest` is its place in the verdict cache."""

    text: str
    digest: bytes
    jws: Jws
    claims: dict[str, Any]


class JwtVerifier:
    """Verifies the JWTs of several issuers. Remembers verdicts, and the headers that it has checked."""

    def __init__(
        self, entries: Sequence[Entry], resolvers: Resolvers, *, clock: Clock, cache_size: int, limits: Limits
    ) -> None:
        self._routes = Routes(entries)
        self._resolvers = resolvers
        self._clock = clock
        self._now = clock.now
        self._monotonic = clock.monotonic
        self._limits = limits
        self._padding = any(entry.settings.padding for entry in entries)
        self._headers: dict[bytes, Header] = {}
        self.cache = TokenCache(cache_size)

    def at_once(self, token: str) -> AuthContext | None:
        """The context of a token whose verdict or key is at hand; None if something must be obtained first.

        Plain: no coroutine, and no lock before the verdict is stored. Raises TokenInvalid.
        """
        if type(token) is not str or len(token) > self._limits.token:
            check_size(token, self._limits)  # before anybody hashes 100 MB
        digest = digest_of(token)
        verdict = self.cache.hit(digest, self._now(), self._monotonic())
        if verdict is not None:
            return verdict.context
        parts = self._take_apart(token, digest)
        entries = self._select(parts)
        if len(entries) == 1:
            outcome = self._try_one(parts, entries[0])
            return outcome if isinstance(outcome, AuthContext) else None
        return self._try_several(parts, entries)

    async def verify(self, token: str, waits: Waits) -> AuthContext:
        """The context of a token, obtaining issuers and keys as needed. Raises TokenInvalid or Unavailable."""
        context = self.at_once(token)
        if context is not None:
            return context
        parts = self._take_apart(token, digest_of(token))
        entries = self._select(parts)
        if not entries:
            claim_rules.refuse_long_expired(parts.claims, self._now())
            entries = await self._resolvers.resolve(parts.claims, self._monotonic(), waits)
            if not entries[0].takes(parts.jws.header):
                self._routes.refuse(parts.jws.header, parts.claims, entries)
        refusals: list[TokenInvalid | Unavailable] = []
        for entry in entries:
            try:
                return await self._obtain(parts, entry, waits)
            except (TokenInvalid, Unavailable) as refusal:
                refusals.append(refusal)
        # Entries that share an issuer may have key sets of their own. Where none took the token, an outage outweighs
        # a refusal: the entry whose keys could not be had might have been the one.
        raise next((refusal for refusal in refusals if isinstance(refusal, Unavailable)), refusals[0])

    async def _obtain(self, token: _Token, entry: Entry, waits: Waits) -> AuthContext:
        outcome = self._try_one(token, entry)
        if isinstance(outcome, AuthContext):
            return outcome
        header = token.jws.header
        keys = await outcome.obtain(header.kid, header.algorithm, waits)
        return self._accept(token, entry, outcome, keys, None)

    def _take_apart(self, token: str, digest: bytes) -> _Token:
        jws = parse(token, self._limits, padding=self._padding, known=self._headers)
        return _Token(token, digest, jws, parse_claims(jws.payload, self._limits))

    def _select(self, token: _Token) -> tuple[Entry, ...]:
        """Entries that may judge this token; () if a resolver has to be asked. Raises if neither can be."""
        header = token.jws.header
        selected = self._routes.of_issuer(header, token.claims)
        if len(selected) == 1 and selected[0].takes(header):
            return selected
        taking = tuple(entry for entry in selected if entry.takes(header))
        if not taking and (selected or not self._resolvers.may_know(token.claims)):
            self._routes.refuse(header, token.claims, selected)
        return taking

    def _try_several(self, token: _Token, entries: tuple[Entry, ...]) -> AuthContext | None:
        """The context by the first entry that accepts the token; None if one has to obtain keys, or there is none."""
        refusals: list[TokenInvalid] = []
        for entry in entries:
            try:
                outcome = self._try_one(token, entry)
            except TokenInvalid as refusal:
                refusals.append(refusal)
                continue
            if isinstance(outcome, AuthContext):
                return outcome
        if entries and len(refusals) == len(entries):
            raise refusals[0]
        return None

    def _try_one(self, token: _Token, entry: Entry) -> AuthContext | KeySource:
        """The context, or the source from which keys must be obtained first. Raises TokenInvalid.

        Before any fetch the claims are read only to refuse: garbage costs nobody a request.
        """
        header = token.jws.header
        monotonic = self._monotonic()
        source = entry.source if entry.pool is None else entry.pool.find(header, token.claims)
        if source is not None:
            # Read before the keys: a verdict must not rest on a set that is newer than its key.
            snapshot = source.snapshot
            keys = source.ready(header.kid, header.algorithm, monotonic)
            if keys:
                return self._accept(token, entry, source, keys, snapshot)
        self._check_claims(token, entry)
        return source or entry.source_for(header, token.claims, monotonic)

    def _accept(
        self,
        token: _Token,
        entry: Entry,
        source: KeySource,
        keys: Sequence[VerificationKey],
        snapshot: Snapshot | None,
    ) -> AuthContext:
        """Signature first, claims second: nothing in the payload is believed before a key vouched for it."""
        jws = token.jws
        for key in keys:
            if key.verify(jws.header.algorithm, jws.signing_input, jws.signature):
                break
        else:
            raise signature_invalid(jws)
        context = self._check_claims(token, entry, key)
        if jws.header_segment not in self._headers and len(self._headers) < KNOWN_HEADERS_MAX:
            self._headers[jws.header_segment] = jws.header
        if self.cache.size and len(token.text) <= REMEMBERED_LENGTH_MAX:
            self.cache.put(token.digest, self._verdict(token, entry, context, key, source, snapshot))
        return context

    def _verdict(
        self,
        token: _Token,
        entry: Entry,
        context: AuthContext,
        key: VerificationKey,
        source: KeySource,
        snapshot: Snapshot | None,
    ) -> Verdict:
        claims, rules = token.claims, entry.settings.rules
        starts, ends = claim_rules.lifetime(rules, claims)
        rests_until = entry.fresh_until
        if entry.settings.until is not None:
            ends = min(ends, entry.settings.until)
        if entry.settings.tenants_asked:
            rests_until = min(rests_until, self._monotonic() + TENANT_ASKED_AGAIN)
        return Verdict(context, starts, ends, key, source, snapshot, rests_until)

    def _check_claims(self, token: _Token, entry: Entry, key: VerificationKey | None = None) -> AuthContext:
        settings, header, claims = entry.settings, token.jws.header, token.claims
        now = self._now()
        if settings.until is not None and now >= settings.until:
            raise IssuerMismatch("this issuer entry has ended (until=)", reason="issuer_ended")
        if token.jws.padded and not settings.padding:
            raise Malformed("the parts of the token are padded with '='; only padding=True accepts that")
        if settings.limits is not self._limits and settings.limits != self._limits:
            # Parsing applied the loosest limits of all issuers, before it was known whose token this is.
            parse_claims(parse(token.text, settings.limits, padding=self._padding).payload, settings.limits)
        context = AuthContext(claims, settings.mapping, header=header.members, wildcard_scopes=settings.wildcard_scopes)
        # A predicate of the team is asked only about tenants that a key has vouched for.
        if settings.tenant_checked and (key is not None or not settings.tenants_asked):
            _check_tenant(context, settings.accepts_tenant)
        if key is not None and not key_may_sign(key.issuer, claims.get("iss")):
            raise IssuerMismatch(
                f"the key belongs to the issuer {shown(key.issuer)}, the token says {shown(claims.get('iss'))}",
                reason="key_issuer_mismatch",
            )
        claim_rules.check(settings.rules, header.members, claims, now, typed=header.kind == "at+jwt")
        if settings.rules.subject_required and context.subject is None:
            claim_rules.refuse_no_subject(settings.mapping.subject[0].path)
        return context


def _check_tenant(context: AuthContext, accepts: Any) -> None:
    tenant = context.tenant_id
    if tenant is None or not accepts(tenant):
        raise IssuerMismatch(f"tenant {shown(tenant)} is not accepted", reason="tenant_not_allowed")
