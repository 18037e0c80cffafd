"""From a request to its `AuthContext`: take the one credential, verify it, ask the revocation list.

`Authenticator` is what an `Auth` runs on; `FixedIdentity` stands in for it in tests, so that a pretended user
reaches every framework without a second path through any adapter. Both say who is calling; neither says what the
caller may do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

from bearerkit._drive import PortNeedsLoop, port
from bearerkit.context import AuthContext
from bearerkit.errors import (
    BearerkitError,
    ClaimInvalid,
    ConfigError,
    CredentialsMissing,
    Revoked,
    StoreUnavailable,
    TokenInvalid,
    Unavailable,
)
from bearerkit.http import Request
from bearerkit.jose.claims import shown
from bearerkit.jose.compact import Limits
from bearerkit.ports import Clock, Revocations, Waits
from bearerkit.verify.credentials import Places, take_token
from bearerkit.verify.failures import failure
from bearerkit.verify.issuer import IssuerSettings
from bearerkit.verify.jwt import JwtVerifier
from bearerkit.verify.kind import Kind
from bearerkit.verify.kinds import Kinds, Presented
from bearerkit.verify.resolver import IssuerResolver, Resolvers
from bearerkit.verify.routing import Entry

__all__ = ["Authenticator", "Credential", "FixedIdentity", "Identifier"]

_SAME: Final = ("iss", "sub", "jti")
"""Claims in which a credential and the live answer about it must not differ."""

Credential = str | Presented
"""A bearer token, or what came by a way of its own."""


class Identifier(Protocol):
    """Says who is calling. The `at_once` forms are plain functions that return None where one must wait."""

    def now(self) -> float:
        """Epoch seconds."""
        ...

    def credential(self, request: Request, optional: bool) -> Credential | None:
        """The one credential of a request; None if there is none and `optional`. Raises Refused."""
        ...

    def at_once(self, credential: Credential, /) -> AuthContext | None:
        """The context of a credential if nothing has to be waited for."""
        ...

    async def verify(self, credential: Credential, waits: Waits) -> AuthContext:
        """The context of a credential."""
        ...

    async def live(self, credential: Credential, context: AuthContext, waits: Waits) -> AuthContext:
        """What its issuer says now of a credential whose context this is."""
        ...

    async def warm_up(self, waits: Waits) -> None:
        """Obtain all keys now."""
        ...

    def forget_token(self, token: str) -> None:
        """Drop what is cached about one token."""
        ...

    def forget_where(self, matches: Callable[[AuthContext], bool]) -> None:
        """Drop what is cached about every matching context."""
        ...

    def describe(self) -> str:
        """Where the keys come from, for operators."""
        ...

    def close(self) -> None:
        """Release connections."""
        ...

    async def aclose(self) -> None:
        """`close` for async code."""
        ...


class Authenticator:
    """The real thing: credentials, the verifier of each kind, revocation."""

    def __init__(
        self,
        entries: Sequence[Entry],
        resolvers: Sequence[IssuerResolver],
        kinds: Kinds,
        *,
        enter: Callable[[Any], Entry],
        places: Places,
        revocations: Revocations | None,
        clock: Clock,
        cache_size: int,
    ) -> None:
        self._entries = tuple(entries)
        self._places = places
        self._revocations = revocations
        self._resolvers = Resolvers(resolvers, enter=enter)
        self._jwt = JwtVerifier(
            entries,
            self._resolvers,
            clock=clock,
            cache_size=cache_size,
            limits=_loosest([entry.settings for entry in entries]),
        )
        self._kinds = kinds
        self.now = clock.now
        self.at_once: Callable[[Any], AuthContext | None] = (
            self._after_revocations
            if revocations is not None
            else self._of_any_kind
            if kinds.all
            else self._jwt.at_once
        )
        """The context of a credential if its verdict or its key is at hand and no revocation list has to be asked."""

    async def verify(self, credential: Credential, waits: Waits) -> AuthContext:
        """The context of a credential. Raises TokenInvalid or Unavailable."""
        kind, value = self._kind_of(credential)
        context = await (self._jwt if kind is None else kind).verify(value, waits)
        if self._revocations is not None:
            await self._ask(self._revocations, context)
        return context

    async def live(self, credential: Credential, context: AuthContext, waits: Waits) -> AuthContext:
        """What its issuer says now of a credential whose context this is.

        Raises Revoked for an inactive one, Unavailable, and ConfigError where there is nobody to ask.
        """
        kind, value = self._kind_of(credential)
        if kind is None:
            kind = self._kinds.knowing(context.issuer)
        try:
            answer = None if kind is None else await kind.live(value, waits)
        except TokenInvalid as refusal:
            if type(refusal) is not TokenInvalid:
                raise  # a reason of its own: another audience, say
            # It was good by itself a moment ago, so somebody took it back.
            raise Revoked(refusal.detail, hint=refusal.hint) from None
        if answer is None:
            raise ConfigError(
                f"a requirement is live, and nobody can be asked about {context.credential_kind} credentials of "
                f"{shown(context.issuer)}: give Auth an Introspection with this issuer"
            )
        for name in _SAME:
            ours, theirs = context.claims.get(name), answer.claims.get(name)
            if ours is not None and theirs is not None and ours != theirs:
                raise ClaimInvalid(
                    f"{name} is {shown(ours)} here, and {shown(theirs)} for the issuer", reason="live_mismatch"
                )
        return answer

    def credential(self, request: Request, optional: bool) -> Credential | None:
        """The one credential of a request; None if there is none and `optional`. Raises Refused."""
        missing: CredentialsMissing | None = None
        token: str | None = None
        try:
            token = take_token(request, self._places)
        except CredentialsMissing as refusal:
            missing = refusal
        credential = self._kinds.take(request, token) if self._kinds.elsewhere else token
        if credential is None and missing is not None and not optional:
            raise missing
        return credential

    async def warm_up(self, waits: Waits) -> None:
        """Obtain the keys of every issuer that has them in one place."""
        outages: list[Unavailable] = []
        for entry in self._entries:
            for source in entry.sources():
                try:
                    await source.warm_up(waits)
                except Unavailable as outage:
                    outages.append(outage)
        if outages:
            raise outages[0]  # the other issuers are warm all the same

    def forget_token(self, token: str) -> None:
        """Drop the verdict on one token."""
        self._jwt.cache.drop(token)
        for kind in self._kinds.all:
            kind.forget_credential(token)

    def forget_where(self, matches: Callable[[AuthContext], bool]) -> None:
        """Drop the verdict on every token whose context matches."""
        self._jwt.cache.drop_where(matches)
        for kind in self._kinds.all:
            kind.forget_where(matches)

    def describe(self) -> str:
        """One line per issuer and key source, and per further kind of credential."""
        sources = [(entry.settings.name, source) for entry in self._entries for source in entry.sources()]
        lines = [f"{name}: {source.describe()}" for name, source in sources]
        return "\n".join([*lines, *(kind.describe() for kind in self._kinds.all)])

    def close(self) -> None:
        """Release what the kinds hold."""
        for kind in self._kinds.all:
            kind.close()

    async def aclose(self) -> None:
        """`close` for async code."""
        for kind in self._kinds.all:
            await kind.aclose()

    def _kind_of(self, credential: Credential) -> tuple[Kind | None, str]:
        if isinstance(credential, Presented):
            return credential.kind, credential.value
        return self._kinds.of_token(credential) if self._kinds.all else None, credential

    def _of_any_kind(self, credential: Credential) -> AuthContext | None:
        kind, value = self._kind_of(credential)
        return (self._jwt if kind is None else kind).at_once(value)

    def _after_revocations(self, credential: Credential) -> AuthContext | None:
        """Nothing can be said at once where a list of revocations has to be asked first."""
        return None

    async def _ask(self, revocations: Revocations, context: AuthContext) -> None:
        try:
            revoked = await port(
                "revocations",
                revocations.is_revoked(
                    issuer=context.issuer,
                    token_id=context.token_id,
                    session_id=context.session_id,
                    subject=context.subject,
                    issued_at=context.issued_at or 0.0,
                ),
            )
        except (BearerkitError, PortNeedsLoop):
            raise
        except Exception as error:
            raise StoreUnavailable(f"the revocation list failed: {failure(error)}") from error
        if revoked is not False:
            raise Revoked(f"token {shown(context.token_id)} of subject {shown(context.subject)} was revoked")


class FixedIdentity:
    """One identity for every request and every token. For tests; `bearerkit.testing.as_user` installs it."""

    def __init__(self, context: AuthContext, now: Callable[[], float]) -> None:
        self._context = context
        self.now = now

    def credential(self, request: Request, optional: bool) -> Credential | None:
        """Whatever the request carries, it is this identity's."""
        if not self._context.is_anonymous:
            return ""
        if optional:
            return None
        raise CredentialsMissing("the identity of this test is nobody")

    def at_once(self, credential: Credential) -> AuthContext | None:
        """The fixed identity."""
        return self._context

    async def verify(self, credential: Credential, waits: Waits) -> AuthContext:
        """The fixed identity."""
        return self._context

    async def live(self, credential: Credential, context: AuthContext, waits: Waits) -> AuthContext:
        """The fixed identity, which nobody revokes."""
        return self._context

    async def warm_up(self, waits: Waits) -> None:
        """Nothing to obtain."""

    def forget_token(self, token: str) -> None:
        """Nothing to forget."""

    def forget_where(self, matches: Callable[[AuthContext], bool]) -> None:
        """Nothing to forget."""

    def describe(self) -> str:
        """The fixed identity."""
        return f"every request is {self._context!r} (test)"

    def close(self) -> None:
        """Nothing to release."""

    async def aclose(self) -> None:
        """Nothing to release."""


def _loosest(settings: Sequence[IssuerSettings]) -> Limits:
    """One set of limits for parsing, before it is known which issuer a token belongs to."""
    limits = [item.limits for item in settings] or [Limits()]
    if all(item == limits[0] for item in limits):
        return limits[0]
    return Limits(
        token=max(item.token for item in limits),
        header=max(item.header for item in limits),
        depth=max(item.depth for item in limits),
        integer_digits=max(item.integer_digits for item in limits),
    )
