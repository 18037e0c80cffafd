"""Encrypted tokens are named as such, whatever their form and algorithm, and cost no more than being read."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from auth_doubles import auth, request
from bearerkit import Auth, Issuer, authenticated
from bearerkit.challenge import render
from bearerkit.errors import Malformed
from bearerkit.jose.keys import VerificationKey
from bearerkit.testing import SigningKey
from vectors.registry import SOURCES
from vectors.tally import count
from vectors.wycheproof import JWE


@pytest.fixture(scope="module")
def guard() -> Auth:
    return auth(Issuer("https://id.example.test", audience="api", keys={"keys": [SigningKey.generate("ES256").jwk]}))


@pytest.fixture(scope="module")
def encrypted(vectors: Path) -> dict[str, str]:
    """Every JWE that somebody could decrypt."""
    found = {
        f"{source.name} {outcome.id}": outcome.token
        for source in SOURCES
        for outcome in count(source, vectors).outcomes
        if outcome.outside == JWE and outcome.token is not None
    }
    assert len(found) > 90
    return found


def test_each_is_refused_with_reason_and_hint(guard: Auth, encrypted: dict[str, str]) -> None:
    """The caller hears invalid_token; the operator hears that it is a JWE, and what to do about it."""
    for name, token in encrypted.items():
        with pytest.raises(Malformed) as refusal:
            guard.verify(token)
        assert (name, refusal.value.reason) == (name, "encrypted")
        assert "JWE" in refusal.value.detail
        assert refusal.value.hint
        assert token not in str(refusal.value)


def test_the_answer_is_401(guard: Auth, encrypted: dict[str, str]) -> None:
    """A compact JWE in a request is an invalid token."""
    compact = [token for token in encrypted.values() if not token.startswith("{")]
    assert len(compact) > 40
    for token in compact:
        with pytest.raises(Malformed) as refusal:
            guard.authorize(request(token), authenticated())
        answer = render(refusal.value)
        assert answer.status == 401
        assert 'error="invalid_token"' in str(answer.headers)


def test_nothing_is_derived_or_verified(guard: Auth, encrypted: dict[str, str], monkeypatch) -> None:
    """CVE-2023-50967 and its like: neither a billion rounds of PBKDF2 nor any other use of a key."""
    import hashlib

    from cryptography.hazmat.primitives import ciphers, keywrap
    from cryptography.hazmat.primitives.kdf import pbkdf2

    def forbidden(*args: Any, **kwargs: Any) -> Any:
        raise AssertionError("a JWE made us compute")

    monkeypatch.setattr(hashlib, "pbkdf2_hmac", forbidden)
    monkeypatch.setattr(pbkdf2.PBKDF2HMAC, "derive", forbidden)
    monkeypatch.setattr(ciphers, "Cipher", forbidden)
    monkeypatch.setattr(keywrap, "aes_key_unwrap", forbidden)
    monkeypatch.setattr(VerificationKey, "verify", forbidden)
    assert any("cve-2023-50967" in name for name in encrypted)
    for token in encrypted.values():
        with pytest.raises(Malformed):
            guard.verify(token)


@pytest.mark.parametrize(
    "make",
    [
        lambda size: f"eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIn0..AAAA.{'A' * size}.AAAA",
        lambda size: "." * 4 + "A" * size,
        lambda size: json.dumps({"ciphertext": "A" * size, "header": {"p2c": 2**31}}),
        lambda size: '{"ciphertext"' * (size // 13),
        lambda size: "{" + '"a.b":' * 2 + "[" * size,
    ],
    ids=["compact", "empty-parts", "json", "json-repeated", "json-nested"],
)
def test_the_work_does_not_grow_in_steps(guard: Auth, make) -> None:
    """Ten times the length takes the same calls: only single passes over the text, and no pass per part of it."""
    _calls(guard, make(700))  # whatever is done once only
    assert _calls(guard, make(1_400)) == _calls(guard, make(14_000))


def _calls(guard: Auth, token: str) -> int:
    calls = 0

    def profile(frame: FrameType, event: str, argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        with pytest.raises(Malformed):
            guard.verify(token)
    finally:
        sys.setprofile(before)
    return calls
