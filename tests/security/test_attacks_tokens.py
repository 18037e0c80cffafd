"""Published attacks on JWT verification, end to end through `Auth`: each is tried cold and warm, and seen refused.

Numbers are those of the attack catalogue in the reference data (standards.md section 3.1, groups 1 to 88). Cold means
that no key was fetched yet: then an attack that the token alone gives away must cost the issuer no request at all.
Warm means that the keys are at hand. Whatever happens the answer is 401, never 5xx, and never a pass.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from auth_doubles import ISSUER, JWKS_URL, NOW, Web, auth, claims, jwks, request, token
from bearerkit import Auth, ConfigError, Issuer, MemoryRevocations, SharedSecret, role, scope
from bearerkit.errors import (
    AudienceMismatch,
    ClaimInvalid,
    Expired,
    InsufficientScope,
    IssuerMismatch,
    KeyNotFound,
    Malformed,
    NotYetValid,
    PermissionDenied,
    Revoked,
    SignatureInvalid,
    TokenInvalid,
    WrongTokenType,
)
from bearerkit.jose.base64url import decode, encode
from bearerkit.testing import SigningKey
from bearerkit.testing.signing import compact

pytestmark = pytest.mark.attacks

RSA = SigningKey.generate("RS256", kid="rsa-1")
EC = SigningKey.generate("ES256", kid="ec-1")
ED = SigningKey.generate("EdDSA", kid="ed-1")
EVIL_RSA = SigningKey.generate("RS256", kid="rsa-1")
EVIL = SigningKey.generate("ES256", kid="ec-1")
B_ISSUER = "https://b.example.test"
B_URL = "https://b.example.test/jwks"
B_KEY = SigningKey.generate("ES384", kid="b-1")
P256_N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
ED_L = 2**252 + 27742317777372353535851937790883648493


@dataclass(frozen=True)
class Attack:
    """One row: what is tried, and how it must be refused."""

    number: str
    title: str
    make: Callable[[], Iterable[str]]
    error: type[TokenInvalid] | tuple[type[TokenInvalid], ...]
    reason: str = ""
    fetches: int = 0
    """Requests that a cold `Auth` may make for it."""
    keys: Callable[[], Mapping[str, Any]] | None = None
    """The published key set, where the attack is in the keys."""
    settings: Mapping[str, Any] | None = None


# Mutations


def signed(signature: bytes, key: SigningKey = EC, **changes: Any) -> str:
    """Good header and claims under another signature."""
    head, body, _ = token(key, **changes).split(".")
    return f"{head}.{body}.{encode(signature)}"


def payload(raw: bytes, key: SigningKey = EC) -> str:
    """A payload of these very bytes, properly signed."""
    return compact({"alg": key.alg, "kid": key.kid, "typ": "at+jwt"}, raw, key)


def body(**changes: Any) -> str:
    return json.dumps(claims(**changes))


def dup(name: str, value: str) -> bytes:
    """Good claims with one member written twice."""
    return f"{body()[:-1]}, {json.dumps(name)}: {value}}}".encode()


def keyed(secret: bytes, alg: str = "HS256", kid: str | None = "rsa-1") -> str:
    """An HMAC keyed with something public."""
    named = {} if kid is None else {"kid": kid}
    head = encode(json.dumps({"alg": alg, "typ": "at+jwt", **named}).encode())
    text = f"{head}.{encode(body().encode())}"
    return f"{text}.{encode(hmac.digest(secret, text.encode(), alg.replace('HS', 'sha')))}"


def certificate() -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "id")])
    from datetime import UTC, datetime

    return (
        x509.CertificateBuilder(
            name, name, RSA.public_key, 1, datetime(2020, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)
        ).sign(RSA.private, hashes.SHA256())  # type: ignore[arg-type]
    )


def public_forms() -> dict[str, bytes]:
    """Everything public about our keys that ever was taken for an HMAC secret."""
    key: Any = RSA.public_key
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    numbers = key.public_numbers()
    point: Any = EC.public_key
    return {
        "spki": pem,
        "pkcs1": key.public_bytes(Encoding.PEM, PublicFormat.PKCS1),
        "leading space": b" " + pem,
        "bom": b"\xef\xbb\xbf" + pem,
        "crlf": pem.replace(b"\n", b"\r\n"),
        "no newline": pem.strip(),
        "x509 pem": certificate().public_bytes(Encoding.PEM),
        "x509 der": certificate().public_bytes(Encoding.DER),
        "der": key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        "openssh": key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH),
        "jwk": json.dumps(RSA.jwk).encode(),
        "jwks": json.dumps(jwks(RSA)).encode(),
        "ec point": point.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint),
        "modulus": numbers.n.to_bytes(256, "big"),
        "ed25519": ED.public_key.public_bytes(Encoding.Raw, PublicFormat.Raw),
        "empty": b"",
    }


def raw_ec(r: int, s: int) -> bytes:
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def ec_signature() -> tuple[str, bytes]:
    text = token(EC)
    return text, decode(text.rsplit(".", 1)[1].encode())


def der_signature() -> Iterable[str]:
    text, raw = ec_signature()
    r, s = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
    return [f"{text.rsplit('.', 1)[0]}.{encode(utils.encode_dss_signature(r, s))}"]


def resized_signatures() -> Iterable[str]:
    text, raw = ec_signature()
    return [
        f"{text.rsplit('.', 1)[0]}.{encode(each)}" for each in (raw[:-1], raw + b"\0", b"\0" + raw, raw + raw, raw[:32])
    ]


def ed_non_canonical() -> Iterable[str]:
    text = token(ED)
    raw = decode(text.rsplit(".", 1)[1].encode())
    s = int.from_bytes(raw[32:], "little") + ED_L
    return (
        [f"{text.rsplit('.', 1)[0]}.{encode(raw[:32] + s.to_bytes(32, 'little'))}"]
        if s < 2**256
        else [signed(bytes(64), ED)]
    )


def pss(salt: int, mgf: hashes.HashAlgorithm) -> str:
    head, payload_, _ = token(RSA, {"alg": "PS256"}).split(".")
    private: Any = RSA.private
    made = private.sign(f"{head}.{payload_}".encode(), padding.PSS(padding.MGF1(mgf), salt), hashes.SHA256())
    return f"{head}.{payload_}.{encode(made)}"


def small_rsa() -> Mapping[str, Any]:
    numbers = SMALL.public_key().public_numbers()
    size = (numbers.n.bit_length() + 7) // 8
    return {"keys": [{"kty": "RSA", "kid": "rsa-1", "n": encode(numbers.n.to_bytes(size, "big")), "e": "AQAB"}]}


SMALL = rsa.generate_private_key(65537, 1024)


def by_small() -> Iterable[str]:
    head, payload_, _ = token(RSA).split(".")
    return [
        f"{head}.{payload_}.{encode(SMALL.sign(f'{head}.{payload_}'.encode(), padding.PKCS1v15(), hashes.SHA256()))}"
    ]


def with_exponent(e: bytes) -> Callable[[], Mapping[str, Any]]:
    return lambda: {"keys": [{**RSA.jwk, "e": encode(e)}]}


def curve_keys() -> Mapping[str, Any]:
    """Keys of the wrong curve under the kid, as a careless provider publishes them."""
    p384: Any = SigningKey.generate("ES384", kid="ec-1").jwk
    p384.pop("alg")
    return {"keys": [p384, {"kty": "EC", "crv": "secp256k1", "kid": "ec-1", "x": p384["x"], "y": p384["y"]}]}


def x25519_keys() -> Mapping[str, Any]:
    raw = x25519.X25519PrivateKey.generate().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return {"keys": [{"kty": "OKP", "crv": "X25519", "kid": "ed-1", "x": encode(raw)}]}


def embedded(name: str, value: Any) -> str:
    """Signed by the attacker's key, which the header offers."""
    return token(EVIL, {name: value})


def loosened(text: str) -> Iterable[str]:
    """The same signature bytes in non-canonical base64url: the unused low bits set."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    last = alphabet[alphabet.index(text[-1]) | 1]
    assert last != text[-1]
    return [text[:-1] + last]


def jwe(parts: int = 5) -> str:
    head = encode(json.dumps({"alg": "RSA-OAEP", "enc": "A256GCM", "kid": "rsa-1"}).encode())
    return ".".join([head, *(encode(b"x" * 16) for _ in range(parts - 1))])


def nested(depth: int) -> bytes:
    return f'{body()[:-1]}, "x": {"[" * depth}{"]" * depth}}}'.encode()


def header_of(**members: Any) -> list[str]:
    return [token(EC, members)]


def raw_header(raw: bytes) -> list[str]:
    return [compact(raw, claims(), EC)]


def changed(*values: Any, name: str) -> Callable[[], list[str]]:
    return lambda: [token(EC, **{name: value}) for value in values]


L = "https://id.example.test"
ALG = "algorithm_not_allowed"
TYP = "typ_not_accepted"

ATTACKS = [
    # Algorithm and key confusion
    Attack("1", "alg none, empty signature", lambda: [token(EC, {"alg": "none"})], Malformed),
    Attack("2", "none in other letters", lambda: [token(EC, {"alg": a}) for a in ("None", "NONE", "nOnE")], Malformed),
    Attack(
        "3", "none disguised",
        lambda: [signed_as(a) for a in (" none", "none ", "none\0", "ｎｏｎｅ", "none\n")], SignatureInvalid, ALG,
    ),
    Attack("4", "none with a signature", lambda: [signed_as(a) for a in ("none", "None", "NONE")], SignatureInvalid,
    ALG),
    Attack("5", "alg missing or of another type", lambda: [token(EC, {"alg": a}) for a in (..., None, 5, ["ES256"],
    True, {}, "")], Malformed),
    *(
        Attack("6-15", f"HMAC keyed with our {name}", lambda secret=secret: [keyed(secret), keyed(secret, "HS512",
        None)], SignatureInvalid, ALG)
        for name, secret in public_forms().items()
    ),
    Attack("16", "algorithm of another issuer", lambda: [token(B_KEY), token(B_KEY, {"kid": "ec-1"})], SignatureInvalid,
    ALG),
    Attack("16b", "unlisted algorithms", lambda: [token(RSA, {"alg": a}) for a in ("RS384", "RS512", "PS512", "ES256K",
    "Ed448", "rs256")], SignatureInvalid, ALG),
    Attack(
        "17", "RS256 signature called PS256", lambda: [relabel(token(RSA), "PS256")], SignatureInvalid,
        "signature_invalid", 1,
        keys=lambda: {"keys": [{name: value for name, value in RSA.jwk.items() if name != "alg"}]},
    ),
    Attack(
        "18", "algorithm that the key does not declare", lambda: [token(RSA, {"alg": "RS512"}), token(RSA,
        {"alg": "PS256"})], KeyNotFound, "", 1,
        settings={"algorithms": ["RS256", "RS512", "PS256"]},
    ),
    Attack("19", "RSA key under ES256", lambda: [token(EC, {"kid": "rsa-1"}), token(RSA, {"kid": "ec-1"}), token(ED,
    {"kid": "ec-1"})], KeyNotFound, "", 1),
    Attack("20", "ES256 with keys of other curves", lambda: [token(EC)], KeyNotFound, "", 1, keys=curve_keys),
    Attack("21", "DER signature", der_signature, SignatureInvalid, "", 1),
    Attack(
        "22", "psychic signatures",
        lambda: [signed(raw_ec(r, s)) for r, s in ((0, 0), (0, 1), (1, 0), (P256_N, P256_N), (P256_N, 0), (1, P256_N),
        (P256_N - 1, P256_N - 1))],
        SignatureInvalid, "", 1,
    ),
    Attack("23", "signature of another length", resized_signatures, SignatureInvalid, "", 1),
    Attack("24", "non-canonical S", ed_non_canonical, SignatureInvalid, "", 1),
    Attack("24b", "X25519 key", lambda: [token(ED)], KeyNotFound, "", 1, keys=x25519_keys),
    Attack(
        "25", "PS256 with another salt or MGF", lambda: [pss(0, hashes.SHA256()), pss(20, hashes.SHA256()), pss(32,
        hashes.SHA1())],
        SignatureInvalid, "", 1, keys=lambda: {"keys": [{name: value for name,
        value in RSA.jwk.items() if name != "alg"}]},
    ),
    Attack("26", "RSA of 1024 bits", by_small, KeyNotFound, "", 1, keys=small_rsa),
    *(
        Attack("27", f"RSA exponent {e.hex()}", lambda: [token(RSA)], KeyNotFound, "", 1, keys=with_exponent(e))
        for e in (b"\x01", b"\x02", b"\x01\x00\x00", b"\x01\x00\x00\x00\x01", b"\x00\x01\x00\x01")
    ),
    Attack("30", "a key for encryption", lambda: [token(EC)], KeyNotFound, "", 1, keys=lambda: jwks(EC, use="enc")),
    *(
        Attack("31", f"key_ops {ops}", lambda: [token(EC)], KeyNotFound, "", 1, keys=lambda ops=ops: jwks(EC,
        key_ops=ops))
        for ops in (["encrypt"], ["sign"], ["verify", "verify"], [], "verify", ["verify", "encrypt"])
    ),
    Attack("31b", "a published private key", lambda: [token(EC)], KeyNotFound, "", 1, keys=lambda: jwks(EC, d="AAAA")),
    Attack("31c", "a published secret", lambda: [keyed(b"s" * 32, kid="ec-1")], SignatureInvalid, ALG, 0,
    keys=lambda: {"keys": [{"kty": "oct", "kid": "ec-1", "k": encode(b"s" * 32)}]}),
    Attack("33", "JSON serialisation", lambda: [json_serialised(token(EC))], Malformed),
    # Keys that the attacker brings along
    Attack("34", "embedded jwk", lambda: [embedded("jwk", EVIL.jwk)], SignatureInvalid, "", 1),
    Attack("35", "embedded secret", lambda: [embedded("jwk", {"kty": "oct", "k": encode(b"k" * 32)}), embedded("jwk",
    {**EVIL.jwk, "d": "AAAA"})], SignatureInvalid, "", 1),
    Attack(
        "36", "jku", lambda: [embedded("jku", u) for u in ("https://evil.example/jwks", f"{JWKS_URL}@evil.example",
        f"{JWKS_URL}/../evil")],
        SignatureInvalid, "", 1,
    ),
    Attack("37", "x5u", lambda: [embedded("x5u", "https://evil.example/cert.pem")], SignatureInvalid, "", 1),
    Attack("38", "x5c", lambda: [embedded("x5c",
    [base64.b64encode(certificate().public_bytes(Encoding.DER)).decode()])], SignatureInvalid, "", 1),
    Attack("39", "x5t", lambda: [token(EVIL, {"x5t": encode(hashlib.sha1(b"x").digest()), "x5t#S256": "x"})],
    SignatureInvalid, "", 1),
    Attack(
        "40-42", "kid as a path, SQL, LDAP, lines, or huge",
        lambda: [token(EC, {"kid": k}) for k in ("../../dev/null", "' OR '1'='1", "*)(uid=*", "k\0", "k\r\nX: y",
        "k" * 2_500, "", "__class__")],
        KeyNotFound, "", 1,
    ),
    Attack("43", "kid of another type", lambda: [token(EC, {"kid": k}) for k in (5, None, ["ec-1"], {"ec-1": 1}, True)],
    Malformed),
    Attack("44", "key of another issuer", lambda: [token(B_KEY, {"alg": "ES384"}, iss=ISSUER)], SignatureInvalid, ALG),
    Attack("44b", "our key for another issuer", lambda: [token(EC, iss=B_ISSUER)], SignatureInvalid, ALG),
    Attack("45", "no kid, foreign key", lambda: [token(EVIL, {"kid": ...}), token(EVIL_RSA, {"kid": ...})],
    SignatureInvalid, "", 1),
    Attack(
        "46", "duplicate kid, foreign key", lambda: [token(EVIL)], SignatureInvalid, "", 1,
        keys=lambda: {"keys": [EC.jwk, SigningKey.generate("ES256", kid="ec-1").jwk]},
    ),
    # Structure, encoding, size
    Attack("47", "segments", lambda: ["", ".", "..", "...", "a.b", f"{token(EC)}.x", f".{token(EC)}",
    token(EC).rsplit(".", 1)[0], token(EC).rsplit(".", 1)[0] + "."], Malformed),
    Attack("48", "padding", lambda: [token(EC) + "=", token(EC) + "==",
    ".".join(part + "=" * (-len(part) % 4) for part in token(EC).split("."))], Malformed),
    Attack("49", "white space", lambda: [token(EC) + "\n", " " + token(EC), token(EC).replace(".", ". "),
    token(EC).replace(".", ".\n"), token(EC) + "\t"], Malformed),
    Attack("50", "the other base64 alphabet", lambda: [token(EC)[:-4] + "++//", token(EC)[:-4] + "AA+A"], Malformed),
    Attack("51", "non-canonical trailing bits", lambda: loosened(token(EC)), Malformed),
    Attack("52", "NUL and look-alikes", lambda: [token(EC) + "\0", token(EC).replace(".", "\u2024"),
    token(EC).replace("e", "\u0435"), "\ufeff" + token(EC)], Malformed),
    Attack("53", "a polyglot", lambda: ['{"x":"' + token(EC) + '"}', "{" + token(EC) + "}"], Malformed),
    Attack("54", "header that is no object", lambda: [t for raw in (b"[]", b'"x"', b"null", b"5", b"true", b"", b"{}",
    b"{") for t in raw_header(raw)], Malformed),
    Attack("54b", "payload that is no object", lambda: [payload(raw) for raw in (b"[]", b'"x"', b"null", b"5", b"{",
    b"{}x", b"[{}]")], Malformed),
    Attack("55", "a claim twice", lambda: [payload(dup(n, v)) for n, v in (("aud", '"api"'), ("exp", "9999999999"),
    ("iss", f'"{L}"'), ("sub", '"admin"'))], Malformed),
    Attack("55b", "a nested member twice", lambda: [payload(dup("x", '{"a":1,"a":2}'))], Malformed),
    Attack("55c", "a header member twice",
    lambda: raw_header(b'{"alg":"ES256","alg":"none","kid":"ec-1"}')
    + raw_header(b'{"alg":"ES256","kid":"x","kid":"ec-1"}'), Malformed),
    Attack(
        "56", "other encodings",
        lambda: [payload(raw) for raw in (b'{"sub":"\xff"}', b"\xef\xbb\xbf" + body().encode(), body().encode("utf-16"),
        b'{"sub":"\\ud800"}', b'{"sub":"\xed\xa0\x80"}')],
        Malformed,
    ),
    Attack("57", "NaN and infinities", lambda: [payload(dup("x", v)) for v in ("NaN", "Infinity", "-Infinity", "1e400",
    "-1e999")], Malformed),
    Attack("59", "oversized tokens", lambda: [token(EC, x="y" * 20_000), "a." + "b" * 10**6 + ".c", token(EC,
    {"x": "y" * 5_000})], Malformed),
    Attack("60", "a hundred thousand members",
    lambda: [payload(json.dumps({str(n): n for n in range(10**5)}).encode())], Malformed),
    Attack("61", "nesting", lambda: [payload(nested(d)) for d in (16, 1_000,
    5_000)] + raw_header(b'{"alg":"ES256","x":' + b"[" * 900 + b"]" * 900 + b"}"), Malformed),
    Attack("62", "huge integers", lambda: [payload(dup("x", "9" * n)) for n in (21, 5_000, 9_000)], Malformed),
    Attack(
        "64", "crit",
        lambda: [t for c in ([], ["exp"], ["alg"], ["kid"], "exp", None, [1], ["x", "x"], {"x": 1},
        ["x"]) for t in header_of(crit=c, **({"x": 1} if c == ["x"] else {}))],
        Malformed,
    ),
    Attack("65", "b64", lambda: [t for extra in ({"b64": False}, {"b64": False, "crit": ["b64"]},
    {"b64": True}) for t in header_of(**extra)] + [token(EC).split(".")[0] + ".." + token(EC).split(".")[2]],
    Malformed),
    Attack("66-71", "JWE, compressed, password-based", lambda: [jwe(), jwe(3), *header_of(enc="A128GCM"),
    *header_of(enc=None, p2c=2**31)], Malformed, "encrypted"),
    # Claims
    Attack("73", "no expiry", changed(..., name="exp"), ClaimInvalid, "exp_missing"),
    Attack("74", "expiry of another type", changed("9999999999", True, None, [NOW + 9], {}, "never", name="exp"),
    ClaimInvalid, "exp_invalid"),
    Attack("74b", "expired", changed(-1, 0, 1.5, NOW - 30, NOW - 30.5, name="exp"), Expired, "expired"),
    Attack("74c", "absurd expiry", changed(1e16, -1e16, 10**19, name="exp"), ClaimInvalid, "exp_invalid"),
    Attack("75", "not yet valid", changed(NOW + 31, 9_999_999_999, name="nbf"), NotYetValid),
    Attack("75b", "nbf of another type", changed("0", True, None, [], name="nbf"), ClaimInvalid, "nbf_invalid"),
    Attack("76", "issued in the future", changed(NOW + 31, 9_999_999_999, name="iat"), NotYetValid),
    Attack("76b", "iat missing with a longest lifetime", changed(..., name="iat"), ClaimInvalid, "iat_missing",
    settings={"lifetime_max": 600}),
    Attack("77", "lifetime", changed(NOW + 86_400, name="exp"), ClaimInvalid, "lifetime_too_long",
    settings={"lifetime_max": 600}),
    Attack(
        "79", "issuer that only looks like ours",
        changed(..., None, "", L + "/", L.upper(), L + ":443", L[:-1], L + ".evil.example", "https://id%2eexample.test",
        [L], [[L]], {L: 1}, L + "\0", " " + L, "https://ıd.example.test", name="iss"),
        IssuerMismatch, "issuer_mismatch",
    ),
    Attack(
        "80", "audience that only looks like ours",
        changed(..., None, "", "other", ["other"], [["api"]], [{"api": 1}], {"api": 1}, 5, True, [], "api api", "ap",
        "apix", "API", ["api", 5], name="aud"),
        AudienceMismatch, "audience_mismatch",
    ),
    Attack("81", "ID token", lambda: [token(EC, {"typ": "JWT"}, **{n: "x"}) for n in ("nonce", "at_hash",
    "c_hash")] + [token(EC, {"typ": ...}, nonce="x")], WrongTokenType, "claim_forbidden"),
    Attack(
        "82", "other kinds by typ",
        lambda: [token(EC, {"typ": t}) for t in ("logout+jwt", "dpop+jwt", "refresh+jwt", "secevent+jwt",
        "token-introspection+jwt", "oauth-authz-req+jwt", "client-authentication+jwt", "application/LOGOUT+JWT", "JOSE",
        "")],
        WrongTokenType, TYP,
    ),
    Attack(
        "82b", "other kinds by their claims",
        lambda: [token(EC, **c) for c in ({"events": {"http://schemas.openid.net/event/backchannel-logout": {}}},
        {"token_introspection": {"active": True}}, {"htm": "GET", "htu": "https://x"}, {"token_use": "refresh"},
        {"typ": "Refresh"}, {"typ": "ID"}, {"type": "refresh"}, {"token_type": "refresh_token"})],
        WrongTokenType,
    ),
    Attack("83", "another tenant", lambda: [token(EC, tid="other"), token(EC), token(EC, tid=["acme"])], IssuerMismatch,
    "tenant_not_allowed", settings={"tenants": ["acme"]}),
    Attack("84", "no subject", changed(..., None, "", name="sub"), ClaimInvalid, "sub_missing"),
    Attack("84b", "subject of another type", changed(["u1"], 5, True, {}, name="sub"), ClaimInvalid, "sub_invalid"),
    Attack("85", "jti of another type", changed(["j"], 5, True, name="jti"), ClaimInvalid, "jti_invalid"),
]  # fmt: skip


def signed_as(alg: str) -> str:
    """A good ES256 signature under another name of the algorithm."""
    head = encode(json.dumps({"alg": alg, "kid": "ec-1", "typ": "at+jwt"}).encode())
    text = f"{head}.{encode(body().encode())}"
    return f"{text}.{encode(EC.sign(text.encode()))}"


def relabel(text: str, alg: str) -> str:
    """Another algorithm in the header, over a signature of the original one."""
    head = encode(json.dumps({"alg": alg, "kid": "rsa-1", "typ": "at+jwt"}).encode())
    payload_ = text.split(".")[1]
    return f"{head}.{payload_}.{encode(RSA.sign(f'{head}.{payload_}'.encode()))}"


def json_serialised(text: str) -> str:
    head, payload_, signature = text.split(".")
    return json.dumps(
        {
            "payload": payload_,
            "signatures": [{"protected": head, "signature": "AAAA"}, {"protected": head, "signature": signature}],
        }
    )


def guarded(attack: Attack) -> tuple[Auth, Web]:
    """An `Auth` with two issuers whose keys are published, and none fetched yet."""
    web = Web()
    web[JWKS_URL] = jwks(RSA, EC, ED) if attack.keys is None else attack.keys()
    web[B_URL] = jwks(B_KEY)
    ours = Issuer(ISSUER, audience="api", jwks_uri=JWKS_URL, **(attack.settings or {}))
    theirs = Issuer(B_ISSUER, audience="api", jwks_uri=B_URL, algorithms=["ES384"])
    return auth(ours, theirs, web=web), web


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: f"{attack.number}-{attack.title}".replace(" ", "-"))
def test_attack(attack: Attack) -> None:
    """Refused by the expected rule when cold, without a fetch where the token gives itself away; refused when warm."""
    tried = 0
    for text in attack.make():
        tried += 1
        where, web = guarded(attack)
        with pytest.raises(TokenInvalid) as caught:
            where.verify(text)
        assert isinstance(caught.value, attack.error), caught.value
        assert attack.reason in ("", caught.value.reason), caught.value
        assert where.answer(caught.value).status == 401
        assert len(web.asked) <= attack.fetches, web.urls
        assert set(web.urls) <= {JWKS_URL, B_URL}, web.urls
        where.warm_up()
        before = len(web.asked)
        with pytest.raises(TokenInvalid) as warm:
            where.verify(text)
        assert where.answer(warm.value).status == 401
        assert len(web.asked) <= before + 1
        assert not set(web.urls) - {JWKS_URL, B_URL}
    assert tried


def test_what_was_attacked_accepts_honest_tokens():
    """The table means something only because these pass."""
    where, _ = guarded(ATTACKS[0])
    for key in (RSA, EC, ED):
        assert where.verify(token(key)).subject == "u1"
        assert where.verify(token(key, {"kid": ...})).subject == "u1"
    assert where.verify(token(ED, {"alg": "Ed25519"})).subject == "u1"
    assert where.verify(token(B_KEY, iss=B_ISSUER)).issuer == B_ISSUER
    assert where.verify(token(EC, {"typ": "application/AT+JWT"}, nbf=NOW + 30, aud=["x", "api"]))
    assert where.verify(payload(nested(15)))


@pytest.mark.parametrize("name", public_forms())
def test_attacks_6_to_15_beside_a_shared_secret(name):
    """The issuer has a secret and public keys (a migration): public material is still no secret."""
    where = auth(
        Issuer(ISSUER, audience="api", keys=SharedSecret("s" * 32)),
        Issuer(ISSUER, audience="api", keys=jwks(RSA, EC, ED)),
    )
    for kid in ("rsa-1", None):
        with pytest.raises(TokenInvalid):
            where.verify(keyed(public_forms()[name], kid=kid))


@pytest.mark.parametrize("name", [name for name in public_forms() if name not in ("modulus", "ed25519")])
def test_public_material_is_refused_as_a_secret(name):
    """A team that configures the public key as a secret is stopped before the first token."""
    with pytest.raises(ConfigError):
        SharedSecret(public_forms()[name])


@pytest.mark.parametrize("size", [*range(1, 32, 5), 31])
def test_attack_29_short_secrets(size):
    """Refused at configuration."""
    with pytest.raises(ConfigError):
        SharedSecret(b"s" * size)


@pytest.mark.parametrize("leeway", [float("nan"), float("inf"), -1, 301, 1e308, True, "30"])
def test_attack_78_leeway(leeway):
    """Refused at configuration."""
    with pytest.raises(ConfigError):
        Issuer(ISSUER, audience="api", leeway=leeway)


def test_attack_85_revoked():
    """A revoked jti stays revoked, also for a remembered token."""
    store = MemoryRevocations()
    where = auth(Issuer(ISSUER, audience="api", keys=jwks(EC)), revocations=store)
    where.verify(token(EC))
    store.revoke_token("j1", issuer=ISSUER)
    with pytest.raises(Revoked):
        where.verify(token(EC, sub="another"))


@pytest.mark.parametrize(
    "changes",
    [
        {"scope": "orders:read2"}, {"scope": "orders"}, {"scope": "orders:read\torders:admin"},
        {"scope": "orders:read\u00a0x"},
        {"scope": "orders:read,x"}, {"scope": "ORDERS:READ"}, {"scope": "*"}, {"scope": "orders:*"},
        {"scope": ["orders:read x"]},
        {"scope": [["orders:read"]]}, {"scope": {"orders:read": True}}, {"scope": True}, {"scope": "",
        "scp": "orders:read"},
        {"scope": ["x"], "scp": ["orders:read"]}, {"permissions": ["orders:read"]}, {"scope": ["orders:read\0"]},
    ],
    ids=str,
)  # fmt: skip
def test_attack_86_scopes(changes):
    """Prefixes, other separators, wildcards, nested values, and a second claim that would grant it."""
    where = auth(Issuer(ISSUER, audience="api", keys=jwks(EC)))
    with pytest.raises(InsufficientScope):
        where.authorize(request(token(EC, **changes)), scope("orders:read"))


@pytest.mark.parametrize(
    "changes",
    [
        {"roles": "admin"[:1]}, {"roles": "xadmin"}, {"roles": "admin user"}, {"roles": [["admin"]]},
        {"roles": {"admin": True}},
        {"roles": [], "role": "admin"}, {"is_superuser": True}, {"is_staff": True, "admin": True},
        {"__class__": "admin"},
        {"realm_access": "admin"}, {"groups": ["admin"]},
    ],
    ids=str,
)  # fmt: skip
def test_attacks_87_and_88_roles(changes):
    """No iteration by character, no attribute of ours, no claim that shadows a privilege."""
    where = auth(Issuer(ISSUER, audience="api", keys=jwks(EC)))
    with pytest.raises(PermissionDenied):
        where.authorize(request(token(EC, **changes)), role("admin"))


def test_the_curve_of_a_key_cannot_be_left_out():
    """secp256k1 has no entry in the table at all."""
    assert isinstance(ec.SECP256K1(), ec.EllipticCurve)
    with pytest.raises(ConfigError):
        Issuer(ISSUER, audience="api", keys=ec.generate_private_key(ec.SECP256K1()).public_key())
