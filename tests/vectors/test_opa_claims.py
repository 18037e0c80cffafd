"""The constraints of OPA's decode_verify, judged on tokens with an expiry and a sound key.

As they are, most of its tokens are refused for want of an `exp` or for a six-byte secret, which says nothing about
issuer, audience and times. So the same claims are signed anew, with an `exp` far away where there was none.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bearerkit.errors import Malformed
from bearerkit.jose.compact import parse, parse_claims
from bearerkit.testing import SigningKey
from bearerkit.testing.signing import compact
from vectors.opa_jwt import cases, constraints_of, judged_by_auth
from vectors.tally import ACCEPT

KEY = SigningKey.generate("ES256")
FAR = 4_000_000_000


def rebuilt(token: str) -> tuple[str, dict[str, Any]] | None:
    """The token with our signature, and its claims; None where it holds no claims of its own."""
    try:
        claims = parse_claims(parse(token).payload)
    except Malformed:
        return None
    return compact({"alg": "ES256", "typ": "JWT"}, {"exp": FAR, **claims}, KEY), claims


@pytest.fixture(scope="module")
def judged(vectors: Path) -> list[tuple[str, bool, str]]:
    """Id, OPA's verdict and ours, of each case whose verdict is about claims."""
    found = []
    for case in cases(vectors):
        if case["builtin"] != "io.jwt.decode_verify":
            continue
        again, constraints = rebuilt(case["token"]), constraints_of(case)
        about_keys = any(word in case["note"] for word in ("alg-", "key-wrong", "multiple-keys"))
        if again is None or about_keys:
            continue
        facts = {name: constraints[name] for name in ("iss", "aud", "time") if name in constraints}
        ours = judged_by_auth(again[0], {**facts, "cert": {"keys": [KEY.jwk]}})
        found.append((case["id"], case["want_result"][0]["x"][0], ours))
    return found


def test_issuer_audience_and_times_agree(judged: list[tuple[str, bool, str]]) -> None:
    """To the tenth of a second, with fractions in nbf and exp."""
    assert [row for row in judged if (row[2] == ACCEPT) is not row[1]] == []
    assert sum(accepted for _, accepted, _ in judged) >= 12
    assert {ours for _, accepted, ours in judged if not accepted} == {
        "reject: issuer_mismatch",
        "reject: audience_mismatch",
        "reject: expired",
        "reject: not_yet_valid",
    }
