"""ProductCraft Heimdall in both directions: its verifiers judge FakeIssuer's tokens, ours judges tokens of its shape.

FakeIssuer serves what Heimdall does: an issuer with a path (the application's slug), metadata and key set below
`/<slug>/v1`. Ours is set up with the settings of the provider collection (idps/heimdall.json).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from bearerkit import Auth, Issuer
from bearerkit.errors import TokenInvalid
from bearerkit.testing import FakeIssuer, SigningKey
from interop.foreign_code import Consumers, Minters

pytestmark = pytest.mark.interop

SLUG = "orders"
AT_HEIMDALL = f"https://api.heimdall.productcraft.co/{SLUG}"
USER = {"aid": "app-1", "sid": "session-1", "role": "member", "type": "end_user", "amr": ["pwd"]}
MACHINE = {"sub": "m2m_1", "aid": "app-1", "type": "m2m", "scopes": ["order.read", "order.write"]}
THEIRS = pytest.mark.parametrize("name", ["heimdall", "heimdall-passport"])

Build = Callable[..., Issuer]


@pytest.fixture(scope="module")
def provider() -> Iterator[FakeIssuer]:
    """FakeIssuer in Heimdall's shape, served."""
    issuer = FakeIssuer(
        AT_HEIMDALL,
        audience=SLUG,
        jwks_uri=f"{AT_HEIMDALL}/v1/.well-known/jwks.json",
        metadata_url=f"{AT_HEIMDALL}/v1/.well-known/openid-configuration",
        headers={"typ": "JWT"},
        claims={**USER, "sub": "user-1", "jti": None},
    )
    with issuer.serve():
        yield issuer


@pytest.fixture(scope="module")
def configured(shared: Path) -> Build:
    """`configured(issuer)`: ours, as idps/heimdall.json says, but for where Heimdall is."""
    settings = json.loads((shared / "idps" / "heimdall.json").read_text())["verifier"]
    del settings["issuer"], settings["jwks_uri"]

    def build(issuer: str, **place: Any) -> Issuer:
        return Issuer(issuer, **settings, **(place or {"jwks_uri": f"{issuer}/v1/.well-known/jwks.json"}))

    return build


def judged(consumers: Consumers, name: str, issuer: FakeIssuer, token: str) -> Any:
    return consumers.judge(name, token, base=issuer.issuer.removesuffix(f"/{SLUG}"), slug=SLUG)


# Ours issues, theirs judge


@THEIRS
@pytest.mark.parametrize(
    "claims",
    [
        pytest.param({}, id="end-user"),
        pytest.param({"tid": "t1", "trole": "admin"}, id="tenant"),
        pytest.param({"org_id": "t1", "org_role": "admin"}, id="organisation"),
        pytest.param({**MACHINE, "sid": None, "role": None, "amr": None}, id="machine"),
    ],
)
def test_heimdall_accepts_what_fake_issuer_mints(
    consumers: Consumers, provider: FakeIssuer, name: str, claims: dict[str, Any]
) -> None:
    """Every kind of token that Heimdall issues; the keys are found where Heimdall has them."""
    provider.fetches.clear()
    verdict = judged(consumers, name, provider, provider.token(claims))
    assert verdict.accepted, verdict.why
    wanted = {"iss": provider.issuer, "aud": SLUG, **USER, "sub": "user-1", **claims}
    given = {claim: value for claim, value in wanted.items() if value is not None}
    assert {**verdict.claims, **given} == verdict.claims
    assert set(verdict.claims) == {*given, "iat", "exp"}
    assert provider.fetches == [f"{provider.issuer}/v1/.well-known/jwks.json"]


FLAWS: Mapping[str, tuple[str, Callable[[FakeIssuer], str]]] = {
    "other-audience": ("audience_mismatch", lambda issuer: issuer.token(aud="billing")),
    "no-audience": ("audience_mismatch", lambda issuer: issuer.token(aud=None)),
    "other-issuer": ("issuer_mismatch", lambda issuer: issuer.token(iss=issuer.issuer.replace("/orders", "/billing"))),
    "platform-issuer": ("issuer_mismatch", lambda issuer: issuer.token(iss="https://api.auth.productcraft.co")),
    "expired": ("expired", lambda issuer: issuer.token(exp=int(issuer.now()) - 60)),
    "not-yet-valid": ("not_yet_valid", lambda issuer: issuer.token(nbf=int(issuer.now()) + 60)),
    "strangers-key": ("signature_invalid", lambda issuer: issuer.token(key=SigningKey.generate("RS256"))),
    "unknown-kid": ("key_not_found", lambda issuer: issuer.token(headers={"kid": "rs256-unknown"})),
    "hs256-with-the-public-key": ("algorithm_not_allowed", lambda issuer: issuer.token(headers={"alg": "HS256"})),
    "alg-none": ("malformed", lambda issuer: issuer.token(headers={"alg": "none"})),
    "ps256-by-an-rs256-key": ("algorithm_not_allowed", lambda issuer: issuer.token(headers={"alg": "PS256"})),
    "opaque": ("opaque", lambda issuer: "hdk_live_0123456789"),
}


@THEIRS
@pytest.mark.parametrize("flaw", FLAWS)
def test_both_refuse_the_same_flaws(
    consumers: Consumers, provider: FakeIssuer, configured: Build, name: str, flaw: str
) -> None:
    """Heimdall's verifier, the one in front of passport-jwt, and ours."""
    reason, make = FLAWS[flaw]
    token = make(provider)
    assert not judged(consumers, name, provider, token).accepted
    with pytest.raises(TokenInvalid) as refusal:
        Auth(configured(provider.issuer)).verify(token)
    assert refusal.value.reason == reason


ONLY_OURS_REFUSES: Mapping[str, tuple[str, Callable[[FakeIssuer], str]]] = {
    # no expiry: RFC 9068 section 2.2 requires one, and a token without it never ends
    "no-exp": ("exp_missing", lambda issuer: issuer.token(exp=None)),
    # a refresh token is no access token (RFC 8725 section 3.12); theirs looks at no type
    "refresh-token": ("claim_required", lambda issuer: issuer.token(type="refresh")),
    "no-type": ("claim_required", lambda issuer: issuer.token(type=None)),
    "typ-of-a-logout-token": ("typ_not_accepted", lambda issuer: issuer.token(headers={"typ": "logout+jwt"})),
    # nobody can act as a caller without a name (RFC 9068 section 2.2)
    "no-sub": ("sub_missing", lambda issuer: issuer.token(sub=None)),
    "issued-tomorrow": ("not_yet_valid", lambda issuer: issuer.token(iat=int(issuer.now()) + 86_400)),
    # the issuer before there was one per application: ours takes it only through an entry that has an end
    "legacy-issuer": ("issuer_mismatch", lambda issuer: issuer.token(iss="heimdall")),
}


@pytest.mark.parametrize("flaw", ONLY_OURS_REFUSES)
def test_where_heimdalls_verifier_takes_what_ours_refuses(
    consumers: Consumers, provider: FakeIssuer, configured: Build, flaw: str
) -> None:
    """A difference that goes away, on either side, must leave this list."""
    reason, make = ONLY_OURS_REFUSES[flaw]
    token = make(provider)
    assert judged(consumers, "heimdall", provider, token).accepted
    with pytest.raises(TokenInvalid) as refusal:
        Auth(configured(provider.issuer)).verify(token)
    assert refusal.value.reason == reason


def test_clocks_may_differ_by_more_for_ours(consumers: Consumers, provider: FakeIssuer, configured: Build) -> None:
    """15 s past its end: theirs forgives 5 s, ours 30 s unless `leeway=` says otherwise."""
    token = provider.token(exp=int(provider.now()) - 15)
    assert not judged(consumers, "heimdall", provider, token).accepted
    assert Auth(configured(provider.issuer)).verify(token).subject == "user-1"


def test_a_rotation_is_followed(consumers: Consumers, provider: FakeIssuer, configured: Build) -> None:
    """The first token of a new key passes here, and there with a verifier that is asked for the first time."""
    auth = Auth(configured(provider.issuer))
    auth.verify(provider.token())
    provider.rotate(keep_old=True)
    token = provider.token()
    assert auth.verify(token).subject == "user-1"
    assert judged(consumers, "heimdall", provider, token).accepted


# Theirs issues, ours judges


def minted(minters: Minters, header: dict[str, Any] | None = None, **claims: Any) -> str:
    """A token in Heimdall's shape that jose signed; None leaves a claim out."""
    now = int(time.time())
    filled = {"iss": f"{minters.url}/{SLUG}", "aud": SLUG, "sub": "user-1", "iat": now, "exp": now + 900, **USER}
    given = {claim: value for claim, value in {**filled, **claims}.items() if value is not None}
    return minters.mint("heimdall", claims=given, header=header or {})


@pytest.mark.parametrize("place", ["jwks_uri", "metadata_url"])
def test_ours_accepts_a_token_of_a_user(minters: Minters, configured: Build, place: str) -> None:
    """Keys by their address or through the metadata, both below /v1; who it is arrives where handlers look."""
    document = {"jwks_uri": "jwks.json", "metadata_url": "openid-configuration"}[place]
    issuer = f"{minters.url}/{SLUG}"
    auth = Auth(configured(issuer, **{place: f"{issuer}/v1/.well-known/{document}"}))
    ctx = auth.verify(minted(minters, tid="t1", trole="admin"))
    assert (ctx.subject, ctx.tenant_id, ctx.session_id, ctx.issuer) == ("user-1", "t1", "session-1", issuer)
    assert "member" in ctx.roles


def test_ours_accepts_the_other_spelling_of_the_tenant(minters: Minters, configured: Build) -> None:
    """The same specification says tid in one place and org_id in another."""
    ctx = Auth(configured(f"{minters.url}/{SLUG}")).verify(minted(minters, org_id="t2", org_role="admin"))
    assert ctx.tenant_id == "t2"


def test_ours_accepts_a_machine(minters: Minters, configured: Build) -> None:
    """Scopes are an array there."""
    ctx = Auth(configured(f"{minters.url}/{SLUG}")).verify(minted(minters, **MACHINE, sid=None, role=None, amr=None))
    assert ctx.subject == "m2m_1"
    assert ctx.has_scope("order.read", "order.write")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"aud": "billing"}, "audience_mismatch"),
        ({"aud": None}, "audience_mismatch"),
        ({"exp": None}, "exp_missing"),
        ({"exp": 1_790_000_000 - 10**9}, "expired"),
        ({"type": "refresh"}, "claim_required"),
        ({"iss": "heimdall"}, "issuer_mismatch"),
        ({"header": {"typ": "at+jwt"}}, "typ_not_accepted"),
        ({"header": {"kid": "rs256-unknown"}}, "key_not_found"),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(f"{name}" for name in value),
)
def test_ours_refuses_a_wrong_one(minters: Minters, configured: Build, changes: dict[str, Any], reason: str) -> None:
    """Signed by the right key, so that only what was changed can be why."""
    with pytest.raises(TokenInvalid) as refusal:
        Auth(configured(f"{minters.url}/{SLUG}")).verify(minted(minters, **changes))
    assert refusal.value.reason == reason
