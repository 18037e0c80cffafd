"""What every list of revocations must do, as a mix-in of tests for pytest: for ours and for those of other teams.

    @pytest.mark.anyio
    class TestMyRevocations(RevocationTests):
        @pytest.fixture
        async def revocations(self):
            yield MyRevocations(…)          # empty

`revocations` has `is_revoked` of `bearerkit.ports.Revocations`, and `revoke_token`, `revoke_session` and
`revoke_subject` as `MemoryRevocations`, or the same with an `a` before them to be awaited. No test here may know how
entries are kept.
"""

from __future__ import annotations

import time
from typing import Any

import anyio

__all__ = ["RevocationTests"]

_ISSUER = "https://id.example"
_OTHER = "https://other.example"


async def _revoke(revocations: Any, what: str, name: str, **given: Any) -> None:
    awaited = getattr(revocations, f"arevoke_{what}", None)
    if awaited is not None:
        await awaited(name, **given)
    else:
        getattr(revocations, f"revoke_{what}")(name, **given)


async def _revoked(revocations: Any, **token: Any) -> bool:
    facts = {"issuer": _ISSUER, "token_id": "t", "session_id": "s", "subject": "u", "issued_at": 100.0} | token
    answer: bool = await revocations.is_revoked(**facts)
    assert isinstance(answer, bool)
    return answer


class RevocationTests:
    """Tests of one list; see the module."""

    async def test_nothing_is_revoked_at_first(self, revocations: Any) -> None:
        """An empty list refuses nobody, not even a token that names nothing."""
        assert not await _revoked(revocations)
        assert not await _revoked(revocations, token_id=None, session_id=None, subject=None, issuer=None)

    async def test_a_token_is_revoked_by_its_id(self, revocations: Any) -> None:
        """This one and no other."""
        await _revoke(revocations, "token", "t")
        assert await _revoked(revocations)
        assert not await _revoked(revocations, token_id="other")
        assert not await _revoked(revocations, token_id="T")
        assert not await _revoked(revocations, token_id=None)

    async def test_a_session_is_revoked_by_its_id(self, revocations: Any) -> None:
        """With every token of it, whenever it was issued."""
        await _revoke(revocations, "session", "s")
        assert await _revoked(revocations, token_id=None)
        assert await _revoked(revocations, issued_at=time.time() + 1e9)
        assert not await _revoked(revocations, session_id=None)

    async def test_kinds_of_names_do_not_mix(self, revocations: Any) -> None:
        """A token id that equals a revoked session id is another thing."""
        await _revoke(revocations, "token", "x")
        assert not await _revoked(revocations, session_id="x", subject="x")
        await _revoke(revocations, "session", "y")
        assert not await _revoked(revocations, token_id="y", subject="y")
        await _revoke(revocations, "subject", "z", before=200.0)
        assert not await _revoked(revocations, token_id="z", session_id="z")

    async def test_a_subject_is_revoked_up_to_a_moment(self, revocations: Any) -> None:
        """What was issued later is good; what does not say counts as old."""
        await _revoke(revocations, "subject", "u", before=100.0)
        assert [await _revoked(revocations, issued_at=at) for at in (0.0, 99.0, 100.0, 100.5)] == [
            *(True, True, True, False)
        ]
        assert not await _revoked(revocations, subject=None)

    async def test_a_subject_is_revoked_up_to_now_by_default(self, revocations: Any) -> None:
        """And half a minute more, since clocks differ."""
        await _revoke(revocations, "subject", "u")
        assert await _revoked(revocations, issued_at=time.time() + 20)
        assert not await _revoked(revocations, issued_at=time.time() + 60)

    async def test_an_earlier_moment_never_replaces_a_later_one(self, revocations: Any) -> None:
        """In whatever order they come."""
        for before in (50.0, 100.0, 70.0, 9.0):
            await _revoke(revocations, "subject", "u", before=before)
        assert await _revoked(revocations, issued_at=99.0)
        assert not await _revoked(revocations, issued_at=101.0)

    async def test_an_issuer_limits_the_entry(self, revocations: Any) -> None:
        """An entry for one issuer says nothing of another, and one for none holds for all."""
        await _revoke(revocations, "token", "t", issuer=_OTHER)
        await _revoke(revocations, "session", "s", issuer=_OTHER)
        await _revoke(revocations, "subject", "u", before=200.0, issuer=_OTHER)
        assert not await _revoked(revocations)
        assert not await _revoked(revocations, issuer=None)
        assert await _revoked(revocations, issuer=_OTHER)
        await _revoke(revocations, "token", "t")
        assert await _revoked(revocations)
        assert await _revoked(revocations, issuer=None)

    async def test_names_are_compared_exactly(self, revocations: Any) -> None:
        """However long and odd they are, and wherever one ends and the next begins."""
        odd = ["", " ", "a\x00b", "a" * 5_000, "Ä", "ä", "a\u0308", "\ud800", "%", "a_", "*", "i" + _ISSUER, "1:2"]
        for name in odd:
            assert not await _revoked(revocations, token_id=name)
            await _revoke(revocations, "token", name)
            assert await _revoked(revocations, token_id=name)
        await _revoke(revocations, "token", "yz", issuer="x")
        assert not await _revoked(revocations, token_id="z", issuer="xy")

    async def test_the_later_end_counts(self, revocations: Any) -> None:
        """An entry that was to last for long is not shortened by a second one, even by one that is over."""
        await _revoke(revocations, "token", "t")
        await _revoke(revocations, "token", "t", until=time.time() - 10_000)
        await _revoke(revocations, "session", "s", until=time.time() + 900)
        await _revoke(revocations, "session", "s", until=time.time() - 10_000)
        assert await _revoked(revocations, session_id=None, subject=None)
        assert await _revoked(revocations, token_id=None, subject=None)

    async def test_an_entry_outlives_its_until(self, revocations: Any) -> None:
        """Verifiers accept a token a little beyond `exp`."""
        await _revoke(revocations, "token", "t", until=time.time() - 60)
        assert await _revoked(revocations)

    async def test_many_at_once_are_all_kept(self, revocations: Any) -> None:
        """Entries that are written at the same time do not replace one another."""

        async def revoke(number: int) -> None:
            await _revoke(revocations, "token", f"t{number}")
            await _revoke(revocations, "subject", "u", before=100.0 + number)

        async with anyio.create_task_group() as tasks:
            for number in range(20):
                tasks.start_soon(revoke, number)
        assert all([await _revoked(revocations, token_id=f"t{number}", subject=None) for number in range(20)])
        assert await _revoked(revocations, token_id=None, issued_at=119.0)
        assert not await _revoked(revocations, token_id=None, issued_at=120.0)
