"""The keys of an issuer, through a cache that one fetch fills for everybody and that survives outages.

The ordinary path is `source.snapshot` and `source.ready(…)`: plain reads of immutable values, no lock, no coroutine.
Only who finds nothing there goes on to `obtain`, which may wait. When to fetch is decided in `jose/key_cache.py`; here
it is only carried out: one flight at a time, run by a sync caller itself or by a private thread, never by a task that
somebody may cancel. No two times are ever compared here, and no lock is held while anything is fetched or awaited.
"""

from __future__ import annotations

import logging
import threading
import traceback
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final, final

from bearerkit._drive import PortNeedsLoop, port, run
from bearerkit.errors import KeysUnavailable
from bearerkit.jose.key_cache import (
    AbsentKids,
    KeyCache,
    KeyState,
    Verdict,
    calm_until,
    decide,
    failed,
    is_fresh,
    retry_after,
    succeeded,
    unknown_attempted,
)
from bearerkit.jose.keys import VerificationKey
from bearerkit.ports import Clock, Entropy, HttpClient, Observer, Threads, Waits
from bearerkit.verify.discovery import FetchedKeys, FetchRefused, KeyFetcher
from bearerkit.verify.flight import Flight
from bearerkit.verify.forks import survives_fork
from bearerkit.verify.key_hints import count, key_not_found
from bearerkit.verify.key_location import KeyLocation
from bearerkit.verify.key_source import KeySource, Snapshot, StaticKeys

__all__ = ["KeySource", "RemoteKeys", "Snapshot", "StaticKeys"]

_log = logging.getLogger("bearerkit.keys")

_ROUNDS: Final = 4
"""Flights that a caller waits for at most. Two are ordinary: one that was in the air, and one of its own."""


@final
class RemoteKeys:
    """The keys of one issuer, fetched when needed and cached by the rules of `jose/key_cache.py`.

    `http` must be a blocking port (an `async def` that never suspends): a fetch never runs on an event loop. One
    object serves threads and several event loops at once, and survives fork.
    """

    def __init__(
        self,
        location: KeyLocation,
        *,
        http: HttpClient,
        clock: Clock,
        entropy: Entropy,
        threads: Threads,
        settings: KeyCache = KeyCache(),
        observer: Observer | None = None,
    ) -> None:
        self.location = location
        self.snapshot: Snapshot | None = None
        self._clock = clock
        self._entropy = entropy
        self._threads = threads
        self._settings = settings
        self._observer = observer
        self._fetcher = KeyFetcher(location, http, clock)
        self._where = location.name
        self._state = KeyState()
        self._failure: tuple[str, str | None] | None = None
        self._skipped: tuple[str, ...] = ()
        self._absent = AbsentKids()
        self._flight: Flight | None = None
        self._flights = 0
        self._lock = threading.Lock()
        survives_fork(self)

    # The ordinary path: no lock, no coroutine.

    def ready(self, kid: str | None, alg: str, now: float) -> tuple[VerificationKey, ...] | None:
        """The keys to try, None if `obtain` has to be asked. Never waits; may start a refresh in the background."""
        snapshot = self.snapshot
        if snapshot is None:
            return None
        found = snapshot.keys.candidates(kid, alg)
        if not found:
            return None
        return found if now < snapshot.calm_until or self._usable(now) else None

    def still_good(self, key: VerificationKey, now: float) -> bool:
        """True if `key` is still in the set and the set may be used. May start a refresh in the background."""
        snapshot = self.snapshot
        if snapshot is None or key not in snapshot.keys:
            return False
        return now < snapshot.calm_until or self._usable(now)

    def _usable(self, now: float) -> bool:
        match decide(self._state, self._settings, now, known=True, absent=False):
            case Verdict.USE:
                return True
            case Verdict.USE_AND_REFRESH:
                if self._flight is None:
                    self._refresh_ahead()
                return True
            case _:
                return False

    def _refresh_ahead(self) -> None:
        with self._lock:
            now = self._clock.monotonic()
            verdict = decide(self._state, self._settings, now, known=True, absent=False)
            if self._flight is not None or verdict is not Verdict.USE_AND_REFRESH:
                return  # somebody else was quicker
            flight = self._depart(now)
        self._fly_detached(flight)

    # The path that may wait.

    async def obtain(self, kid: str | None, alg: str, waits: Waits) -> tuple[VerificationKey, ...]:
        """The keys to try, fetched if need be. Raises KeyNotFound (401) or KeysUnavailable (503)."""
        arrived: int | None = None
        tried: Flight | None = None
        for _ in range(_ROUNDS):
            with self._lock:
                arrived = self._flights if arrived is None else arrived
                state, now = self._state, self._clock.monotonic()
                found = state.keys.candidates(kid, alg) if state.keys is not None else ()
                verdict = self._judge(state, now, kid, found, tried)
                flight, leads = self._flight, False
                if verdict is Verdict.FETCH and flight is None:
                    flight, leads = self._depart(now, unknown=not found), True
            if verdict is Verdict.USE:
                return found
            if verdict is Verdict.USE_AND_REFRESH:
                self._refresh_ahead()
                return found
            if verdict is Verdict.NOT_FOUND and state.keys is not None:
                age = max(0, round(now - state.fetched_at))
                raise key_not_found(state.keys, kid, alg, f"{self._where} (fetched {age} s ago)")
            if verdict is Verdict.UNAVAILABLE or flight is None:
                break
            await self._await(flight, leads, waits)
            if flight.landed and flight.number > arrived:
                tried = flight
        raise self._unavailable()

    async def warm_up(self, waits: Waits) -> None:
        """Fetch now if there is nothing fresh, so that the first request need not wait.

        Raises KeysUnavailable if the fetch fails and no earlier key may be used.
        """
        with self._lock:
            now = self._clock.monotonic()
            flight, leads = self._flight, False
            if decide(self._state, self._settings, now, known=True, absent=False) is not Verdict.FETCH:
                flight = None
            elif flight is None:
                flight, leads = self._depart(now), True
        if flight is not None:
            await self._await(flight, leads, waits)
        now = self._clock.monotonic()
        if decide(self._state, self._settings, now, known=True, absent=False, tried=True) is Verdict.UNAVAILABLE:
            raise self._unavailable()

    async def refresh(self, waits: Waits) -> None:
        """Fetch anew, whatever is cached, in back-off or in the air. Raises KeysUnavailable if that fails."""
        arrived: int | None = None
        for _ in range(_ROUNDS):
            with self._lock:
                arrived = self._flights if arrived is None else arrived
                flight, leads = self._flight, False
                if flight is None:
                    flight, leads = self._depart(self._clock.monotonic()), True
            await self._await(flight, leads, waits)
            if flight.landed and flight.number > arrived:
                if flight.succeeded:
                    return
                break
        raise self._unavailable()

    def _judge(
        self, state: KeyState, now: float, kid: str | None, found: tuple[VerificationKey, ...], tried: Flight | None
    ) -> Verdict:
        """Under the lock."""
        misfit = state.keys is not None and kid is not None and not found and state.keys.has_kid(kid)
        absent = misfit or self._absent.holds(kid, now)
        verdict = decide(
            state,
            self._settings,
            now,
            known=bool(found),
            absent=absent,
            flying=self._flight is not None,
            tried=tried is not None,
        )
        if verdict is Verdict.NOT_FOUND and tried is not None and tried.succeeded and not absent:
            self._absent.add(kid, now + self._settings.absent)
        return verdict

    def _unavailable(self) -> KeysUnavailable:
        state, failure = self._state, self._failure
        detail, hint = failure if failure is not None else ("the fetch was given up before it ended", None)
        return KeysUnavailable(
            f"the keys of {self._where} cannot be had: {detail}",
            retry_after=retry_after(state, self._clock.monotonic()),
            hint=hint,
        )

    def describe(self) -> str:
        """Where from, how many keys, how old, the last error."""
        state, failure = self._state, self._failure
        if state.keys is None:
            text = f"no keys yet of {self._where}"
        else:
            age = max(0, round(self._clock.monotonic() - state.fetched_at))
            text = f"{count(state.keys)} of {self._where}, fetched {age} s ago"
        return f"{text}; last fetch failed: {failure[0]}" if state.failures and failure is not None else text

    # Flights.

    def _depart(self, now: float, *, unknown: bool = False) -> Flight:
        """Take the one place in the air. Under the lock; the caller must see to it that the flight is flown."""
        before: float | None = None
        if unknown and is_fresh(self._state, now):
            before = self._state.unknown_attempt_at
            self._state = unknown_attempted(self._state, now)
        self._flights += 1
        self._flight = Flight(self._flights, now, before)
        return self._flight

    async def _await(self, flight: Flight, leads: bool, waits: Waits) -> None:
        if leads and waits.inline:
            self._fly(flight)
        elif leads:
            self._fly_detached(flight)
        elif flight.flown_here():
            raise KeysUnavailable(f"the fetch of the keys of {self._where} asked for those keys itself")
        await port("waits.wait", waits.wait(flight.future))

    def _fly_detached(self, flight: Flight) -> None:
        try:
            started = self._threads.start(lambda: self._fly(flight))
        except BaseException:
            self._give_up(flight)
            raise
        if not started:
            self._fly(flight)

    def _fly(self, flight: Flight) -> None:
        """Fetch and land. Whatever happens, KeyboardInterrupt included, nobody is left waiting."""
        flight.pilot = threading.get_ident()
        try:
            outcome, misuse = self._outcome()
            before = self._land(flight, outcome)
            flight.resolve(misuse)
        finally:
            self._give_up(flight)
        self._tell(flight, outcome, before)

    def _outcome(self) -> tuple[FetchedKeys | FetchRefused, PortNeedsLoop | None]:
        try:
            return run(self._fetcher.fetch(self._state.keys)), None
        except FetchRefused as refused:
            return refused, None
        except PortNeedsLoop as misuse:
            return FetchRefused(str(misuse)), misuse
        except Exception as error:
            # Only the type and place: the message of a foreign exception may hold key material.
            place = traceback.extract_tb(error.__traceback__)[-1]
            return FetchRefused(f"unexpected {type(error).__name__} in {place.name}, line {place.lineno}"), None

    def _land(self, flight: Flight, outcome: FetchedKeys | FetchRefused) -> KeyState:
        """Swap in what the flight brought and free its place. Returns the state before."""
        with self._lock:
            before, now = self._state, self._clock.monotonic()
            if isinstance(outcome, FetchedKeys):
                keys, number = outcome.keys, flight.number
                sent_at, max_age = flight.started_at, outcome.max_age
                after = succeeded(before, self._settings, sent_at, keys, max_age=max_age, sequence=number)
                if after is not before:
                    self._where = outcome.url
                    if before.keys is None or before.keys.keys != keys.keys:
                        self._absent.clear()
                flight.succeeded = True
            else:
                jitter = self._entropy.jitter()
                after = failed(before, self._settings, now, jitter=jitter, sequence=flight.number)
                self._failure = (outcome.detail, outcome.hint)
            self._state = after
            if after.keys is not None:
                self.snapshot = Snapshot(after.keys, calm_until(after, self._settings))
            flight.landed = True
            if self._flight is flight:
                self._flight = None
        return before

    def _give_up(self, flight: Flight) -> None:
        """Free the place of a flight that did not land, and wake who waits; they decide anew."""
        if not flight.landed:
            with self._lock:
                if flight.unknown_before is not None:
                    self._state = replace(self._state, unknown_attempt_at=flight.unknown_before)
                if self._flight is flight:
                    self._flight = None
        flight.resolve()

    def after_fork(self) -> None:
        """In a forked child: nobody holds the lock, and the thread of a flight does not exist."""
        self._lock = threading.Lock()
        self._flight = None

    # What operators and metrics see.

    def _tell(self, flight: Flight, outcome: FetchedKeys | FetchRefused, before: KeyState) -> None:
        if isinstance(outcome, FetchedKeys):
            skipped = outcome.keys.skipped
            if before.failures:
                _log.info("%s: the keys can be fetched again", outcome.url)
            if skipped and skipped != self._skipped:
                _log.warning("%s: keys that cannot be used were skipped: %s", outcome.url, "; ".join(skipped)[:2_000])
            self._skipped = skipped
            seconds = self._clock.monotonic() - flight.started_at
            self._event("keys.fetched", {"url": outcome.url, "keys": len(outcome.keys.keys), "seconds": seconds})
        else:
            level = logging.DEBUG if before.failures else logging.WARNING
            hint = f" ({outcome.hint})" if outcome.hint else ""
            _log.log(level, "%s: the keys cannot be fetched: %s%s", self._where, outcome.detail, hint)
            self._event("keys.failed", {"url": self._where, "error": outcome.detail})

    def _event(self, name: str, fields: Mapping[str, Any]) -> None:
        if self._observer is not None:
            with suppress(Exception):  # a metric must not cost a request
                self._observer.event(name, fields)
