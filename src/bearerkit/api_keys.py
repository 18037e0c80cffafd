"""`ApiKeys`: API keys as a team configures and manages them.

Settings, and the calls that make, end and list keys. What a key is stands in `api_key/`, how one is verified in
`verify/api_keys.py`. A key is shown once, when it is made, and kept nowhere.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Iterable, Mapping
from typing import Any, Final, NamedTuple, NoReturn, TypeGuard, TypeVar, final
from weakref import WeakSet

from bearerkit._drive import PortNeedsLoop, port, run
from bearerkit.api_key.form import RANDOM_BYTES, ForeignForm, OwnForm, prefix_problem
from bearerkit.api_key.peppers import Peppers, pepper_problems
from bearerkit.api_key.record import ApiKeyRecord, ApiKeyUnknown, checked_record, ended
from bearerkit.errors import BearerkitError, ConfigError, StoreUnavailable
from bearerkit.jose.mapping import ClaimMapping
from bearerkit.ports import ApiKeyStore, Clock
from bearerkit.system import SystemClock, random_bytes
from bearerkit.verify.answer_cache import AnswerCache
from bearerkit.verify.api_keys import ApiKeyKind
from bearerkit.verify.key_sources import KeySource, ResolvedKeys, Resolver, StoredKeys
from bearerkit.verify.key_uses import KeyUses
from bearerkit.verify.kind import Kind, KindSettings
from bearerkit.verify.shared_call import SharedCall
from bearerkit.verify.single_flight import SingleFlight
from bearerkit.verify.world import World

__all__ = ["ApiKeyRecord", "ApiKeyUnknown", "ApiKeys", "NewApiKey"]

T = TypeVar("T")

_LONGEST_CACHE: Final = 60
_STORE_METHODS: Final = ("find", "add", "revoke", "rotate", "used", "records")
_NO_CLAIMS: Final[Mapping[str, Any]] = {}


class NewApiKey(NamedTuple):
    """A key that was just made. `key` is the secret itself: show it once, and keep it nowhere."""

    key: str
    record: ApiKeyRecord

    def __repr__(self) -> str:
        return f"NewApiKey(hidden, record={self.record!r})"


@final
class ApiKeys(KindSettings):
    """Bearer credentials that begin with `prefix`: keys of ours in a `store`, or those that a `resolver` knows.

    Args:
        prefix: How all keys begin, `acme_live_`. One per environment, so that a key of one is none in another.
        store: Where records are kept (`ApiKeyStore`): `MemoryApiKeys`, `SqlApiKeys`, or one of the team's.
        peppers: Secrets of at least 32 bytes by version, kept apart from the store: `{1: …, 2: …}`. The highest hashes
            new keys, all verify.
        resolver: For keys that others made: called with the whole key, gives its claims or None; sync or async.
        pattern: With a resolver, a regular expression for what follows the prefix; what does not match is refused
            without asking.
        claims: With a resolver, where the fields of `AuthContext` stand in what it gives, as for `Issuer`.
        cache_seconds: How long an answer is remembered, from 0 to 60; a no for 10 at most. 60 unless given with a
            resolver; 0 with a store, so that a revoked key is refused at once, in every process.
        cache_size: How many keys are remembered.
        last_used_every: With a store, seconds between two writings of when keys were last used; None: never written.
        clock: For times of new records; the system's unless given.

    Raises:
        ConfigError: listing every problem.
    """

    def __init__(
        self,
        *,
        prefix: str,
        store: ApiKeyStore | None = None,
        peppers: Mapping[int, bytes | str] | None = None,
        resolver: Resolver | None = None,
        pattern: str | None = None,
        claims: ClaimMapping | Mapping[str, Any] | None = None,
        cache_seconds: float | None = None,
        cache_size: int = 10_000,
        last_used_every: float | None = 60,
        clock: Clock | None = None,
    ) -> None:
        problems = _source_problems(store, resolver)
        wrong = prefix_problem(prefix, own=resolver is None)
        problems += [] if wrong is None else [wrong]
        if resolver is None:
            problems += pepper_problems(peppers)
            problems += [f"{name} goes with resolver" for name, value in (("pattern", pattern), ("claims", claims))
                         if value is not None]  # fmt: skip
        elif peppers is not None:
            problems.append("peppers go with store: the keys of a resolver are not hashed here")
        problems += _pattern_problems(pattern) + _number_problems(cache_seconds, cache_size, last_used_every)
        mapping: ClaimMapping | None = None
        try:
            mapping = ClaimMapping.parse(claims)
        except ConfigError as error:
            problems += error.problems
        if problems or mapping is None:
            raise ConfigError([f"ApiKeys: {problem}" for problem in problems])
        self.prefix = prefix
        self.prefixes = (prefix,)
        self._form = OwnForm(prefix)
        self._store = store
        self._peppers = None if peppers is None else Peppers(peppers)
        self._resolver = resolver
        self._pattern = pattern
        self._mapping = mapping
        self._seconds = (0 if resolver is None else _LONGEST_CACHE) if cache_seconds is None else cache_seconds
        self._size = cache_size
        self._every = last_used_every
        self._clock: Clock = clock or SystemClock()
        self._kinds: WeakSet[ApiKeyKind] = WeakSet()

    @property
    def pattern(self) -> str:
        """A regular expression that finds keys of ours, for scanners of leaked secrets."""
        return self._form.pattern if self._resolver is None else _no_store()

    def enter(self, world: World) -> Kind:
        """These keys over these ports."""
        answers = AnswerCache(self._size if self._seconds else 0)
        source: KeySource
        if self._resolver is not None:
            source = ResolvedKeys(self._resolver, self._mapping, world.clock)
            kind = ApiKeyKind(
                ForeignForm(self.prefix, self._pattern),
                source,
                answers=answers,
                seconds=self._seconds,
                flights=SharedCall() if source.waits else SingleFlight(world.threads),
                uses=None,
                clock=world.clock,
            )
        else:
            store, peppers = self._own()
            kind = ApiKeyKind(
                self._form,
                StoredKeys(self._form, store, peppers, world.clock),
                answers=answers,
                seconds=self._seconds,
                # Without a cache each request reads the store itself, as it is at that moment.
                flights=SharedCall() if self._seconds else None,
                uses=None if self._every is None else KeyUses(store, world.clock, self._every),
                clock=world.clock,
            )
        self._kinds.add(kind)
        return kind

    async def agenerate(
        self,
        *,
        subject: str,
        tenant_id: str | None = None,
        scopes: Iterable[str] = (),
        roles: Iterable[str] = (),
        name: str = "",
        expires_in: float | None = None,
        claims: Mapping[str, Any] = _NO_CLAIMS,
    ) -> NewApiKey:
        """Make a key that acts for `subject`. `expires_in` is seconds; None: until it is revoked.

        `claims` are further claims of its callers, plain JSON. Raises ValueError listing what cannot be kept,
        StoreUnavailable.
        """
        store, _ = self._own()
        made = self._made(
            subject=subject,
            tenant_id=tenant_id,
            scopes=scopes,
            roles=roles,
            name=name,
            expires_in=expires_in,
            claims=claims,
        )
        await _asked(store.add(made.record))
        return made

    def generate(
        self,
        *,
        subject: str,
        tenant_id: str | None = None,
        scopes: Iterable[str] = (),
        roles: Iterable[str] = (),
        name: str = "",
        expires_in: float | None = None,
        claims: Mapping[str, Any] = _NO_CLAIMS,
    ) -> NewApiKey:
        """As `agenerate`, for sync code."""
        return run(
            self.agenerate(
                subject=subject,
                tenant_id=tenant_id,
                scopes=scopes,
                roles=roles,
                name=name,
                expires_in=expires_in,
                claims=claims,
            )
        )

    async def aget(self, key_id: str, *, tenant_id: str | None = None) -> ApiKeyRecord:
        """The record of a key, with `tenant_id` only one of this tenant. Raises ApiKeyUnknown, StoreUnavailable."""
        store, _ = self._own()
        record: ApiKeyRecord | None = await _asked(store.find(key_id))
        # The same answer for a key of another tenant: whoever guesses ids learns nothing.
        if record is None or (tenant_id is not None and record.tenant_id != tenant_id):
            raise ApiKeyUnknown(f"there is no API key {key_id!r:.40}")
        return record

    def get(self, key_id: str, *, tenant_id: str | None = None) -> ApiKeyRecord:
        """As `aget`, for sync code."""
        return run(self.aget(key_id, tenant_id=tenant_id))

    async def alist(self, *, tenant_id: str | None = None, subject: str | None = None) -> tuple[ApiKeyRecord, ...]:
        """The records of a tenant, of a subject, or of both, oldest first; all of them if neither is given."""
        store, _ = self._own()
        return tuple(await _asked(store.records(tenant_id=tenant_id, subject=subject)))

    def list(self, *, tenant_id: str | None = None, subject: str | None = None) -> tuple[ApiKeyRecord, ...]:
        """As `alist`, for sync code."""
        return run(self.alist(tenant_id=tenant_id, subject=subject))

    async def arevoke(self, key_id: str, *, tenant_id: str | None = None) -> None:
        """End a key now; a second time is harmless. Raises ApiKeyUnknown as `aget` does, StoreUnavailable.

        Without a cache the next request is refused everywhere. With one, other processes learn of it within
        `cache_seconds`.
        """
        store, _ = self._own()
        await self.aget(key_id, tenant_id=tenant_id)
        await _asked(store.revoke(key_id, self._clock.now()))
        self._forget(key_id)

    def revoke(self, key_id: str, *, tenant_id: str | None = None) -> None:
        """As `arevoke`, for sync code."""
        run(self.arevoke(key_id, tenant_id=tenant_id))

    async def arotate(
        self, key_id: str, *, overlap: float, tenant_id: str | None = None, expires_in: float | None = None
    ) -> NewApiKey:
        """Make a successor of a key, which then ends in `overlap` seconds, or earlier if it was to.

        The new key has the same subject, tenant, scopes, roles, name and claims, and lives as long as the old one was
        to live, unless `expires_in` says otherwise. Raises ApiKeyUnknown for a key that does not count any more.
        """
        store, _ = self._own()
        if not _is_number(overlap) or overlap < 0:
            raise ValueError(f"overlap must be 0 or more seconds, not {overlap!r}")
        old = await self.aget(key_id, tenant_id=tenant_id)
        now = self._clock.now()
        over = ended(old, now)
        if over is not None:
            raise ApiKeyUnknown(over.detail)
        if expires_in is None and old.expires_at is not None:
            expires_in = old.expires_at - old.created_at
        made = self._made(
            subject=old.subject,
            tenant_id=old.tenant_id,
            scopes=old.scopes,
            roles=old.roles,
            name=old.name,
            expires_in=expires_in,
            claims=old.claims,
        )
        if not await _asked(store.rotate(key_id, now + overlap, now, made.record)):
            raise ApiKeyUnknown(f"the API key {key_id} was ended meanwhile")
        self._forget(key_id)
        return made

    def rotate(
        self, key_id: str, *, overlap: float, tenant_id: str | None = None, expires_in: float | None = None
    ) -> NewApiKey:
        """As `arotate`, for sync code."""
        return run(self.arotate(key_id, overlap=overlap, tenant_id=tenant_id, expires_in=expires_in))

    def _made(self, *, expires_in: float | None, **fields: Any) -> NewApiKey:
        _, peppers = self._own()
        if expires_in is not None and (not _is_number(expires_in) or expires_in <= 0):
            raise ValueError(f"expires_in must be more than 0 seconds, not {expires_in!r}")
        made, now = self._form.make(random_bytes(RANDOM_BYTES)), self._clock.now()
        ends = None if expires_in is None else now + expires_in
        record = checked_record(made.id, peppers.hash(made.text), created_at=now, expires_at=ends, **fields)
        return NewApiKey(made.text, record)

    def _own(self) -> tuple[ApiKeyStore, Peppers]:
        if self._store is None or self._peppers is None:
            _no_store()
        return self._store, self._peppers

    def _forget(self, key_id: str) -> None:
        for kind in list(self._kinds):
            kind.forget_where(lambda context: context.token_id == key_id)

    def __repr__(self) -> str:
        return f"ApiKeys(prefix={self.prefix!r}, {'store' if self._resolver is None else 'resolver'}=…)"


async def _asked(call: Awaitable[T]) -> T:
    try:
        return await port("api_keys", call)
    except (BearerkitError, PortNeedsLoop):
        raise
    except Exception as error:
        raise StoreUnavailable(f"the store of API keys failed: {type(error).__name__}") from error


def _no_store() -> NoReturn:
    raise TypeError("these ApiKeys have a resolver: keys are made, ended and listed where it asks")


def _source_problems(store: object, resolver: object) -> list[str]:
    if (store is None) == (resolver is None):
        return ["give either store=, for keys of your own, or resolver=, for keys that somebody else made"]
    if resolver is not None:
        return [] if callable(resolver) else [f"resolver must be callable, not {type(resolver).__name__}"]
    lacking = [name for name in _STORE_METHODS if not callable(getattr(store, name, None))]
    return [f"store has no {', '.join(lacking)}: see bearerkit.ports.ApiKeyStore"] if lacking else []


def _pattern_problems(pattern: object) -> list[str]:
    if pattern is None:
        return []
    try:
        re.compile(pattern, re.ASCII)  # type: ignore[call-overload]
    except (re.error, TypeError) as error:
        return [f"pattern must be a regular expression: {error}"]
    return []


def _number_problems(seconds: object, size: object, every: object) -> list[str]:
    problems: list[str] = []
    if seconds is not None and not (_is_number(seconds) and 0 <= seconds <= _LONGEST_CACHE):
        problems.append(f"cache_seconds must be from 0 to {_LONGEST_CACHE}, not {seconds!r}")
    if not isinstance(size, int) or isinstance(size, bool) or size < 1:
        problems.append(f"cache_size must be a positive number of keys, not {size!r}")
    if every is not None and not (_is_number(every) and every >= 0):
        problems.append(f"last_used_every must be 0 or more seconds, or None, not {every!r}")
    return problems


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < float("inf")
