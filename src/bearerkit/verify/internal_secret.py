"""`InternalSecret`: a secret that services of one team share, in a header field of its own.

It says "one of us calls" and never who the user is, so it goes with no other credential (kinds.py). Only digests of
the secrets are kept, and every one is compared, whichever fits: time tells neither which one it was nor how much of it
was right. What is wrong with a secret that came is not said, to nobody.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import InitVar, dataclass, field
from functools import partial
from hashlib import sha256
from hmac import compare_digest
from typing import Final, TypeAlias, final

from bearerkit.context import AuthContext
from bearerkit.errors import ConfigError, TokenInvalid
from bearerkit.ports import Waits
from bearerkit.verify.kind import Kind, KindSettings
from bearerkit.verify.world import World

__all__ = ["InternalSecret"]

Given: TypeAlias = str | Iterable[str | None] | None

LENGTH_MIN: Final = 32
_DIFFERENT_MIN: Final = 8
_VISIBLE: Final = re.compile(r"[!-+\--~]+", re.ASCII)
"""Without the comma, which joins repeated fields."""
_FIELD: Final = re.compile(r"[a-z0-9][a-z0-9-]*", re.ASCII)
_TAKEN: Final = frozenset(
    {"authorization", "cookie", "host", "origin", "proxy-authorization", "sec-websocket-protocol"}
)
_HOW: Final = 'make one with python -c "import secrets; print(secrets.token_urlsafe(32))"'


@final
@dataclass(frozen=True, eq=False, repr=False)
class InternalSecret(KindSettings):
    """Calls of your own services, which send a shared secret in a header field.

    The caller is a service (`principal_type` "service") with `credential_kind` "internal_secret".

    Args:
        secrets: One secret, or several while one replaces another; each has at least 32 random characters.
        header: The field that carries it. A proxy in front should drop it from requests that come from outside.
        subject: Who the caller is then, and which client.
        scopes: What such calls may do.
        roles: Their roles.

    Raises:
        ConfigError: listing every problem; also for a secret that is not set.
    """

    secrets: InitVar[Given]
    header: str | None = field(default="x-internal-secret", kw_only=True)
    subject: str = field(default="internal", kw_only=True)
    scopes: Iterable[str] = field(default=(), kw_only=True)
    roles: Iterable[str] = field(default=(), kw_only=True)
    _digests: tuple[bytes, ...] = field(init=False)

    def __post_init__(self, secrets: Given) -> None:
        listed = [secrets] if secrets is None or isinstance(secrets, str) else list(secrets)
        problems = [problem for number, secret in enumerate(listed, 1) for problem in _amiss(number, secret)]
        if not listed:
            problems.append(f"no secret is set; {_HOW}")
        if len(set(listed)) != len(listed):
            problems.append("the same secret is there twice")
        if not _is_field(self.header):
            problems.append(f"header={self.header!r} cannot carry a secret of its own")
        if not _is_name(self.subject):
            problems.append(f"subject must be text, not {self.subject!r}")
        names = {"scopes": _listed(self.scopes), "roles": _listed(self.roles)}
        problems += [f"{name} must be a list of names" for name in names if not all(map(_is_name, names[name]))]
        if problems:
            raise ConfigError([f"InternalSecret: {problem}" for problem in problems])
        put = partial(object.__setattr__, self)
        put("header", str(self.header).lower())
        for name, values in names.items():
            put(name, values)
        put("_digests", tuple(_digest(secret) for secret in listed if secret is not None))

    @classmethod
    def from_env(
        cls,
        variable: str = "INTERNAL_SECRETS",
        environ: Mapping[str, str] | None = None,
        *,
        header: str = "x-internal-secret",
        subject: str = "internal",
        scopes: Iterable[str] = (),
        roles: Iterable[str] = (),
    ) -> InternalSecret:
        """The secrets of an environment variable, separated by blanks or commas. Raises ConfigError if it is unset."""
        text = (os.environ if environ is None else environ).get(variable, "")
        listed = text.replace(",", " ").split()
        if not listed:
            raise ConfigError(f"InternalSecret: the variable {variable} is not set; {_HOW}")
        return cls(listed, header=header, subject=subject, scopes=scopes, roles=roles)

    def enter(self, world: World) -> Kind:
        """The secrets of one `Auth`."""
        claims = {"sub": self.subject, "client_id": self.subject, "scope": " ".join(self.scopes)}
        context = AuthContext({**claims, "roles": list(self.roles)}, credential_kind="internal_secret")
        return _Shared(repr(self), self._digests, context)

    def __repr__(self) -> str:
        return f"InternalSecret(hidden, header={self.header!r})"


@final
class _Shared(Kind):
    def __init__(self, name: str, digests: tuple[bytes, ...], context: AuthContext) -> None:
        self._name, self._digests, self._context = name, digests, context

    def at_once(self, credential: str) -> AuthContext:
        presented, found = _digest(credential), False
        for digest in self._digests:
            found = compare_digest(digest, presented) or found
        if not found:
            raise TokenInvalid("the internal secret is not one of ours")
        return self._context

    async def verify(self, credential: str, waits: Waits) -> AuthContext:
        return self.at_once(credential)

    async def live(self, credential: str, waits: Waits) -> AuthContext:
        return self.at_once(credential)

    def describe(self) -> str:
        return f"{self._name}: {len(self._digests)} in use"


def _is_field(name: object) -> bool:
    return isinstance(name, str) and _FIELD.fullmatch(name.lower()) is not None and name.lower() not in _TAKEN


def _is_name(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _listed(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(names.split() if isinstance(names, str) else names)


def _digest(secret: str) -> bytes:
    return sha256(secret.encode("utf-8", "surrogatepass")).digest()


def _amiss(number: int, secret: object) -> list[str]:
    """What is wrong with a secret, in words that do not repeat any of it."""
    if secret is None or secret == "":
        return [f"secret {number} is not set; {_HOW}"]
    if not isinstance(secret, str):
        return [f"secret {number} is no text"]
    if _VISIBLE.fullmatch(secret) is None:
        return [f"secret {number} has characters that no header field carries as they are: blanks, line ends, commas"]
    if len(secret) < LENGTH_MIN or len(set(secret)) < _DIFFERENT_MIN:
        return [f"secret {number} can be guessed: at least {LENGTH_MIN} random characters; {_HOW}"]
    return []
