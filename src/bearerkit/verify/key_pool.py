"""A key source per key URL, where `jwks_uri` is a template: one URL per kid (AWS ALB) or per tenant (SAP XSUAA).

The pool is bounded and its growth limited: the values in the URLs come from tokens that are not verified yet, so a
flood of invented ones must neither fill memory nor become a flood of fetches.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from cachetools import LRUCache

from bearerkit.errors import KeyNotFound
from bearerkit.jose.compact import Header
from bearerkit.jose.template import Template
from bearerkit.verify.burst import Burst
from bearerkit.verify.forks import survives_fork
from bearerkit.verify.key_source import KeySource

__all__ = ["SourcePerUrl"]

POOL_SIZE: Final = 1_000
BURST: Final = 100
"""New URLs that may appear at once, and how many more each second."""
PER_SECOND: Final = 5


class SourcePerUrl:
    """A key source per URL that the template gives, created on demand by `build(url)`."""

    def __init__(self, template: Template, build: Callable[[str], KeySource]) -> None:
        self._template = template
        self._build = build
        self._pool: LRUCache[str, KeySource] = LRUCache(POOL_SIZE)
        self._lock = threading.Lock()
        self._burst = Burst(BURST, PER_SECOND)
        survives_fork(self)

    def find(self, header: Header, claims: Mapping[str, Any]) -> KeySource | None:
        """The source of the URL that this token points to, None if no token pointed there before."""
        url = self._template.fill(claims, header.members)
        with self._lock:
            return None if url is None else self._pool.get(url)

    def create(self, header: Header, claims: Mapping[str, Any], now: float) -> KeySource:
        """The source of the URL that this token points to. Raises KeyNotFound."""
        url = self._template.fill(claims, header.members)
        if url is None:
            raise KeyNotFound(
                f"the key URL {self._template.text} cannot be filled from this token: "
                "a value is missing or not of its format"
            )
        with self._lock:
            source = self._pool.get(url)
            if source is None:
                if not self._burst.spend(now):
                    raise KeyNotFound(
                        "too many new key URLs at once; this one was not fetched",
                        hint="Somebody sends tokens with invented key ids or tenants. Known ones keep working.",
                    )
                source = self._pool[url] = self._build(url)
        return source

    def sources(self) -> Iterable[KeySource]:
        """The sources that tokens have led to so far."""
        with self._lock:
            return tuple(self._pool.values())

    def after_fork(self) -> None:
        """Replace the lock in a forked child."""
        self._lock = threading.Lock()
