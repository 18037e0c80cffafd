"""Attacks that are in no catalogue: what we would try ourselves against keys, signatures, settings and logs."""

from __future__ import annotations

import hashlib
import json
import logging
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from auth_doubles import ISSUER, JWKS_URL, NOW, Web, auth, jwks, request, token
from bearerkit import ANY, Auth, Issuer, Limits, MemoryRevocations, SharedSecret, scope
from bearerkit.errors import (
    KeyNotFound,
    Malformed,
    Refused,
    Revoked,
    SignatureInvalid,
    StoreUnavailable,
    TokenInvalid,
)
from bearerkit.jose.base64url import encode
from bearerkit.testing import FrozenClock, SigningKey
from key_doubles import NoThreads
from security.attack import OWN, Attack, attacks, attempt, case, each, rows
from security.forgery import B_ISSUER, B_KEY, EC, ED, EVIL, RSA, body, keyed, resigned, segment, signature_of, signed
from security.textbook import SHA256_PREFIX, SMALL_ORDER

P256_N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
CUBE = SigningKey("RS256", rsa.generate_private_key(3, 2048), kid="rsa-1")


def by_nobody(raw: bytes) -> str:
    """A forgery under an Ed25519 key of small order: no private key exists, and one try in eight verifies."""
    key = ed25519.Ed25519PublicKey.from_public_bytes(raw)
    for number in range(1_000):
        text = token(ED, jti=f"j{number}").rpartition(".")[0]
        for point in SMALL_ORDER:
            try:
                key.verify(point + bytes(32), text.encode())
            except InvalidSignature:
                continue
            return f"{text}.{encode(point + bytes(32))}"
    raise AssertionError("no forgery found")


def by_cube_root() -> str:
    """Bleichenbacher's forgery of 2006 for exponent 3: the digest stands right, behind it stands anything."""
    text = token(CUBE).rpartition(".")[0]
    start = b"\0\1" + b"\xff" * 8 + b"\0" + SHA256_PREFIX + hashlib.sha256(text.encode()).digest()
    wanted = int.from_bytes(start + b"\xff" * (256 - len(start)), "big")
    low, high = 0, 1 << 700
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if middle**3 <= wanted else (low, middle - 1)
    assert (low**3).to_bytes(256, "big").startswith(start)
    return f"{text}.{encode(low.to_bytes(256, 'big'))}"


def beyond_the_modulus() -> str:
    """s + n, which is s to a careless verifier. Only some signatures are small enough."""
    key: Any = RSA.public_key
    n = key.public_numbers().n
    for number in range(500):
        text = token(RSA, jti=f"j{number}")
        s = int.from_bytes(signature_of(text), "big") + n
        if s < 1 << 2048:
            return resigned(text, s.to_bytes(256, "big"))
    raise AssertionError("no signature was small enough")


def twin(text: str) -> str:
    """The other signature that every ECDSA signature has: n - s instead of s. It verifies, too."""
    raw = signature_of(text)
    return resigned(text, raw[:32] + (P256_N - int.from_bytes(raw[32:], "big")).to_bytes(32, "big"))


TABLE = [
    *(
        Attack(OWN, f"a forgery under Ed25519 key {raw[:2].hex()}..{raw[-1:].hex()} of small order",
               lambda raw=raw: by_nobody(raw), KeyNotFound, fetches=1,
               keys=lambda raw=raw: {"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "ed-1", "x": encode(raw)}]})
        for raw in SMALL_ORDER
    ),
    Attack(OWN, "a cube root as signature, exponent 3", by_cube_root, SignatureInvalid, fetches=1,
           keys=lambda: jwks(CUBE)),
    Attack(OWN, "an RSA signature beyond the modulus", beyond_the_modulus, SignatureInvalid, fetches=1),
    Attack(OWN, "an RSA signature with a zero before it", lambda: signed(b"\0" + signature_of(token(RSA)), RSA),
           SignatureInvalid, fetches=1),
    *each(OWN, "an RSA signature of", {"zero": 0, "one": 1}, lambda s: signed(s.to_bytes(256, "big"), RSA),
          SignatureInvalid, fetches=1),
    Attack(OWN, "a published key that names an algorithm of another curve", lambda: token(EC), KeyNotFound, fetches=1,
           keys=lambda: jwks(EC, alg="ES384")),
    Attack(OWN, "a published key that names alg none", lambda: token(EC), KeyNotFound, fetches=1,
           keys=lambda: jwks(EC, alg="none")),
]  # fmt: skip


@pytest.mark.parametrize("attack", rows(TABLE))
def test_own_ideas(attack: Attack) -> None:
    """Refused like everything else, cold and warm."""
    attempt(attack)


@attacks(OWN, "the twin of a revoked ECDSA token", answer="401 revoked")
def test_the_twin_of_a_revoked_token() -> None:
    """Two texts, one token: a deny list of texts would miss one of them, ours goes by the jti."""
    store = MemoryRevocations()
    where = auth(Issuer(ISSUER, audience="api", keys=jwks(EC)), revocations=store)
    text = token(EC)
    assert where.verify(twin(text)) == where.verify(text)
    store.revoke_token("j1", issuer=ISSUER)
    for spelling in (text, twin(text)):
        with pytest.raises(Revoked):
            where.verify(spelling)


@attacks(OWN, "exponent 3 signs as well", answer="accepted")
def test_an_honest_signature_of_exponent_three() -> None:
    """The cube root is refused for its padding, not for the key."""
    assert auth(Issuer(ISSUER, audience="api", keys=jwks(CUBE))).verify(token(CUBE))


@attacks(OWN, "which issuers, kids and audiences are known, asked by answers", answer="one 401 for all")
def test_answers_are_no_oracle() -> None:
    """Unknown issuer, unknown kid, bad signature, wrong audience: byte for byte the same answer."""
    where = auth(
        Issuer(ISSUER, audience="api", keys=jwks(EC, RSA)),
        Issuer(B_ISSUER, audience="api", keys=jwks(B_KEY), algorithms=["ES384"]),
    )
    answers = set()
    for text in (
        token(EVIL), token(EC, iss="https://evil.example"), token(EC, {"kid": "x"}), token(EC, aud="other"),
        token(EC, iss=B_ISSUER), token(EC, sub=""), token(RSA, {"alg": "RS512"}), token(EC, nonce="x", typ="ID"),
    ):  # fmt: skip
        with pytest.raises(TokenInvalid) as caught:
            where.verify(text)
        answers.add(where.answer(caught.value))
    assert len(answers) == 1


@pytest.mark.parametrize(
    "make",
    [
        case(OWN, f"lines of the attacker in the log, by {title}", make, answer="one line, without the token")
        for title, make in {
            "kid": lambda evil: token(EC, {"kid": evil}), "alg": lambda evil: token(EC, {"alg": evil}),
            "typ": lambda evil: token(EC, {"typ": evil}), "crit": lambda evil: token(EC, {"crit": [evil]}),
            "iss": lambda evil: token(EC, iss=evil), "aud": lambda evil: token(EC, aud=evil),
            "sub": lambda evil: token(EC, sub=[evil]), "jti": lambda evil: token(EC, jti=[evil]),
            "tid": lambda evil: token(EC, tid=evil), "exp": lambda evil: token(EC, exp=evil),
            "events": lambda evil: token(EC, events={evil + ":": 1}), "token_use": lambda evil: token(EC,
            token_use="refresh", x=evil), "no token at all": lambda evil: evil,
        }.items()
    ],
)  # fmt: skip
def test_nobody_writes_lines_into_the_log(make: Any, caplog: pytest.LogCaptureFixture) -> None:
    """What comes from a token is quoted and cut; neither CR, LF, NEL, U+2028 nor an escape sequence gets through."""
    evil = "x\r\n2026-01-01 INFO root: all is well\x1b[2J\x85\u2028"
    where = auth(Issuer(ISSUER, audience="api", keys=jwks(EC), tenants=["acme"]))
    text = make(evil)
    with caplog.at_level(logging.DEBUG), pytest.raises(TokenInvalid):
        where.verify(text)
    assert caplog.records
    for record in caplog.records:
        message = record.getMessage()
        assert not set("\r\n\x1b\x85\u2028") & set(message)
        assert text not in message
        assert len(message) < 2_000


@attacks(OWN, "padding that another issuer may use", answer="401 malformed")
@attacks(OWN, "size that another issuer may have", answer="401 malformed")
def test_the_leniency_of_one_issuer_is_not_that_of_another() -> None:
    """Parsing comes before it is known whose token this is; the strict issuer's rules are applied all the same."""
    lenient = Issuer(
        B_ISSUER,
        audience="api",
        keys=jwks(B_KEY),
        algorithms=["ES384"],
        padding=True,
        limits=Limits(token=100_000, depth=64),
    )
    where = auth(Issuer(ISSUER, audience="api", keys=jwks(EC)), lenient)

    def padded(key: SigningKey, **claims: Any) -> str:
        head, claims_ = ({"alg": key.alg, "kid": key.kid}, body(**claims))
        parts = [part + "=" * (-len(part) % 4) for part in (segment(head), segment(claims_))]
        signature = encode(key.sign(".".join(parts).encode()))
        return ".".join([*parts, signature + "=" * (-len(signature) % 4)])

    assert where.verify(padded(B_KEY, iss=B_ISSUER))
    assert where.verify(token(B_KEY, iss=B_ISSUER, x="y" * 40_000))
    for text in (padded(EC), token(EC, x="y" * 40_000), token(EC, x=json.loads("[" * 40 + "]" * 40))):
        with pytest.raises(Malformed):
            where.verify(text)


@attacks(OWN, "invented tenants in the host of the keys' URL", answer="401 key_not_found, no fetch")
def test_a_tenant_cannot_write_a_host() -> None:
    """The placeholder is one label of a name, and nothing that ends or begins a host."""
    web = Web()
    where = auth(
        Issuer(
            ISSUER, audience="api", jwks_uri="https://{zid}.keys.example.test/jwks", placeholders={"zid": "dns-label"},
            tenants=ANY,
        ),
        web=web,
    )  # fmt: skip
    for zid in (
        "evil.example/",
        "evil.example#",
        "a@evil",
        "evil.example:443/",
        "",
        ".",
        "a.b",
        "A",
        "-",
        "x\n",
        ["a"],
    ):
        with pytest.raises(KeyNotFound):
            where.verify(token(EC, zid=zid))
    assert web.asked == []


@attacks(OWN, "invented kids, each with a URL of its own", answer="401, 100 fetches and 5 a second")
def test_a_flood_of_urls_is_bounded() -> None:
    """And the kid that is known goes on."""
    web, clock = Web(), FrozenClock(NOW)
    web["https://keys.example.test/ec-1"] = jwks(EC)
    where = auth(
        Issuer(ISSUER, audience="api", jwks_uri="https://keys.example.test/{kid}", placeholders={"kid": "word"}),
        web=web, clock=clock, threads=NoThreads(),
    )  # fmt: skip
    assert where.verify(token(EC))
    for number in range(300):
        with pytest.raises(TokenInvalid):
            where.verify(token(EC, {"kid": f"x{number}"}))
    assert len(web.asked) <= 101
    assert where.verify(token(EC, sub="u2"))


@attacks(OWN, "a key's issuer made of placeholders", answer="401 key_issuer_mismatch, without backtracking")
def test_placeholders_in_a_row_do_not_hang() -> None:
    """A key set may name an issuer by a pattern; a hostile one would make a regular expression try for ever."""
    web = Web()
    web[JWKS_URL] = jwks(EC, issuer="https://x/" + "{a}" * 60 + "!")
    where = auth(Issuer("https://x/" + "a" * 100, audience="api", jwks_uri=JWKS_URL), web=web)
    with pytest.raises(TokenInvalid) as caught:
        where.verify(token(EC, iss="https://x/" + "a" * 100))
    assert caught.value.reason == "key_issuer_mismatch"


@attacks(OWN, "a revocation list that does not say yes or no", answer="401 revoked, or 503")
def test_a_list_that_is_unsure_refuses() -> None:
    """None, 0, and an exception are no permission."""

    class Unsure:
        def __init__(self, answer: Any) -> None:
            self.answer = answer

        async def is_revoked(self, **_: Any) -> Any:
            if isinstance(self.answer, Exception):
                raise self.answer
            return self.answer

    for answer, error in ((None, Revoked), (0, Revoked), ("", Revoked), (OSError(), StoreUnavailable)):
        where = auth(Issuer(ISSUER, audience="api", keys=jwks(EC)), revocations=Unsure(answer))
        with pytest.raises(error):
            where.verify(token(EC))


@attacks(OWN, "settings changed after they were checked", answer="no effect")
def test_keys_that_are_changed_later_change_nothing() -> None:
    """The mapping that was given as keys= is read once."""
    document = jwks(EC)
    where = auth(Issuer(ISSUER, audience="api", keys=document))
    document["keys"].append({**EVIL.jwk, "kid": "evil"})
    document["keys"][0].update(EVIL.jwk)
    with pytest.raises(TokenInvalid):
        where.verify(token(EVIL))
    with pytest.raises(KeyNotFound):
        where.verify(token(EVIL, {"kid": "evil"}))
    assert where.verify(token(EC))


@attacks(OWN, "a secret by repr, describe, error or log", answer="never shown")
def test_a_secret_is_never_shown(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever an operator prints or an attacker provokes."""
    secret = "the-secret-of-the-team-is-very-long-indeed"
    with caplog.at_level(logging.DEBUG):
        issuer = Issuer(ISSUER, audience="api", keys=SharedSecret(secret, kid="k"))
        where = Auth(issuer, clock=FrozenClock(NOW))
        shown = [repr(where), repr(issuer), where.describe(), repr(issuer.static_keys), str(vars(type(issuer)))]
        for text in (keyed(b"x" * 32), keyed(secret.encode()) + "A", "garbage"):
            with pytest.raises(Refused) as caught:
                where.authorize(request(text), scope("a"))
            shown += [repr(caught.value), str(caught.value), str(where.answer(caught.value)), repr(caught.value.args)]
    for text in (*shown, caplog.text):
        assert secret not in text
        assert encode(secret.encode()) not in text
