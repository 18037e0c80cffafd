"""Facts that requirements ask loaders for: how often, for whom, and what a failure is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anyio
import pytest

from auth_doubles import ISSUER, NOW, auth, request, token
from bearerkit import (
    AuthContext,
    Issuer,
    Request,
    Requirement,
    access_valid,
    can,
    custom,
    permission,
    role,
    scope,
    service,
    tenant,
    tier,
)
from bearerkit.errors import (
    AccessExpired,
    BearerkitError,
    InsufficientScope,
    PermissionDenied,
    ServiceDisabled,
    StoreUnavailable,
    TenantUnknown,
)
from bearerkit.guards import Fact, Stage
from bearerkit.http import Headers
from bearerkit.policy import Policy
from bearerkit.testing import SigningKey

KEY = SigningKey.generate("ES256", kid="k1")
OURS = Issuer(ISSUER, audience="api", keys={"keys": [KEY.jwk]})


class Remote:
    """A store of the team, as loaders: everything that is asked of it is kept in `asked`."""

    def __init__(self, **answers: Any) -> None:
        self.answers = {
            "services": ["envoi"],
            "permissions": ["billing.read"],
            "tier": "pro",
            "access": True,
            **answers,
        }
        self.asked: list[str] = []

    def _answer(self, what: str) -> Any:
        self.asked.append(what)
        answer = self.answers[what]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def services(self, ctx: AuthContext, request: Request) -> Any:
        return self._answer("services")

    def permissions(self, ctx: AuthContext, request: Request) -> Any:
        return self._answer("permissions")

    def tier(self, ctx: AuthContext, request: Request) -> Any:
        return self._answer("tier")

    def access(self, ctx: AuthContext, request: Request) -> Any:
        return self._answer("access")

    async def policies_for(self, context: AuthContext) -> Policy:
        self.asked.append("policies")
        return Policy.parse([{"effect": "allow", "actions": ["*"], "resources": ["*"]}])

    def custom(self, ctx: AuthContext, request: Request) -> bool:
        self.asked.append("custom")
        return True

    def needs(self) -> Requirement:
        """Everything that this store is asked for, and the team's rule, in an odd order."""
        return (
            custom(self.custom, description="ours")
            & access_valid(load=self.access)
            & tier("pro", load=self.tier)
            & permission("billing.read", load=self.permissions)
            & service("envoi", load=self.services)
        )


def refusal_of(judge: Callable[[], object]) -> BearerkitError:
    with pytest.raises(BearerkitError) as refused:
        judge()
    return refused.value


def test_each_loader_is_asked_once_for_a_request() -> None:
    """However many guards stack, and again for the next request. The team's own rule is asked each time, and last."""
    remote, credential = Remote(), token(KEY)
    guarded, one = auth(OURS), request(credential)
    context = guarded.authorize(one, remote.needs())
    assert remote.asked == ["access", "tier", "permissions", "services", "custom"]
    guarded.authorize(one, service("envoi", load=remote.services) | role("x"))
    guarded.enforce(context, one, remote.needs())
    assert remote.asked[5:] == ["custom"]
    guarded.authorize(request(credential), service("envoi", load=remote.services))
    assert remote.asked[6:] == ["services"]


@pytest.mark.anyio
async def test_async_loaders_are_awaited() -> None:
    """On asyncio and trio; in sync code one that has to wait is a mistake that names it."""
    asked = []

    async def services(ctx: AuthContext, request: Request) -> list[str]:
        await anyio.sleep(0)
        asked.append(ctx.subject)
        return ["envoi"]

    guarded, need, one = auth(OURS), service("envoi", load=services), request(token(KEY))
    context = await guarded.aauthorize(one, need)
    await guarded.aenforce(context, one, need)
    assert asked == ["u1"]
    with pytest.raises(TypeError, match="services"):
        guarded.authorize(request(token(KEY)), need)


def test_another_request_in_the_same_memo_is_asked_about_anew() -> None:
    """A sub-request may be about another tenant, and a loader looks at its path."""
    asked: list[Any] = []

    def services(ctx: AuthContext, request: Request) -> list[str]:
        asked.append(request.path_params.get("tenant_id"))
        return ["envoi"]

    guarded, need, credential = auth(OURS), service("envoi", load=services), token(KEY)
    one = request(credential, tenant_id="acme")
    for tenant_id in ("acme", "acme", "blue"):
        again = Request("GET", "/", one.headers, {"tenant_id": tenant_id}, memo=one.memo)
        guarded.authorize(again, need)
    guarded.authorize(Request("POST", "/", one.headers, {"tenant_id": "blue"}, memo=one.memo), need)
    assert asked == ["acme", "blue", "blue"]


def test_a_conversation_is_asked_about_each_time() -> None:
    """A WebSocket lasts for hours: what was true when it began need not be true now."""
    remote, one = Remote(), request(token(KEY), kind="websocket")
    guarded, need = auth(OURS), service("envoi", load=remote.services)
    context = guarded.authorize(one, need)
    remote.answers["services"] = []
    assert isinstance(refusal_of(lambda: guarded.enforce(context, one, need)), ServiceDisabled)
    assert remote.asked == ["services"] * 2


def test_nothing_is_kept_of_a_caller_who_came_from_elsewhere() -> None:
    """A context that a test or a framework put there has no place in what is known of the request."""
    remote, one = Remote(), request(token(KEY))
    guarded, need = auth(OURS), service("envoi", load=remote.services)
    guarded.authorize(one, need)
    remote.answers["services"] = []
    assert isinstance(refusal_of(lambda: guarded.enforce(AuthContext.of(), one, need)), ServiceDisabled)
    guarded.authorize(one, need)
    assert remote.asked == ["services"] * 2


@pytest.mark.parametrize("failure", [OSError("no route"), TimeoutError(), KeyError("acme"), RuntimeError("a bug")])
def test_a_loader_that_fails_is_an_outage(failure: Exception) -> None:
    """503 and never a pass or a denial; nothing later is asked, and the failure is not kept."""
    remote, one = Remote(tier=failure), request(token(KEY))
    guarded = auth(OURS)
    refused = refusal_of(lambda: guarded.authorize(one, remote.needs()))
    assert isinstance(refused, StoreUnavailable)
    assert (refused.status, refused.reason) == (503, "store_unavailable")
    assert "no route" not in refused.public
    assert remote.asked == ["access", "tier"]
    remote.answers["tier"] = "pro"
    guarded.authorize(one, remote.needs())


def test_a_loader_may_refuse_in_its_own_words() -> None:
    """Such as a server that says that the account is locked."""
    locked = AccessExpired("by an administrator", reason="account_locked")
    refused = refusal_of(lambda: auth(OURS).authorize(request(token(KEY)), Remote(access=locked).needs()))
    assert refused is locked


def test_a_wrong_answer_is_told_to_the_operator(caplog: pytest.LogCaptureFixture) -> None:
    """As a mistake in the team's code (ERROR)."""
    refused = refusal_of(lambda: auth(OURS).authorize(request(token(KEY)), Remote(services="envoi").needs()))
    assert refused.reason == "check_failed"
    assert [record.levelname for record in caplog.records if "check_failed" in record.getMessage()] == ["ERROR"]


def test_whoever_lacks_a_scope_causes_no_call() -> None:
    """Not even an outage shows then, neither of the loaders nor of the policies."""
    remote = Remote(access=OSError("down"))
    guarded = auth(OURS, policies=remote)
    need = remote.needs() & scope("x") & can("a.b", "c")
    assert isinstance(refusal_of(lambda: guarded.authorize(request(token(KEY)), need)), InsufficientScope)
    assert remote.asked == []


@pytest.mark.parametrize("asks", ["sync", "async"])
@pytest.mark.parametrize("place", ["path", "header", "query"])
def test_a_stranger_learns_nothing_by_calls_or_their_number(asks: str, place: str) -> None:
    """Tenants that exist, that do not, and that are not named: the same answer, after the same calls: none."""
    remote = Remote()
    guarded = auth(OURS, policies=remote)
    need = remote.needs() & can("a.b", "c") & tenant(**{place: "tenant"})
    answers = []
    for name in ("acme", "nowhere", ""):
        headers = Headers([("Authorization", f"Bearer {token(KEY, tenant_id='home')}"), ("tenant", name)])
        one = Request("GET", "/", headers, {"tenant": name}, f"tenant={name}")
        if asks == "sync":
            refused = refusal_of(lambda one=one: guarded.authorize(one, need))
        else:
            refused = refusal_of(lambda one=one: anyio.run(guarded.aauthorize, one, need))
        assert isinstance(refused, TenantUnknown)
        answers.append(guarded.answer(refused))
        assert remote.asked == []
    assert answers[0] == answers[1] == answers[2]
    member = token(KEY, tenant_id="home", memberships=["acme"])
    headers = Headers([("Authorization", f"Bearer {member}"), ("tenant", "acme")])
    guarded.authorize(Request("GET", "/", headers, {"tenant": "acme"}, "tenant=acme"), need)
    assert remote.asked == ["policies", "access", "tier", "permissions", "services", "custom"]


def test_an_alternative_that_passes_spares_the_others() -> None:
    """The cheapest one is asked first, and one that passes is enough."""
    remote = Remote(services=[])
    guarded = auth(OURS)
    either = (
        service("envoi", load=remote.services) | tier("pro", load=remote.tier) | custom(remote.custom, description="x")
    )
    guarded.authorize(request(token(KEY, roles=["admin"])), role("admin") | either)
    assert remote.asked == []
    guarded.authorize(request(token(KEY)), role("admin") | either)
    assert remote.asked == ["services", "tier"]


def test_facts_that_are_made_anew_each_time_end_in_a_denial() -> None:
    """A requirement of a team with a mistake: it is not asked for ever."""
    asked = []

    class Odd(Requirement):
        stage = Stage.CUSTOM

        def check(self, ctx: AuthContext, request: Request, facts: Any, now: float) -> None:
            raise PermissionDenied("not found", reason="odd")

        def facts(self, request: Request) -> tuple[Fact, ...]:
            return (Fact("odd", lambda ctx, request: asked.append(ctx)),)

        def describe(self) -> str:
            return "odd"

    assert refusal_of(lambda: auth(OURS).authorize(request(token(KEY)), Odd())).reason == "odd"
    assert len(asked) == 1


def test_the_end_of_the_access_is_told_by_our_clock() -> None:
    """A claim and a loader, at the last second and after it."""
    guarded = auth(OURS)
    for end, passes in ((NOW + 1, True), (NOW, False)):
        for need, credential in (
            (access_valid(), token(KEY, access_expires_at=int(end))),
            (access_valid(load=Remote(access=end).access), token(KEY)),
        ):
            if passes:
                guarded.authorize(request(credential), need)
            else:
                refused = refusal_of(
                    lambda need=need, credential=credential: guarded.authorize(request(credential), need)
                )
                assert (refused.status, refused.reason) == (403, "access_expired")
