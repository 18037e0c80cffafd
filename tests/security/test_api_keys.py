"""Attacks on API keys: on their text, their store, their owners, what is remembered of them, and what leaks."""

from __future__ import annotations

import logging
import traceback
from dataclasses import replace
from typing import Any

import pytest

import bearerkit.api_key.form as form
from api_key_doubles import PEPPERS, CountingStore, own_keys
from auth_doubles import ISSUER, NOW, Web, auth, jwks, request, token
from bearerkit import ApiKeys, Auth, ConfigError, Issuer
from bearerkit.api_key.form import RANDOM_BYTES, OwnForm
from bearerkit.api_key.peppers import Peppers, StoredHash
from bearerkit.api_keys import ApiKeyUnknown
from bearerkit.errors import BearerkitError, InvalidRequest, Malformed, TokenInvalid
from bearerkit.testing import FrozenClock
from security.attack import OWN, attacks, case
from security.forgery import EC


class World:
    """Keys of ours over a store that counts, behind an `Auth` that also takes JWTs."""

    def __init__(self, **settings: Any) -> None:
        self.clock, self.store, self.web = FrozenClock(NOW), CountingStore(), Web()
        self.keys = own_keys(self.store, self.clock, **settings)
        self.auth = self.over(self.keys)
        self.made = self.keys.generate(subject="u1", tenant_id="acme", scopes=["orders:read"])
        self.key = self.made.key
        self.store.calls.clear()

    def over(self, *keys: ApiKeys) -> Auth:
        return auth(Issuer(ISSUER, audience="api", keys=jwks(EC)), *keys, clock=self.clock, web=self.web)

    def row(self, **changes: Any) -> None:
        """Change the row of the key behind the back of everybody, as somebody who can write the table does."""
        rows = self.store.inner._records
        rows[self.made.record.id] = replace(rows[self.made.record.id], **changes)


@pytest.fixture
def world() -> World:
    return World()


def refused(where: Auth, text: str) -> TokenInvalid:
    with pytest.raises(TokenInvalid) as raised:
        where.verify(text)
    assert where.answer(raised.value).status == 401
    return raised.value


TEXTS: dict[str, Any] = {
    "cut off": lambda key: key[:-1],
    "without its checksum": lambda key: key[:-7],
    "the prefix alone": lambda key: "acme_live_",
    "one character more": lambda key: key + "0",
    "padding behind": lambda key: key + "=",
    "a newline behind": lambda key: key + "\n",
    "NUL in it": lambda key: key[:30] + "\0" + key[31:],
    "one character changed": lambda key: key[:40] + ("1" if key[40] == "0" else "0") + key[41:],
    "neighbours swapped": lambda key: _swapped(key),
    "in capitals": lambda key: "acme_live_" + key[10:].upper(),
    "digits of another script": lambda key: key[:-1] + "\N{FULLWIDTH DIGIT ONE}",
    "o for 0": lambda key: "acme_live_" + "o" * 16 + key[26:],
    "of another environment, renamed": lambda key: _renamed(key),
    "all zeros": lambda key: "acme_live_" + "0" * 16 + "_" + "0" * 47,
    "of 16 kB": lambda key: key + "0" * 16_000,
    "two keys in one": lambda key: key + key,
    "a JWT behind the prefix": lambda key: "acme_live_" + token(EC),
    "SQL in the id": lambda key: "acme_live_' or 1=1 --_" + key[27:],
    "a wildcard as id": lambda key: "acme_live_" + "%" * 16 + key[26:],
}


def _swapped(key: str) -> str:
    at = next(at for at in range(30, 50) if key[at] != key[at + 1])
    return key[:at] + key[at + 1] + key[at] + key[at + 2 :]


def _renamed(key: str) -> str:
    return OwnForm("acme_test_").make(bytes(RANDOM_BYTES)).text.replace("test", "live")


@pytest.mark.parametrize(
    "change", [case(OWN, f"API key: {title}", change, answer="401, no look-up") for title, change in TEXTS.items()]
)
def test_what_is_no_key_is_asked_of_nobody(world: World, change: Any) -> None:
    """Neither the store nor an issuer hears of it, and the answer does not tell what was wrong."""
    text = change(world.key)
    found = refused(world.auth, text)
    assert found.reason == Malformed.reason
    assert len(text) < 20 or text not in str(found)
    assert world.auth.answer(found).body == world.auth.answer(Malformed()).body
    assert (world.store.calls, world.web.urls) == ([], [])


@attacks(OWN, "API key: the id of another one, own secret", "API key: own id, a guessed secret", answer="401, one hash")
def test_id_and_secret_belong_together(world: World) -> None:
    """With a right checksum, which anybody can compute."""
    other = world.keys.generate(subject="u2").key
    for body in (world.key[:27] + other[27:-7], other[:27] + world.key[27:-7], world.key[:27] + "0" * 40):
        assert refused(world.auth, body + form._checksum(body)).reason == "api_key_unknown"


@attacks(OWN, "API key: a key that was never given out, as an oracle", answer="401 as for a wrong secret, same work")
def test_whether_an_id_exists_does_not_show(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """One look-up, one hash, one comparison, one answer; also for one that was revoked or has ended."""
    steps: list[str] = []
    fits = Peppers._digest
    monkeypatch.setattr(Peppers, "_digest", lambda *args: steps.append("hash") or fits(*args))
    nobodys = OwnForm("acme_live_").make(bytes(RANDOM_BYTES)).text
    body = world.key[:27] + "0" * 40
    somebodys = body + form._checksum(body)
    told = []
    for change in ({}, {"revoked_at": NOW}, {"expires_at": NOW - 1, "revoked_at": None}):
        world.row(**change)
        for text in (nobodys, somebodys):
            steps.clear()
            world.store.calls.clear()
            answer = world.auth.answer(refused(world.auth, text))
            told.append((answer.status, answer.headers, answer.body, tuple(steps), tuple(world.store.calls)))
    assert len(set(told)) == 1
    assert told[0][3:] == (("hash",), ("find",))


@attacks(
    OWN, "API key: the table is read: hash sent as secret", "API key: a row written without the pepper",
    "API key: a hash copied to another row", "API key: a row that names another pepper", "API key: an empty hash",
    answer="401 api_key_unknown",
)  # fmt: skip
def test_a_stolen_or_forged_table_is_worth_nothing(world: World) -> None:
    """Who has the table but not the pepper can neither use a key nor make one."""
    import hashlib

    stored = world.made.record.hashed.digest
    for text in (stored.hex(), stored.hex()[:40]):
        body = world.key[:27] + text[:40]
        with pytest.raises(TokenInvalid):
            world.auth.verify(body + form._checksum(body))
    mine = OwnForm("acme_live_").make(bytes(range(RANDOM_BYTES)))
    other = world.keys.generate(subject="admin")
    for hashed in (
        StoredHash(1, hashlib.sha256(world.key.encode()).digest()),
        Peppers({1: b"some other pepper, of 32 bytes.."}).hash(world.key),
        StoredHash(2, stored),
        StoredHash(1, b""),
        StoredHash(1, bytes(32)),
        other.record.hashed,
    ):
        world.row(hashed=hashed)
        assert refused(world.auth, world.key).reason == "api_key_unknown"
        assert refused(world.auth, mine.text).reason == "api_key_unknown"


@attacks(OWN, "API key: revoked, then sent again", "API key: revoked while remembered", answer="401 revoked")
@pytest.mark.parametrize("seconds", [0, 60])
def test_a_revoked_key_is_dead(seconds: int) -> None:
    """At once in the process that revoked it, remembered or not."""
    world = World(cache_seconds=seconds)
    world.auth.verify(world.key)
    world.keys.revoke(world.made.record.id)
    assert refused(world.auth, world.key).reason == "revoked"


@attacks(OWN, "API key: expired, clock set back", answer="401 expired")
def test_a_key_that_has_ended_stays_ended(world: World) -> None:
    """Where it ends is in its record; what is remembered of it dies by either clock."""
    world = World(cache_seconds=60)
    made = world.keys.generate(subject="u1", expires_in=30)
    world.auth.verify(made.key)
    world.clock.advance(30)
    assert refused(world.auth, made.key).reason == "expired"
    world.clock.jump(-60)
    world.clock.advance(31)
    assert world.auth.verify(world.key)
    assert world.store.calls.count("find") >= 2


@attacks(OWN, "API key: rotated twice to prolong the old one", answer="it ends when it was to")
def test_rotation_prolongs_nothing(world: World) -> None:
    """However often, with whatever overlap."""
    old = world.keys.generate(subject="u1", expires_in=100)
    world.keys.rotate(old.record.id, overlap=10)
    for _ in range(3):
        world.keys.rotate(old.record.id, overlap=10_000)
    assert world.keys.get(old.record.id).expires_at == NOW + 10


@attacks(OWN, "API key: id of another tenant's key to show, revoke or rotate", answer="404, as for an unknown one")
def test_another_tenants_key_is_out_of_reach(world: World) -> None:
    """Whoever manages keys of his tenant by id."""
    for call in (world.keys.get, world.keys.revoke, lambda *a, **k: world.keys.rotate(*a, **k, overlap=0)):
        with pytest.raises(ApiKeyUnknown):
            call(world.made.record.id, tenant_id="blue")
    assert world.auth.verify(world.key)


@attacks(OWN, "API key: claims that pose as fields of the key", answer="refused when it is made, or not read")
def test_further_claims_are_no_privileges(world: World) -> None:
    """Neither another subject, tenant, scope nor role."""
    taken = {
        "sub": "admin",
        "scope": "*",
        "scp": ["*"],
        "roles": ["admin"],
        "tenant_id": "blue",
        "jti": "x",
        "iss": "x",
    }
    for name, value in taken.items():
        with pytest.raises(ValueError, match=name):
            world.keys.generate(subject="u1", claims={name: value})
    sly = {"tid": "blue", "org_id": "blue", "tenantId": "blue", "realm_access": {"roles": ["admin"]}, "uti": "x"}
    context = world.auth.verify(world.keys.generate(subject="u1", claims=sly).key)
    assert (context.subject, context.tenant_id, context.scopes, context.roles) == ("u1", None, (), ())
    for scopes in (["a b"], ["a\tb"], ["a\nadmin"], "admin"):
        with pytest.raises(ValueError, match="scope"):
            world.keys.generate(subject="u1", scopes=scopes)


@attacks(OWN, "API key beside a JWT", "API key twice", answer="400")
def test_two_credentials_are_one_too_many(world: World) -> None:
    """Nothing is chosen, and the store is not asked."""
    where = world.auth
    for first, second in ((world.key, token(EC)), (world.key, world.key)):
        for value in (f"Bearer {first}, Bearer {second}", f"Bearer {first} {second}", f"Bearer {first},{second}"):
            with pytest.raises(InvalidRequest):
                where.authorize(request(headers={"Authorization": value}))
    assert world.store.calls == []


@attacks(OWN, "API key of one product sent to a resolver of another", answer="401, nobody is asked")
def test_a_key_is_asked_of_its_own_kind_alone(world: World) -> None:
    """By the longest prefix; a refused one is tried nowhere else."""
    asked: list[str] = []
    where = world.over(world.keys, ApiKeys(prefix="acme_", resolver=asked.append))
    for text in (world.key[:-1], OwnForm("acme_live_").make(bytes(RANDOM_BYTES)).text):
        refused(where, text)
    assert asked == []
    refused(where, "acme_" + "x" * 20)
    assert asked == ["acme_" + "x" * 20]


@attacks(OWN, "API key: another key of the same beginning or end, while one is remembered", answer="401")
def test_what_is_remembered_is_for_the_whole_key() -> None:
    """By a digest of all of it."""
    known = "pcft_live_" + "a" * 200
    asked: list[str] = []

    def resolver(key: str) -> Any:
        asked.append(key)
        return {"sub": "u1"} if key == known else None

    where = auth(ApiKeys(prefix="pcft_live_", resolver=resolver))
    where.verify(known)
    for other in (known[:-1], known + "a", known[:-1] + "b", "pcft_live_b" + "a" * 199):
        refused(where, other)
    assert where.verify(known)
    assert len(asked) == 5


@attacks(OWN, "API key: key, secret or pepper in logs, errors, tracebacks and reprs", answer="nowhere")
def test_nothing_secret_shows(caplog: pytest.LogCaptureFixture) -> None:
    """Of good and of refused keys, in an outage, and of wrong settings."""
    caplog.set_level(logging.DEBUG)
    world = World()
    body = world.key[:27] + world.key[30:67] + "000"
    wrong = body + form._checksum(body)
    texts = [repr(world.auth), repr(world.keys), repr(world.made), world.auth.describe(), repr(vars(world.keys))]
    for down in (None, OSError("down")):
        world.store.down = down
        for text in (world.key, wrong, world.key[:-1]):
            try:
                world.auth.authorize(request(text))
            except BearerkitError as error:
                texts += [str(error), repr(error), error.public, repr(world.auth.answer(error))]
    short = "hunter"
    short += "2 hunter2"  # tracebacks show source
    try:
        ApiKeys(prefix="acme_live_", store=world.store, peppers={1: short})
    except ConfigError as error:
        texts += ["".join(traceback.format_exception(error))]
    shown = caplog.text + "".join(texts)
    for secret in (world.key[27:67], body[27:67], world.key[:-1], "hunter2", repr(PEPPERS[1])):
        assert secret not in shown
