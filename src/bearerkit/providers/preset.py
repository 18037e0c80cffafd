"""How a preset becomes an `Issuer`: the provider's rules first, what the team says on top, every problem in one error.

A preset is a function that returns an `Issuer`; all that it knows is data (`IssuerOptions`). Here stand the options
that every preset passes on, the one way in which they are joined, and the checks of names that presets share. No
rule about tokens belongs here, and nothing of one provider.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal, TypedDict, cast
from urllib.parse import urlsplit

from bearerkit.errors import ConfigError
from bearerkit.http import Network
from bearerkit.issuer import Issuer
from bearerkit.jose.claims import PRESENT, Sentinel
from bearerkit.jose.compact import Limits
from bearerkit.jose.key_cache import KeyCache
from bearerkit.jose.keys import SharedSecret
from bearerkit.jose.mapping import ClaimMapping
from bearerkit.jose.template import FORMATS
from bearerkit.jose.token_type import TokenType
from bearerkit.spelling import nearest
from bearerkit.verify.static_keys import KeyMaterial

__all__ = ["IssuerOptions", "Preset", "Strings", "one_or_more"]

Strings = str | Sequence[str]
"""One string or several."""


class IssuerOptions(TypedDict, total=False):
    """Every setting of `Issuer` but its name and audience. Each preset takes them all, and passes them on.

    `require` and `claims` are joined with those of the preset, entry by entry; `forbid` and `hosts` add to them;
    `keys`, `jwks_uri` and `metadata_url` replace the preset's place of keys; everything else replaces its setting.
    """

    audience_from: str | Sequence[str]
    audience_optional: bool
    until: datetime | float | None
    clients: str | Sequence[str] | None
    client_claims: str | Sequence[str]
    tenants: Sequence[str] | Callable[[str], bool] | Literal[Sentinel.ANY] | None
    placeholders: Mapping[str, str] | None
    token_type: TokenType
    profile: Literal["rfc9068"] | None
    typ: str | Sequence[str | None] | None
    require: Mapping[str, Any] | None
    forbid: Sequence[str]
    algorithms: str | Sequence[str] | None
    metadata_url: str | None
    metadata_issuer: str | None
    jwks_uri: str | None
    keys: KeyMaterial | None
    key_format: Literal["jwks", "pem-per-kid"]
    hosts: Sequence[str]
    network: Network
    subject: Literal["required", "optional"]
    leeway: float
    lifetime_max: float | None
    claims: ClaimMapping | Mapping[str, Any] | None
    wildcard_scopes: bool
    padding: bool
    limits: Limits
    key_cache: KeyCache


_PLACES: Final = ("keys", "jwks_uri", "metadata_url")
_HOST: Final = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*"
)


@dataclass
class Preset:
    """One call of a preset: collects the problems of its arguments, then builds the Issuer or raises them all.

    `name` is what the team typed; `options` are the settings of Issuer that they added.
    """

    name: str
    options: IssuerOptions
    problems: list[str] = field(default_factory=list)

    def problem(self, text: str) -> None:
        """Note what is wrong with the arguments."""
        self.problems.append(f"{self.name}(): {text}")

    def hosts(self, given: Strings, argument: str) -> list[str]:
        """One or several host names; `https://name/`, as consoles show them, counts as the name."""
        names = one_or_more(given)
        if not names:
            self.problem(f"{argument} must name at least one host")
        return [self.host(name, argument) for name in names]

    def host(self, given: object, argument: str) -> str:
        """A host name, perhaps with a port, also if it is given as an https address without a path."""
        text = given.removeprefix("https://").removesuffix("/") if isinstance(given, str) else ""
        name, colon, port = text.partition(":")
        if _HOST.fullmatch(name) is None or (colon and not port.isdecimal()):
            self.problem(f'{argument} must be a host name such as "id.example.com", in lower case, not {given!r}')
            return "invalid.invalid"
        return text

    def base_url(self, given: object, argument: str) -> str:
        """An http or https address that others are built on, without the slash at its end."""
        parts = urlsplit(given) if isinstance(given, str) else None
        if parts is None or parts.scheme not in ("https", "http") or not parts.netloc or parts.query or parts.fragment:
            self.problem(f'{argument} must be an address such as "https://id.example.com", not {given!r}')
            return "https://invalid.invalid"
        return parts.geturl().rstrip("/")

    def word(self, given: object, argument: str, shape: Literal["uuid", "dns-label", "word"] = "word") -> str:
        """An identifier that goes into an address."""
        if not isinstance(given, str) or FORMATS[shape].fullmatch(given) is None:
            kind = {"uuid": "a UUID", "dns-label": "a host label in lower case", "word": "letters, digits, - and _"}[
                shape
            ]
            self.problem(f"{argument} must be {kind}, not {given!r}")
            return "invalid"
        return given

    def must_say_who(self, claims: Sequence[str], why: str) -> None:
        """For an issuer that serves everybody: `clients`, or a `require` with values for one of `claims`."""
        require = self.options.get("require")
        required = require.items() if isinstance(require, Mapping) else ()
        pinned = any(path in claims and _pins(value) for path, value in required)
        if not pinned and not self.options.get("clients"):
            paths = ", ".join(claims)
            self.problem(f"{why} Say who is meant: require={{…}} with values for one of {paths}, or clients=[…]")

    def issuer(self, issuer: Strings, **rules: Any) -> Issuer:
        """The Issuer of these rules and the team's options. Raises ConfigError listing every problem."""
        known = IssuerOptions.__annotations__
        for option in self.options.keys() - known.keys():
            self.problem(f"unknown option {option!r}{nearest(option, (*known,))}")
        given = {name: value for name, value in self.options.items() if name in known}
        built: Issuer | None = None
        try:
            built = Issuer(issuer, **_joined(rules, given))
        except ConfigError as error:
            self.problems += error.problems
        if self.problems or built is None:
            raise ConfigError(self.problems)
        return built


def one_or_more(given: Strings) -> list[str]:
    """A string as a list of one; a sequence as a list."""
    return [given] if isinstance(given, str) else list(given)


def _joined(rules: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    joined = {**rules, **given}
    if any(given.get(place) is not None for place in _PLACES):
        for place in (*_PLACES, *(("key_format",) if given.get("keys") is not None else ())):
            joined[place] = given.get(place)
        if joined.get("key_format") is None:
            joined.pop("key_format", None)
    if _is_secret(given.get("keys")) and "algorithms" not in given:
        joined.pop("algorithms", None)
    for name in ("require", "claims"):
        if isinstance(given.get(name), Mapping):
            joined[name] = {**rules.get(name, {}), **given[name]}
        elif given.get(name) is None and name in rules:
            joined[name] = rules[name]
    for name in ("forbid", "hosts"):
        if name in given and not isinstance(given[name], str) and name in rules:
            joined[name] = (*rules[name], *given[name])
    return joined


def _is_secret(keys: object) -> bool:
    items: Iterable[object] = cast(Iterable[object], keys) if isinstance(keys, list | tuple) else (keys,)
    return any(isinstance(item, SharedSecret) for item in items)


def _pins(value: Any) -> bool:
    """True if a required value can only be met by somebody who was meant."""
    values = value if isinstance(value, list | tuple | set | frozenset) else (value,)
    return bool(values) and not any(item is None or item is PRESENT for item in values)
