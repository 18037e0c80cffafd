"""What every store of API keys must do, as a mix-in of tests for pytest: for ours and for those of other teams.

    @pytest.mark.anyio
    class TestMyApiKeys(ApiKeyStoreTests):
        @pytest.fixture
        async def store(self):
            yield MyApiKeys(…)          # empty

`store` is an `ApiKeyStore`. Each test says in one sentence what it proves. No test here may know how a store keeps
anything.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bearerkit.api_key.peppers import StoredHash
from bearerkit.api_key.record import ApiKeyRecord

__all__ = ["ApiKeyStoreTests", "record"]

NOW = 1_790_000_000.5


def record(key: str = "k1", **fields: Any) -> ApiKeyRecord:
    """A record with something in every field."""
    given: dict[str, Any] = {
        "subject": "u1",
        "created_at": NOW,
        "tenant_id": "acme",
        "scopes": ("orders:read", "orders:write"),
        "roles": ("editor", "caf\xe9"),
        "name": "CI of caf\xe9",
        "expires_at": NOW + 1_000,
        "claims": {"plan": {"tier": "pro", "seats": [1, 2.5, None, True]}},
        **fields,
    }
    return ApiKeyRecord(key, StoredHash(3, bytes(range(224, 256))), **given)


class ApiKeyStoreTests:
    """Tests of one store; see the module."""

    async def test_a_record_comes_back_as_it_was(self, store: Any) -> None:
        """Every field, with and without what may be missing, and the hash to the last byte."""
        whole = record(revoked_at=NOW + 1, last_used_at=NOW + 2)
        bare = record("k2", tenant_id=None, scopes=(), roles=(), name="", expires_at=None, claims={})
        for one in (whole, bare):
            await store.add(one)
        assert await store.find("k1") == whole
        assert await store.find("k2") == bare
        assert type((await store.find("k1")).hashed.digest) is bytes

    async def test_ids_are_compared_exactly(self, store: Any) -> None:
        """No other case, no space, no wildcard, no quote finds a record."""
        await store.add(record("k1"))
        for other in ("K1", "k1 ", " k1", "k_", "k%", "", "k", "k11", "k1'--", "\N{FULLWIDTH LATIN SMALL LETTER K}1"):
            assert await store.find(other) is None, other

    async def test_an_id_is_not_given_twice(self, store: Any) -> None:
        """The second one fails and changes nothing."""
        await store.add(record("k1"))
        try:
            await store.add(record("k1", subject="u2"))
        except Exception:
            assert (await store.find("k1")).subject == "u1"
        else:
            raise AssertionError("this should have failed")

    async def test_the_first_revocation_stays(self, store: Any) -> None:
        """Nothing else changes, no other record does, and one that is not there is passed over."""
        for key in ("k1", "k2"):
            await store.add(record(key))
        await store.revoke("k1", NOW + 5)
        await store.revoke("k1", NOW + 9)
        await store.revoke("k9", NOW + 9)
        assert await store.find("k1") == record("k1", revoked_at=NOW + 5)
        assert await store.find("k2") == record("k2")
        assert await store.find("k9") is None

    async def test_rotation_writes_both_or_neither(self, store: Any) -> None:
        """The old key ends no later than it was to; one that does not count has no successor."""
        ends = {"never": None, "later": NOW + 500, "sooner": NOW + 20, "now": NOW + 10, "over": NOW + 5}
        for key, at in ends.items():
            await store.add(record(key, expires_at=at))
        await store.add(record("revoked", revoked_at=NOW + 1))
        told = {
            key: await store.rotate(key, NOW + 100, NOW + 10, record(f"{key}2", expires_at=None))
            for key in (*ends, "revoked", "missing")
        }
        assert [key for key, done in told.items() if done is True] == ["never", "later", "sooner"]
        assert [key for key, done in told.items() if done is False] == ["now", "over", "revoked", "missing"]
        after = {key: (await store.find(key)).expires_at for key in ends}
        assert after == {**ends, "never": NOW + 100, "later": NOW + 100}
        for key, done in told.items():
            assert await store.find(f"{key}2") == (record(f"{key}2", expires_at=None) if done else None)

    async def test_a_failed_rotation_changes_nothing(self, store: Any) -> None:
        """If the new record cannot be kept, the old key does not end."""
        for key in ("k1", "k2"):
            await store.add(record(key))
        try:
            await store.rotate("k1", NOW + 1, NOW, record("k2", subject="u2"))
        except Exception:
            assert await store.find("k1") == record("k1")
            assert await store.find("k2") == record("k2")
        else:
            raise AssertionError("this should have failed")

    async def test_uses_are_written_together(self, store: Any) -> None:
        """Each key its own moment, a later one stays, keys that are not there are passed over; also for very many."""
        for key in ("k1", "k2", "k3"):
            await store.add(record(key))
        await store.used({"k1": NOW + 1, "k2": NOW + 9, "k9": NOW + 1})
        await store.used({"k1": NOW + 5, "k2": NOW + 3})
        await store.used({})
        many = {f"x{number}": NOW + number for number in range(2_000)}
        await store.used({**many, "k3": NOW + 7})
        moments = [(await store.find(key)).last_used_at for key in ("k1", "k2", "k3")]
        assert moments == [NOW + 5, NOW + 9, NOW + 7]
        assert replace(await store.find("k1"), last_used_at=None) == record("k1")
        assert await store.find("k9") is None

    async def test_records_are_those_of_a_tenant_and_a_subject(self, store: Any) -> None:
        """Both count if both are given; oldest first; ended keys are among them."""
        made = [
            record("b", created_at=NOW + 2),
            record("c", created_at=NOW, revoked_at=NOW + 1),
            record("a", created_at=NOW, tenant_id="blue"),
            record("d", created_at=NOW + 1, subject="u2"),
            record("e", created_at=NOW + 3, tenant_id=None),
        ]
        for one in made:
            await store.add(one)

        async def ids(**of: str) -> list[str]:
            return [found.id for found in await store.records(**of)]

        assert await ids() == ["a", "c", "d", "b", "e"]
        assert await ids(tenant_id="acme") == ["c", "d", "b"]
        assert await ids(subject="u1") == ["a", "c", "b", "e"]
        assert await ids(tenant_id="acme", subject="u1") == ["c", "b"]
        assert await ids(tenant_id="ACME") == await ids(tenant_id="") == await ids(subject="u%") == []
