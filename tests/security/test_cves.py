"""Advisories about Python libraries that verify tokens, each tried here for real, by its name.

The docstring says what went wrong there and why it cannot here. Other languages are in test_cves_elsewhere.py, what
cannot concern a resource server in catalogue.py.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from auth_doubles import DOWN, ISSUER, JWKS_URL, NOW, Web, auth, jwks, token
from bearerkit import ANY, Auth, ConfigError, Issuer, IssuerResolver, SharedSecret
from bearerkit.errors import (
    ClaimInvalid,
    IssuerMismatch,
    KeyNotFound,
    KeysUnavailable,
    Malformed,
    SignatureInvalid,
)
from bearerkit.http import Network
from bearerkit.testing import FrozenClock
from key_doubles import NoThreads
from loopback import reply, serve
from security.advisories import ALG, FORMS, confusion, known, mixed, refused
from security.attack import attacks
from security.encryption import BOMB, five_parts, jwe, unsigned
from security.forgery import EC, EVIL, RSA, body, keyed, nested, payload, raw_header, segment, signed_as


@attacks("CVE-2022-29217", "OpenSSH key as HMAC secret", answer="401, and refused at configuration")
def test_cve_2022_29217_pyjwt_openssh_key_as_secret() -> None:
    """PyJWT knew PEM and forgot OpenSSH; a key here is typed, so a public key object never becomes a secret."""
    confusion("OpenSSH line", "SPKI PEM")


@attacks("CVE-2024-53861", "iss compared by substring", answer="401 issuer_mismatch")
def test_cve_2024_53861_pyjwt_issuer_by_substring() -> None:
    """PyJWT asked `iss in issuer` of a text; issuers here are keys of a mapping, found whole or not at all."""
    for iss in (ISSUER[:-1], ISSUER[8:], "https://", "h", ""):
        refused(known(), token(EC, iss=iss), IssuerMismatch)


@attacks("CVE-2025-45768", "short HMAC keys (disputed)", answer="refused at configuration")
def test_cve_2025_45768_pyjwt_short_secrets() -> None:
    """PyJWT left the length of a secret to its users; here 32 bytes are the minimum, and 64 for HS512."""
    for secret in (b"", b"secret", b"s" * 31):
        with pytest.raises(ConfigError):
            SharedSecret(secret)


@attacks("CVE-2026-32597", "unknown crit ignored", answer="401 malformed")
def test_cve_2026_32597_pyjwt_unknown_crit() -> None:
    """PyJWT did not look at crit; no extension is implemented here, so every crit refuses."""
    for crit in (["x-mfa"], ["cnf"], ["exp"], [], "x"):
        refused(known(), token(EC, {"crit": crit, "x-mfa": 1, "cnf": {}}), Malformed)


@attacks("CVE-2026-48522", "file and other schemes fetched", answer="refused at configuration, or 503")
def test_cve_2026_48522_pyjwt_schemes(tmp_path: Any) -> None:
    """PyJWKClient gave any URL to urllib, which opens files; here only https is, wherever a URL came from."""
    file = tmp_path / "jwks.json"
    file.write_text(json.dumps(jwks(EVIL)))
    url = file.as_uri()
    with pytest.raises(ConfigError):
        Issuer(ISSUER, audience="api", jwks_uri=url)
    web = Web()
    web[f"{ISSUER}/.well-known/openid-configuration"] = {"issuer": ISSUER, "jwks_uri": url}
    for where in (
        auth(Issuer(ISSUER, audience="api"), web=web),
        Auth(
            IssuerResolver(lambda iss: Issuer(iss, audience="api", tenants=ANY, jwks_uri=url)), clock=FrozenClock(NOW)
        ),
    ):
        with pytest.raises(KeysUnavailable):
            where.verify(token(EVIL))


@attacks("CVE-2026-48523", "allow-list bypassed by the key's algorithm", answer="401")
def test_cve_2026_48523_pyjwt_allow_list_and_key() -> None:
    """PyJWT checked the header's name and verified by the key's; here one name does both, and the key must fit it."""
    text = signed_as("PS256", RSA)
    refused(known(algorithms=["PS256"]), text, KeyNotFound)
    refused(known(algorithms=["PS256"]), token(RSA), SignatureInvalid, ALG)


@attacks("CVE-2026-48524", "unbounded fetches for unknown kids", answer="one fetch per cooldown, keys are kept")
def test_cve_2026_48524_pyjwt_kid_flood_and_lost_keys() -> None:
    """PyJWKClient fetched for each unknown kid and dropped its keys when that failed (GHSA-fhv5-28vv-h8m8)."""
    web, clock = Web(), FrozenClock(NOW)
    web[JWKS_URL] = jwks(EC)
    where = auth(Issuer(ISSUER, audience="api", jwks_uri=JWKS_URL), web=web, clock=clock, threads=NoThreads())
    where.warm_up()
    web[JWKS_URL] = DOWN
    for number in range(100):
        refused(where, token(EVIL, {"kid": f"x{number}"}), KeyNotFound)
    assert len(web.asked) == 2
    assert where.verify(token(EC))


@attacks("GHSA-2gx3-rcp4-g85q", "the cooldown did not count failed fetches", answer="one fetch per cooldown")
def test_ghsa_2gx3_rcp4_g85q_pyjwt_flood_while_fetches_fail() -> None:
    """PyJWKClient began its cooldown only after a success; here it begins when the fetch does."""
    web, clock = Web(), FrozenClock(NOW)
    web[JWKS_URL] = jwks(EC)
    where = auth(Issuer(ISSUER, audience="api", jwks_uri=JWKS_URL), web=web, clock=clock, threads=NoThreads())
    where.warm_up()
    web[JWKS_URL] = DOWN
    for number in range(29):
        refused(where, token(EVIL, {"kid": f"x{number}"}), KeyNotFound)
        clock.advance(1)
    assert len(web.asked) == 2


@attacks("CVE-2026-48525", "payload decoded without bounds though detached", answer="401 malformed")
def test_cve_2026_48525_pyjwt_unbounded_decoding() -> None:
    """PyJWT decoded a segment of any size before it saw b64:false; here size comes first and b64 is refused."""
    refused(known(), token(EC, {"b64": False, "crit": ["b64"]}), Malformed)
    refused(known(), f"{segment({'alg': 'ES256', 'b64': False, 'crit': ['b64']})}.{'A' * 10**7}.AAAA", Malformed)
    refused(known(), f"{segment({'alg': 'ES256', 'b64': False, 'crit': ['b64']})}..AAAA", Malformed)


@attacks("CVE-2026-48526", "JWK text as HMAC secret", answer="401, and refused at configuration")
def test_cve_2026_48526_pyjwt_jwk_as_secret() -> None:
    """PyJWT knew PEM and OpenSSH and forgot JSON; a secret here is no JSON at all, and a JWK is no secret."""
    confusion("JWK JSON", "JWKS JSON")


@attacks("GHSA-ffc3-869f-jxw9", "PEM in another armour as HMAC secret", answer="401, and refused at configuration")
def test_ghsa_ffc3_869f_jxw9_pyjwt_armour_and_the_2_14_0_set() -> None:
    """PyJWT compared PEM byte for byte; white space, BOM, DER and arrays got through until 2.14.0."""
    confusion(
        "PEM with a leading space", "PEM with a BOM", "PEM with CRLF", "PEM without the last newline", "SPKI DER",
        "PKCS#1 DER", "X.509 DER", "X.509 PEM", "empty key",
    )  # fmt: skip
    pem = FORMS["SPKI PEM"]
    for form in (json.dumps([RSA.jwk]).encode(), b"\t" + pem, pem.replace(b"\n", b" \n"), b"\n\n" + pem, pem.lower()):
        refused(mixed(), keyed(form), SignatureInvalid)
        if form != pem.lower():
            with pytest.raises(ConfigError):
                SharedSecret(form)


@attacks("GHSA-9v7f-9g4p-ffgj", "redirects followed to another key source", answer="503, not followed")
def test_ghsa_9v7f_9g4p_ffgj_pyjwt_redirects() -> None:
    """urllib follows redirects, also to http and inside; here a redirect is an answer without keys."""
    with serve(reply(json.dumps(jwks(EVIL)).encode())) as inside:
        with serve(reply(b"", "302 Found", Location=inside.url())) as server:
            entry = Issuer(ISSUER, audience="api", jwks_uri=server.url(), network=Network(timeout=5))
            with pytest.raises(KeysUnavailable):
                Auth(entry, clock=FrozenClock(NOW)).verify(token(EVIL))
        assert inside.heads == []


@attacks("GHSA-8wjv-2p76-3863", "RecursionError by nesting", answer="401 malformed")
def test_ghsa_8wjv_2p76_3863_pyjwt_nesting() -> None:
    """PyJWT let RecursionError out of decode; depth is counted here before anything recurses."""
    for text in (payload(nested(5_000)), raw_header(b'{"alg":' + b"[" * 1_400 + b"]" * 1_400 + b"}")):
        refused(known(), text, Malformed)


@attacks("GHSA-w6j9-cwv2-h6wq", "one broken RSA key spoiled the set", answer="the good keys are used")
def test_ghsa_w6j9_cwv2_h6wq_pyjwt_one_broken_key() -> None:
    """An exception for one key left PyJWKSet without any; here it is skipped and named."""
    bad = [{**RSA.jwk, "kid": "x", "n": value} for value in ("AA", "", "!", 5, None)]
    web = Web()
    web[JWKS_URL] = {"keys": [*bad, {**RSA.jwk, "e": "AA", "kid": "y"}, EC.jwk]}
    assert auth(Issuer(ISSUER, audience="api", jwks_uri=JWKS_URL), web=web).verify(token(EC))


@attacks("CVE-2024-33663", "OpenSSH ECDSA key as HMAC secret", answer="401, and refused at configuration")
def test_cve_2024_33663_python_jose_key_confusion() -> None:
    """python-jose took every algorithm by default and knew few key formats; both lists are closed here."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    point: Any = EC.public_key
    line = point.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    assert line.startswith(b"ecdsa-sha2-")
    refused(mixed(), keyed(line, kid="ec-1"), SignatureInvalid)
    with pytest.raises(ConfigError):
        SharedSecret(line)


@attacks("python-jose 3.5.0", "DER key as HMAC secret, unfixed", answer="401, and refused at configuration")
def test_python_jose_der_bypass() -> None:
    """The fix for CVE-2024-33663 forgot DER (advisory-database PR 7123)."""
    confusion("SPKI DER", "PKCS#1 DER", "X.509 DER")


@attacks("CVE-2024-33664", "JWE bomb", answer="401 encrypted")
def test_cve_2024_33664_python_jose_zip_bomb() -> None:
    """python-jose inflated a JWE without a limit; nothing is decrypted or inflated here."""
    refused(known(), jwe(BOMB[:9_000], zip="DEF"), Malformed, "encrypted")


@attacks("CVE-2025-59420", "unknown crit ignored", answer="401 malformed")
def test_cve_2025_59420_authlib_unknown_crit() -> None:
    """Authlib took tokens that demand what it does not know, split-brain with stricter services behind it."""
    refused(known(), token(EC, {"crit": ["bork"], "bork": "x"}), Malformed)


@attacks("CVE-2025-61920", "segments without a limit", answer="401 malformed")
def test_cve_2025_61920_authlib_oversized_segments() -> None:
    """A header of 500 MB cost Authlib 4 GB; a token of more than 16 kB is not even hashed here."""
    huge = "A" * 5_000_000
    for text in (f"{huge}.e30.AAAA", f"e30.{huge}.AAAA", f"e30.e30.{huge}"):
        refused(known(), text, Malformed)


@attacks("CVE-2025-62706", "zip bomb in a JWE", answer="401 encrypted")
def test_cve_2025_62706_authlib_zip_bomb() -> None:
    """Authlib inflated without a limit."""
    refused(known(), jwe(BOMB[:9_000], zip="DEF", cty="JWT"), Malformed, "encrypted")


@attacks("CVE-2026-27962", "jwk of the header used as key", answer="401 signature_invalid")
def test_cve_2026_27962_authlib_embedded_jwk() -> None:
    """Authlib took the key from the token where none was given; keys come only from the issuer here."""
    refused(known(), token(EVIL, {"jwk": EVIL.jwk}), SignatureInvalid)
    refused(auth(Issuer(ISSUER, audience="api", keys={})), token(EVIL, {"jwk": EVIL.jwk}), KeyNotFound)


@attacks("CVE-2026-28802", "alg none accepted", answer="401 malformed")
def test_cve_2026_28802_authlib_none() -> None:
    """Authlib 1.6.5 took an empty signature; there is no entry for none in the table here, and no empty signature."""
    refused(known(), unsigned(), Malformed)
    refused(known(), token(EC, {"alg": "none"}), Malformed)


@attacks("CVE-2022-3102", "JWE where a JWS is expected", answer="401 encrypted")
def test_cve_2022_3102_jwcrypto_token_substitution() -> None:
    """jwcrypto guessed the kind of a token by its form; five parts are refused here."""
    refused(known(), jwe(body(sub="admin").encode()), Malformed, "encrypted")


@attacks("CVE-2023-6681", "p2c without a limit", answer="401 encrypted")
def test_cve_2023_6681_jwcrypto_p2c() -> None:
    """jwcrypto ran PBKDF2 as often as the token said; no key is derived from anything in a token here."""
    refused(known(), five_parts(alg="PBES2-HS256+A128KW", p2c=2**31 - 1, p2s="AAAA"), Malformed, "encrypted")


@attacks("CVE-2024-28102", "zip bomb in a JWE", answer="401 encrypted")
def test_cve_2024_28102_jwcrypto_zip_bomb() -> None:
    """A JWE of 250 kB became 100 MB in jwcrypto."""
    refused(known(), jwe(BOMB[:9_000], zip="DEF"), Malformed, "encrypted")


@attacks("joserfc 1.8.0", "exp that is a boolean or infinite", answer="401 exp_invalid")
def test_joserfc_boolean_and_infinite_times() -> None:
    """True is 1 to Python, and infinity is later than every now: joserfc 1.6.6 to 1.8.0 learnt to refuse both."""
    for exp in (True, False, 1e16, "9999999999"):
        refused(known(), token(EC, exp=exp), ClaimInvalid, "exp_invalid")
    refused(known(), payload(body(exp=...)[:-1].encode() + b', "exp": Infinity}'), Malformed)


@attacks("CVE-2026-35030", "cache keyed by token[:20]", answer="each its own caller")
def test_cve_2026_35030_litellm_cache_key() -> None:
    """LiteLLM keyed its cache by the first 20 characters, which all tokens of an issuer share; here SHA-256 of all."""
    where = known()
    texts = [token(EC, sub=f"u{number}") for number in range(50)]
    assert len({text[:20] for text in texts}) == 1
    assert [where.verify(text).subject for text in texts] == [f"u{number}" for number in range(50)]
    refused(where, texts[0][:-8] + "AAAAAAAA", SignatureInvalid)


def test_the_settings_of_these_tests_accept_honest_tokens() -> None:
    """They refuse what they are sent for what it is."""
    assert known().verify(token(EC))
    assert mixed().verify(keyed(b"s" * 32, kid=None))
    assert mixed().verify(token(RSA))
