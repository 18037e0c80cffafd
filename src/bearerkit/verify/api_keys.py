"""`ApiKeyKind`: from an API key to its `AuthContext`. Its look first, then what is remembered, then whoever knows.

What does not look like a key is refused before anything is asked. How keys look, are hashed and end is decided in
`api_key/`; who knows them is asked in `key_sources.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import final

from bearerkit.api_key.form import Form
from bearerkit.context import AuthContext
from bearerkit.ports import Clock, Waits
from bearerkit.verify.answer_cache import NEGATIVE_SECONDS_MAX, Answer, AnswerCache, Outcome, granted
from bearerkit.verify.key_sources import KeySource
from bearerkit.verify.key_uses import KeyUses
from bearerkit.verify.kind import Kind
from bearerkit.verify.shared_call import SharedCall
from bearerkit.verify.single_flight import SingleFlight
from bearerkit.verify.token_cache import digest_of

__all__ = ["ApiKeyKind"]


@final
class ApiKeyKind(Kind):
    """Keys of one prefix, wired. Without `flights` each caller asks for himself."""

    def __init__(
        self,
        form: Form,
        source: KeySource,
        *,
        answers: AnswerCache,
        seconds: float,
        flights: SingleFlight[Outcome] | SharedCall[Outcome] | None,
        uses: KeyUses | None,
        clock: Clock,
    ) -> None:
        self._form = form
        self._source = source
        self._answers = answers
        self._seconds = seconds
        self._flights = flights
        self.uses = uses
        """None where nobody wants to know."""
        self._clock = clock

    def at_once(self, credential: str) -> AuthContext | None:
        """From what is remembered. Raises Malformed for what is no key, and what was said of it a moment ago."""
        # What is remembered was looked at when it came first.
        answer = self._remembered(digest_of(credential)) if self._seconds else None
        if answer is None:
            self._form.check(credential)
            return None
        context = granted(answer)
        # None if a batch of uses is due: that has to be waited for.
        return None if self._used(context) else context

    async def verify(self, credential: str, waits: Waits) -> AuthContext:
        """Who calls with this key. Raises TokenInvalid or Unavailable."""
        self._form.check(credential)
        context = granted(await self._answer(credential, waits))
        if self._used(context) and self.uses is not None:
            await self.uses.write()
        return context

    async def live(self, credential: str, waits: Waits) -> AuthContext:
        """What the store or the resolver says now."""
        self._form.check(credential)
        answer = await self._source.ask(credential)
        if not isinstance(answer, AuthContext):
            self.forget_credential(credential)
        return granted(answer)

    async def _answer(self, credential: str, waits: Waits) -> Outcome:
        if self._flights is None:
            return await self._source.ask(credential)
        digest, generation = digest_of(credential), self._answers.generation
        answer = self._remembered(digest)
        if answer is not None:
            return answer
        # Whoever asks after something was forgotten does not join those who asked before.
        ask = partial(self._learn, credential, digest, generation)
        return await self._flights.ask((digest, generation), ask, waits)

    async def _learn(self, credential: str, digest: bytes, generation: int) -> Outcome:
        answer = self._remembered(digest)  # somebody may have been told since this caller looked
        if answer is None:
            monotonic = self._clock.monotonic()
            answer = await self._source.ask(credential)
            good = isinstance(answer, AuthContext)
            until = monotonic + (self._seconds if good else min(self._seconds, NEGATIVE_SECONDS_MAX))
            ends = float("inf") if not isinstance(answer, AuthContext) else answer.expires_at
            self._answers.keep(digest, Answer(answer, until, float("inf") if ends is None else ends), generation)
        return answer

    def _remembered(self, digest: bytes) -> Outcome | None:
        return self._answers.known(digest, self._clock.now(), self._clock.monotonic())

    def _used(self, context: AuthContext) -> bool:
        return self.uses is not None and context.token_id is not None and self.uses.note(context.token_id)

    def forget_credential(self, credential: str) -> None:
        """Drop what is remembered of one key."""
        self._answers.forget(digest_of(credential))

    def forget_where(self, matches: Callable[[AuthContext], bool]) -> None:
        """Drop what is remembered of every matching context."""
        self._answers.forget_where(matches)

    def describe(self) -> str:
        """The prefix, who knows the keys, and how many answers are remembered."""
        return f"API keys {self._form.prefix}…: {self._source.describe()}, {len(self._answers)} answers remembered"

    def close(self) -> None:
        """Write when keys were used. With a store that needs an event loop `aclose` does so, and this only warns."""
        if self.uses is not None:
            self.uses.write_now()

    async def aclose(self) -> None:
        """`close` for async code."""
        if self.uses is not None:
            await self.uses.write(now=True)
