"""`Auth.from_env`: the settings of one issuer read from `BEARERKIT_*` variables.

The table below is the documentation's table too (docs/configuration.md is checked against it). An unknown variable
is an error, since a misspelt one would silently leave a check at its default. Problems name the variable to change,
not the argument behind it. Nothing here sets a variable.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any, Final

from bearerkit.errors import ConfigError
from bearerkit.http import Network
from bearerkit.issuer import Issuer
from bearerkit.jose.claims import ANY, NO_ISSUER
from bearerkit.jose.keys import SharedSecret

__all__ = ["VARIABLES", "is_ours", "settings_from"]

PREFIX: Final = "BEARERKIT_"
_FOREIGN_PREFIX: Final = "BEARERKIT_TEST_"
_FOREIGN: Final = ("BEARERKIT_VECTORS", "BEARERKIT_AUTH")
"""Names that are not settings of an issuer but may stand beside them: what our test suite reads (the prefix, and the
folder of its vectors), and the Django setting that names a project's `Auth`.
"""


def _words(text: str) -> list[str]:
    return [word for word in text.replace(",", " ").split() if word]


def _flag(text: str) -> bool:
    known = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
    if text.lower() not in known:
        raise ValueError("must be true or false")
    return known[text.lower()]


def _issuer(text: str) -> Any:
    return NO_ISSUER if text == "NO_ISSUER" else text


def _audience(text: str) -> Any:
    return ANY if text == "ANY" else _words(text)


VARIABLES: Final[Mapping[str, tuple[str, Callable[[str], Any], str]]] = {
    "ISSUER": ("issuer", _issuer, "The exact `iss`, or NO_ISSUER"),
    "AUDIENCE": ("audience", _audience, "Accepted audiences, separated by spaces or commas, or ANY"),
    "JWKS_URI": ("jwks_uri", str, "Where the keys are, without metadata"),
    "METADATA_URL": ("metadata_url", str, "Where the metadata is, if not below the issuer"),
    "HOSTS": ("hosts", _words, "Further hosts that keys may be fetched from"),
    "ALGORITHMS": ("algorithms", _words, "Accepted signature algorithms"),
    "TOKEN_TYPE": ("token_type", str, "access or id"),
    "CLIENTS": ("clients", _words, "Accepted calling clients"),
    "LEEWAY": ("leeway", float, "Forgiven clock difference, seconds"),
    "LIFETIME_MAX": ("lifetime_max", float, "Longest accepted token lifetime, seconds"),
    "SHARED_SECRET": ("shared_secret", str, "Secret of an HS256 issuer, instead of public keys"),
    "SHARED_SECRET_ENCODING": ("encoding", str, "raw, base64url or hex"),
    "CA_FILE": ("ca_file", str, "PEM file of a private certificate authority"),
    "ALLOW_HTTP": ("allow_http", _flag, "Fetch keys over plain HTTP beyond loopback"),
    "PROXY": ("proxy", str, "HTTP proxy for fetches"),
    "REALM": ("realm", str, "Realm in challenges"),
    "RESOURCE_METADATA": ("resource_metadata", str, "URL of this API's RFC 9728 metadata"),
}
"""Suffix of the variable → (setting, reader, what it means)."""

_SUFFIX_OF: Final[Mapping[str, str]] = {
    **{setting: suffix for suffix, (setting, _, _) in VARIABLES.items()},
    "keys": "SHARED_SECRET",
    "SharedSecret": "SHARED_SECRET",
}
_WHOSE: Final = re.compile(r"^Issuer\(.*?\): ")
_ARGUMENT: Final = re.compile(
    rf"^({'|'.join(_SUFFIX_OF)})\b"  # what the sentence is about
    rf"|\b({'|'.join(setting for setting, _, _ in VARIABLES.values())})(?==)"
    rf"|\b({'|'.join(setting for setting in _SUFFIX_OF if '_' in setting)})\b"  # the others are English words too
)
_NETWORK: Final[tuple[str, ...]] = ("ca_file", "allow_http", "proxy")
_AUTH: Final[tuple[str, ...]] = ("realm", "resource_metadata")


def is_ours(name: str) -> bool:
    """True for an environment variable that `settings_from` reads, and for those of our tests."""
    return name.removeprefix(PREFIX) in VARIABLES or _is_foreign(name)


def _is_foreign(name: str) -> bool:
    return name in _FOREIGN or name.startswith(_FOREIGN_PREFIX)


def settings_from(environ: Mapping[str, str]) -> tuple[Issuer, dict[str, Any]]:
    """The issuer, and the further arguments of `Auth`. Raises ConfigError listing every problem."""
    values: dict[str, Any] = {}
    problems: list[str] = []
    for name, text in sorted(environ.items()):
        if not name.startswith(PREFIX) or _is_foreign(name):
            continue
        known = VARIABLES.get(name.removeprefix(PREFIX))
        if known is None:
            close = [PREFIX + near for near in get_close_matches(name.removeprefix(PREFIX), VARIABLES, 1, 0.6)]
            problems.append(f"{name} is unknown" + (f"; did you mean {close[0]}?" if close else ""))
            continue
        setting, read, _ = known
        try:
            values[setting] = read(text)
        except ValueError as error:
            problems.append(f"{name}: {error}")
    problems += [
        f"{PREFIX}{suffix} is missing" for suffix in ("ISSUER", "AUDIENCE") if VARIABLES[suffix][0] not in values
    ]
    if "encoding" in values and "shared_secret" not in values:
        problems.append(f"{PREFIX}SHARED_SECRET_ENCODING is of no use without {PREFIX}SHARED_SECRET")
    options = {name: values.pop(name) for name in _AUTH if name in values}
    network = {name: values.pop(name) for name in _NETWORK if name in values}
    issuer = None if problems else _build(values, network, problems)
    if issuer is None:
        raise ConfigError(problems)
    return issuer, options


def _build(values: dict[str, Any], network: dict[str, Any], problems: list[str]) -> Issuer | None:
    try:
        encoding = values.pop("encoding", "raw")
        if "shared_secret" in values:
            values["keys"] = SharedSecret(values.pop("shared_secret"), encoding=encoding)
        return Issuer(values.pop("issuer"), network=Network(**network), **values)
    except ConfigError as error:
        problems.extend(map(_in_variables, error.problems))
        return None


def _in_variables(problem: str) -> str:
    """A sentence of a constructor, with variables in place of the arguments that it names; at least one."""
    text = _ARGUMENT.sub(lambda found: PREFIX + _SUFFIX_OF[found[0]], _WHOSE.sub("", problem))
    if PREFIX in text:
        return text
    return f"{PREFIX}{'ALGORITHMS' if text.startswith(('algorithm ', 'HS')) else 'ISSUER'}: {text}"
