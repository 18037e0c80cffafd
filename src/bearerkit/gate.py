"""What every adapter shares: an `Auth`, the options of `RequireBearer`, and the order in which they apply.

An adapter translates its framework's request, calls `authorize` (or `aauthorize`), and on a refusal sends
`answer(refusal)`. The options mean the same in every framework because they are carried out here. No framework
type is named here, and no adapter carries out an option by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any

from bearerkit._drive import port, run
from bearerkit.auth import Auth, Verifier
from bearerkit.context import AuthContext
from bearerkit.errors import BearerkitError, Expired, TenantUnknown, UserUnknown
from bearerkit.guards import Requirement
from bearerkit.http import Request, Response
from bearerkit.jose.claims import shown

__all__ = ["Gate", "Render", "UserLoader"]

UserLoader = Callable[[AuthContext], Any]
"""Loads the team's own user for a context; may be async; None means nobody, a false `is_active` means disabled."""
Render = Callable[[BearerkitError, Response], Response]
"""Gives an answer another body (`response.with_body(...)`); status and challenge stay as they are."""

_USER = "bearerkit.user"


@dataclass(frozen=True, slots=True)
class Gate:
    """One way into an application. See `RequireBearer` in the adapters for what the options do."""

    auth: Auth
    optional: bool = False
    user: UserLoader | None = None
    render: Render | None = None
    not_found: Callable[..., Any] | None = None

    @classmethod
    def of(
        cls,
        auth: Auth | Verifier,
        *,
        optional: bool = False,
        user: UserLoader | None = None,
        render: Render | None = None,
        not_found: Callable[..., Any] | None = None,
    ) -> Gate:
        """A gate around an `Auth`, or around one verifier, for which it builds the `Auth`."""
        built = auth if isinstance(auth, Auth) else Auth(auth)
        return cls(built, optional, user, render, not_found)

    def authorize(self, request: Request, need: Requirement | None = None) -> AuthContext:
        """Who is calling, after `need` was met and the user loaded. Raises Refused or Unavailable."""
        if self.user is not None:
            # The user belongs to "who is calling", so it comes before anything that is asked of the caller.
            run(self._load_user(self.user, self.auth.authorize(request, optional=self.optional), request))
        return self.auth.authorize(request, need, optional=self.optional)

    async def aauthorize(self, request: Request, need: Requirement | None = None) -> AuthContext:
        """`authorize` for async code."""
        if self.user is not None:
            await self._load_user(self.user, await self.auth.aauthorize(request, optional=self.optional), request)
        return await self.auth.aauthorize(request, need, optional=self.optional)

    def user_of(self, request: Request, context: AuthContext) -> Any:
        """The user that this gate loaded for exactly this context; None if there is none."""
        known = request.memo.get(_USER)
        return known[2] if known is not None and known[0] is self.user and known[1] is context else None

    def seconds_left(self, context: AuthContext) -> float | None:
        """How long the credential lasts from now, without leeway; None if it has no end. Raises Expired."""
        if context.expires_at is None:
            return None
        left = context.expires_at - self.auth.now()
        if left <= 0:
            raise Expired("the credential has no time left for a connection that ends with it")
        return left

    def answer(self, refusal: BearerkitError) -> Response:
        """The HTTP answer for a refusal, with the team's body if there is a `render`; the log is told, once."""
        self.auth.note(refusal)
        ours = self.auth.answer(refusal)
        if self.render is None:
            return ours
        theirs = self.render(refusal, ours)
        media_type = theirs.header("content-type") or ours.header("content-type") or ""
        return ours.with_body(theirs.body, media_type)

    def wants_own_not_found(self, refusal: BearerkitError) -> bool:
        """True if the framework's own 404 is to be shown for this refusal."""
        return self.not_found is not None and isinstance(refusal, TenantUnknown)

    async def _load_user(self, load: UserLoader, context: AuthContext, request: Request) -> None:
        known = request.memo.get(_USER)
        if context.is_anonymous or (known is not None and known[0] is load and known[1] is context):
            return
        user = load(context)
        if isawaitable(user):
            user = await port("user", user)
        if user is None or not _is_active(user):
            raise UserUnknown(f"the user loader has no active user for subject {shown(context.subject)}")
        request.memo[_USER] = (load, context, user)


def _is_active(user: object) -> bool:
    """False for a user that says so by `is_active`, as attribute, as key of a mapping, or as a method."""
    if hasattr(user, "keys"):  # a mapping, or a row of a database
        # Not `in user`: a row of sqlite3 looks among its values there.
        value = user["is_active"] if "is_active" in list(user.keys()) else True  # type: ignore[index]
    else:
        value = getattr(user, "is_active", True)
    if callable(value):
        value = value()
    # "false", an awaitable or an object would all be true; whoever is active says True or 1.
    return isinstance(value, bool | int) and bool(value)
