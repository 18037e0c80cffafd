"""Mutations of the payload: claims of every shape, and bytes that are hardly JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from differential.draft import AUDIENCE, ISSUER, LEEWAY, NOW, Draft, Step

__all__ = ["CLAIM_STEPS"]

_ODD: tuple[Any, ...] = (..., None, True, False, "", "x", [], {}, -1, 0, 1.5)
"""`...` leaves the member out."""
_AROUND = (NOW, NOW - LEEWAY, NOW - LEEWAY + 1, NOW - LEEWAY - 1, NOW + LEEWAY, NOW + LEEWAY + 1)
_TIMES = (
    *(*_ODD, *_AROUND, NOW - LEEWAY + 0.5, NOW - LEEWAY - 0.5, NOW + LEEWAY + 0.5, NOW + 300.0),
    *(str(NOW + 300), 1e12, 10**15, 10**15 - 1, 1e16, 1e300, 10**19, 10**20, -(10**19), [NOW + 300]),
)
_VALUES: Mapping[str, tuple[Any, ...]] = {
    "exp": _TIMES,
    "nbf": _TIMES,
    "iat": _TIMES,
    "aud": (
        *(*_ODD, [AUDIENCE], ["other", AUDIENCE], [AUDIENCE, AUDIENCE], [AUDIENCE, 1], [AUDIENCE, None], [[AUDIENCE]]),
        *({"0": AUDIENCE}, {AUDIENCE: 1}, "API", "api ", "other", "apix", ["other"], "api other", "аpi", "api\0"),
    ),
    "iss": (*_ODD, ISSUER + "/", ISSUER.upper(), [ISSUER], {"url": ISSUER}, ISSUER + "\0", " " + ISSUER),
    "sub": (*_ODD, "ü", "\U0001f600", " ", "u1\n", ["u1"], "x" * 300),
    "jti": (*_ODD, "ü", ["j"], "x" * 300),
    "scope": (*_ODD, ["a"], "a\nb", {"a": 1}),
    "nonce": ("n", None, 1),
    "at_hash": ("h",),
    "token_use": ("access", "id", "refresh", "ID"),
    "typ": ("Bearer", "Refresh", "ID", "logout", 1),
    "events": ({"http://schemas.example/event": {}}, {}, "x"),
    "htm": ("POST",),
    "cnf": ({"jkt": "x"}, {}, "x"),
    "__proto__": ({"exp": 1}, None),
    "constructor": ("x",),
    "toString": (1,),
    "extra": (
        *(10**20, 10**19, -(10**20), 1e308, -0.0, 2**53 + 1, "\ud800", "\ud83d\ude00", "\0", "\u2028"),
        *([[[[[[[[[[[[[[[]]]]]]]]]]]]]]], [[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]], "x" * 12_500),
    ),
}


def _setter(name: str, values: tuple[Any, ...]) -> Step:
    def apply(draft: Draft, number: int) -> None:
        value = values[number]
        if value is ...:
            draft.claims.pop(name, None)
        else:
            draft.claims[name] = value

    return Step(f"claim.{name}", len(values), apply)


_TEXTS: tuple[Callable[[str], str | bytes], ...] = (
    lambda text: text[:-1] + ',"exp":1}',
    lambda text: text[:-1] + f',"exp":{NOW + 300}}}',
    lambda text: '{"exp":1,' + text[1:],
    lambda text: text[:-1] + ',"a":{"b":1,"b":2}}',
    lambda text: text[:-1] + ',"\\u0065xp":1}',
    lambda text: text.replace('"exp"', '"\\u0065xp"'),
    lambda text: text.replace('"exp"', '"EXP"'),
    lambda text: text[:-1] + ',"a":NaN}',
    lambda text: text[:-1] + ',"a":-Infinity}',
    lambda text: text[:-1] + ',"a":1e999}',
    lambda text: text[:-1] + ',"a":1e400,"b":-1e-400}',
    lambda text: text[:-1] + ',"a":01}',
    lambda text: text[:-1] + ',"a":"\\ud800"}',
    lambda text: text[:-1] + ',"a":"\\ud83d\\ude00"}',
    lambda text: text[:-1] + ',"a":"\t"}',
    lambda text: text[:-1] + ",}",
    lambda text: text[:-1] + ",'a':1}",
    lambda text: text[:-1] + ',"a":1/*c*/}',
    lambda text: " \n" + text + "\t\r ",
    lambda text: "\v" + text,
    lambda text: "\u00a0" + text,
    lambda text: "\ufeff" + text,
    lambda text: text + "x",
    lambda text: text + text,
    lambda text: text + "\0",
    lambda text: f"[{text}]",
    lambda text: text[:-1],
    lambda text: "",
    lambda text: "null",
    lambda text: f'"{NOW}"',
    lambda text: text.encode("utf-16"),
    lambda text: text.encode("utf-16-le"),
    lambda text: text[:-1].encode() + b',"a":"\xff"}',
    lambda text: text[:-1].encode() + b',"a":"\xc0\x80"}',
    lambda text: text[:-1].encode() + b',"a":"\xed\xa0\x80"}',
    lambda text: text[:-1].encode("latin-1", "replace") + b',"a":"\xe9"}',
    lambda text: text[:-1] + ',"a":"\u00e9\U0001f600"}',
    lambda text: text.replace(str(NOW + 300), "1.7900003e9"),
    lambda text: text.replace(str(NOW + 300), "1790000300.25"),
    lambda text: text.replace(str(NOW + 300), "+1790000300"),
    lambda text: text.replace(str(NOW + 300), "1790000300n"),
    lambda text: text.replace(str(NOW + 300), "1e9999"),
    lambda text: text.replace(str(NOW + 300), "1" * 400),
)


def _raw(draft: Draft, number: int) -> None:
    def change(text: str) -> bytes:
        changed = _TEXTS[number](text)
        return changed if isinstance(changed, bytes) else changed.encode()

    draft.raw_payload = change


CLAIM_STEPS = (
    *(_setter(name, values) for name, values in _VALUES.items()),
    Step("payload", len(_TEXTS), _raw),
)
