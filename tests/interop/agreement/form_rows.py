"""Rows about the form of a token: segments, base64url, JSON, headers that change the reading, size (RFC 7515)."""

from __future__ import annotations

from interop.agreement.row import ACCEPT, AUDIENCE, Bench, Row, encoded

__all__ = ["FORMS"]

_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def _trailing_bits(bench: Bench) -> str:
    """The last character carries four bits of nothing; another character with the same two bits decodes alike."""
    token = bench.token()
    return token[:-1] + _DIGITS[_DIGITS.index(token[-1]) ^ 1]


def _standard_alphabet(bench: Bench) -> str:
    while True:
        head, body, signature = bench.token().split(".")
        if "-" in signature and "_" in signature:
            return f"{head}.{body}.{signature.replace('-', '+').replace('_', '/')}"


def _padded(bench: Bench) -> str:
    token = bench.token()
    return token + "=" * (-len(token.rpartition(".")[2]) % 4)


FORMS = (
    Row("opaque", "no JWT at all", "opaque", lambda bench: "2YotnFZFEjr1zCsicMWpAA"),
    Row("two-segments", "no third segment", "malformed", lambda bench: bench.token().rpartition(".")[0]),
    Row("four-segments", "a fourth segment", "malformed", lambda bench: f"{bench.token()}.AAAA"),
    Row("encrypted", "five segments: a JWE", "encrypted",
        lambda bench: encoded(b'{"alg":"RSA-OAEP","enc":"A256GCM"}') + ".AAAA" * 4),
    Row("payload-empty", "an empty payload", "malformed", lambda bench: bench.raw(None, b"")),
    Row("padding", "`=` padding at the end", "malformed", _padded),
    Row("standard-alphabet", "`+` and `/` in the signature", "malformed", _standard_alphabet),
    Row("trailing-bits", "unused bits of the last character set", "malformed", _trailing_bits),
    Row("header-not-json", "the header is no JSON", "malformed", lambda bench: bench.raw("alg=RS256")),
    Row("header-list", "the header is a list", "malformed", lambda bench: bench.raw('["RS256"]')),
    Row("payload-not-json", "the payload is no JSON", "malformed", lambda bench: bench.raw(None, f"aud={AUDIENCE}")),
    Row("payload-list", "the payload is a list", "malformed", lambda bench: bench.raw(None, "[]")),
    Row("payload-nan", "a claim is NaN", "malformed",
        lambda bench: bench.raw(None, bench.json(bench.claims(), '"x": NaN'))),
    Row("payload-bom", "a byte order mark before the payload", "malformed",
        lambda bench: bench.raw(None, "\ufeff" + bench.json(bench.claims(), '"x": 1'))),
    Row("payload-not-utf8", "a claim with a byte that is not UTF-8", "malformed",
        lambda bench: bench.raw(None, bench.json(bench.claims(), '"x": "!"').encode().replace(b"!", b"\xff"))),
    Row("payload-surrogate", "a claim with half a surrogate pair", "malformed",
        lambda bench: bench.raw(None, bench.json(bench.claims(), r'"x": "\ud800"'))),
    Row("payload-aud-twice", "two `aud`, the last one ours", "malformed",
        lambda bench: bench.raw(None, bench.json(bench.claims(), '"aud": "billing"', first=True))),
    Row("header-alg-twice", "two `alg`, the last one true", "malformed",
        lambda bench: bench.raw(bench.json(bench.header(), '"alg": "none"', first=True))),
    Row("payload-deep", "forty lists within each other", "malformed",
        lambda bench: bench.raw(None, bench.json(bench.claims(), '"x": ' + "[" * 40 + "]" * 40))),
    Row("payload-long-number", "a number of 30 digits", "malformed",
        lambda bench: bench.raw(None, bench.json(bench.claims(), '"x": ' + "9" * 30))),
    Row("long", "20,000 characters", "malformed", lambda bench: bench.token(x="x" * 14_200)),
    Row("crit-unknown", "a critical header that nobody knows", "malformed",
        lambda bench: bench.token(headers={"crit": ["x-rule"], "x-rule": 1})),
    Row("crit-empty", "`crit` is an empty list", "malformed", lambda bench: bench.token(headers={"crit": []})),
    Row("crit-b64-true", "`b64` true, critical", "malformed",
        lambda bench: bench.token(headers={"crit": ["b64"], "b64": True})),
    Row("b64-false", "`b64` false, critical", "malformed",
        lambda bench: bench.token(headers={"crit": ["b64"], "b64": False})),
    Row("b64-false-uncritical", "`b64` false, not critical", "malformed",
        lambda bench: bench.token(headers={"b64": False})),
    Row("zip-ignored", "a `zip` header, which means nothing in a JWS", ACCEPT,
        lambda bench: bench.token(headers={"zip": "DEF"})),
    Row("header-unknown", "a header that nobody knows", ACCEPT, lambda bench: bench.token(headers={"x": {"y": 1}})),
)  # fmt: skip
