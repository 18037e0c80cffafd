"""Stored hashes and records of API keys."""

from __future__ import annotations

import copy
import pickle
from dataclasses import replace
from typing import Any

import pytest

from bearerkit.api_key.peppers import Peppers, StoredHash, pepper_problems
from bearerkit.api_key.record import ApiKeyRecord, checked_record, context_of, ended
from bearerkit.errors import Expired, Revoked

ONE, TWO = bytes(range(32)), "0123456789abcdef" * 4
KEY = "acme_live_000g40r40m30e209_185gr38e1w8124gk2gahc5rr34d1p70x3rfj08921aaban2"
OTHER = KEY[:-1] + "3"
NOW = 1_790_000_000.0


def made(**fields: Any) -> ApiKeyRecord:
    given: dict[str, Any] = {
        "subject": "u1", "created_at": NOW, "tenant_id": None, "scopes": (), "roles": (), "name": "",
        "expires_at": None, "claims": {}, **fields,
    }  # fmt: skip
    return checked_record("k1", StoredHash(1, b"x" * 32), **given)


def test_the_newest_pepper_hashes_and_all_verify() -> None:
    """One that was taken away verifies nothing, and another one under its number neither."""
    before, both = Peppers({1: ONE}), Peppers({2: TWO, 1: ONE})
    old, new = before.hash(KEY), both.hash(KEY)
    assert (old.pepper, new.pepper, both.versions) == (1, 2, (1, 2))
    assert before.fits(KEY, old)
    assert both.fits(KEY, old)
    assert both.fits(KEY, new)
    assert not before.fits(KEY, new)
    assert not Peppers({2: TWO}).fits(KEY, old)
    assert not Peppers({1: TWO}).fits(KEY, old)
    assert old.digest != new.digest


def test_only_the_whole_key_fits() -> None:
    """No other key, no key without a row, no row without a hash."""
    peppers = Peppers({1: ONE})
    stored = peppers.hash(KEY)
    for other in (OTHER, KEY[:-1], KEY + "x", "", *(KEY[:at] + "z" + KEY[at + 1 :] for at in range(len(KEY)))):
        assert not peppers.fits(other, stored)
    for wrong in (None, StoredHash(1, b""), StoredHash(1, bytes(32)), StoredHash(9, stored.digest)):
        assert not peppers.fits(KEY, wrong)


@pytest.mark.parametrize(
    "stored", [None, StoredHash(1, b"x" * 32), StoredHash(9, b"x" * 32)], ids=["nobody", "wrong", "no-pepper"]
)
def test_the_same_work_is_done_whether_or_not_there_is_a_key(
    stored: StoredHash | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One hash and one comparison of 32 bytes."""
    import hmac

    steps: list[Any] = []
    digest, compare = hmac.digest, hmac.compare_digest
    monkeypatch.setattr(hmac, "digest", lambda *args: steps.append("digest") or digest(*args))
    monkeypatch.setattr(hmac, "compare_digest", lambda a, b: steps.append((len(a), len(b))) or compare(a, b))
    assert not Peppers({1: ONE}).fits(KEY, stored)
    assert steps == ["digest", (32, 32)]


def test_nobody_is_nobody_even_if_a_hash_comes_out_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands in for a missing row is never taken for one."""
    import hmac

    monkeypatch.setattr(hmac, "digest", lambda *args: bytes(32))
    for stored in (None, StoredHash(9, bytes(32))):
        assert not Peppers({1: ONE}).fits(KEY, stored)


def test_peppers_do_not_show() -> None:
    """Not in a repr, and not in a pickle."""
    peppers = Peppers({1: TWO})
    assert "0123" not in repr(peppers)
    with pytest.raises(TypeError):
        pickle.dumps(peppers)
    with pytest.raises(TypeError):
        copy.deepcopy(peppers)


@pytest.mark.parametrize(
    ("peppers", "problems"),
    [
        ({1: ONE, 2: TWO}, 0),
        ({}, 1),
        (None, 1),
        (ONE, 1),
        ({1: ONE[:31]}, 1),
        ({1: ""}, 1),
        ({1: b"x" * 64}, 1),
        ({1: "changeme" * 4}, 1),
        ({1: 5}, 1),
        ({0: ONE, True: TWO, "1": ONE, 2.0: b"", 40_000: "short"}, 8),
        ({1: ONE, 2: ONE}, 1),
    ],
)
def test_everything_wrong_with_peppers_is_told(peppers: Any, problems: int) -> None:
    """At once, and without a pepper."""
    told = pepper_problems(peppers)
    assert len(told) == problems, told
    assert "changeme" not in str(told)
    assert "short" not in str(told)


def test_a_record_becomes_a_caller() -> None:
    """Every field, and no claim of the team's stands in for one that the key does not have."""
    record = made(
        tenant_id="acme", scopes=["a", "b", "a"], roles=["r s"], expires_at=NOW + 5, claims={"tier": "pro", "x": [1]}
    )
    context = context_of(record)
    assert (context.credential_kind, context.token_id, context.subject) == ("api_key", "k1", "u1")
    assert (context.tenant_id, context.scopes, context.roles) == ("acme", ("a", "b"), ("r s",))
    assert (context.issued_at, context.expires_at, context.tier) == (NOW, NOW + 5, "pro")
    assert context.claims["x"] == (1,)
    bare = context_of(made(claims={"tid": "evil", "org_id": "evil", "uti": "k2"}))
    assert (bare.tenant_id, bare.scopes, bare.roles, bare.expires_at, bare.token_id) == (None, (), (), None, "k1")


def test_what_a_record_shows() -> None:
    """No hash in a repr nor in what is shown; equal as values."""
    record = made()
    assert "xxx" not in repr(record)
    assert "hashed" not in record.as_json()
    assert record.as_json()["scopes"] == []
    assert set(record.as_json()) == {name for name in ApiKeyRecord.__slots__ if name != "hashed"}
    assert record == made()
    assert hash(record) == hash(made())


@pytest.mark.parametrize(
    "fields",
    [
        *({"subject": bad} for bad in ("", None, 5, "x" * 256, "a\x00", "a\n", "\ud800")),
        *({"tenant_id": bad} for bad in ("", 5, "x" * 256)),
        *({"name": bad} for bad in (None, "a\x1b[1m", "\xe4" * 128)),
        *({"scopes": bad} for bad in ("orders:read", ["a b"], [""], ["\xe4"], [5], None, ['"'])),
        *({"roles": bad} for bad in ("admin", [""], [None], 5)),
        *({"expires_at": bad} for bad in (NOW, NOW - 1)),
        *({"claims": {name: "x"}} for name in ("sub", "scope", "scp", "roles", "role", "tenant_id", "cnf", "exp")),
        *({"claims": bad} for bad in (None, [], {"x": {1}}, {"x": float("nan")}, {"x": "y" * 9_000}, {"x": "\x00"})),
    ],
    ids=lambda fields: str(fields)[:60].encode("ascii", "replace").decode(),
)
def test_what_cannot_be_kept_is_refused(fields: dict[str, Any]) -> None:
    """Before anything is written."""
    with pytest.raises(ValueError):  # noqa: PT011 - the sentences differ
        made(**fields)


def test_all_problems_are_told_at_once() -> None:
    """One sentence each."""
    with pytest.raises(ValueError, match=r"subject.*tenant_id.*scopes.*claims"):
        made(subject="", tenant_id="", scopes="x", claims=None)


def test_claims_are_a_copy() -> None:
    """Whoever changes his own object afterwards changes no key."""
    claims: dict[str, Any] = {"x": [1]}
    record = made(claims=claims)
    claims["x"].append(2)
    assert record.claims == {"x": [1]}


def test_when_a_key_counts() -> None:
    """Not at the second in which it ends; a revocation comes first."""
    record = made(expires_at=NOW + 5)
    assert ended(record, NOW + 4.9) is None
    assert ended(made(), NOW + 1e9) is None
    assert isinstance(ended(record, NOW + 5), Expired)
    assert isinstance(ended(replace(record, revoked_at=NOW + 9), NOW + 5), Revoked)
