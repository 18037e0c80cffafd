"""`MemoryApiKeys`: records of API keys in the memory of this process. Another worker knows nothing of them."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import final

from bearerkit.api_key.record import ApiKeyRecord
from bearerkit.verify.forks import survives_fork

__all__ = ["MemoryApiKeys"]


@final
class MemoryApiKeys:
    """Implements `bearerkit.ports.ApiKeyStore`. For one process, tests and demonstrations; it never waits."""

    def __init__(self) -> None:
        self._records: dict[str, ApiKeyRecord] = {}
        self._lock = threading.Lock()
        survives_fork(self)

    async def find(self, key: str) -> ApiKeyRecord | None:
        """Reads without a lock: records are replaced, never changed."""
        return self._records.get(key)

    async def add(self, record: ApiKeyRecord) -> None:
        """Raises ValueError for an id that is there already."""
        with self._lock:
            self._add(record)

    async def revoke(self, key: str, at: float) -> None:
        """The first revocation stays."""
        with self._lock:
            record = self._records.get(key)
            if record is not None and record.revoked_at is None:
                self._records[key] = replace(record, revoked_at=at)

    async def rotate(self, key: str, ends_at: float, now: float, record: ApiKeyRecord) -> bool:
        """Both records change in one step."""
        with self._lock:
            old = self._records.get(key)
            if old is None or old.revoked_at is not None or (old.expires_at is not None and old.expires_at <= now):
                return False
            self._add(record)
            if old.expires_at is None or old.expires_at > ends_at:
                self._records[key] = replace(old, expires_at=ends_at)
            return True

    async def used(self, moments: Mapping[str, float]) -> None:
        """Keys that are not there are passed over."""
        with self._lock:
            for key, at in moments.items():
                record = self._records.get(key)
                if record is not None and (record.last_used_at is None or record.last_used_at < at):
                    self._records[key] = replace(record, last_used_at=at)

    async def records(self, *, tenant_id: str | None = None, subject: str | None = None) -> Sequence[ApiKeyRecord]:
        """Looks at every record."""
        found = [
            record
            for record in list(self._records.values())
            if (tenant_id is None or record.tenant_id == tenant_id) and (subject is None or record.subject == subject)
        ]
        return sorted(found, key=lambda record: (record.created_at, record.id))

    def _add(self, record: ApiKeyRecord) -> None:
        if record.id in self._records:
            raise ValueError(f"there is an API key {record.id} already")
        self._records[record.id] = record

    def after_fork(self) -> None:
        """In a forked child nobody holds the lock."""
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._records)
