"""What every adapter shares: an `Auth`, the options of `RequireBearer`, and the order in which they apply.

An adapter translates its framework's request, calls `authorize` (or `aauthorize`), and on a refusal sends
`answer(refusal)`. The options mean the same in every framework because they are carried out here. No framework
type is named here, and no adapter carries out an option by itself.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from inspect import isawaitable
from typing import Any, TypedDict, Unpack

from bearerkit._drive import port, run
from bearerkit.auth import Auth, Verifier
from bearerkit.context import AuthContext
from bearerkit.errors import BearerkitError, ConfigError, Expired, TenantUnknown, UserUnknown
from bearerkit.guards import Requirement
from bearerkit.http import Request, Response
from bearerkit.jose.claims import shown
from bearerkit.spelling import nearest
from bearerkit.verify.cookies import came_by_cookie
from bearerkit.verify.credentials import check_presentation

__all__ = ["Gate", "GateOptions", "Render", "UserLoader", "check_options"]

UserLoader = Callable[[AuthContext], Any]
"""Loads the team's own user for a context; may be async; None means nobody, a false `is_active` means disabled."""
Render = Callable[[BearerkitError, Response], Response]
"""Gives an answer another body (`response.with_body(...)`); status and challenge stay as they are."""

_USER = "bearerkit.user"
_OF_MIDDLEWARES = ("need", "exempt")


class GateOptions(TypedDict, total=False):
    """What every `RequireBearer` and `BearerMiddleware` takes beside the `Auth`, with one meaning in all frameworks."""

    optional: bool
    """A request without a credential passes as an anonymous context; a bad credential is still refused."""
    user: UserLoader | None
    """Loads the team's own user from the context, sync or async; it becomes `request.user` where there is such a thing.
    None, or a user whose `is_active` is False, is refused (401)."""
    render: Render | None
    """Gives refusals another body: `render(refusal, response) -> response.with_body(...)`."""
    not_found: Callable[..., Any] | None
    """Called with the framework's request where a tenant is not the caller's; returns the framework's own answer, which
    is sent instead of ours, or raises its 404."""


@dataclass(frozen=True, slots=True)
class Gate:
    """One way into an application. See `GateOptions` for what the options do."""

    auth: Auth
    optional: bool = False
    user: UserLoader | None = None
    render: Render | None = None
    not_found: Callable[..., Any] | None = None

    @classmethod
    def of(cls, auth: Auth | Verifier, **options: Unpack[GateOptions]) -> Gate:
        """A gate around an `Auth`, or around one verifier, for which it builds the `Auth`.

        Raises ConfigError listing every option that cannot work.
        """
        check_options(options)
        return cls(auth if isinstance(auth, Auth) else Auth(auth), **options)

    def but(self, **options: Unpack[GateOptions]) -> Gate:
        """The same gate with other options. Raises ConfigError as `of`."""
        check_options(options)
        return replace(self, **options)

    def authorize(self, request: Request, need: Requirement | None = None) -> AuthContext:
        """Who is calling, after `need` was met and the user loaded. Raises Refused or Unavailable."""
        if self.user is not None:
            # The user belongs to "who is calling", so it comes before anything that is asked of the caller.
            run(self.load_user(self.auth.authorize(request, optional=self.optional), request))
        return self.auth.authorize(request, need, optional=self.optional)

    def at_once(self, request: Request, need: Requirement | None = None) -> AuthContext | None:
        """`authorize` as a plain function, where nothing has to be waited for; None where async code must await.

        Adapters ask this first: on the way of a token that is known there is then no coroutine.
        """
        return None if self.user is not None else self.auth.at_once(request, need, optional=self.optional)

    def aauthorize(self, request: Request, need: Requirement | None = None) -> Awaitable[AuthContext]:
        """`authorize` for async code."""
        if self.user is None:
            return self.auth.aauthorize(request, need, optional=self.optional)
        return self._aauthorize_user(request, need)

    async def _aauthorize_user(self, request: Request, need: Requirement | None) -> AuthContext:
        await self.load_user(await self.auth.aauthorize(request, optional=self.optional), request)
        return await self.auth.aauthorize(request, need, optional=self.optional)

    def user_of_token(self, token: str, request: Request) -> Any:
        """The team's user for a bearer token that came without a request of its own. Raises Refused or Unavailable."""
        context = self.auth.verify(token)
        check_presentation(context)
        return run(self.load_user(context, request))

    async def auser_of_token(self, token: str, request: Request) -> Any:
        """`user_of_token` for async code."""
        context = await self.auth.averify(token)
        check_presentation(context)
        return await self.load_user(context, request)

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

    def withstands_csrf(self, context: AuthContext, request: Request) -> bool:
        """True if a page of another site cannot have made a browser send the credential of this caller."""
        on_purpose = self.auth.places.is_sent_on_purpose and not came_by_cookie(request)
        return context.is_authenticated and on_purpose

    async def whole_answer(self, refusal: BearerkitError, native: Any, call: Callable[..., Any]) -> Any:
        """What is sent for a refusal: our `Response`, or what the team's `not_found` returns for `native`.

        `call` is that of the `Request`. What `not_found` raises is passed on.
        """
        if self.not_found is None or not isinstance(refusal, TenantUnknown):
            return self.answer(refusal)
        self.auth.note(refusal)
        theirs = call(self.not_found, native)
        return await port("not_found", theirs) if isawaitable(theirs) else theirs

    async def load_user(self, context: AuthContext, request: Request) -> Any:
        """The team's user for a context, loaded once per request; None if nobody calls or this gate loads none.

        Raises UserUnknown for somebody whom the loader does not know, or who is not active.
        """
        known = request.memo.get(_USER)
        if self.user is None or context.is_anonymous:
            return None
        if known is not None and known[0] is self.user and known[1] is context:
            return known[2]
        user = request.call(self.user, context)
        if isawaitable(user):
            user = await port("user", user)
        if user is None or not _is_active(user):
            raise UserUnknown(f"the user loader has no active user for subject {shown(context.subject)}")
        request.memo[_USER] = (self.user, context, user)
        return user


def check_options(options: Mapping[str, object]) -> None:
    """Raise ConfigError listing every option of `GateOptions` that cannot work."""
    problems = [
        f"{name} is no option{nearest(name, (*GateOptions.__annotations__, *_OF_MIDDLEWARES))}"
        for name in options
        if name not in GateOptions.__annotations__
    ]
    if not isinstance(options.get("optional", False), bool):
        problems.append(f"optional={options['optional']!r} is neither True nor False")
    problems += [
        f"{name}={options[name]!r} cannot be called"
        for name in ("user", "render", "not_found")
        if options.get(name) is not None and not callable(options[name])
    ]
    if problems:
        raise ConfigError(problems)


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
