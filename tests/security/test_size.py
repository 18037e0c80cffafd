"""Attacks by size and depth: what is too much is refused before anybody spends time on it."""

from __future__ import annotations

import base64
import json
import zlib
from pathlib import Path
from typing import Any

import pytest

from auth_doubles import ISSUER, auth, jwks, token
from bearerkit import Auth, Issuer
from bearerkit.errors import Malformed
from bearerkit.verify import jwt
from security.attack import Attack, attacks, attempt, each, rows
from security.forgery import EC, doubled, nested, payload, raw_header


def deep_header(depth: int) -> bytes:
    return b'{"alg":"ES256","kid":"ec-1","x":' + b"[" * depth + b"]" * depth + b"}"


TABLE = [
    Attack(59, "header of 8 kB", lambda: token(EC, {"x": "y" * 8_000}), Malformed),
    Attack(59, "token of 20 kB", lambda: token(EC, x="y" * 20_000), Malformed),
    Attack(59, "token of 1 MB", lambda: token(EC, x="y" * 1_000_000), Malformed),
    Attack(59, "header of 1 MB", lambda: token(EC, {"x": "y" * 1_000_000}), Malformed),
    Attack(60, "100,000 members", lambda: payload(json.dumps({str(n): n for n in range(100_000)}).encode()), Malformed),
    *each(61, "arrays nested", {"17": 17, "1,000": 1_000, "5,000": 5_000, "100,000": 100_000},
          lambda depth: payload(nested(depth)), Malformed),
    *each(61, "objects nested", {"17": 17, "1,000": 1_000}, lambda depth: payload(nested(depth, "{}")), Malformed),
    Attack(61, "only opening brackets", lambda: payload(b"[" * 10_000), Malformed),
    *each(61, "header nested", {"17": 17, "1,000": 1_000, "100,000": 100_000},
          lambda depth: raw_header(deep_header(depth)), Malformed),
    *each(62, "an integer of", {f"{n:,} digits": n for n in (21, 5_000, 100_000)},
          lambda digits: payload(doubled("x", "9" * digits)), Malformed),
    Attack(62, "an exponent of 9,000 digits", lambda: payload(doubled("x", "1e" + "9" * 9_000)), Malformed),
    Attack(63, "more names than a token may hold",
           lambda: payload(json.dumps({f"n{n}": 0 for n in range(2_000)}).encode()), Malformed),
]  # fmt: skip


def keyed_auth() -> Auth:
    return auth(Issuer(ISSUER, audience="api", keys=jwks(EC)))


@pytest.mark.parametrize("attack", rows(TABLE))
def test_size(attack: Attack) -> None:
    """Refused as malformed, cold and warm, without a fetch and without RecursionError or MemoryError."""
    attempt(attack)


@attacks(59, "token of 100 MB", answer="401 malformed")
def test_a_token_of_a_hundred_megabytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is measured and refused: neither hashed, encoded nor cut into parts."""
    where = keyed_auth()
    assert where.verify(token(EC))

    def too_much(*_: Any) -> Any:
        raise AssertionError("somebody worked on it")

    monkeypatch.setattr(jwt, "digest_of", too_much)
    monkeypatch.setattr(jwt, "parse", too_much)
    for text in ("a" * 100_000_000, "." * 100_000_000, "a." + "b" * 100_000_000 + ".c"):
        with pytest.raises(Malformed):
            where.verify(text)


@attacks(63, "names with one hash", answer="bounded by the size of a token")
def test_a_flood_of_equal_hashes_is_bounded() -> None:
    """Python keys its hash of texts; and even if all names collided, the size of a token bounds what they cost.

    n names that collide cost n * n / 2 comparisons: no token holds more than about 1,700 of them.
    """
    where = keyed_auth()
    most = max(n for n in range(0, 2_000, 100) if len(token(EC, **{_name(k): 0 for k in range(n)})) <= 16_384)
    assert most < 1_700
    assert where.verify(token(EC, **{_name(k): 0 for k in range(most)}))
    with pytest.raises(Malformed):
        where.verify(token(EC, **{_name(k): 0 for k in range(most + 100)}))


def _name(number: int) -> str:
    return f"{number:x}"


@attacks(58, "JSONTestSuite, all n_ documents", answer="401 malformed")
def test_json_that_is_no_json(shared: Path) -> None:
    """Each as the payload and as the header of a well signed token."""
    where, tried = keyed_auth(), 0
    for row in json.loads((shared / "vectors/jsontestsuite/test_parsing.json").read_text(encoding="utf-8")):
        if not row["name"].startswith("n_"):
            continue
        tried += 1
        raw = base64.b64decode(row["b64"]) if "b64" in row else zlib.decompress(base64.b64decode(row["zlib_b64"]))
        for text in (payload(raw), raw_header(raw)):
            with pytest.raises(Malformed):
                where.verify(text)
    assert tried > 130


def test_what_is_within_the_limits_passes() -> None:
    """The tables mean something only because these pass."""
    where = keyed_auth()
    assert where.verify(payload(nested(15)))
    assert where.verify(payload(nested(15, "{}")))
    assert where.verify(raw_header(deep_header(15)))
    assert where.verify(payload(doubled("x", "9" * 20)))
    assert where.verify(token(EC, x="y" * 10_000))
