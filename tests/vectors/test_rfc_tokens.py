"""The JWTs that RFCs print, from the token to the context: accepted in their time, by their key, and not otherwise."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from auth_doubles import auth
from bearerkit import ANY, Issuer
from bearerkit.errors import Expired, IssuerMismatch, SignatureInvalid
from bearerkit.testing import FrozenClock
from vectors.json_form import compact_forms
from vectors.verifier import PUBLIC_KEY_ALGORITHMS, public_half

EXPIRY = 1_300_819_380


@pytest.fixture(scope="module")
def printed(vectors: Path) -> list[tuple[str, str, dict[str, Any]]]:
    """Issuer, token and public key: RFC 7520 section 6 (PS256), RFC 7515 A.6 (RS256 and ES256)."""
    nested = json.loads((vectors / "ietf-jose-cookbook/6.nesting_signatures_and_encryption.json").read_text("utf-8"))
    several = json.loads((vectors / "latchset-jose/rfc7515_A.6.jwsg").read_text("utf-8"))
    keys = json.loads((vectors / "latchset-jose/rfc7515_A.6.jwkset").read_text("utf-8"))["keys"]
    found = [("hobbiton.example", nested["sign"]["output"]["compact"], nested["sign"]["input"]["key"])]
    found += [("joe", token, keys[number]) for number, token in compact_forms(several)]
    assert len(found) == 3
    return [(issuer, token, public_half(key)) for issuer, token, key in found]


def verified(issuer: str, token: str, key: dict[str, Any], now: float = EXPIRY - 1) -> Any:
    entry = Issuer(
        issuer, audience=ANY, keys={"keys": [key]}, algorithms=PUBLIC_KEY_ALGORITHMS, subject="optional", leeway=0
    )
    return auth(entry, clock=FrozenClock(now)).verify(token)


def test_accepted_in_its_time(printed) -> None:
    """Claims come out as the RFC shows them."""
    for issuer, token, key in printed:
        context = verified(issuer, token, key)
        assert (context.issuer, context.expires_at) == (issuer, EXPIRY)
        assert context.claims["http://example.com/is_root"] is True


def test_refused_otherwise(printed) -> None:
    """A second later, under another issuer, with another key of the same kind, or changed by one letter."""
    for issuer, token, key in printed:
        with pytest.raises(Expired):
            verified(issuer, token, key, EXPIRY)
        with pytest.raises(IssuerMismatch):
            verified(f"{issuer}/", token, key)
        head, payload, signature = token.split(".")
        swapped = ("B" if signature[0] == "A" else "A") + signature[1:]
        with pytest.raises(SignatureInvalid):
            verified(issuer, f"{head}.{payload}.{swapped}", key)
    (_, token, _), (issuer, _, key) = printed[0], printed[1]
    with pytest.raises(SignatureInvalid):
        verified("hobbiton.example", token, key)
