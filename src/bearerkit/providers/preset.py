"""How a preset becomes an `Issuer`: its arguments are checked, and every problem of the call comes in one error.

A preset is a function that returns an `Issuer`; all that it knows is data. Here stand the checks of names that presets
share; how a team's options are joined with a preset's rules is in `options.py`. Nothing of one provider.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from bearerkit.errors import ConfigError
from bearerkit.issuer import Issuer
from bearerkit.jose.claims import ANY
from bearerkit.jose.template import FORMATS
from bearerkit.providers.options import IssuerOptions, holds_secret, joined, loosened
from bearerkit.spelling import nearest

__all__ = ["Preset", "Strings", "one_or_more"]

Strings = str | Sequence[str]
"""One string or several."""

_HOST: Final = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*"
)
_SEGMENT: Final = re.compile(r"(?!\.+\Z)[A-Za-z0-9._-]{1,128}")
_KINDS: Final = {
    "uuid": "a UUID",
    "dns-label": "a host label in lower case",
    "word": "letters, digits, - and _",
    "segment": "letters, digits, -, _ and dots",
}
_OF_THE_PROVIDER: Final = ("/realms/", "/application/o/", "/.well-known/", "/oauth2/", "/admin/")
"""What follows the address in an issuer or console URL that somebody pasted whole."""


@dataclass
class Preset:
    """One call of a preset: collects the problems of its arguments, then builds the Issuer or raises them all.

    `name` is what the team typed; `options` are the settings of Issuer that they added. `takes_secret` says that this
    provider can sign with a shared secret.
    """

    name: str
    options: IssuerOptions
    takes_secret: bool = False
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
        """A host name in lower case, perhaps with a port, also if it is given as an https address without a path."""
        text = given.strip().lower().removeprefix("https://").removesuffix("/") if isinstance(given, str) else ""
        name, colon, port = text.partition(":")
        if _HOST.fullmatch(name) is None or (colon and not port.isdecimal()):
            self.problem(f'{argument} must be a host name such as "id.example.com", without a path, not {given!r}')
            return "invalid.invalid"
        return text

    def base_url(self, given: object, argument: str) -> str:
        """An http or https address that others are built on, without the slash at its end."""
        parts = urlsplit(given.strip()) if isinstance(given, str) else None
        if parts is None or parts.scheme not in ("https", "http") or not parts.netloc or parts.query or parts.fragment:
            self.problem(f'{argument} must be an address such as "https://id.example.com", not {given!r}')
            return "https://invalid.invalid"
        if set("{}") & set(parts.geturl()):
            self.problem(f"{argument} takes no placeholders, not {given!r}")
        pasted = next((part for part in _OF_THE_PROVIDER if part in f"{parts.path}/"), None)
        if pasted is not None:
            self.problem(f"{argument} is the address before {pasted!r}, not {given!r}: leave the rest out")
        return parts.geturl().rstrip("/")

    def word(
        self, given: object, argument: str, shape: Literal["uuid", "dns-label", "word", "segment"] = "word"
    ) -> str:
        """An identifier that goes into an address."""
        pattern = _SEGMENT if shape == "segment" else FORMATS[shape]
        if not isinstance(given, str) or pattern.fullmatch(given) is None:
            self.problem(f"{argument} must be {_KINDS[shape]}, not {given!r}")
            return "invalid"
        return given

    def one_of(self, given: object, argument: str, known: Sequence[str]) -> str:
        """A name from a list."""
        if given not in known:
            self.problem(f"{argument} must be one of {', '.join(known)}, not {given!r}")
            return known[0]
        return str(given)

    def named_audience(self, audience: object, why: str) -> None:
        """For tokens whose audience is the protection: `ANY` is no answer."""
        if audience is ANY:
            self.problem(f"audience=ANY would let everybody in: {why}")

    def must_say_who(
        self, claims: Sequence[str], why: str, *, beginnings: Mapping[str, tuple[str, ...]] | None = None
    ) -> None:
        """For an issuer that serves everybody: `clients`, or a `require` with values for one of `claims`.

        `beginnings` are those of the values that name somebody, for claims that anybody may shape.
        """
        require = self.options.get("require")
        required = require if isinstance(require, Mapping) else {}
        pinned = False
        for path in claims:
            if path in required:
                pinned |= self._pins(path, required[path], (beginnings or {}).get(path, ("",)))
        # With other claims for the client, anything at all could be one.
        clients = self.options.get("clients") and "client_claims" not in self.options
        if not pinned and not clients:
            paths = ", ".join(claims)
            self.problem(f"{why} Say who is meant: require={{…}} with values for one of {paths}, or clients=[…]")

    def _pins(self, path: str, value: Any, beginnings: tuple[str, ...]) -> bool:
        """True if a required value can only be met by somebody who was meant."""
        values = list(value) if isinstance(value, list | tuple | set | frozenset) else [value]
        if any(isinstance(item, int) and not isinstance(item, bool) for item in values):
            self.problem(f"require[{path!r}] is compared with text: write {value!r} in quotes")
        if any(isinstance(item, str) and "*" in item for item in values):
            self.problem(f"require[{path!r}] is compared as a whole: a star stands for itself, so list the values")
        return bool(values) and all(
            isinstance(item, str) and bool(item.strip()) and item.startswith(beginnings) for item in values
        )

    def issuer(self, issuer: Strings, **rules: Any) -> Issuer:
        """The Issuer of these rules and the team's options. Raises ConfigError listing every problem."""
        known = IssuerOptions.__annotations__
        for option in self.options.keys() - known.keys():
            self.problem(f"unknown option {option!r}{nearest(option, (*known,))}")
        given = {name: value for name, value in self.options.items() if name in known}
        for path in loosened(rules, given):
            self.problem(f"require[{path!r}] can only narrow what this preset requires; make an Issuer of your own")
        if holds_secret(given.get("keys")) and not self.takes_secret:
            self.problem("this provider signs with public keys, which are fetched: leave keys=SharedSecret(…) out")
        if given.get("tenants") in ([], ()):
            self.problem("tenants=[] would refuse everybody")
        built: Issuer | None = None
        try:
            built = Issuer(issuer, **joined(rules, given))
        except ConfigError as error:
            self.problems += error.problems
        if self.problems or built is None:
            raise ConfigError(self.problems)
        return built


def one_or_more(given: Strings) -> list[str]:
    """A string as a list of one; a sequence as a list; nothing for what is neither."""
    if isinstance(given, str):
        return [given]
    return list(given) if isinstance(given, list | tuple | set | frozenset) else []
