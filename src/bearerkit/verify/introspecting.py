"""From an opaque token to its `AuthContext`: ask the issuer (RFC 7662), once for many callers, and only now and then.

What an answer must be is decided in `jose/introspection_answer.py`, who we are to the issuer in `jose/client_auth.py`.
An issuer that does not answer, or not as it must, is an outage (503), never an inactive token, and never remembered as
one. The work runs over blocking ports and belongs to no caller (`single_flight.py`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final, final
from urllib.parse import urlencode

from bearerkit._drive import port
from bearerkit.context import AuthContext
from bearerkit.errors import IntrospectionUnavailable, Malformed, TokenInvalid
from bearerkit.http import Fetch, Fetched, FetchFailed
from bearerkit.jose.client_auth import authenticate
from bearerkit.jose.introspection_answer import read_answer
from bearerkit.ports import Waits
from bearerkit.verify.answer_cache import Answer, AnswerCache, Outcome, digest_under, granted
from bearerkit.verify.breaker import Breaker
from bearerkit.verify.kind import Kind
from bearerkit.verify.metadata import FetchRefused, MetadataReader
from bearerkit.verify.shared_answers import Shared, SharedAnswers
from bearerkit.verify.single_flight import SingleFlight
from bearerkit.verify.world import World

if TYPE_CHECKING:
    from bearerkit.verify.introspection import Introspection

__all__ = ["Introspecting"]

FAILURES: Final = 5
"""Failures in a row after which the issuer is left alone for a while."""
REST: Final = 5.0
"""Seconds until it is asked again."""
_TOKEN_MAX: Final = 16_384
_FORM: Final = ("Content-Type", "application/x-www-form-urlencoded")

_log = logging.getLogger("bearerkit.introspection")


@final
class Introspecting(Kind):
    """The tokens of one introspection endpoint, wired."""

    def __init__(self, settings: Introspection, world: World) -> None:
        self._settings = settings
        self._world = world
        self._salt = settings.salt
        self._cache = AnswerCache(settings.cache_size)
        self._flights = SingleFlight[Outcome](world.threads)
        self._breaker = Breaker(FAILURES, REST)
        self._metadata = MetadataReader(settings.location, world.http, world.clock, "introspection_endpoint")
        self._stale_since: float | None = None
        shared = settings.shared
        self._shared = (
            None
            if shared is None
            else SharedAnswers(
                shared,
                world.clock,
                context_of=settings.context_of,
                seconds_for=self._seconds_for,
                ends_of=settings.ends_of,
                lock_seconds=settings.network.timeout + 1,
            )
        )

    def at_once(self, credential: str) -> AuthContext | None:
        """What is remembered of this token; None if the issuer must be asked. Raises TokenInvalid."""
        known = self._known(self._digest_of_fitting(credential))
        return None if known is None else granted(known)

    async def verify(self, credential: str, waits: Waits) -> AuthContext:
        """The context of a token. Raises TokenInvalid or IntrospectionUnavailable."""
        digest = self._digest_of_fitting(credential)
        known = self._known(digest)
        if known is not None:
            return granted(known)
        # Whoever asks after something was forgotten does not join those who asked before.
        generation = self._cache.generation
        work = partial(self._resolve, credential, digest, generation)
        return granted(await self._flights.ask((digest, generation), work, waits))

    async def live(self, credential: str, waits: Waits) -> AuthContext:
        """The same, but the issuer is asked now, past every cache. A refusal empties them."""
        digest = self._digest(credential)

        async def ask() -> Outcome:
            outcome = await self._ask_issuer(credential, digest, self._cache.generation)
            if not isinstance(outcome, AuthContext):
                self._cache.forget(digest)
                if self._shared is not None:
                    await self._shared.drop(digest)
            return outcome

        # Nobody joins: what was asked a moment ago may have been asked before the moment that matters.
        return granted(await self._flights.ask(object(), ask, waits))

    def forget_credential(self, credential: str) -> None:
        """Ask the issuer next time."""
        self._cache.forget(self._digest(credential))
        self._forget_shared()

    def forget_where(self, matches: Callable[[AuthContext], bool]) -> None:
        """Ask the issuer next time about every matching caller."""
        self._cache.forget_where(matches)
        self._forget_shared()

    def _forget_shared(self) -> None:
        if self._shared is not None:
            self._shared.forget()

    def describe(self) -> str:
        """Where it asks, and whether it is answered."""
        state = "not answering" if self._breaker.is_open else f"{len(self._cache)} answers remembered"
        return f"{self._settings.name}: introspection, {state}"

    def _digest(self, credential: str) -> bytes:
        return digest_under(self._salt, credential)

    def _digest_of_fitting(self, credential: str) -> bytes:
        if len(credential) > _TOKEN_MAX:
            raise Malformed(f"the token is longer than {_TOKEN_MAX:,} characters")
        return self._digest(credential)

    def _known(self, digest: bytes) -> Outcome | None:
        clock = self._world.clock
        return self._cache.known(digest, clock.now(), clock.monotonic())

    async def _resolve(self, credential: str, digest: bytes, generation: int) -> Outcome:
        known = self._known(digest)  # another flight may just have landed
        if known is not None:
            return known
        try:
            if self._shared is None:
                return await self._ask_issuer(credential, digest, generation)
            return await self._ask_others(self._shared, credential, digest, generation)
        except IntrospectionUnavailable as outage:
            context = self._stale(digest)
            if context is None:
                raise
            self._say_stale(outage)
            return context

    async def _ask_others(self, shared: SharedAnswers, credential: str, digest: bytes, generation: int) -> Outcome:
        """What another process was told, or is being told now; else the issuer, while the others wait for us."""
        answer, lock = await shared.get(digest), None
        if answer is None:
            answer, lock = await shared.wait_for_others(digest)
        if answer is not None:
            age = max(0.0, self._world.clock.now() - answer.asked_at)
            self._keep(digest, answer.outcome, self._world.clock.monotonic() - age, generation)
            return answer.outcome
        try:
            asked_at = self._world.clock.now()
            outcome = await self._ask_issuer(credential, digest, generation)
            if generation == self._cache.generation:
                await shared.put(digest, Shared(outcome, asked_at), self._seconds_for(outcome))
            return outcome
        finally:
            if lock is not None:
                await shared.release(digest, lock)

    async def _ask_issuer(self, credential: str, digest: bytes, generation: int) -> Outcome:
        clock, settings = self._world.clock, self._settings
        asked_at = clock.monotonic()
        if not self._breaker.admits(asked_at):
            raise IntrospectionUnavailable(
                f"{settings.name} did not answer {FAILURES} times in a row; it is asked again in "
                f"{self._breaker.seconds_left(asked_at):.0f} s"
            )
        outcome: Outcome
        try:
            outcome = settings.context_of(read_answer(await self._post(credential), settings.rules, clock.now()))
        except TokenInvalid as refusal:
            outcome = refusal.with_traceback(None)
        except BaseException:
            self._not_answered()
            raise
        self._answered()
        self._keep(digest, outcome, asked_at, generation)
        return outcome

    def _seconds_for(self, outcome: Outcome) -> float:
        settings = self._settings
        return settings.cache_seconds if isinstance(outcome, AuthContext) else settings.negative_seconds

    def _keep(self, digest: bytes, outcome: Outcome, asked_at: float, generation: int) -> None:
        """Remember an answer from when it was asked for: what changed while it was on its way counts from there."""
        seconds = self._seconds_for(outcome)
        if seconds > 0:
            answer = Answer(outcome, asked_at + seconds, self._settings.ends_of(outcome))
            self._cache.keep(digest, answer, generation)

    async def _post(self, credential: str) -> Fetched:
        settings, clock = self._settings, self._world.clock
        try:
            endpoint = settings.endpoint or await self._metadata.url()
        except FetchRefused as refused:
            raise IntrospectionUnavailable(refused.detail, hint=refused.hint) from None
        ours = authenticate(settings.client, endpoint, clock.now(), self._world.entropy.token(16))
        fields = [("token", credential), ("token_type_hint", "access_token"), *ours.form]
        fetch = Fetch(
            endpoint, settings.network, headers=(_FORM, *ours.headers), body=urlencode(fields).encode("ascii")
        )
        try:
            return await port("http.fetch", self._world.pooled.fetch(fetch))
        except FetchFailed as failed:
            self._metadata.forget()
            raise IntrospectionUnavailable(f"{endpoint}: {failed.detail}", hint=failed.hint) from None
        except OSError as error:
            raise IntrospectionUnavailable(f"{endpoint}: {type(error).__name__}") from None

    def _answered(self) -> None:
        if self._breaker.is_open or self._stale_since is not None:
            self._stale_since = None
            _log.info("%s answers again", self._settings.name)
            self._tell("introspection.back")
        self._breaker.succeeded()

    def _not_answered(self) -> None:
        if self._breaker.failed(self._world.clock.monotonic()):
            _log.warning("%s did not answer %d times in a row", self._settings.name, FAILURES)
            self._tell("introspection.unavailable")

    def _stale(self, digest: bytes) -> AuthContext | None:
        clock, longer = self._world.clock, self._settings.stale_seconds
        return self._cache.stale(digest, clock.now(), clock.monotonic(), longer) if longer > 0 else None

    def _say_stale(self, outage: IntrospectionUnavailable) -> None:
        self._tell("introspection.stale")
        if self._stale_since is None:
            self._stale_since = self._world.clock.monotonic()
            _log.error(
                "%s does not answer; callers are taken at old answers meanwhile: %s", self._settings.name, outage
            )

    def _tell(self, event: str) -> None:
        self._world.observer.event(event, {"endpoint": self._settings.name})
