"""Key sets: which keys are tried for a token, and what a refresh keeps."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from bearerkit.jose.base64url import encode
from bearerkit.jose.key_set import JwksInvalid, KeySet, parse_jwks
from bearerkit.jose.keys import SharedSecret, from_jwk, from_public_key, from_secret


def okp(**members: Any) -> dict[str, Any]:
    x = encode(ed25519.Ed25519PrivateKey.generate().public_key().public_bytes_raw())
    return {"kty": "OKP", "crv": "Ed25519", "x": x, **members}


def test_empty_sets_are_valid():
    """authentik and Supabase publish these; they refuse every token and are no outage."""
    for document in ({}, {"keys": []}):
        keys = parse_jwks(document)
        assert (keys.keys, keys.skipped, len(keys)) == ((), (), 0)
        assert keys.candidates("k", "EdDSA") == keys.candidates(None, "EdDSA") == ()


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (None, "not a JSON object"),
        ([], "not a JSON object"),
        ({"error": "down"}, 'no "keys"'),
        ({"keys": None}, "not an array"),
        ({"keys": {}}, "not an array"),
        ({"keys": "x"}, "not an array"),
        ({"keys": [{}] * 101}, "holds 101 keys"),
    ],
)
def test_other_documents_are_refused(document: Any, reason: str):
    """An error page that is JSON must not empty a key set."""
    with pytest.raises(JwksInvalid, match=reason):
        parse_jwks(document)


def test_limit_is_exact():
    """One hundred entries pass, good or bad."""
    assert len(parse_jwks({"keys": [{}] * 100}).skipped) == 100
    with pytest.raises(JwksInvalid):
        parse_jwks({"keys": [{}, {}]}, max_keys=1)


def test_bad_keys_are_skipped_and_named():
    """One malformed key among good ones spoils nothing (RFC 7517 section 5)."""
    good = okp(kid="good")
    keys = parse_jwks({"keys": [okp(kid="e", use="enc"), "text", {"kid": 1}, good, {"kty": "AKP", "kid": "pq"}]})
    assert [key.kid for key in keys.keys] == ["good"]
    assert [text.partition(":")[0] for text in keys.skipped] == ["key 'e'", "key number 2", "key number 3", "key 'pq'"]
    assert "use is 'enc'" in keys.skipped[0]
    assert repr(keys) == "KeySet(1 keys, 4 skipped)"


def test_candidates_by_kid():
    """The kid selects; algorithm and declared alg must fit as well."""
    a, b = from_jwk(okp(kid="a")), from_jwk(okp(kid="b", alg="EdDSA"))
    keys = KeySet([a, b])
    assert keys.candidates("a", "EdDSA") == (a,)
    assert keys.candidates("b", "Ed25519") == (b,)
    assert keys.candidates("a", "RS256") == ()
    assert keys.candidates("c", "EdDSA") == ()
    assert keys.candidates(None, "EdDSA") == (a, b)
    assert (keys.has_kid("a"), keys.has_kid("c")) == (True, False)


def test_keys_without_kid_stand_in_only_for_unknown_kids(rsa_private):
    """A static PEM has no kid and serves any token; a key that carries the kid goes before it."""
    named = from_public_key(rsa_private.public_key(), kid="a")
    bare = from_public_key(rsa_private.public_key())
    keys = KeySet([named, bare])
    assert keys.candidates("a", "RS256") == (named,)
    assert keys.candidates("z", "RS256") == (bare,)
    assert keys.candidates("a", "ES256") == ()
    assert keys.candidates(None, "RS256") == (named, bare)
    assert not keys.has_kid("z")


def test_duplicate_kid_gives_both():
    """An ambiguous kid is a bounded try (attack 46)."""
    a, b = from_jwk(okp(kid="a")), from_jwk(okp(kid="a"))
    assert KeySet([a, b]).candidates("a", "EdDSA") == (a, b)


def test_tries_are_bounded():
    """Four keys are tried, five are none: a token without kid cannot make us work without limit."""
    keys = [from_jwk(okp()) for _ in range(5)]
    other = from_secret(SharedSecret(b"s" * 32))
    assert KeySet([*keys[:4], other]).candidates(None, "EdDSA") == tuple(keys[:4])
    assert KeySet(keys).candidates(None, "EdDSA") == ()
    assert KeySet(keys).candidates("any", "EdDSA") == ()


def test_refresh_keeps_equal_keys():
    """The very object survives, so cached verdicts do; changed and new keys are new objects."""
    same, changed, new = okp(kid="same"), okp(kid="changed"), okp(kid="new")
    before = parse_jwks({"keys": [same, changed]})
    after = parse_jwks({"keys": [new, changed | {"alg": "EdDSA"}, dict(same, use="sig")]}, previous=before)
    assert after.keys[2] is before.keys[0]
    assert before.keys[0] in after
    assert before.keys[1] not in after
    assert after.keys[1] not in before
    assert after.candidates("same", "EdDSA")[0] is before.keys[0]


def test_equal_keys_count_once():
    """A set that lists a key twice does not verify twice."""
    jwk = okp(kid="a")
    keys = parse_jwks({"keys": [jwk, jwk]})
    assert len(keys.keys) == len(keys.candidates("a", "EdDSA")) == 1
    assert parse_jwks({"keys": [jwk, jwk]}, previous=keys).keys == keys.keys


def test_membership_is_identity():
    """An equal key that is another object is not a member."""
    jwk = okp(kid="a")
    key = from_jwk(jwk)
    keys = KeySet([key])
    assert key in keys
    assert from_jwk(jwk) not in keys
    assert "a" not in keys


def test_immutable():
    """A set is swapped whole, never edited."""
    keys = KeySet()
    with pytest.raises(AttributeError):
        keys.keys = ()  # type: ignore[misc]
    with pytest.raises(AttributeError):
        del keys.keys
