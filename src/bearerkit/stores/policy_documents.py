"""Documents on their way into a store and out of it again. What does not parse gets neither in nor out.

Names that were resolved when a document was written keep the meaning they had then: whoever takes over a name later
takes over no grant.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple, final

from cachetools import LRUCache

from bearerkit.errors import PolicyError, StoreUnavailable
from bearerkit.policy import Catalog, Limits, Operator, Policy, PolicyProblem, Scheme
from bearerkit.policy.clauses import Resolve
from bearerkit.policy.scheme import schemes_from
from bearerkit.stores.policy_records import PolicyRow, id_of

__all__ = ["Checked", "Documents"]

_KEPT: Final = 8_000_000
"""Characters of the documents that are kept parsed, which takes some thirty times as many bytes."""
_EACH: Final = 1_000
"""What a document counts besides: small ones take room, too."""
_log = logging.getLogger("bearerkit.stores")


class Checked(NamedTuple):
    """A document that parses, as it will be kept."""

    written: str
    resolved: str | None
    statements: int


@final
class Documents:
    """Parses documents under one catalog, one set of limits and so on."""

    def __init__(
        self,
        catalog: Catalog | None,
        limits: Limits,
        schemes: Iterable[Scheme | Sequence[str]],
        resolve: Resolve | None,
        operators: Sequence[Operator],
    ) -> None:
        self.limits = limits
        self._catalog, self._resolve = catalog, resolve
        self._schemes, self._operators = schemes_from(schemes), tuple(operators)
        self._parsed: LRUCache[PolicyRow, Policy] = LRUCache(_KEPT, getsizeof=_size_of)
        self._lock = threading.Lock()

    def checked(self, document: Any) -> Checked:
        """The document as it will be kept. Raises PolicyError."""
        names: list[tuple[str, str, str | None]] = []

        def resolve(kind: str, name: str) -> str | None:
            found = None if self._resolve is None else self._resolve(kind, name)
            names.append((kind, name, found))
            return found

        policy = self._parse(document, resolve=None if self._resolve is None else resolve)
        written = policy.to_json()
        try:
            written.encode()
        except UnicodeEncodeError:
            problem = PolicyProblem("bad_document", "", "half of a surrogate pair is no character")
            raise PolicyError([problem]) from None
        return Checked(written, None if self._resolve is None else json.dumps(names), len(policy))

    def in_force(self, tenant: str, rows: Iterable[PolicyRow]) -> Policy:
        """The policies of these rows together.

        Raises StoreUnavailable if one of them does not parse any more: its denies are unknown then, so that nothing
        can be allowed.
        """
        sources = [source for row in rows for source in self._read(tenant, row).sources]
        try:
            return Policy(sources, catalog=self._catalog, schemes=self._schemes, limits=self.limits)
        except PolicyError as error:
            raise _unusable(f"the policies of a caller in tenant {tenant!r}", error) from error

    def forget(self) -> None:
        """Drop what was parsed."""
        with self._lock:
            self._parsed.clear()

    def after_fork(self) -> None:
        """In a forked child nobody holds the lock."""
        self._lock = threading.Lock()

    def _read(self, tenant: str, row: PolicyRow) -> Policy:
        with self._lock:
            known = self._parsed.get(row)
        if known is not None:
            return known
        try:
            policy = self._parsed_row(row)
        except PolicyError as error:
            what = f"policy {id_of(row.number)} {row.name!r} version {row.version} of tenant {tenant!r}"
            raise _unusable(what, error) from error
        if _size_of(policy) <= _KEPT:
            with self._lock:
                self._parsed[row] = policy
        return policy

    def _parsed_row(self, row: PolicyRow) -> Policy:
        resolve = None if row.resolved is None else _meaning(row.resolved)
        try:
            document = json.loads(row.written)
        except (ValueError, RecursionError):
            raise PolicyError("this is no JSON") from None
        return self._parse(document, id=id_of(row.number), version=str(row.version), resolve=resolve)

    def _parse(self, document: Any, **options: Any) -> Policy:
        return Policy.parse(
            document,
            catalog=self._catalog,
            limits=self.limits,
            schemes=self._schemes,
            operators=self._operators,
            **options,
        )


def _size_of(policy: Policy) -> int:
    return sum(len(source.written) for source in policy.sources) + _EACH


def _meaning(resolved: str) -> Resolve:
    try:
        meant = {(kind, name): found for kind, name, found in json.loads(resolved)}
    except (ValueError, TypeError, RecursionError):
        raise PolicyError("what its names meant is no longer readable") from None
    return lambda kind, name: meant.get((kind, name))


def _unusable(what: str, error: PolicyError) -> StoreUnavailable:
    _log.error("%s cannot be used, so that everybody it is for is answered 503: %s", what, error)
    return StoreUnavailable(
        f"{what} cannot be used: {error}"[:2_000],
        hint="Store a version that parses, or unbind it; until then nobody it is for gets in.",
    )
