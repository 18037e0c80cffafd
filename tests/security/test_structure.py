"""Attacks on the form of a token: segments, encodings, JSON with two readings, extensions that change the meaning."""

from __future__ import annotations

from typing import Any

import pytest

from auth_doubles import ISSUER, auth, jwks, token
from bearerkit import Issuer, MemoryRevocations
from bearerkit.errors import Malformed, Revoked, TokenInvalid
from bearerkit.jose.base64url import encode
from security.attack import Attack, attacks, attempt, each, rows
from security.forgery import EC, ED, RSA, body, doubled, payload, raw_header, segment

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
GOOD_HEADER = b'{"alg":"ES256","kid":"ec-1","typ":"at+jwt"}'
NO_OBJECTS = {
    "an array": b"[]", "text": b'"x"', "null": b"null", "a number": b"5", "true": b"true", "nothing": b"",
    "an open brace": b"{", "an object and more": b"{}x", "an object in an array": b"[{}]",
}  # fmt: skip


def loosened(part: int) -> str:
    """The same bytes in non-canonical base64url, signed or not: the unused low bits of one segment are set."""
    for spaces in range(3):  # until the segment has unused bits
        head = encode(GOOD_HEADER + b" " * (spaces if part == 0 else 0))
        claims_ = encode(body().encode() + b" " * (spaces if part == 1 else 0))
        parts = [head, claims_, encode(bytes(64))]
        if len(parts[part]) % 4:
            parts[part] = _loose(parts[part])
            text = f"{parts[0]}.{parts[1]}"
            signature = encode(EC.sign(text.encode()))
            return f"{text}.{_loose(signature) if part == 2 else signature}"
    raise AssertionError


def _loose(text: str) -> str:
    last = ALPHABET[ALPHABET.index(text[-1]) | 1]
    assert last != text[-1]
    return text[:-1] + last


def other_alphabet() -> str:
    """A token whose signature has characters that the two alphabets spell differently, in the wrong one."""
    while True:
        text = token(EC)
        if "-" in text.rpartition(".")[2] or "_" in text.rpartition(".")[2]:
            return text.replace("-", "+").replace("_", "/")


def padded(text: str) -> str:
    return ".".join(part + "=" * (-len(part) % 4) for part in text.split("."))


def crit(value: Any, **members: Any) -> str:
    return token(EC, {"crit": value, **members})


def detached() -> str:
    head, _, signature = token(EC).split(".")
    return f"{head}..{signature}"


def unencoded() -> str:
    """RFC 7797 as its inventors meant it: the payload itself between the dots, signed so."""
    head = segment({"alg": "ES256", "kid": "ec-1", "b64": False, "crit": ["b64"]})
    signature = encode(EC.sign(f"{head}.{body()}".encode()))
    return f"{head}.{segment(body())}.{signature}"


TABLE = [
    *each(
        47,
        "segments:",
        {
            "none": lambda: "", "one dot": lambda: ".", "two dots": lambda: "..", "three dots": lambda: "...",
            "2": lambda: token(EC).rpartition(".")[0], "4": lambda: f"{token(EC)}.x",
            "6": lambda: ".".join(["x"] * 6), "an empty one first": lambda: f".{token(EC)}",
            "empty header": lambda: "." + token(EC).partition(".")[2],
            "empty payload": lambda: detached(), "empty signature": lambda: token(EC).rpartition(".")[0] + ".",
        },
        lambda make: make(), Malformed,
    ),
    Attack(47, "segments: 5", lambda: f"{token(EC)}.x.y", Malformed, "encrypted"),
    Attack(48, "= behind the token", lambda: token(EC) + "=", Malformed),
    Attack(48, "== behind the token", lambda: token(EC) + "==", Malformed),
    Attack(48, "exact padding of every segment", lambda: padded(token(EC)), Malformed),
    *each(
        49, "white space:",
        {
            "newline behind": lambda: token(EC) + "\n", "space before": lambda: " " + token(EC),
            "tab behind": lambda: token(EC) + "\t", "after a dot": lambda: token(EC).replace(".", ". "),
            "newline after a dot": lambda: token(EC).replace(".", ".\n"),
            "within a segment": lambda: token(EC)[:10] + " " + token(EC)[10:], "CR behind": lambda: token(EC) + "\r",
        },
        lambda make: make(), Malformed,
    ),
    Attack(50, "+ and / instead of - and _", other_alphabet, Malformed),
    Attack(50, "+ in the signature", lambda: token(EC)[:-4] + "AA+A", Malformed),
    Attack(50, "/ in the signature", lambda: token(EC)[:-4] + "AA/A", Malformed),
    *each(51, "non-canonical bits in the", {"header": 0, "payload": 1, "signature": 2}, loosened, Malformed),
    *each(
        52, "",
        {
            "NUL behind": lambda: token(EC) + "\0", "a look-alike dot": lambda: token(EC).replace(".", "\u2024"),
            "a look-alike letter": lambda: token(EC).replace("e", "\u0435"), "a BOM before": lambda: "\ufeff" +
            token(EC), "a lone surrogate": lambda: token(EC) + "\ud800",
            "full-width letters": lambda: token(EC).replace("e", "\uff45"),
        },
        lambda make: make(), Malformed,
    ),
    Attack(53, "JSON instead of compact", lambda: '{"payload":"' + segment(body()) + '"}', Malformed),
    Attack(53, "a polyglot: the token within JSON", lambda: '{"x":"' + token(EC) + '"}', Malformed),
    Attack(53, "a polyglot: braces around the token", lambda: "{" + token(EC) + "}", Malformed),
    *each(54, "header that is", {**NO_OBJECTS, "an empty object": b"{}"}, raw_header, Malformed),
    *each(54, "payload that is", NO_OBJECTS, payload, Malformed),
    *each(
        55, "twice:",
        {
            "aud": ("aud", '"api"'), "exp": ("exp", "9999999999"), "iss": ("iss", f'"{ISSUER}"'),
            "sub": ("sub", '"admin"'), "a member within a claim": ("x", '{"a":1,"a":2}'),
        },
        lambda pair: payload(doubled(*pair)), Malformed,
    ),
    Attack(55, "twice: exp, once by an escape", lambda: payload(body()[:-1].encode() + b', "e\\u0078p": 9999999999}'),
           Malformed),
    *each(
        55, "twice in the header:",
        {
            "alg": b'{"alg":"ES256","kid":"ec-1","alg":"none"}', "kid": b'{"alg":"ES256","kid":"x","kid":"ec-1"}',
            "crit": b'{"alg":"ES256","kid":"ec-1","crit":["x"],"x":1,"crit":["y"]}',
        },
        raw_header, Malformed,
    ),
    *each(
        56, "payload with",
        {
            "bad UTF-8": b'{"sub":"\xff"}', "a lone surrogate": b'{"sub":"\\ud800"}',
            "a surrogate in UTF-8": b'{"sub":"\xed\xa0\x80"}', "an overlong slash": b'{"sub":"\xc0\xaf"}',
            "a BOM": b"\xef\xbb\xbf" + body().encode(), "UTF-16": body().encode("utf-16"),
            "UTF-16 without BOM": body().encode("utf-16-le"), "UTF-32": body().encode("utf-32"),
        },
        payload, Malformed,
    ),
    *each(
        56, "header with",
        {
            "bad UTF-8": GOOD_HEADER[:-1] + b',"x":"\xff"}', "a lone surrogate": GOOD_HEADER[:-1] + b',"x":"\\udc00"}',
            "a BOM": b"\xef\xbb\xbf" + GOOD_HEADER, "UTF-16": GOOD_HEADER.decode().encode("utf-16"),
        },
        raw_header, Malformed,
    ),
    *each(
        57, "", {value: value for value in ("NaN", "Infinity", "-Infinity", "1e400", "-1e999")},
        lambda value: payload(doubled("x", value)), Malformed,
    ),
    Attack(57, "exp: Infinity", lambda: payload(body(exp=...)[:-1].encode() + b', "exp": Infinity}'), Malformed),
    *each(
        64, "crit",
        {
            "that is empty": ([], {}), "with an unknown name": (["x"], {"x": 1}), "with a registered name":
            (["alg"], {}), "with kid": (["kid"], {}), "with exp, which is missing": (["exp"], {}), "with a name twice":
            (["x", "x"], {"x": 1}), "that is text": ("exp", {}), "that is null": (None, {}), "with a number":
            ([1], {}), "that is an object": ({"x": 1}, {}), "with b64": (["b64"], {"b64": True}),
        },
        lambda pair: crit(pair[0], **pair[1]), Malformed,
    ),
    Attack(65, "b64 false without crit", lambda: token(EC, {"b64": False}), Malformed),
    Attack(65, "b64 false with crit", unencoded, Malformed),
    Attack(65, "b64 true", lambda: token(EC, {"b64": True}), Malformed),
    Attack(65, "detached payload", detached, Malformed),
]  # fmt: skip


@pytest.mark.parametrize("attack", rows(TABLE))
def test_structure(attack: Attack) -> None:
    """One spelling per token and one reading per document: everything else is refused before a key is looked for."""
    attempt(attack)


@attacks(51, "another spelling of a revoked token", answer="401")
def test_no_spelling_dodges_a_deny_list() -> None:
    """What was revoked stays so in every spelling: a changed text is refused, and the list knows the jti anyway."""
    store = MemoryRevocations()
    where = auth(Issuer(ISSUER, audience="api", keys=jwks(RSA, EC, ED)), revocations=store)
    for key in (RSA, EC, ED):
        text = token(key, jti=key.alg)
        where.verify(text)
        store.revoke_token(key.alg, issuer=ISSUER)
        loose = _loose(text) if len(text.rpartition(".")[2]) % 4 else text + "="
        for spelling in (loose, padded(text), text + "\n"):
            with pytest.raises(TokenInvalid):
                where.verify(spelling)
        with pytest.raises(Revoked):
            where.verify(text)
