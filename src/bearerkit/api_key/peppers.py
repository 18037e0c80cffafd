"""The stored form of API keys: HMAC-SHA-256 under a pepper that is not in the database.

A key has 200 random bits, so that a slow password hash would add nothing but load; the pepper makes a stolen table
worth nothing, and hashes that somebody without it wrote there. The hash covers the whole text of a key, prefix and id
included, so that none verifies under another id or in another environment. No repr and no error shows a pepper.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Final, NamedTuple, NoReturn, final

__all__ = ["Peppers", "StoredHash", "pepper_problems"]

_SHORTEST: Final = 32
_FEWEST: Final = 8
"""Different bytes; random ones of this length have far more, a placeholder has few."""
_LABEL: Final = b"bearerkit api key 1\x00"


class StoredHash(NamedTuple):
    """What is kept of a key: the version of the pepper, and the hash under it."""

    pepper: int
    digest: bytes


_NOBODYS: Final = bytes(32)


@final
class Peppers:
    """Peppers by version; the highest version hashes, all of them verify. Takes what has no `pepper_problems`."""

    __slots__ = ("_peppers", "newest")

    def __init__(self, peppers: Mapping[int, bytes | str]) -> None:
        self._peppers = {version: _as_bytes(pepper) for version, pepper in peppers.items()}
        self.newest = max(self._peppers)

    @property
    def versions(self) -> tuple[int, ...]:
        """All versions, in order."""
        return tuple(sorted(self._peppers))

    def hash(self, text: str) -> StoredHash:
        """What to keep of this key."""
        return StoredHash(self.newest, self._digest(self.newest, text))

    def fits(self, text: str, stored: StoredHash | None) -> bool:
        """True if `stored` is of this key. Takes as long for None, and for a pepper that is not there any more."""
        known = stored is not None and stored.pepper in self._peppers
        version = stored.pepper if stored is not None and known else self.newest
        kept = stored.digest if stored is not None and known else _NOBODYS
        return hmac.compare_digest(self._digest(version, text), kept) and known

    def _digest(self, version: int, text: str) -> bytes:
        return hmac.digest(self._peppers[version], _LABEL + text.encode("ascii"), "sha256")

    def __repr__(self) -> str:
        return f"Peppers(hidden, versions={self.versions})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("Peppers do not pickle")


def pepper_problems(peppers: object) -> list[str]:
    """One sentence for everything that is wrong with `peppers=`; no sentence holds one."""
    advice = "make one with: python -c 'import secrets; print(secrets.token_hex(32))'"
    if not isinstance(peppers, Mapping) or not peppers:
        return [f"peppers must be secrets by version, such as {{1: …}}; {advice}"]
    problems: list[str] = []
    seen: dict[bytes, object] = {}
    for version, pepper in peppers.items():
        if not isinstance(version, int) or isinstance(version, bool) or not 1 <= version <= 32_767:
            problems.append(f"peppers: the version {version!r:.40} must be a whole number from 1 to 32767")
        if not isinstance(pepper, bytes | str):
            problems.append(f"peppers[{version!r:.40}] must be bytes or text, not {type(pepper).__name__}")
            continue
        value = _as_bytes(pepper)
        if len(value) < _SHORTEST:
            problems.append(f"peppers[{version!r:.40}] has {len(value)} bytes; {_SHORTEST} are the minimum; {advice}")
        elif len(set(value)) < _FEWEST:
            problems.append(f"peppers[{version!r:.40}] looks like a placeholder; {advice}")
        if value in seen:
            problems.append(f"peppers[{version!r:.40}] is the same as peppers[{seen[value]!r:.40}]")
        seen.setdefault(value, version)
    return problems


def _as_bytes(pepper: bytes | str) -> bytes:
    return pepper.encode("utf-8", "surrogatepass") if isinstance(pepper, str) else bytes(pepper)
