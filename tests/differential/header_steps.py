"""Mutations of the JOSE header: names, algorithms, key ids, extensions, and bytes that are hardly JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from differential.bases import BASES, stranger
from differential.draft import Draft, Step

__all__ = ["HEADER_STEPS"]

_ODD: tuple[Any, ...] = (..., None, True, "", [], {}, 1)
_VALUES: Mapping[str, tuple[Any, ...]] = {
    "typ": (
        *(*_ODD, "JWT", "jwt", "AT+JWT", "application/at+jwt", "APPLICATION/JWT", "at+jwt ", "id+jwt", "dpop+jwt"),
        *("logout+jwt", "JOSE", "application/", "a\u017ft+jwt", ["at+jwt"]),
    ),
    "kid": (*_ODD, "k2", "K1", "k1 ", "k1\0", "\u00fc", "k" * 300, "../../k1", "' OR 1=1--"),
    "cty": (..., "JWT", "", None, 1, "application/jwt"),
    "crit": (None, [], "exp", ["exp"], ["alg"], ["b64"], ["x"], ["x", "x"], [1], {"b64": 1}, ["kid"]),
    "b64": (True, False, None, "false", 0),
    "enc": ("A256GCM", None, 1),
    "zip": ("DEF", None),
    "jku": ("https://evil.example/jwks", None, 1),
    "x5u": ("https://evil.example/cert", 1),
    "x5c": (["MIIB"], "MIIB", []),
    "x5t": ("abc", 1),
    "x5t#S256": ("abc", 1),
    "jwk": (None, 1, {}),
    "iss": ("https://evil.example", 1),
    "exp": (1,),
    "nonce": ("n", 1),
    "__proto__": ({"alg": "none"}, None),
    "x": ("\ud800", 10**19, 10**20, 1.5, "y" * 200, "y" * 500, "y" * 2_900, "y" * 3_100, [[[[[]]]]]),
}


def _setter(name: str, values: tuple[Any, ...]) -> Step:
    def apply(draft: Draft, number: int) -> None:
        value = values[number]
        if value is ...:
            draft.header.pop(name, None)
        else:
            draft.header[name] = value

    return Step(f"header.{name}", len(values), apply)


_NAMES: tuple[Any, ...] = (
    *(*BASES, "none", "None", "NONE", "nOnE", "ES256K", "Ed448", "ES521", "RS1", "HS1", "dir", "RSA-OAEP"),
    *(..., None, 1, True, "", [], ["RS256"], {}, "rs256", "RS256 ", " RS256", "RS256\0", "RS-256", "RS256,ES256"),
)


def _alg(draft: Draft, number: int) -> None:
    """The header names another algorithm; where the key can, the signature really is by that one."""
    if _NAMES[number] is ...:
        draft.signs_with = draft.signer.alg
        draft.header.pop("alg", None)
    else:
        draft.header["alg"] = _NAMES[number]


def _lie(draft: Draft, number: int) -> None:
    """The header names another algorithm than the signature is made with."""
    draft.signs_with = draft.signer.alg
    draft.header["alg"] = _NAMES[number] if isinstance(_NAMES[number], str) else "RS256"


def _unsigned(draft: Draft, number: int) -> None:
    """An algorithm of ours over an empty signature, or `none` with a signature of another."""
    if number:
        draft.header["alg"], draft.signs_with = "none", draft.signer.alg
    else:
        draft.signs_with = "none"


def _embedded(draft: Draft, number: int) -> None:
    """The token brings its own key, and is signed by it or not."""
    if draft.secret is None:
        other = stranger(draft.signer.alg)
        draft.header["jwk"] = other.jwk if number % 2 else draft.signer.jwk
        draft.header["kid"] = "k1" if number < 2 else "k2"
        draft.signer = other if number % 2 else draft.signer


def _foreign(draft: Draft, number: int) -> None:
    """Signed by somebody else under a kid that is trusted."""
    draft.signer = stranger(draft.signer.alg)


_TEXTS: tuple[Callable[[str], str | bytes], ...] = (
    lambda text: text[:-1] + ',"alg":"none"}',
    lambda text: '{"alg":"none",' + text[1:],
    lambda text: text[:-1] + ',"kid":"k1"}',
    lambda text: text[:-1] + ',"a":{"b":1,"b":2}}',
    lambda text: text.replace('"alg"', '"\\u0061lg"'),
    lambda text: text.replace('"alg"', '"ALG"'),
    lambda text: text[:-1] + ',"ALG":"none"}',
    lambda text: text[:-1] + ',"a":NaN}',
    lambda text: text[:-1] + ',"a":1e999}',
    lambda text: text[:-1] + ',"a":"\\udfff"}',
    lambda text: text[:-1] + ",}",
    lambda text: "\n " + text + " \n",
    lambda text: "\ufeff" + text,
    lambda text: text + "{}",
    lambda text: text + "\0",
    lambda text: f"[{text}]",
    lambda text: "{}",
    lambda text: "",
    lambda text: "null",
    lambda text: text[:-1],
    lambda text: text.encode("utf-16"),
    lambda text: text[:-1].encode() + b',"a":"\xff"}',
    lambda text: text[:-1] + ',"a":' + "[" * 200 + "]" * 200 + "}",
    lambda text: text[:-1] + ',"b64":true,"crit":["b64"]}',
    lambda text: text[:-1] + ',"b64":false,"crit":["b64"]}',
)


def _raw(draft: Draft, number: int) -> None:
    def change(text: str) -> bytes:
        changed = _TEXTS[number](text)
        return changed if isinstance(changed, bytes) else changed.encode()

    draft.raw_header = change


HEADER_STEPS = (
    *(_setter(name, values) for name, values in _VALUES.items()),
    Step("header.alg", len(_NAMES), _alg),
    Step("header.alg-lies", len(_NAMES), _lie),
    Step("header.unsigned", 2, _unsigned),
    Step("header.own-key", 4, _embedded),
    Step("signed-by-a-stranger", 1, _foreign),
    Step("header", len(_TEXTS), _raw),
)
