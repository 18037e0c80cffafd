"""`Sessions`: opaque session ids, in a cookie or as bearer tokens, which a function of the team resolves.

How the resolver is called depends on what it is:

- A plain function may block. A sync caller calls it inline; for async callers it runs on a private thread
  (`SingleFlight`), so that it never holds up their loop. Context variables do not reach it there.
- An `async def` is awaited on the caller's own loop, where its pools and clients belong, and never on a thread
  (`SharedCall`): of several tasks that ask about one session at once the first awaits it, and if that is cancelled, the
  next. From sync code it fails with `PortNeedsLoop` as soon as it suspends.
- A plain function that returns an awaitable (a lambda around an `async def`) is found out at its first call, and
  treated as the latter from then on; that first call is repeated.

Nothing is cached unless `cache_ttl` asks for it, and what cannot be found out is never cached. What an answer may be is
said in session_answer.py, which pages may use a cookie in same_site.py, which credentials come here in kinds.py.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from inspect import isawaitable, iscoroutine
from typing import Any, Final, TypeAlias, final

from bearerkit._drive import PortNeedsLoop, port
from bearerkit.context import AuthContext
from bearerkit.errors import ConfigError, Refused, StoreUnavailable, TokenInvalid, Unavailable
from bearerkit.http import Request
from bearerkit.jose.mapping import ClaimMapping
from bearerkit.ports import Waits
from bearerkit.verify.answer_cache import Answer, AnswerCache, digest_under
from bearerkit.verify.kind import Kind, KindSettings
from bearerkit.verify.same_site import check_same_site, origin_of
from bearerkit.verify.session_answer import check_session_id, session_from
from bearerkit.verify.shared_call import SharedCall, must_be_awaited
from bearerkit.verify.single_flight import SingleFlight
from bearerkit.verify.world import World

__all__ = ["SessionResolver", "Sessions"]

Found: TypeAlias = Mapping[str, Any] | AuthContext | None
SessionResolver: TypeAlias = Callable[[str], Found | Awaitable[Found]]
"""Session id → claims, a context, or None for "no such session"."""

CACHE_SECONDS_MAX: Final = 60.0
_CACHED_MAX: Final = 10_000
_PORT: Final = "Sessions(resolver)"
_COOKIE: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+", re.ASCII)
_PREFIX: Final = re.compile(r"[A-Za-z0-9._~+/-]{1,64}", re.ASCII)
_SALT: Final = b"bearerkit.session:"


@final
@dataclass(frozen=True, eq=False, repr=False)
class Sessions(KindSettings):
    """Sessions that a function of yours knows.

    Args:
        resolver: Called with the session id as it came; returns its claims (`sub` and whatever else), an
            `AuthContext`, or None if there is no such session. Sync or async; what it raises is a 503.
        cookie: The cookie that carries the id. Requests that change something, and WebSockets, must then come from
            pages of this very origin, or of one in `origins`.
        prefix: How bearer tokens that are session ids begin. The resolver gets the whole id.
        bearer: Take every bearer token that is no JWT and that no prefix claims.
        claims: How the claims are read: a `ClaimMapping` or its short spelling.
        origins: Other origins whose pages may use the cookie: `https://app.example.com`.
        cache_ttl: For how many seconds an answer is remembered, at most 60 and never beyond the `exp` of the session;
            0: ask every time. A session that ended lives on for as long in every process, unless it is forgotten there.

    Raises:
        ConfigError: listing every problem.
    """

    resolver: SessionResolver
    cookie: str | None = field(default=None, kw_only=True)
    prefix: str | None = field(default=None, kw_only=True)
    bearer: bool = field(default=False, kw_only=True)
    claims: ClaimMapping | Mapping[str, Any] | None = field(default=None, kw_only=True)
    origins: Iterable[str] = field(default=(), kw_only=True)
    cache_ttl: float = field(default=0.0, kw_only=True)

    def __post_init__(self) -> None:
        put = partial(object.__setattr__, self)
        put("origins", _read_once(self.origins))
        problems = [*_place_problems(self), *_origin_problems(self.origins)]
        if not callable(self.resolver):
            problems.append(f"resolver must be callable, not {type(self.resolver).__name__}")
        if not _is_ttl(self.cache_ttl):
            problems.append(f"cache_ttl must be 0 to {CACHE_SECONDS_MAX:.0f} seconds, not {self.cache_ttl!r}")
        mapping = ClaimMapping()
        try:
            mapping = ClaimMapping.parse(self.claims)
        except ConfigError as error:
            problems += error.problems
        if problems:
            raise ConfigError([f"Sessions: {problem}" for problem in problems])
        put("claims", mapping)
        put("origins", frozenset(filter(None, map(origin_of, self.origins))))
        put("prefixes", () if self.prefix is None else (self.prefix,))
        put("unprefixed", self.bearer)

    def enter(self, world: World) -> Kind:
        """The sessions of one `Auth`."""
        return _Known(self, world)

    def __repr__(self) -> str:
        return f"Sessions({', '.join(self.places)})"

    @property
    def places(self) -> tuple[str, ...]:
        """Where the ids come from, as it was configured."""
        given = {"cookie": self.cookie, "prefix": self.prefix, "bearer": self.bearer or None}
        return tuple(f"{name}={value!r}" for name, value in given.items() if value is not None)


@final
class _Known(Kind):
    def __init__(self, settings: Sessions, world: World) -> None:
        self._settings, self._clock = settings, world.clock
        self._mapping = ClaimMapping.parse(settings.claims)
        self._origins = frozenset(settings.origins)
        self._cache = AnswerCache(_CACHED_MAX if settings.cache_ttl else 0, negatives=0)
        self._flights: SingleFlight[AuthContext] = SingleFlight(world.threads)
        self._calls: SharedCall[AuthContext] = SharedCall()
        self._awaits = must_be_awaited(settings.resolver)

    def at_once(self, credential: str) -> AuthContext | None:
        check_session_id(credential)
        if not self._settings.cache_ttl:
            return None
        return self._cache.hit(digest_under(_SALT, credential), self._clock.now(), self._clock.monotonic())

    async def verify(self, credential: str, waits: Waits) -> AuthContext:
        known = self.at_once(credential)
        if known is not None:
            return known
        # Whoever asks after something was forgotten does not join those who asked before.
        digest = digest_under(_SALT, credential)
        return await self._resolve((digest, self._cache.generation), credential, digest, waits)

    async def _resolve(self, key: Hashable, credential: str, digest: bytes, waits: Waits) -> AuthContext:
        if not self._awaits:
            try:
                return await self._flights.ask(key, partial(self._ask, credential, digest, False), waits)
            except _ToBeAwaited:
                self._awaits = True
        return await self._calls.ask(key, partial(self._ask, credential, digest, True), waits)

    async def live(self, credential: str, waits: Waits) -> AuthContext:
        # Under a key that nobody shares: what was asked a moment ago may be of before the moment that matters.
        check_session_id(credential)
        try:
            return await self._resolve(object(), credential, digest_under(_SALT, credential), waits)
        except TokenInvalid:
            self.forget_credential(credential)
            raise

    def check(self, request: Request) -> None:
        check_same_site(request, self._origins)

    def forget_credential(self, credential: str) -> None:
        self._cache.forget(digest_under(_SALT, credential))

    def forget_where(self, matches: Callable[[AuthContext], bool]) -> None:
        self._cache.forget_where(matches)

    def describe(self) -> str:
        kept = f", {len(self._cache)} remembered" if self._settings.cache_ttl else ", asked every time"
        return f"{self._settings!r}{kept}"

    async def _ask(self, credential: str, digest: bytes, awaits: bool) -> AuthContext:
        generation, asked_at = self._cache.generation, self._clock.monotonic()
        answer = await self._answer(credential, awaits)
        context = session_from(answer, credential, self._mapping, self._clock.now())
        ends = float("inf") if context.expires_at is None else context.expires_at
        # From when it was asked: what changed while the resolver was at it must not count from later.
        self._cache.keep(digest, Answer(context, asked_at + self._settings.cache_ttl, ends), generation)
        return context

    async def _answer(self, credential: str, awaits: bool) -> object:
        try:
            answer = self._settings.resolver(credential)
            if not isawaitable(answer):
                return answer
            if awaits:
                return await port(_PORT, answer)
            if iscoroutine(answer):
                answer.close()
            raise _ToBeAwaited
        except (Refused, Unavailable, PortNeedsLoop, _ToBeAwaited):
            raise
        except Exception as error:
            failure = error
        # Outside of the handler, so that what is said of a session id is not chained either.
        raise StoreUnavailable(f"the session resolver failed: {type(failure).__name__}") from (
            None if credential in f"{failure} {failure!r}" else failure
        )


class _ToBeAwaited(Exception):
    """A plain function returned an awaitable, where nothing awaits."""


def _place_problems(settings: Sessions) -> list[str]:
    problems = []
    cookie, prefix = settings.cookie, settings.prefix
    if cookie is None and prefix is None and not settings.bearer:
        problems.append('say where the ids come from: cookie="sid", prefix="sess_" or bearer=True')
    if cookie is not None and not _is_like(_COOKIE, cookie):
        problems.append(f"cookie={cookie!r} is no name of a cookie")
    if prefix is not None and not _is_like(_PREFIX, prefix):
        problems.append(f"prefix={prefix!r} is no beginning of a bearer token")
    elif prefix is not None and "eyJ".startswith(prefix[:3]):
        problems.append(f"prefix={prefix!r} would take JWTs, which begin with eyJ")
    if settings.bearer not in (True, False):
        problems.append(f"bearer={settings.bearer!r} is neither True nor False")
    elif prefix is not None and settings.bearer:
        problems.append("bearer=True takes tokens without a prefix: leave one of prefix= and bearer= out")
    if cookie is None and settings.origins:
        problems.append("origins= is about cookies; no browser sends a bearer token by itself")
    return problems


def _is_like(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _is_ttl(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= CACHE_SECONDS_MAX


def _read_once(origins: object) -> object:
    return tuple(origins) if isinstance(origins, Iterable) and not isinstance(origins, str) else origins


def _origin_problems(origins: object) -> list[str]:
    if not isinstance(origins, tuple):
        return [f"origins must be a list of origins, not {origins!r}"]
    return [
        f"origins: {text!r} is no origin; write it as browsers send it: https://app.example.com, without a path, and "
        "with xn-- for what is not ASCII"
        for text in origins
        if not isinstance(text, str) or origin_of(text) is None
    ]
