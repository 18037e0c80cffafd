"""When API keys were last used, gathered here and written in batches. It never fails or refuses a request.

The request that finds a batch due writes it; the others leave a note. Nothing depends on what is written.
"""

from __future__ import annotations

import logging
import threading
from typing import Final, final

from bearerkit._drive import PortNeedsLoop, port, run
from bearerkit.ports import ApiKeyStore, Clock
from bearerkit.verify.forks import survives_fork

__all__ = ["KeyUses"]

_MOST: Final = 10_000
_log = logging.getLogger("bearerkit.api_keys")


@final
class KeyUses:
    """Uses that are not written yet; written every `every` seconds at most."""

    def __init__(self, store: ApiKeyStore, clock: Clock, every: float) -> None:
        self._store = store
        self._clock = clock
        self._every = every
        self._noted: dict[str, float] = {}
        self._written_at = float("-inf")
        self._lock = threading.Lock()
        survives_fork(self)

    def note(self, key: str) -> bool:
        """Remember that a key was used now. True if a batch is due: then somebody calls `write`."""
        if key in self._noted or len(self._noted) < _MOST:
            self._noted[key] = self._clock.now()
        return self._clock.monotonic() - self._written_at >= self._every

    async def write(self, *, now: bool = False) -> None:
        """Write what was noted, if it is due or `now`. Whoever comes meanwhile need not."""
        with self._lock:
            monotonic = self._clock.monotonic()
            if not self._noted or (not now and monotonic - self._written_at < self._every):
                return
            batch, self._noted, self._written_at = self._noted, {}, monotonic
        written = False
        try:
            await port("api_keys", self._store.used(batch))
            written = True
        except Exception as error:
            _log.warning("when %d API keys were used could not be written: %s", len(batch), type(error).__name__)
        finally:
            if not written:  # also after a cancellation
                with self._lock:
                    self._noted = {**batch, **self._noted}

    def write_now(self) -> None:
        """`write` for sync code, at the end. With a store that needs an event loop, `Auth.aclose` does this."""
        try:
            run(self.write(now=True))
        except PortNeedsLoop:
            _log.warning("when API keys were used was not written: await auth.aclose() instead of auth.close()")

    def after_fork(self) -> None:
        """In a forked child nobody holds the lock, and what the parent noted the parent writes."""
        self._lock = threading.Lock()
        self._noted = {}

    def __len__(self) -> int:
        return len(self._noted)
