"""Verification keys: what fits, what verifies, what never does."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from bearerkit.jose.algorithms import ALGORITHMS
from bearerkit.jose.base64url import encode
from bearerkit.jose.keys import (
    KeyUnusable,
    SharedSecret,
    VerificationKey,
    from_jwk,
    from_pem,
    from_public_key,
    from_secret,
)

MESSAGE = b"header.payload"
SECRET = bytes(range(64))


def number(value: int) -> str:
    return encode(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def rsa_jwk(private: rsa.RSAPrivateKey, **members: Any) -> dict[str, Any]:
    numbers = private.public_key().public_numbers()
    return {"kty": "RSA", "n": number(numbers.n), "e": number(numbers.e), **members}


def spki(key: Any) -> bytes:
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def raw(der: bytes, size: int) -> bytes:
    r, s = decode_dss_signature(der)
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")


def fitting(key: VerificationKey) -> set[str]:
    return {name for name in [*ALGORITHMS, "none", "ES256K", "rs256", ""] if key.fits(name)}


RSA_ALGORITHMS = {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}


def test_fits_by_family_and_curve(rsa_private, ec_private, ed_private):
    """A key without a declared alg fits every algorithm of its type and curve, and no other."""
    assert fitting(from_public_key(rsa_private.public_key())) == RSA_ALGORITHMS
    assert fitting(from_public_key(ec_private.public_key())) == {"ES256"}
    assert fitting(from_public_key(ed_private.public_key())) == {"EdDSA", "Ed25519"}
    assert fitting(from_public_key(ec.generate_private_key(ec.SECP384R1()).public_key())) == {"ES384"}
    assert fitting(from_public_key(ec.generate_private_key(ec.SECP521R1()).public_key())) == {"ES512"}


def test_declared_alg_fits_only_itself(rsa_private, ed_private):
    """RFC 8725 section 3.1: one key, one algorithm, when the issuer says so; both names of Ed25519 count as one."""
    for name in RSA_ALGORITHMS:
        assert fitting(from_jwk(rsa_jwk(rsa_private, alg=name))) == {name}
    x = encode(ed_private.public_key().public_bytes_raw())
    for name in ("EdDSA", "Ed25519"):
        key = from_jwk({"kty": "OKP", "crv": "Ed25519", "x": x, "alg": name})
        assert (key.alg, fitting(key)) == ("EdDSA", {"EdDSA", "Ed25519"})


@pytest.mark.parametrize(
    ("length", "names"),
    [(32, {"HS256"}), (47, {"HS256"}), (48, {"HS256", "HS384"}), (64, {"HS256", "HS384", "HS512"})],
)
def test_secret_fits_by_length(length: int, names: set[str]):
    """A secret shorter than the hash is not used with it (RFC 7518 section 3.2)."""
    assert fitting(from_secret(SharedSecret(SECRET[:length]))) == names


@pytest.mark.parametrize("name", sorted(RSA_ALGORITHMS))
def test_verifies_rsa(rsa_private, name: str):
    """A good signature holds under its own algorithm only, and not for another message or signature."""
    digest = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}[name[2:]]
    scheme = padding.PKCS1v15() if name[0] == "R" else padding.PSS(padding.MGF1(digest), digest.digest_size)
    signature = rsa_private.sign(MESSAGE, scheme, digest)
    key = from_public_key(rsa_private.public_key())
    assert [other for other in ALGORITHMS if key.verify(other, MESSAGE, signature)] == [name]
    assert not key.verify(name, MESSAGE + b"x", signature)
    for wrong in (b"", signature[:-1], signature + b"\0", b"\0" + signature, bytes(len(signature)), b"\xff" * 10_000):
        assert key.verify(name, MESSAGE, wrong) is False


def test_pss_salt_must_be_as_long_as_the_hash(rsa_private):
    """RFC 7518 section 3.5: other salt lengths and another MGF hash are refused."""
    key = from_public_key(rsa_private.public_key())
    for salt in (0, 20, 31, 33, padding.PSS.MAX_LENGTH):
        signature = rsa_private.sign(MESSAGE, padding.PSS(padding.MGF1(hashes.SHA256()), salt), hashes.SHA256())
        assert not key.verify("PS256", MESSAGE, signature)
    signature = rsa_private.sign(MESSAGE, padding.PSS(padding.MGF1(hashes.SHA384()), 32), hashes.SHA256())
    assert not key.verify("PS256", MESSAGE, signature)


@pytest.mark.parametrize(
    ("curve", "digest", "name", "size"),
    [
        (ec.SECP256R1(), hashes.SHA256(), "ES256", 32),
        (ec.SECP384R1(), hashes.SHA384(), "ES384", 48),
        (ec.SECP521R1(), hashes.SHA512(), "ES512", 66),
    ],
)
def test_verifies_ecdsa(curve, digest, name: str, size: int):
    """Only r || s of the exact length; DER, zeros, and r or s outside 1..n-1 are False (CVE-2022-21449)."""
    private = ec.generate_private_key(curve)
    der = private.sign(MESSAGE, ec.ECDSA(digest))
    signature = raw(der, size)
    key = from_public_key(private.public_key())
    assert [other for other in ALGORITHMS if key.verify(other, MESSAGE, signature)] == [name]
    r, s = signature[:size], signature[size:]
    order = curve.group_order.to_bytes(size, "big")
    zero, top = bytes(size), b"\xff" * size
    wrong = [der, b"", signature[:-1], signature + b"\0", signature[:-2], signature * 2, s + r]
    wrong += [zero + zero, zero + s, r + zero, order + s, r + order, order + order, top + s, r + top]
    for value in wrong:
        assert key.verify(name, MESSAGE, value) is False


def test_verifies_ed25519(ed_private):
    """Both names verify; other lengths and a non-canonical S (S + L) do not (RFC 8032 section 5.1.7)."""
    signature = ed_private.sign(MESSAGE)
    key = from_public_key(ed_private.public_key())
    assert [name for name in ALGORITHMS if key.verify(name, MESSAGE, signature)] == ["EdDSA", "Ed25519"]
    order = 2**252 + 27742317777372353535851937790883648493
    shifted = int.from_bytes(signature[32:], "little") + order
    wrong = [signature[:32] + shifted.to_bytes(32, "little"), b"", signature[:-1], signature + b"\0", bytes(64)]
    for value in wrong:
        assert key.verify("EdDSA", MESSAGE, value) is False


def test_verifies_hmac():
    """A shared secret verifies its own MAC, whole and unchanged."""
    key = from_secret(SharedSecret(SECRET, kid="s1"))
    mac = ALGORITHMS["HS256"].maths.sign(MESSAGE, SECRET)
    assert [name for name in ALGORITHMS if key.verify(name, MESSAGE, mac)] == ["HS256"]
    for wrong in (b"", mac[:-1], mac[:16], mac + b"\0", bytes(32)):
        assert key.verify("HS256", MESSAGE, wrong) is False


def test_verify_turns_every_exception_into_false(rsa_private):
    """Arguments that make the maths raise are a refusal, not an error (PyJWT raises outside its own tree)."""
    for key in (from_public_key(rsa_private.public_key()), from_secret(SharedSecret(SECRET))):
        for name in ALGORITHMS:
            assert key.verify(name, MESSAGE, None) is False  # type: ignore[arg-type]
            assert key.verify(name, "text", b"") is False  # type: ignore[arg-type]


def test_keys_are_immutable_and_equal_only_to_themselves(rsa_private):
    """Caches compare keys by identity; nobody can swap what a key verifies with."""
    one, two = from_jwk(rsa_jwk(rsa_private)), from_jwk(rsa_jwk(rsa_private))
    assert one != two
    assert len({one, two}) == 2
    for name in ("kid", "alg", "_material", "_checks"):
        with pytest.raises(AttributeError):
            setattr(one, name, None)


def test_fingerprint_is_equal_exactly_when_the_key_behaves_the_same(rsa_private, ec_private):
    """kid, alg, issuer and the numbers count; members that change nothing do not."""
    plain = from_jwk(rsa_jwk(rsa_private, kid="a"))
    same = from_jwk(rsa_jwk(rsa_private, kid="a", use="sig", key_ops=["verify"], x5t="zzz"))
    assert plain.fingerprint == same.fingerprint
    assert plain.fingerprint == from_public_key(rsa_private.public_key(), kid="a").fingerprint
    assert len(plain.fingerprint) == 32
    others = [
        from_jwk(rsa_jwk(rsa_private)),
        from_jwk(rsa_jwk(rsa_private, kid="b")),
        from_jwk(rsa_jwk(rsa_private, kid="a", alg="RS256")),
        from_jwk(rsa_jwk(rsa_private, kid="a", issuer="https://a.test")),
        from_jwk(rsa_jwk(rsa_private, alg="RS256")),
        from_public_key(ec_private.public_key(), kid="a"),
        from_secret(SharedSecret(SECRET)),
        from_secret(SharedSecret(SECRET, kid="a")),
        from_secret(SharedSecret(SECRET[:-1])),
    ]
    prints = {key.fingerprint for key in [plain, *others]}
    assert len(prints) == len(others) + 1


def test_issuer_member_is_kept(rsa_private):
    """Entra's per-key issuer travels with the key."""
    assert (
        from_jwk(rsa_jwk(rsa_private, issuer="https://login.test/{tenantid}")).issuer == "https://login.test/{tenantid}"
    )
    assert from_jwk(rsa_jwk(rsa_private)).issuer is None


def test_repr_holds_no_material(rsa_private):
    """A repr names what the key is, never what it holds."""
    text = repr(from_jwk(rsa_jwk(rsa_private, kid="a")))
    assert "kid='a'" in text
    assert "object at" not in text
    assert repr(from_secret(SharedSecret(b"s" * 40, kid="k"))) == (
        "VerificationKey(kid='k', family='oct', curve=None, alg=None, issuer=None)"
    )


def test_public_key_for_other_libraries(rsa_private):
    """The cryptography object comes back; a secret has none to give."""
    public = rsa_private.public_key()
    assert from_public_key(public).public_key() is public
    with pytest.raises(KeyUnusable, match="no public key"):
        from_secret(SharedSecret(SECRET)).public_key()


def test_from_pem_takes_public_forms(rsa_private, ec_private, ed_private):
    """SubjectPublicKeyInfo of each type, PKCS#1, as text or bytes, with the kid given."""
    for private in (rsa_private, ec_private, ed_private):
        public = private.public_key()
        key = from_pem(spki(public).decode(), kid="k")
        assert key.fingerprint == from_public_key(public, kid="k").fingerprint
    pkcs1 = rsa_private.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.PKCS1)
    assert from_pem(pkcs1).family == "RSA"
