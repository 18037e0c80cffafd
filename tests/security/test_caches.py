"""Attacks on what is remembered: verdicts on tokens, missing keys, unknown issuers."""

from __future__ import annotations

from typing import Any

import pytest

from auth_doubles import ISSUER, JWKS_URL, NOW, Web, auth, jwks, request, token
from bearerkit import ANY, Auth, Issuer, IssuerResolver, MemoryRevocations, scope, tenant
from bearerkit.errors import (
    AudienceMismatch,
    Expired,
    InsufficientScope,
    IssuerMismatch,
    KeyNotFound,
    NotYetValid,
    ProofInvalid,
    Revoked,
    SignatureInvalid,
    TenantUnknown,
    TokenInvalid,
)
from bearerkit.testing import FrozenClock, SigningKey
from key_doubles import NoThreads
from security.attack import attacks, case
from security.forgery import B_ISSUER, EC, EVIL, RSA, resigned, signature_of

NEW = SigningKey.generate("ES256", kid="ec-2")


def entry(**settings: Any) -> Issuer:
    return Issuer(ISSUER, audience="api", keys=jwks(EC, RSA), **settings)


def tampered(text: str, sub: str) -> str:
    """The header and signature of a good token around the claims of another user."""
    head, _, signature = text.split(".")
    return f"{head}.{token(EC, sub=sub).split('.')[1]}.{signature}"


TAMPERED = {
    "same prefix, another signature": lambda text: resigned(text, bytes(64)),
    "same prefix, last bytes changed": lambda text: resigned(text, signature_of(text)[:-1] + b"\0"),
    "same suffix, other claims": lambda text: tampered(text, "admin"),
    "same kid and sub, signed by another": lambda text: token(EVIL),
    "same jti, signed by another": lambda text: token(EVIL, sub="admin"),
    "the token and more": lambda text: text + "A",
    "the token cut": lambda text: text[:-1],
    "same first 20 characters": lambda text: text[:20] + token(EVIL)[20:],
    "same first and last 20 characters": lambda text: text[:20] + token(EVIL)[20:-20] + text[-20:],
}


@pytest.mark.parametrize("change", [case(112, title, change, answer="401") for title, change in TAMPERED.items()])
def test_a_verdict_is_for_the_whole_token(change: Any) -> None:
    """A remembered good token does not vouch for one that shares a part with it."""
    where = auth(entry())
    text = token(EC)
    assert where.verify(text) is where.verify(text)
    with pytest.raises(TokenInvalid):
        where.verify(change(text))


@attacks(112, "same prefix, another user", answer="each its own caller")
def test_two_tokens_are_two_verdicts() -> None:
    """Tokens of one key begin alike: thousands of characters of header and claims may be equal."""
    where = auth(entry())
    for number in range(200):
        assert where.verify(token(EC, aaa="x" * 1_000, sub=f"u{number}")).subject == f"u{number}"
        assert where.verify(token(EC, aaa="x" * 1_000, sub=f"u{number}", jti="same")).subject == f"u{number}"


@attacks(113, "same token, other audience", answer="401 audience_mismatch")
def test_another_api_asks_anew() -> None:
    """Verdicts belong to one `Auth`; and where issuers are shared, the entry that accepted a token is part of it."""
    text = token(EC)
    api, other = auth(entry()), auth(Issuer(ISSUER, audience="other", keys=jwks(EC)))
    for _ in range(2):
        assert api.verify(text)
        with pytest.raises(AudienceMismatch):
            other.verify(text)


@attacks(113, "same token, other tenant", "same token, other endpoint", answer="404, 403")
def test_another_endpoint_asks_anew() -> None:
    """What is remembered is who calls; what a route needs is judged for every request."""
    where = auth(entry())
    text = token(EC, tenant_id="acme", scope="orders:read")
    for _ in range(2):
        assert where.authorize(request(text, tenant="acme"), scope("orders:read") & tenant(path="tenant"))
        with pytest.raises(TenantUnknown):
            where.authorize(request(text, tenant="blue"), tenant(path="tenant"))
        with pytest.raises(InsufficientScope):
            where.authorize(request(text), scope("orders:write"))


@attacks(113, "another credential in the same request", answer="401")
def test_a_request_is_known_by_its_credential() -> None:
    """The memo of a request that is dispatched anew does not vouch for other header fields."""
    where = auth(entry())
    first = request(token(EC))
    assert where.authorize(first).subject == "u1"
    second = request(token(EVIL))
    second.memo.update(first.memo)
    with pytest.raises(SignatureInvalid):
        where.authorize(second)
    third = request(token(EC, sub="u2"))
    third.memo.update(first.memo)
    assert where.authorize(third).subject == "u2"


@attacks(114, "remembered past its exp", answer="401 expired")
@attacks(114, "clock jump, forwards", answer="401 expired")
@attacks(114, "clock jump, backwards", answer="401 not_yet_valid")
def test_a_verdict_ends_with_the_token() -> None:
    """By the wall clock, in both directions, and once more when it is set right."""
    clock = FrozenClock(NOW)
    where = auth(entry(), clock=clock)
    text = token(EC)
    assert where.verify(text)
    clock.advance(329)
    assert where.verify(text)
    clock.advance(1)
    with pytest.raises(Expired):
        where.verify(text)
    for moment, error in ((NOW - 100, NotYetValid), (NOW + 10**6, Expired)):
        jumped = FrozenClock(NOW)
        again = auth(entry(), clock=jumped)
        assert again.verify(text)
        jumped.jump(moment - NOW)
        with pytest.raises(error):
            again.verify(text)
        jumped.jump(NOW - moment)
        assert again.verify(text)


@attacks(114, "monotonic jump over freshness", answer="keys are fetched anew")
def test_a_clock_that_is_set_back_stretches_no_key() -> None:
    """The age of keys is counted by the monotonic clock: whoever sets the date back keeps no removed key alive."""

    class Clock:
        wall, ticks = NOW, 1_000.0

        def now(self) -> float:
            return self.wall

        def monotonic(self) -> float:
            return self.ticks

    web, clock = Web(), Clock()
    web[JWKS_URL] = jwks(EC)
    remote = Issuer(ISSUER, audience="api", jwks_uri=JWKS_URL)
    where = Auth(remote, http=web, clock=clock, threads=NoThreads())
    text = token(EC, iat=NOW - 10_000, exp=NOW + 10_000)
    assert where.verify(text)
    web[JWKS_URL] = jwks(NEW)
    clock.wall, clock.ticks = NOW - 5_000, 1_000.0 + 601
    with pytest.raises(KeyNotFound):
        where.verify(text)


@attacks(115, "a bad token before the good one", answer="the good one passes")
def test_a_refusal_is_not_remembered() -> None:
    """Nobody can make a token refused by sending something like it first; only verified tokens are remembered."""
    clock = FrozenClock(NOW)
    where = auth(entry(), clock=clock)
    text = token(EC, nbf=NOW + 100)
    for bad in (text, tampered(text, "x"), text[:-1], text + "=", resigned(text, bytes(64))):
        with pytest.raises(TokenInvalid):
            where.verify(bad)
    clock.advance(100)
    assert where.verify(text)


@attacks(115, "a kid asked for before it exists", answer="401 for a minute at most")
def test_a_guessed_kid_is_refused_for_a_minute_at_most() -> None:
    """Who knows how kids are named may ask for the next one; when it appears it is found within `absent` seconds."""
    web, clock = Web(), FrozenClock(NOW)
    web[JWKS_URL] = jwks(EC)
    where = auth(Issuer(ISSUER, audience="api", jwks_uri=JWKS_URL), web=web, clock=clock, threads=NoThreads())
    where.warm_up()
    with pytest.raises(KeyNotFound):
        where.verify(token(EVIL, {"kid": "ec-2"}))
    web[JWKS_URL] = jwks(EC, NEW)
    for _ in range(59):
        clock.advance(1)
        with pytest.raises(KeyNotFound):
            where.verify(token(NEW))
    clock.advance(1)
    assert where.verify(token(NEW))
    assert len(web.asked) == 3


@attacks(115, "an issuer asked for before it exists", answer="401 for a minute at most")
def test_a_guessed_issuer_is_refused_for_a_minute_at_most() -> None:
    """The same for tenants: a "no" is remembered for `miss_ttl` seconds."""
    clock = FrozenClock(NOW)
    known: set[str] = set()

    def resolve(iss: str) -> Issuer | None:
        return Issuer(iss, audience="api", tenants=ANY, keys=jwks(EC)) if iss in known else None

    where = auth(IssuerResolver(resolve), clock=clock)
    with pytest.raises(IssuerMismatch):
        where.verify(token(EVIL, iss=B_ISSUER))
    known.add(B_ISSUER)
    clock.advance(60)
    assert where.verify(token(EC, iss=B_ISSUER))


@attacks(116, "flood of bad tokens", "flood of good tokens", answer="bounded, good verdicts stay")
def test_a_flood_does_not_fill_the_cache() -> None:
    """Bad tokens never get in; good ones drive out the oldest, and huge ones are not kept at all."""
    where = auth(entry(), token_cache=10)
    text = token(EC)
    kept = where.verify(text)
    for number in range(200):
        with pytest.raises(TokenInvalid):
            where.verify(resigned(token(EC, sub=f"u{number}"), bytes(64)))
    assert where.verify(text) is kept
    where.verify(token(EC, x="y" * 5_000))
    assert where.verify(text) is kept
    for number in range(10):
        where.verify(token(EC, sub=f"u{number}"))
    assert where.verify(text) is not kept


@pytest.mark.parametrize(
    "cnf",
    [
        case(119, f"remembered, then sent as a plain bearer token: {title}", cnf, answer="401 proof_required")
        for title, cnf in {
            "DPoP": {"jkt": "x"}, "mTLS": {"x5t#S256": "x"}, "DPoP and mTLS": {"jkt": "x", "x5t#S256": "x"},
            "a key in the token": {"jwk": EC.jwk}, "something new": {"urn:new": 1}, "empty": {}, "text": "x",
            "a list": [],
        }.items()
    ],
)  # fmt: skip
def test_a_verdict_is_no_proof(cnf: Any) -> None:
    """A token that is bound to a key stays worthless without it, however often it was verified before."""
    where = auth(entry())
    text = token(EC, cnf=cnf)
    for _ in range(3):
        assert where.verify(text).is_bound
        with pytest.raises(ProofInvalid) as caught:
            where.authorize(request(text))
        assert caught.value.reason == "proof_required"
    with pytest.raises(ProofInvalid):
        where.authorize(request(text), optional=True)


@attacks(119, "remembered, then revoked", answer="401 revoked")
def test_a_verdict_does_not_skip_the_list() -> None:
    """The list of revocations is asked on every request, remembered or not."""
    store = MemoryRevocations()
    where = auth(entry(), revocations=store)
    text = token(EC, sid="s1")
    for _ in range(2):
        where.authorize(request(text))
    store.revoke_session("s1", issuer=ISSUER)
    with pytest.raises(Revoked):
        where.authorize(request(text))


def test_what_is_remembered_cannot_be_changed() -> None:
    """A context is shared between requests: no handler can grant anything to the next caller with this token."""
    where = auth(entry())
    text = token(EC, realm_access={"roles": ["user"]}, x=[1, {"a": 1}])
    context = where.verify(text)
    for change in (
        lambda: context.claims.__setitem__("sub", "admin"),
        lambda: context.claims["realm_access"].__setitem__("roles", ["admin"]),
        lambda: context.claims["x"].append(1),
        lambda: setattr(context, "subject", "admin"),
        lambda: setattr(context, "_claims", {}),
    ):
        with pytest.raises((TypeError, AttributeError)):
            change()
    assert where.verify(text).roles == ("user",)
