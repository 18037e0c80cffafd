"""Advisories about libraries in other languages that verify tokens, each tried here for real, by its name."""

from __future__ import annotations

import json

import pytest

from auth_doubles import ISSUER, JWKS_URL, Web, auth, jwks, token
from bearerkit import Issuer
from bearerkit.errors import IssuerMismatch, KeyNotFound, Malformed, SignatureInvalid
from bearerkit.testing import SigningKey
from security.advisories import ALG, confusion, known, mixed, refused
from security.attack import attacks
from security.encryption import BOMB, five_parts, jwe, unsigned, zipped_jws
from security.forgery import (
    EC,
    RSA,
    body,
    flattened,
    keyed,
    nested,
    payload,
    public_forms,
    segment,
    signed,
    without_alg,
)
from security.textbook import roca


@attacks("CVE-2023-48223", "public key as HMAC secret", answer="401, and refused at configuration")
def test_cve_2023_48223_fast_jwt_pkcs1_pem() -> None:
    """fast-jwt knew one header line of PEM; here any armour gives a key away, and no key is a secret anyway."""
    confusion("PKCS#1 PEM", "SPKI PEM")


@attacks("CVE-2026-34950", "the same with white space before the PEM", answer="401, and refused at configuration")
def test_cve_2026_34950_fast_jwt_leading_white_space() -> None:
    """The fix of fast-jwt looked at the first character."""
    confusion("PEM with a leading space", "PEM with CRLF")


@attacks("CVE-2026-44351", "empty HMAC secret", answer="401, and refused at configuration")
def test_cve_2026_44351_fast_jwt_empty_secret() -> None:
    """An unknown kid gave fast-jwt (and ruby-jwt) an empty secret, with which anybody signs."""
    confusion("empty key")
    refused(mixed(), keyed(b"", kid="unknown"), SignatureInvalid)


@attacks("GHSA-rp9m-7r4c-75qg", "cache keys that collide", answer="each its own caller")
def test_ghsa_rp9m_7r4c_75qg_fast_jwt_cache_keys() -> None:
    """fast-jwt let its users build the cache key, from the subject say; here it cannot be chosen."""
    where = known()
    first = token(EC, sub="u1", jti="same", scope="read")
    second = token(EC, sub="u1", jti="same", scope="admin")
    assert where.verify(first).scopes == ("read",)
    assert where.verify(second).scopes == ("admin",)
    refused(where, first.rpartition(".")[0] + "." + second.rpartition(".")[2], SignatureInvalid)


@attacks("CVE-2025-30144", "iss as a list", answer="401 issuer_mismatch")
def test_cve_2025_30144_fast_jwt_issuer_list() -> None:
    """fast-jwt took a token if one of its issuers was right; the next library read another of them."""
    refused(known(), token(EC, iss=["https://evil.example", ISSUER]), IssuerMismatch)
    refused(known(), token(EC, iss=[ISSUER]), IssuerMismatch)


@attacks("CVE-2026-22817", "algorithm of the header where the key names none", answer="401 algorithm_not_allowed")
@attacks("CVE-2026-22818", "the same in the JWK middleware", answer="401 algorithm_not_allowed")
def test_cve_2026_22817_and_22818_hono_algorithm_of_the_header() -> None:
    """Hono verified by the header's algorithm if the JWK had none; here list and key type decide."""
    web = Web()
    web[JWKS_URL] = without_alg(RSA, EC)
    where = auth(Issuer(ISSUER, audience="api", jwks_uri=JWKS_URL), web=web)
    for secret in public_forms().values():
        refused(where, keyed(secret), SignatureInvalid, ALG)
    refused(where, token(RSA, {"alg": "RS512"}), SignatureInvalid, ALG)
    assert web.asked == []


@attacks("CVE-2026-29000", "encrypted unsigned token", answer="401 encrypted")
def test_cve_2026_29000_pac4j_jwe_around_none() -> None:
    """pac4j skipped the signature where the decrypted text was no signed token; with the public key one was admin."""
    refused(known(), jwe(unsigned().encode(), cty="JWT"), Malformed, "encrypted")


@attacks("CVE-2023-51774", "encryption taken for a signature", answer="401 encrypted")
def test_cve_2023_51774_json_jwt_sign_encryption_confusion() -> None:
    """json-jwt decoded what was encrypted to its own public key; one function for both kinds does not exist here."""
    refused(known(), jwe(body(sub="admin").encode()), Malformed, "encrypted")


@attacks("CVE-2026-44699", "RSA key without alg as an empty HMAC secret", answer="401 algorithm_not_allowed")
def test_cve_2026_44699_libjwt_rsa_key_for_hmac() -> None:
    """LibJWT asked an RSA key for its octets and got none: HMAC with the empty secret. A key here fits or does not."""
    web = Web()
    web[JWKS_URL] = without_alg(RSA)
    where = auth(Issuer(ISSUER, audience="api", jwks_uri=JWKS_URL), web=web)
    for alg in ("HS256", "HS384", "HS512"):
        refused(where, keyed(b"", alg), SignatureInvalid, ALG)
    assert not known().issuers[0].algorithms & {"HS256", "HS384", "HS512"}


@attacks("GHSA-jc38-x7x8-2xc8", "alg from the unprotected header", answer="401 malformed")
def test_ghsa_jc38_x7x8_2xc8_php_unprotected_alg() -> None:
    """The PHP framework read alg where nobody signed it; the JSON form, which alone has such a place, is refused."""
    for text in (
        flattened({"kid": "rsa-1"}, {"alg": "HS256"}, b"x"),
        flattened({}, {"alg": "none"}, b""),
        json.dumps({"payload": segment(body()), "header": {"alg": "none"}, "signature": ""}),
    ):
        refused(mixed(), text, Malformed)


@attacks("GHSA-3prj-6hqw-cm82", "p2c without a limit", answer="401 encrypted")
def test_ghsa_3prj_6hqw_cm82_php_p2c() -> None:
    """A header asked for two thousand million rounds of PBKDF2."""
    refused(known(), five_parts(alg="PBES2-HS256+A128KW", p2c=2**31 - 1, p2s="AAAA"), Malformed, "encrypted")


@attacks("GHSA-5739-39v2-5754", "RSA1_5 padding oracle", answer="401 encrypted")
def test_ghsa_5739_39v2_5754_php_rsa1_5() -> None:
    """Good and bad padding were told apart by time or error; test_encrypted.py compares the answers byte for byte."""
    refused(known(), five_parts(alg="RSA1_5"), Malformed, "encrypted")


@attacks("GHSA-6vvh-pxr4-25r7", "ChaCha20-Poly1305 without its tag", answer="401 encrypted")
def test_ghsa_6vvh_pxr4_25r7_php_unchecked_tag() -> None:
    """The PHP library did not check the tag; no content encryption is implemented here that could forget to."""
    refused(known(), five_parts(alg="dir", enc="C20P"), Malformed, "encrypted")


@attacks("CVE-2025-53864", "nesting", answer="401 malformed")
def test_cve_2025_53864_nimbus_nesting() -> None:
    """Deep claims overflowed the stack of Nimbus; 16 levels are the limit here, counted without recursion."""
    refused(known(), payload(nested(1_000)), Malformed)


@attacks("CVE-2022-36083", "p2c without a limit", answer="401 encrypted")
@attacks("CVE-2023-50967", "the same in latchset", answer="401 encrypted")
@attacks("CVE-2023-49290", "the same in jwx", answer="401 encrypted")
def test_cve_2022_36083_and_its_kin_p2c() -> None:
    """panva/jose, latchset/jose and lestrrat-go/jwx each derived keys as often as the header said."""
    for count in (2**31 - 1, 2**63, 0):
        refused(known(), five_parts(alg="PBES2-HS512+A256KW", p2c=count, p2s="AAAA"), Malformed, "encrypted")


@attacks("CVE-2024-28176", "zip bomb in a JWE", answer="401 encrypted")
def test_cve_2024_28176_jose_zip_bomb() -> None:
    """panva/jose inflated without a limit; in a JWS, zip means nothing and inflates nothing."""
    refused(known(), jwe(BOMB[:9_000], zip="DEF"), Malformed, "encrypted")
    refused(known(), zipped_jws(), Malformed)


@attacks("CVE-2022-21449", "psychic signatures", answer="401 signature_invalid")
def test_cve_2022_21449_java_psychic_signatures() -> None:
    """Java took r = s = 0 for a signature of everything, on all curves."""
    for alg, size in (("ES256", 64), ("ES384", 96), ("ES512", 132)):
        key = SigningKey.generate(alg, kid="k")
        where = auth(Issuer(ISSUER, audience="api", keys=jwks(key), algorithms=[alg]))
        assert where.verify(token(key))
        refused(where, signed(bytes(size), key), SignatureInvalid)


@attacks("CVE-2017-15361", "ROCA", answer="401 key_not_found")
def test_cve_2017_15361_roca() -> None:
    """The factors of such a modulus can be found from the public key; a published one is skipped and named."""
    web, key = Web(), roca()
    web[JWKS_URL] = key.jwks
    where = auth(Issuer(ISSUER, audience="api", jwks_uri=JWKS_URL), web=web)
    with pytest.raises(KeyNotFound) as caught:
        where.verify(key.token())
    assert "ROCA" in (caught.value.hint or "")
