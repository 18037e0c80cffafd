"""service(), permission(), tier(), email_verified(), access_valid(), live(): by the credential, or by a fact."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bearerkit.context import AuthContext
from bearerkit.errors import (
    AccessExpired,
    BearerkitError,
    ConfigError,
    CredentialsMissing,
    EmailUnverified,
    InsufficientScope,
    PermissionDenied,
    ServiceDisabled,
)
from bearerkit.guards import (
    LIVE,
    Fact,
    Requirement,
    Stage,
    access_valid,
    any_scope,
    email_verified,
    facts_to_load,
    live,
    permission,
    refuse_early,
    scope,
    service,
    tier,
)
from bearerkit.http import Headers, Request
from bearerkit.jose.mapping import ClaimMapping

REQUEST = Request("GET", "/", Headers())
NOW = 1_790_000_000
Maker = Callable[..., Requirement]


def load(ctx: AuthContext, request: Request) -> Any:
    raise AssertionError("a rule never calls this")


def loaded(need: Requirement, answer: Any) -> dict[Fact, Any]:
    """`answer` as the one fact of `need`."""
    (fact,) = need.facts(REQUEST)
    return {fact: answer}


@pytest.mark.parametrize(
    ("need", "claims", "refusal", "reason"),
    [
        (service("a"), {"services": ["b", "a"]}, None, ""),
        (service("a", "b"), {"services": ["b", "a"]}, None, ""),
        (service("a", "c"), {"services": ["b", "a"]}, ServiceDisabled, "service_disabled"),
        (service("a"), {"services": ["A", "ab"]}, ServiceDisabled, "service_disabled"),
        (service("a"), {}, ServiceDisabled, "service_disabled"),
        (permission("a.b", "c.d"), {"permissions": ["c.d", "a.b"]}, None, ""),
        (permission("a.b"), {"permissions": ["a.*", "*"]}, PermissionDenied, "permission_missing"),
        (permission("a.b", "c.d"), {"permissions": ["a.b"]}, PermissionDenied, "permission_missing"),
        (permission("a.b"), {}, PermissionDenied, "permission_missing"),
        (tier("pro", "enterprise"), {"tier": "enterprise"}, None, ""),
        (tier("pro", "enterprise"), {"tier": "free"}, PermissionDenied, "tier_required"),
        (tier("pro"), {"tier": ["pro"]}, PermissionDenied, "tier_required"),
        (tier("pro"), {}, PermissionDenied, "tier_required"),
        (email_verified(), {"email_verified": True}, None, ""),
        (email_verified(), {"email_verified": "true"}, EmailUnverified, "email_unverified"),
        (email_verified(), {"email_verified": 1}, EmailUnverified, "email_unverified"),
        (email_verified(), {"email": "a@example.com"}, EmailUnverified, "email_unverified"),
        (access_valid(), {"access_expires_at": NOW + 1}, None, ""),
        (access_valid(), {"access_expires_at": NOW}, AccessExpired, "access_expired"),
        (access_valid(), {"access_expires_at": NOW - 1}, AccessExpired, "access_expired"),
        (access_valid(), {}, AccessExpired, "access_unknown"),
        (access_valid(optional=True), {}, None, ""),
        (access_valid(optional=True), {"access_expires_at": None}, None, ""),
        (access_valid(optional=True), {"access_expires_at": NOW - 1}, AccessExpired, "access_expired"),
        (access_valid(optional=True), {"access_expires_at": str(NOW + 1)}, AccessExpired, "access_expired"),
        (access_valid(optional=True), {"access_expires_at": True}, AccessExpired, "access_expired"),
        (access_valid(optional=True), {"access_expires_at": 10**15}, AccessExpired, "access_expired"),
    ],
)
def test_by_the_credential(
    judge: Any, need: Requirement, claims: dict[str, Any], refusal: type[BearerkitError] | None, reason: str
) -> None:
    """What it does not say, or says in another form, grants nothing."""
    assert need.facts(REQUEST) == ()
    assert need.stage is Stage.SCOPE
    found = judge(need, AuthContext({"sub": "u1", **claims}), now=NOW)
    if refusal is None:
        assert found is None
        return
    assert type(found) is refusal
    assert (found.status, found.reason) == (403, reason)


EVERYTHING = AuthContext(
    {"sub": "u1", "services": ["a"], "permissions": ["a"], "tier": "a", "access_expires_at": NOW + 1}
)


@pytest.mark.parametrize(
    ("maker", "answer", "reason"),
    [
        *[
            (maker, answer, None)
            for maker in (service, permission)
            for answer in (["a"], ("b", "a"), {"a"}, {"a": 1}.keys())
        ],
        (service, [], "service_disabled"),
        (service, frozenset({"ab"}), "service_disabled"),
        (permission, ["A"], "permission_missing"),
        *[
            (maker, answer, "check_failed")
            for maker in (service, permission)
            for answer in ("a", b"a", {"a": False}, None, True, ["a", 5], iter(["a"]), load)
        ],
        (tier, "a", None),
        (tier, None, "tier_required"),
        (tier, "ab", "tier_required"),
        *[(tier, answer, "check_failed") for answer in (["a"], {"a"}, True, load)],
        *[(access_valid, answer, None) for answer in (True, NOW + 1, NOW + 0.5, float("inf"))],
        *[(access_valid, answer, "access_expired") for answer in (False, NOW, 0, -1.5, float("nan"), float("-inf"))],
        *[(access_valid, answer, "check_failed") for answer in (None, "tomorrow", str(NOW + 1), [NOW + 1], load)],
    ],
)
def test_by_what_was_loaded(judge: Any, maker: Maker, answer: Any, reason: str | None) -> None:
    """It counts instead of what the credential says, and what is no answer denies, also where it would be true."""
    need = maker(load=load) if maker is access_valid else maker("a", load=load)
    assert need.stage is Stage.REMOTE
    found = judge(need, EVERYTHING if reason else AuthContext({"sub": "u1"}), facts=loaded(need, answer), now=NOW)
    assert (found and found.reason) == reason
    if reason == "check_failed":
        assert "load= returns" in found.hint


@pytest.mark.parametrize("maker", [service, permission, tier, access_valid])
def test_a_fact_that_was_not_loaded_denies(judge: Any, maker: Maker) -> None:
    """Forgetting to load is no way in."""
    need = maker(load=load) if maker is access_valid else maker("a", load=load)
    found = judge(need, EVERYTHING, now=NOW)
    assert found.reason == "check_failed"
    assert "was not asked" in found.detail


def test_one_loader_is_one_fact() -> None:
    """However many requirements name it; and it may be kept for the request."""
    (fact,) = (service("a", load=load) & service("b", load=load)).facts(REQUEST)
    assert fact.load is load
    assert fact.remote


@pytest.mark.parametrize("maker", [service, permission, tier])
def test_settings_that_cannot_work(maker: Maker) -> None:
    """No name, a name in a list, or a loader that is none."""
    for names, given in (((), {}), ((["a"],), {}), (("a",), {"load": "a"}), (("a",), {"load": Unhashable()})):
        with pytest.raises(ConfigError):
            maker(*names, **given)


class Unhashable:
    __hash__ = None  # type: ignore[assignment]

    def __call__(self, ctx: AuthContext, request: Request) -> Any:
        return True


def test_optional_is_about_the_credential() -> None:
    """Beside a loader it would mean nothing."""
    with pytest.raises(ConfigError, match="optional"):
        access_valid(load=load, optional=True)
    with pytest.raises(ConfigError, match="callable"):
        access_valid(load=5)  # type: ignore[arg-type]


def test_hints_name_the_claim_that_is_not_read(judge: Any) -> None:
    """For the operator: where it may stand instead."""
    mapping = ClaimMapping.parse({"permissions": "grants", "services": "modules"})
    ctx = AuthContext({"sub": "u1", "permissions": ["a"], "services": ["a"], "email_verified": "true"}, mapping)
    assert '"permissions"' in judge(permission("a"), ctx).hint
    assert '"services"' in judge(service("a"), ctx).hint
    assert "bool-or-string" in judge(email_verified(), ctx).hint
    assert judge(email_verified(), AuthContext({})).hint is None
    some = AuthContext({"permissions": ["b"], "services": ["b"]})
    assert judge(permission("a"), some).hint is judge(service("a"), some).hint is None
    assert "access_expires_at" in judge(access_valid(), some).hint


def test_a_mapped_claim_ends_the_access(judge: Any) -> None:
    """Under whatever name the issuer writes it."""
    mapping = ClaimMapping.parse({"access_expires_at": "account.until"})
    assert judge(access_valid(), AuthContext({"account": {"until": NOW + 1}}, mapping), now=NOW) is None
    assert judge(access_valid(), AuthContext({"account": {"until": NOW}}, mapping), now=NOW).reason == "access_expired"


def test_descriptions() -> None:
    """In words, and hashable."""
    words = {
        service("a"): 'service "a"',
        service("a", "b", load=load): 'services "a" and "b"',
        permission("a"): 'permission "a"',
        permission("a", "b"): 'permissions "a" and "b"',
        tier("a"): 'tier "a"',
        tier("a", "b"): 'tier "a" or "b"',
        email_verified(): "a verified e-mail address",
        access_valid(): "an account whose access has not ended",
        live(): "a credential that its issuer calls active",
        scope("a", live=True): 'scope "a" and a credential that its issuer calls active',
    }
    assert {need: need.describe() for need in words} == words


# --- live


def answer(**claims: Any) -> AuthContext:
    return AuthContext({"sub": "u1", **claims}, credential_kind="opaque")


def test_live_needs_the_answer_of_the_issuer(judge: Any) -> None:
    """A context, and nothing that is merely true."""
    assert live().facts(REQUEST) == (LIVE,)
    assert live().stage is Stage.LIVE
    assert judge(live(), EVERYTHING, facts={LIVE: answer()}) is None
    for other in (True, None, {"active": True}, AuthContext.anonymous()):
        assert judge(live(), EVERYTHING, facts={LIVE: other}).reason == "check_failed"
    assert judge(live(), EVERYTHING).reason == "check_failed"


def test_nobody_can_load_it_but_the_procedure() -> None:
    """The fact itself knows no credential."""
    with pytest.raises(TypeError):
        LIVE.load(EVERYTHING, REQUEST)


@pytest.mark.parametrize(
    ("need", "said", "passes"),
    [
        (scope("a", live=True), {}, True),
        (scope("a", live=True), {"scope": "b a"}, True),
        (scope("a", live=True), {"scp": ["b", "a"]}, True),
        (scope("a", live=True), {"scope": "b"}, False),
        (scope("a", live=True), {"scope": ""}, False),
        (scope("a", live=True), {"scp": ["b"]}, False),
        (any_scope("a", "c", live=True), {"scope": "c"}, True),
        (any_scope("a", "c", live=True), {"scope": "b"}, False),
        (live() & scope("a"), {"scope": "b"}, True),
    ],
)
def test_scopes_that_the_issuer_took_back(judge: Any, need: Requirement, said: dict[str, Any], passes: bool) -> None:
    """Where its answer names scopes, they are newer than the token's; they never add to them."""
    held = AuthContext.of(scopes=["a"])
    found = judge(need, held, facts={LIVE: answer(**said)})
    assert (found is None) is passes
    assert passes or (isinstance(found, InsufficientScope) and "a" in found.required)
    assert isinstance(judge(need, AuthContext.of(), facts={LIVE: answer(scope="a c")}), InsufficientScope)


def test_scopes_stay_in_the_description() -> None:
    """OpenAPI and challenges name them as without `live`."""
    need = scope("a", "b", live=True)
    assert need.scopes() == ("a", "b")
    assert need.only_scopes
    assert (need | scope("c")).only_scopes


def test_nobody_is_refused_early() -> None:
    """And no fact is loaded about nobody."""
    with pytest.raises(CredentialsMissing):
        refuse_early(live(), AuthContext.anonymous(), REQUEST, NOW)
    assert facts_to_load(live(), AuthContext.anonymous(), REQUEST, NOW) == ()
