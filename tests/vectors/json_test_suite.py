"""JSONTestSuite: every document alone, as a member of a signed header, and as a member of a signed payload.

In a token the document stands as the value of a member that nobody reads, so that the verdict of `Auth` is the
verdict on the document.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterator
from pathlib import Path

from auth_doubles import NOW, auth
from bearerkit import Issuer, Refused
from bearerkit.jose import strict_json
from bearerkit.testing import SigningKey
from bearerkit.testing.signing import compact
from vectors.tally import ACCEPT, REJECT, Deviation, Outcome, Source

__all__ = ["SOURCE", "documents"]

KEY = SigningKey.generate("ES256", kid="k1")
AUTH = auth(Issuer("https://id.example.test", audience="api", keys={"keys": [KEY.jwk]}), token_cache=0)
HEADER = json.dumps({"alg": "ES256", "kid": "k1", "typ": "at+jwt"}).encode()
CLAIMS = json.dumps({"iss": "https://id.example.test", "aud": "api", "sub": "u1", "exp": NOW + 60}).encode()

UNDECIDED = "no verdict"
ACCEPTED = {"i_number_double_huge_neg_exp.json", "i_number_real_underflow.json"}
TWICE = "a member name occurs twice: two readings of one signed text (RFC 7515 section 4, RFC 7519 section 4)"
PLACES = ("alone", "in header", "in payload")


def documents(folder: Path) -> Iterator[tuple[str, str, bytes]]:
    """Name, `expect`, and the bytes."""
    for case in json.loads((folder / "jsontestsuite" / "test_parsing.json").read_text(encoding="utf-8")):
        data = base64.b64decode(case["b64"]) if "b64" in case else zlib.decompress(base64.b64decode(case["zlib_b64"]))
        assert len(data) == case["bytes"]
        yield case["name"], case["expect"], data


def outcomes(folder: Path) -> Iterator[Outcome]:
    """Three vectors per document."""
    for name, expect, data in documents(folder):
        outside = "" if expect in (ACCEPT, REJECT) else UNDECIDED
        chosen = ACCEPT if name in ACCEPTED else REJECT
        verdicts = (
            alone(data),
            in_token(compact(_with(HEADER, data), CLAIMS, KEY)),
            in_token(compact(HEADER, _with(CLAIMS, data), KEY)),
        )
        for place, ours in zip(PLACES, verdicts, strict=True):
            yield Outcome(f"{name} {place}", chosen if outside else expect, ours, outside)


def alone(data: bytes) -> str:
    """The strict reader agrees with Python's on every document that it takes."""
    try:
        value = strict_json.loads(data)
    except strict_json.JsonInvalid:
        return f"{REJECT}: json"
    return ACCEPT if value == json.loads(data) else "another value"


def in_token(token: str) -> str:
    """The verdict of `Auth`, with the reason."""
    try:
        AUTH.verify(token)
    except Refused as refusal:
        return f"{REJECT}: {refusal.reason}"
    return ACCEPT


def _with(members: bytes, document: bytes) -> bytes:
    return members[:-1] + b', "x": ' + document + b"}"


SOURCE = Source(
    "JSONTestSuite",
    "jsontestsuite/test_parsing.json",
    outcomes,
    {
        f"{name} {place}": Deviation("reject: json" if place == "alone" else "reject: malformed", TWICE, elsewhere=True)
        for name in ("y_object_duplicated_key.json", "y_object_duplicated_key_and_value.json")
        for place in PLACES
    },
    outside={
        UNDECIDED: "the suite leaves these to the implementation; we refuse what has two readings (invalid UTF-8, lone "
        "surrogates, numbers beyond a double or of more than 20 digits, 500 levels) and take a number that underflows"
    },
)
