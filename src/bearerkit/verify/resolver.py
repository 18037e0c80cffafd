"""Issuers that are found at run time: one per tenant, looked up by the `iss` of a token.

The lookup is the team's (`resolve(iss)`, sync or async) and its answer is an ordinary `Issuer`, kept in a bounded
cache for a bounded time; a "no" is remembered too, so that invented issuers do not become a flood of lookups. The
addresses of such issuers come from data, so their keys are fetched as untrusted URLs: resolved once, pinned, never
private or loopback unless the issuer's `Network(private=True)` says so.
"""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from inspect import isawaitable
from typing import Any, Final, NoReturn, final

from cachetools import FIFOCache

from bearerkit._drive import PortNeedsLoop, port
from bearerkit.errors import ConfigError, IssuerMismatch, KeysUnavailable, Refused, Unavailable
from bearerkit.jose.claims import shown
from bearerkit.jose.compact import Limits
from bearerkit.ports import Waits
from bearerkit.verify.burst import Burst
from bearerkit.verify.forks import survives_fork
from bearerkit.verify.issuer import IssuerSettings
from bearerkit.verify.routing import Entry

__all__ = ["IssuerResolver", "Resolvers"]

MISSES_MAX: Final = 10_000
LOOKUPS_BURST: Final = 200
"""Look-ups of issuers not seen before that may happen at once, and how many more each second."""
LOOKUPS_PER_SECOND: Final = 10
ISSUER_LENGTH_MAX: Final = 2_048


@final
class IssuerResolver:
    """Finds the `Issuer` for an `iss` that is not configured by name.

    Args:
        resolve: Called with the unverified `iss`; returns an `Issuer` that lists exactly this name and spells
            `tenants=`, or None for "not one of ours". Sync or async; a sync caller of `Auth` needs a sync one.
        max_issuers: Issuers kept at once, the oldest going first.
        ttl: Seconds after which an issuer is looked up again.
        miss_ttl: Seconds for which a "no" is remembered.
    """

    __slots__ = ("max_issuers", "miss_ttl", "resolve", "ttl")

    def __init__(
        self,
        resolve: Callable[[str], IssuerSettings | Awaitable[IssuerSettings | None] | None],
        *,
        max_issuers: int = 1_000,
        ttl: float = 600,
        miss_ttl: float = 60,
    ) -> None:
        problems = [
            f"{name} must be positive, not {value!r}"
            for name, value in (("max_issuers", max_issuers), ("ttl", ttl), ("miss_ttl", miss_ttl))
            if not _positive(value)
        ]
        if not isinstance(max_issuers, int):
            problems.append(f"max_issuers must be a whole number, not {max_issuers!r}")
        if not callable(resolve):
            problems.insert(0, "resolve must be callable")
        if problems:
            raise ConfigError([f"IssuerResolver: {problem}" for problem in problems])
        self.resolve = resolve
        self.max_issuers = max_issuers
        self.ttl = ttl
        self.miss_ttl = miss_ttl


def _positive(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0


class _LookUp:
    """One question to the team's resolver that is being asked."""

    def __init__(self, by_thread: bool) -> None:
        self.future: Future[None] = Future()
        self._thread = threading.get_ident() if by_thread else None

    def may_be_waited_for(self) -> bool:
        """Whether a thread may block for it: not for a task, which may be one of the loop that this thread runs."""
        return self._thread is not None and self._thread != threading.get_ident()


def _refuse_unknown(issuer: str) -> NoReturn:
    raise IssuerMismatch(f"no resolver knows the issuer {shown(issuer)}")


def _refuse_flood(issuer: str) -> NoReturn:
    raise IssuerMismatch(
        f"too many new issuers at once; {shown(issuer)} was not looked up",
        hint="Somebody sends tokens with invented issuers. Known ones keep working.",
    )


class Resolvers:
    """The resolvers of one `Auth` beside what they answered. `enter` makes an entry of an untrusted issuer."""

    def __init__(self, resolvers: Sequence[IssuerResolver], *, enter: Callable[[IssuerSettings], Entry]) -> None:
        self._resolvers = tuple(resolvers)
        self._enter = enter
        self._lock = threading.Lock()
        size = max((resolver.max_issuers for resolver in resolvers), default=1)
        self._found: FIFOCache[str, Entry] = FIFOCache(size)
        self._missed: FIFOCache[str, float] = FIFOCache(MISSES_MAX)
        self._asked: dict[str, _LookUp] = {}
        self._burst = Burst(LOOKUPS_BURST, LOOKUPS_PER_SECOND)
        survives_fork(self)

    def may_know(self, claims: Mapping[str, Any]) -> bool:
        """True if it makes sense to ask: there is a resolver, and the token names an issuer."""
        issuer = claims.get("iss")
        return bool(self._resolvers) and isinstance(issuer, str) and 0 < len(issuer) <= ISSUER_LENGTH_MAX

    async def resolve(self, claims: Mapping[str, Any], now: float, waits: Waits) -> tuple[Entry, ...]:
        """The entry for this token's issuer; `now` is monotonic.

        Callers who ask for the same issuer at once share one look-up. Raises IssuerMismatch if no resolver knows it,
        KeysUnavailable if a resolver fails.
        """
        issuer: str = claims["iss"]
        while True:
            with self._lock:
                entry = self._found.get(issuer)
                if entry is not None and now < entry.fresh_until:
                    return (entry,)
                if now < self._missed.get(issuer, 0.0):
                    _refuse_unknown(issuer)
                asked, leads = self._asked.get(issuer), False
                if asked is None:
                    if entry is None and not self._burst.spend(now):
                        _refuse_flood(issuer)
                    asked, leads = _LookUp(waits.inline), True
                    self._asked[issuer] = asked
            if leads:
                return await self._lead(asked, issuer, now)
            if waits.inline and not asked.may_be_waited_for():
                return await self._look_up(issuer, now)
            await port("waits.wait", waits.wait(asked.future))

    async def _lead(self, mine: _LookUp, issuer: str, now: float) -> tuple[Entry, ...]:
        answer: Refused | Unavailable | None = None
        try:
            return await self._look_up(issuer, now)
        except (Refused, Unavailable) as error:
            answer = error
            raise
        finally:
            with self._lock:
                self._asked.pop(issuer, None)
            # A refusal or an outage is everybody's answer. After a cancellation the others look again, and one of them
            # asks next.
            if answer is None:
                mine.future.set_result(None)
            else:
                mine.future.set_exception(answer)

    async def _look_up(self, issuer: str, now: float) -> tuple[Entry, ...]:
        for resolver in self._resolvers:
            settings = await self._ask(resolver, issuer)
            if settings is not None:
                return (self._keep(issuer, settings, now, now + resolver.ttl),)
        with self._lock:
            self._missed[issuer] = now + min(resolver.miss_ttl for resolver in self._resolvers)
            self._found.pop(issuer, None)
        _refuse_unknown(issuer)

    async def _ask(self, resolver: IssuerResolver, issuer: str) -> IssuerSettings | None:
        try:
            answer = resolver.resolve(issuer)
            settings: object = await port("resolve", answer) if isawaitable(answer) else answer
        except (Refused, Unavailable, PortNeedsLoop):
            raise
        except Exception as error:
            raise KeysUnavailable(f"the issuer resolver failed for {shown(issuer)}: {type(error).__name__}") from error
        if settings is None:
            return None
        if not isinstance(settings, IssuerSettings) or issuer not in settings.exact:
            raise KeysUnavailable(
                f"the resolver answered {shown(issuer)} with something else than an Issuer of that name",
                hint="resolve() returns None, or an Issuer that lists exactly the iss it was asked for.",
            )
        if not settings.tenants_spelled or settings.padding or settings.limits != Limits():
            raise KeysUnavailable(
                f"the Issuer that the resolver made for {shown(issuer)} cannot be used",
                hint="An issuer that belongs to one tenant may write any tenant into its tokens: spell tenants= "
                "(a list, a predicate, or ANY). padding= and limits= are for issuers that are configured by name.",
            )
        return settings

    def _keep(self, issuer: str, settings: IssuerSettings, now: float, ends: float) -> Entry:
        with self._lock:
            known = self._found.get(issuer)
            if known is not None and now < known.fresh_until:
                return known  # somebody was quicker; a second entry would fetch the keys a second time
            # Whose keys are in the same place keeps its key source, and with it the keys that outlast an outage.
            kept = known if known is not None and known.settings.same_keys_as(settings) else self._enter(settings)
            entry = replace(kept, settings=settings, fresh_until=ends)
            self._found[issuer] = entry
        return entry

    def after_fork(self) -> None:
        """Replace the lock in a forked child, and forget look-ups that only the parent will finish."""
        self._lock = threading.Lock()
        self._asked = {}
