"""Shared secrets: long enough, hidden, and never a public key in disguise."""

from __future__ import annotations

import base64
import copy
import json
import pickle
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bearerkit.errors import ConfigError
from bearerkit.jose.base64url import encode
from bearerkit.jose.keys import SharedSecret

SECRET = bytes(range(100, 140))


@pytest.mark.parametrize(
    ("given", "encoding", "value"),
    [
        (SECRET, "raw", SECRET),
        ("é" * 16, "raw", "é".encode() * 16),
        (encode(SECRET), "base64url", SECRET),
        (encode(SECRET[:34]) + "==", "base64url", SECRET[:34]),
        (encode(SECRET).encode(), "base64url", SECRET),
        (SECRET.hex(), "hex", SECRET),
        (SECRET.hex().upper(), "hex", SECRET),
    ],
)
def test_encodings(given: Any, encoding: Any, value: bytes):
    """The spelling an issuer shows becomes the bytes it signs with."""
    assert SharedSecret(given, encoding=encoding).reveal() == value


@pytest.mark.parametrize(
    ("given", "encoding", "problem"),
    [
        (b"", "raw", "0 bytes"),
        (b"s" * 31, "raw", "31 bytes"),
        ("ab" * 31, "hex", "31 bytes"),
        (encode(b"s" * 31), "base64url", "31 bytes"),
        ("changeme", "raw", "8 bytes"),
        (base64.b64encode(b"\xff" * 33).decode(), "base64url", "not base64url"),
        (encode(SECRET[:34]) + "=", "base64url", "not base64url"),
        ("zz" * 32, "hex", "not hex"),
        ("a" * 65, "hex", "not hex"),
        ("é" * 40, "hex", "not hex"),
        (SECRET, "base64", "encoding 'base64' is not one of"),
        (None, "raw", "text or bytes, not NoneType"),
    ],
)
def test_refuses(given: Any, encoding: Any, problem: str):
    """Short secrets and text that does not decode are configuration errors that quote nothing."""
    with pytest.raises(ConfigError, match=problem) as caught:
        SharedSecret(given, encoding=encoding)
    assert caught.value.__cause__ is None
    assert "changeme" not in str(caught.value)


def public_forms(rsa_private, ec_private, ed_private, certificate) -> dict[str, bytes]:
    forms: dict[str, bytes] = {}
    for name, private in (("rsa", rsa_private), ("ec", ec_private), ("ed", ed_private)):
        public = private.public_key()
        forms[f"{name} pem"] = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        forms[f"{name} der"] = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        forms[f"{name} ssh"] = public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    rsa_public = rsa_private.public_key()
    forms["pkcs1 pem"] = rsa_public.public_bytes(Encoding.PEM, PublicFormat.PKCS1)
    forms["pkcs1 der"] = rsa_public.public_bytes(Encoding.DER, PublicFormat.PKCS1)
    forms["x509 pem"] = certificate.public_bytes(Encoding.PEM)
    forms["x509 der"] = certificate.public_bytes(Encoding.DER)
    pem, der = forms["rsa pem"], forms["rsa der"]
    forms["pem with space"] = b"  \n" + pem
    forms["pem with BOM"] = b"\xef\xbb\xbf" + pem
    forms["pem with CRLF"] = pem.replace(b"\n", b"\r\n")
    forms["pem on one line"] = pem.replace(b"\n", b"")
    forms["rfc 4716"] = b"---- BEGIN SSH2 PUBLIC KEY ----\nAAAAB3NzaC1yc2EAAAADAQABAAAB\n"
    forms["der in base64"] = base64.b64encode(der)
    forms["der in base64, wrapped"] = base64.encodebytes(der)
    forms["der in base64url"] = base64.urlsafe_b64encode(der).rstrip(b"=")
    for curve in (ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()):
        point = ec.generate_private_key(curve).public_key()
        forms[f"point {curve.name}"] = point.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    jwk = {"kty": "EC", "crv": "P-256", "x": "A" * 43, "y": "A" * 43}
    forms["jwk"] = json.dumps(jwk).encode()
    forms["jwks"] = json.dumps({"keys": [jwk]}, indent=1).encode() + b"\n"
    forms["jwk with BOM"] = b"\xef\xbb\xbf" + forms["jwk"]
    forms["list of jwk"] = json.dumps([jwk]).encode()
    return forms


def test_refuses_public_keys(rsa_private, ec_private, ed_private, rsa_certificate):
    """Whoever can read a public key could sign with it (CVE-2022-29217 and its many followers)."""
    forms = public_forms(rsa_private, ec_private, ed_private, rsa_certificate)
    for value in forms.values():
        for given, encoding in ((value, "raw"), (value.hex(), "hex"), (encode(value), "base64url")):
            with pytest.raises(ConfigError, match="which is public") as caught:
                SharedSecret(given, encoding=encoding)  # type: ignore[arg-type]
            assert "keys={jwks}" in str(caught.value.hint)
    assert len(forms) > 20


@pytest.mark.parametrize(
    "value",
    [
        b"\x30" + bytes(range(40)),
        b"\x04" + bytes(64),
        b"\x04" + bytes(70),
        b"{" + b"s" * 40,
        b"QUJD" * 10,
        b"sshd" * 10,
    ],
)
def test_secrets_that_only_start_like_a_key_are_accepted(value: bytes):
    """The look-alike test must not refuse random bytes."""
    assert SharedSecret(value).reveal() == value


def test_hidden_and_immutable():
    """Neither repr nor str, a pickle, a copy or an assignment gets at the secret or changes it."""
    secret = SharedSecret("s" * 40, kid="k1")
    assert repr(secret) == str(secret) == "SharedSecret(hidden, kid='k1')"
    for leak in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError, match="does not pickle"):
            leak(secret)
    for name in ("kid", "_secret", "other"):
        with pytest.raises(AttributeError):
            setattr(secret, name, b"x")
        with pytest.raises(AttributeError):
            delattr(secret, name)
    assert SharedSecret("s" * 40).kid is None
