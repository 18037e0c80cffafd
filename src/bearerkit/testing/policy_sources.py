"""What every policy store must do, as a mix-in of tests for pytest: for ours and for those of other teams.

    @pytest.mark.anyio
    class TestMyPolicies(PolicyStoreTests):
        @pytest.fixture
        async def policies(self):
            yield MyPolicies(…)          # empty, with the default limits

`policies` has the methods of `bearerkit.stores.policy_store.PolicyStore` that are awaited. Each test says in one
sentence what it proves. No test here may know how a store keeps anything.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from bearerkit.context import AuthContext
from bearerkit.errors import BearerkitError, PolicyError
from bearerkit.jose.mapping import ClaimMapping
from bearerkit.policy import Attachment
from bearerkit.stores.policy_errors import PolicyConflict, PolicyUnknown

__all__ = ["PolicyStoreTests", "allow", "caller"]

_DEPTH = 16
_LIMIT = 25


def caller(tenant: str | None = "acme", *, key: str | None = None, **claims: Any) -> AuthContext:
    """A caller as a token would describe him; with `key`, an API key that acts for him."""
    context = AuthContext.of(subject=claims.pop("user", "u1"), tenant_id=tenant, jti=key, **claims)
    if key is None:
        return context
    return AuthContext(context.claims, ClaimMapping(), credential_kind="api_key")


def allow(*actions: str, effect: str = "allow") -> list[dict[str, Any]]:
    """A document that allows these actions on everything."""
    return [{"effect": effect, "actions": list(actions), "resources": ["*"]}]


async def _refused(error: type[BaseException], call: Awaitable[Any]) -> Any:
    try:
        await call
    except error as refused:
        return refused
    raise AssertionError(f"this should have been refused with {error.__name__}")


async def _may(policies: Any, who: AuthContext, action: str = "orders.read") -> bool:
    found: Attachment = await policies.policies_for(who)
    principal = found.principal(id=who.subject, roles=who.roles, groups=who.groups, tenant=who.tenant_id)
    return found.policy.allows(action, "orders/1", principal)


class PolicyStoreTests:
    """Tests of one store; see the module."""

    async def test_versions_count_and_are_kept(self, policies: Any) -> None:
        """Each put is the next version under the same id, and all of them can be read."""
        first = await policies.aput("acme", "reader", allow("orders.read"))
        second = await policies.aput("acme", "reader", allow("orders.list"))
        assert (first.version, second.version, second.id) == (1, 2, first.id)
        assert second.document == allow("orders.list")
        assert await policies.aget("acme", "reader") == await policies.aget("acme", first.id) == second
        assert await policies.aget("acme", "reader", version=1) == first
        assert await policies.ahistory("acme", "reader") == (first, second)
        assert await policies.alist("acme") == (second,)
        await _refused(PolicyUnknown, policies.aget("acme", "reader", version=3))
        await _refused(PolicyUnknown, policies.aget("acme", "nobody"))

    async def test_what_does_not_parse_is_not_written(self, policies: Any) -> None:
        """A document with one bad statement is refused whole: no row, no version, no epoch."""
        document = [*allow("orders.read"), {"effect": "deny", "actions": [], "resources": ["*"]}]
        refused = await _refused(PolicyError, policies.aput("acme", "reader", document))
        assert refused.problems[0].pointer.startswith("/1")
        assert (await policies.alist("acme"), await policies.aepoch("acme")) == ((), 0)
        await policies.aput("acme", "reader", allow("orders.read"))
        await _refused(PolicyError, policies.aput("acme", "reader", document))
        assert (await policies.aget("acme", "reader")).version == await policies.aepoch("acme") == 1

    async def test_a_change_of_an_old_version_is_refused(self, policies: Any) -> None:
        """Whoever changes what he has not seen overwrites nothing."""
        await policies.aput("acme", "reader", allow("orders.read"), expected_version=0)
        refused = await _refused(
            PolicyConflict, policies.aput("acme", "reader", allow("orders.list"), expected_version=0)
        )
        assert refused.version == 1
        await _refused(PolicyConflict, policies.aput("acme", "other", allow("orders.list"), expected_version=1))
        await _refused(PolicyConflict, policies.adelete("acme", "reader", expected_version=2))
        assert await policies.aepoch("acme") == 1
        assert (await policies.aput("acme", "reader", allow("orders.list"), expected_version=1)).version == 2

    async def test_each_kind_of_binding_reaches_its_callers_only(self, policies: Any) -> None:
        """A role, group, user or key has what is bound to it, and others of the same spelling have not."""
        await policies.aput("acme", "reader", allow("orders.read"))
        await policies.aput("acme", "author", allow("orders.*"))
        await policies.abind("acme", "author", user="author")
        own = {
            "role": caller(roles=["x"]),
            "group": caller(groups=["x"]),
            "user": caller(user="x"),
            "key": caller(key="x", user="author"),
        }
        for kind, who in own.items():
            assert not await _may(policies, who)
            await policies.abind("acme", "reader", **{kind: "x"})
            assert {name: await _may(policies, other) for name, other in own.items()} == {
                name: name == kind for name in own
            }, kind
            assert not await _may(policies, who, "orders.delete")
            await policies.aunbind("acme", "reader", **{kind: "x"})
            assert not await _may(policies, who)

    async def test_binding_twice_changes_nothing(self, policies: Any) -> None:
        """What is bound may be bound again, what is not bound may be unbound, and the epoch stays."""
        stored = await policies.aput("acme", "reader", allow("orders.read"))
        for _ in range(2):
            await policies.abind("acme", "reader", role="editor")
            await policies.abind("acme", stored.id, role="editor")
        assert await policies.aepoch("acme") == 2
        (binding,) = await policies.abindings("acme")
        assert binding == (stored.id, "reader", "role", "editor")
        for _ in range(2):
            await policies.aunbind("acme", "reader", role="editor")
        assert await policies.aepoch("acme") == 3
        assert await policies.abindings("acme", "reader") == ()
        await _refused(PolicyUnknown, policies.abind("acme", "other", role="editor"))

    async def test_a_binding_names_one_principal(self, policies: Any) -> None:
        """None, two, or an empty one is a mistake of the caller."""
        await policies.aput("acme", "reader", allow("orders.read"))
        await _refused(TypeError, policies.abind("acme", "reader"))
        await _refused(TypeError, policies.abind("acme", "reader", role="a", user="b"))
        await _refused(ValueError, policies.abind("acme", "reader", role=""))
        assert await policies.aepoch("acme") == 1

    async def test_roles_inherit_and_groups_have_roles(self, policies: Any) -> None:
        """What is bound to a parent reaches its children and the groups that have them, and nobody above."""
        await policies.aput("acme", "reader", allow("orders.read"))
        await policies.abind("acme", "reader", role="editor")
        await policies.aset_role_parents("acme", "junior", ["editor"])
        await policies.aset_role_parents("acme", "editor", ["chief"])
        await policies.aset_group_roles("acme", "staff", ["junior"])
        assert await policies.arole_parents("acme") == {"junior": ("editor",), "editor": ("chief",)}
        assert await policies.agroup_roles("acme") == {"staff": ("junior",)}
        assert await _may(policies, caller(roles=["junior"]))
        assert await _may(policies, caller(groups=["staff"]))
        assert not await _may(policies, caller(roles=["chief"]))
        await policies.aset_role_parents("acme", "junior", [])
        assert not await _may(policies, caller(groups=["staff"]))
        assert await policies.arole_parents("acme") == {"editor": ("chief",)}

    async def test_statements_name_roles_that_the_store_adds(self, policies: Any) -> None:
        """A versioned document for a parent role is about those who inherit from it."""
        document = {
            "version": "1.0",
            "statements": [
                {"effect": "allow", "principals": ["role:editor"], "actions": ["orders.read"], "resources": ["*"]}
            ],
        }
        await policies.aput("acme", "editors", document)
        await policies.aattach("acme", "editors")
        assert not await _may(policies, caller(groups=["staff"]))
        await policies.aset_group_roles("acme", "staff", ["junior"])
        await policies.aset_role_parents("acme", "junior", ["editor"])
        assert await _may(policies, caller(groups=["staff"]))

    async def test_circles_and_towers_of_roles_are_refused(self, policies: Any) -> None:
        """No role comes to be above itself, and none has more than sixteen above it."""
        await policies.aset_role_parents("acme", "a", ["b"])
        await policies.aset_role_parents("acme", "b", ["c"])
        for role, parent in (("c", "a"), ("d", "d")):
            refused = await _refused(PolicyError, policies.aset_role_parents("acme", role, [parent]))
            assert refused.problems[0].code == "role_cycle"
        for number in range(_DEPTH):
            await policies.aset_role_parents("deep", f"r{number}", [f"r{number + 1}"])
        refused = await _refused(PolicyError, policies.aset_role_parents("deep", "below", ["r0"]))
        assert refused.problems[0].code == "role_depth"
        assert (await policies.aepoch("acme"), await policies.aepoch("deep")) == (2, _DEPTH)

    async def test_tenants_do_not_see_each_other(self, policies: Any) -> None:
        """The same names in two tenants are two things, and no call of one changes the other."""
        await policies.aput("acme", "reader", allow("orders.read"))
        await policies.abind("acme", "reader", user="u1")
        await policies.aset_role_parents("acme", "junior", ["editor"])
        before = await policies.aepoch("acme"), await policies.abindings("acme"), await policies.alist("acme")
        assert await policies.alist("other") == await policies.abindings("other") == ()
        assert await policies.arole_parents("other") == {}
        assert not await _may(policies, caller("other"))
        for name in ("reader", before[2][0].id):
            await _refused(PolicyUnknown, policies.aget("other", name))
            await _refused(PolicyUnknown, policies.abind("other", name, user="u1"))
            await _refused(PolicyUnknown, policies.adelete("other", name))
        await policies.aput("other", "reader", allow("orders.list"))
        await policies.adelete("other", "reader")
        assert before == (
            await policies.aepoch("acme"),
            await policies.abindings("acme"),
            await policies.alist("acme"),
        )
        assert await _may(policies, caller("acme"))

    async def test_every_change_shows_in_the_next_answer(self, policies: Any) -> None:
        """A new version, a binding taken away, a policy deleted: the next request is judged by it."""
        who = caller(roles=["editor"])
        await policies.aput("acme", "reader", allow("orders.list"))
        await policies.abind("acme", "reader", role="editor")
        assert not await _may(policies, who)
        await policies.aput("acme", "reader", allow("orders.read"))
        assert await _may(policies, who)
        await policies.aput("acme", "never", allow("orders.read", effect="deny"))
        await policies.aattach("acme", "never")
        assert not await _may(policies, who)
        await policies.adetach("acme", "never")
        assert await _may(policies, who)
        await policies.adelete("acme", "reader")
        assert not await _may(policies, who)
        assert await policies.abindings("acme") == ()

    async def test_an_id_is_never_used_again(self, policies: Any) -> None:
        """What is bound to a deleted policy does not come back with one of the same name."""
        gone = await policies.aput("acme", "reader", allow("orders.read"))
        await policies.abind("acme", "reader", role="editor")
        await policies.adelete("acme", "reader")
        again = await policies.aput("acme", "reader", allow("orders.read"))
        assert (again.version, again.id != gone.id) == (1, True)
        assert not await _may(policies, caller(roles=["editor"]))
        assert await policies.ahistory("acme", "reader") == (again,)

    async def test_without_a_tenant_there_is_nothing(self, policies: Any) -> None:
        """A caller without tenant, and nobody at all, have no policies, whatever is bound where."""
        await policies.aput("acme", "reader", allow("orders.read"))
        await policies.aattach("acme", "reader")
        assert await _may(policies, caller("acme"))
        for who in (caller(None), caller(""), caller("a\x00cme"), AuthContext.anonymous()):
            found = await policies.policies_for(who)
            assert len(found.policy) == 0
        for tenant in ("", None, "a\x00cme", "x" * 256):
            await _refused(ValueError, policies.alist(tenant))
            await _refused(ValueError, policies.aput(tenant, "reader", allow("orders.read")))

    async def test_names_are_compared_exactly(self, policies: Any) -> None:
        """Case, spaces, accents and wildcards of names are part of them, and odd ones in a token do no harm."""
        await policies.aput("acme", "reader", allow("orders.read"))
        await policies.abind("acme", "reader", role="Editor é")
        assert await _may(policies, caller(roles=["Editor é"]))
        odd = ["editor é", "Editor é ", "Editor e\u0301", "%", "*", "Editor é\x00", "\ud800", "x" * 5_000, "'; --"]
        assert not await _may(policies, caller(roles=odd, groups=odd, user="Editor é"))
        assert not await _may(policies, caller("ACME", roles=["Editor é"]))
        for name in ("", " reader", "reader\n", "p-1", "x" * 256, "\ud800"):
            await _refused(ValueError, policies.aput("acme", name, allow("orders.read")))

    async def test_a_caller_may_have_very_many_roles(self, policies: Any) -> None:
        """Thousands of roles in a token are no outage."""
        await policies.aput("acme", "reader", allow("orders.read"))
        await policies.abind("acme", "reader", role="r1999")
        assert await _may(policies, caller(roles=[f"r{number}" for number in range(2_000)]))

    async def test_a_key_stays_within_its_author(self, policies: Any) -> None:
        """A key may do what is bound to it and what its user may do now, and nothing without a binding of its own."""
        await policies.aput("acme", "all", allow("orders.*"))
        await policies.aput("acme", "reader", allow("orders.read"))
        key = caller(key="k1", roles=["editor"])
        await policies.abind("acme", "reader", role="editor")
        assert not await _may(policies, key)
        await policies.abind("acme", "all", key="k1")
        assert await _may(policies, key)
        assert not await _may(policies, key, "orders.delete")
        await policies.aunbind("acme", "reader", role="editor")
        assert not await _may(policies, key)
        found = await policies.policies_for(key)
        assert found.policy.decide("orders.read", "orders/1").layer == "author"

    async def test_nobody_gets_too_many_policies(self, policies: Any) -> None:
        """The twenty-sixth policy of a principal, inherited ones included, is refused with the numbers."""
        for number in range(_LIMIT + 1):
            await policies.aput("acme", f"n{number}", allow("orders.read"))
        for number in range(_LIMIT):
            await policies.abind("acme", f"n{number}", role="editor")
        epoch, last = await policies.aepoch("acme"), f"n{_LIMIT}"
        await policies.abind("acme", last, role="chief")
        for call in (
            policies.abind("acme", last, role="editor"),
            policies.aattach("acme", last),
            policies.aset_role_parents("acme", "editor", ["chief"]),
            policies.aset_group_roles("acme", "staff", ["editor", "chief"]),
        ):
            refused: BearerkitError = await _refused(PolicyError, call)
            assert "26" in str(refused)
            assert "25" in str(refused)
        assert await policies.aepoch("acme") == epoch + 1
        assert len(await policies.abindings("acme")) == _LIMIT + 1

    async def test_touching_a_tenant_counts(self, policies: Any) -> None:
        """Rows that were changed by other means can be loaded anew everywhere; forgetting alone changes nothing."""
        await policies.aput("acme", "reader", allow("orders.read"))
        assert await policies.atouch("acme") == await policies.aepoch("acme") == 2
        policies.invalidate("acme")
        policies.invalidate()
        assert await policies.aepoch("acme") == 2
