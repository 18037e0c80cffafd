"""Session ids that a function of the team resolves: how it is called, what it may answer, how long that counts."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from typing import Any

import anyio
import pytest

from auth_doubles import NOW, auth
from bearerkit import Auth, AuthContext, ClaimMapping, ConfigError, MemoryRevocations, Request, Sessions, principal
from bearerkit._drive import PortNeedsLoop
from bearerkit.errors import (
    Expired,
    InvalidRequest,
    Malformed,
    PermissionDenied,
    Refused,
    Revoked,
    StoreUnavailable,
    TokenInvalid,
)
from bearerkit.http import Headers
from bearerkit.testing import FrozenClock

ANN = "of-ann-0123456789"
BOB = "of-bob-0123456789"
NOBODY = "of-nobody-0123456"


class Store:
    """Knows sessions, counts how often it is asked, and by which thread."""

    def __init__(self, **more: Any) -> None:
        self.sessions: dict[str, Any] = {ANN: {"sub": "ann", "sid": "s1", **more}, BOB: {"sub": "bob", "sid": "s2"}}
        self.asked: list[str] = []
        self.threads: set[int] = set()

    def __call__(self, session_id: str) -> Any:
        self.asked.append(session_id)
        self.threads.add(threading.get_ident())
        found = self.sessions.get(session_id)
        if isinstance(found, Exception):
            raise found
        return found


class AsyncStore(Store):
    """The same, and it really waits."""

    async def __call__(self, session_id: str) -> Any:
        await anyio.sleep(0)
        return super().__call__(session_id)


def by_bearer(resolver: Any, clock: FrozenClock | None = None, /, **settings: Any) -> Auth:
    return auth(Sessions(resolver, bearer=True, **settings), clock=clock)


def by_cookie(value: str, method: str = "GET", **fields: str) -> Request:
    named = [(name.replace("_", "-"), text) for name, text in fields.items()]
    return Request(method, "/", Headers([("Cookie", f"a=b; sid={value}"), *named]))


def test_a_session_is_a_caller() -> None:
    """By cookie and as a bearer token, with or without a prefix."""
    store = Store(tenant_id="acme", scope="orders:read")
    for settings, request in (
        ({"cookie": "sid"}, by_cookie(ANN)),
        ({"bearer": True}, Request("GET", "/", Headers([("Authorization", f"Bearer {ANN}")]))),
        ({"prefix": "of-"}, Request("GET", "/", Headers([("Authorization", f"Bearer {ANN}")]))),
    ):
        context = auth(Sessions(store, **settings)).authorize(request, principal("user"))
        assert (context.subject, context.credential_kind, context.session_id) == ("ann", "session", "s1")
        assert (context.tenant_id, context.scopes) == ("acme", ("orders:read",))
    assert store.asked == [ANN] * 3


def test_unknown_sessions_are_refused() -> None:
    """401, and asked anew each time: somebody may be about to sign in."""
    store = Store()
    mine = by_bearer(store, cache_ttl=60)
    for _ in range(2):
        with pytest.raises(TokenInvalid) as refused:
            mine.verify(NOBODY)
        assert mine.answer(refused.value).status == 401
    assert len(store.asked) == 2


@pytest.mark.parametrize("bad", ["", "short", "x" * 15, "x" * 1_025, "x" * 100_000])
def test_what_is_no_session_id_by_its_length(bad: str) -> None:
    """The resolver is never asked."""
    store = Store()
    with pytest.raises((Malformed, InvalidRequest)):
        auth(Sessions(store, cookie="sid")).authorize(by_cookie(bad))
    assert store.asked == []


@pytest.mark.parametrize("bad", [" ", "\t", '"', ",", "\\", "\x00", "\x7f", "\xe9", "\r", "\n"])
def test_what_is_no_session_id_by_a_character(bad: str) -> None:
    """Not even at its end. A semicolon ends the cookie."""
    store = Store()
    whole = by_bearer(store)
    for text in (f"0123456789{bad}abcdefghij", f"{ANN}{bad}", f"{bad}{ANN}"):
        with pytest.raises(Malformed):
            whole.verify(text)
    assert store.asked == []


def test_what_is_a_session_id() -> None:
    """Everything that cookies may hold: Express encodes and signs its ids."""
    seen: list[str] = []
    whole = auth(Sessions(lambda text: seen.append(text) or {"sub": "ann"}, cookie="sid"))
    for text in ("s%3Aab12CD34ef56GH78.x/y+z=", "a" * 16, "a" * 1_024, "!#$%&'()*+-./:<=>?@[]^_`{|}~"):
        assert whole.authorize(by_cookie(text)).subject == "ann"
        assert seen[-1] == text


@pytest.mark.parametrize(
    ("answer", "detail"),
    [
        (True, "bool"),
        ("ann", "str"),
        (5, "int"),
        ([("sub", "ann")], "list"),
        (object(), "object"),
        ({1: "ann"}, "no text"),
        ({}, "no subject"),
        ({"sub": True}, "no subject"),
        ({"sub": ""}, "no subject"),
        ({"sub": 5.5}, "no subject"),
        ({"user_id": "ann"}, "no subject"),
        ({"sub": "ann", "exp": "tomorrow"}, "no time"),
        ({"sub": "ann", "exp": True}, "no time"),
        ({"sub": "ann", "exp": float("nan")}, "no time"),
        ({"sub": "ann", "exp": float("inf")}, "no time"),
        ({"sub": "ann", "exp": 10**400}, "no time"),
        ({"sub": "ann", "exp": datetime(2030, 1, 1, tzinfo=UTC)}, "no time"),
        ({"sub": "ann", "sid": ANN}, "session id itself"),
        ({"sub": "ann", "jti": ANN}, "session id itself"),
        ({"sub": ANN}, "session id itself"),
        (AuthContext.anonymous(), "anonymous"),
        (AuthContext({}), "no subject"),
    ],
)
def test_an_answer_that_is_none_is_an_outage(answer: Any, detail: str) -> None:
    """503 with what is wrong, and it is not remembered."""
    store = Store()
    store.sessions[ANN] = answer
    whole = by_bearer(store, cache_ttl=60)
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match=detail) as refused:
            whole.verify(ANN)
        assert refused.value.hint
        assert ANN not in str(refused.value)
    store.sessions[ANN] = {"sub": 5}
    assert whole.verify(ANN).subject == "5"


def test_contexts_become_sessions() -> None:
    """Whatever kind the team gave them, with their own mapping, and of a copy of the claims."""
    claims = {"uid": "ann", "roles": ["admin"], "exp": NOW + 10}
    given = AuthContext(claims, ClaimMapping.parse({"subject": "uid"}), wildcard_scopes=True)
    whole = by_bearer(lambda _: given, cache_ttl=60)
    context = whole.verify(ANN)
    claims["roles"].append("root")
    assert (context.subject, context.roles, context.credential_kind) == ("ann", ("admin",), "session")
    assert context.expires_at == NOW + 10


def test_claims_are_read_by_the_mapping_and_copied() -> None:
    """In its short spelling too; what the team changes afterwards changes nothing."""
    session = {"user": {"id": "ann"}, "orgs": ["acme"]}
    whole = by_bearer(lambda _: session, cache_ttl=60, claims={"subject": "user.id", "memberships": "orgs"})
    context = whole.verify(ANN)
    session["user"] = {"id": "root"}
    session["orgs"].append("evil")  # type: ignore[attr-defined]
    assert (context.subject, context.memberships) == ("ann", ("acme",))


class View(Mapping[str, Any]):
    def __getitem__(self, name: str) -> Any:
        return {"sub": "ann"}[name]

    def __iter__(self) -> Any:
        return iter(["sub"])

    def __len__(self) -> int:
        return 1


def test_any_mapping_will_do() -> None:
    """A row of a database is one."""
    assert by_bearer(lambda _: View()).verify(ANN).subject == "ann"


def test_without_a_cache_every_request_asks() -> None:
    """A session that ended has ended."""
    store = Store()
    whole = by_bearer(store)
    assert [whole.verify(ANN).subject for _ in range(3)] == ["ann"] * 3
    del store.sessions[ANN]
    with pytest.raises(TokenInvalid):
        whole.verify(ANN)
    assert len(store.asked) == 4


def test_a_cache_holds_for_its_time_and_not_beyond_the_session() -> None:
    """Monotonic for ours, the wall for `exp`."""
    clock, store = FrozenClock(NOW), Store()
    whole = by_bearer(store, clock, cache_ttl=60)
    for seconds, calls in ((0, 1), (59, 1), (1, 2)):
        clock.advance(seconds)
        assert whole.verify(ANN).subject == "ann"
        assert len(store.asked) == calls
    store.sessions[BOB]["exp"] = clock.now() + 10
    assert whole.verify(BOB).expires_at == clock.now() + 10
    clock.advance(9)
    assert whole.verify(BOB).subject == "bob"
    assert store.asked.count(BOB) == 1
    clock.advance(1)
    with pytest.raises(Expired):
        whole.verify(BOB)
    assert store.asked.count(BOB) == 2
    store.sessions[BOB]["exp"] += 100  # a session that slides
    assert whole.verify(BOB).subject == "bob"


def test_time_counts_from_the_question() -> None:
    """What changed while the resolver was at it must not live longer than the time that was asked for."""
    clock = FrozenClock(NOW)
    asked: list[str] = []

    def slow(session_id: str) -> Any:
        asked.append(session_id)
        clock.advance(50)
        return {"sub": "ann"}

    whole = by_bearer(slow, clock, cache_ttl=60)
    whole.verify(ANN)
    clock.advance(10)
    whole.verify(ANN)
    assert len(asked) == 2


def test_what_is_forgotten_is_asked_for_again() -> None:
    """By the id itself, and by what the context says."""
    store = Store()
    whole = by_bearer(store, cache_ttl=60)
    forget: list[Mapping[str, str]] = [{"token": ANN}, {"session_id": "s1"}, {"subject": "ann"}, {}]
    for number, fields in enumerate(forget, 2):
        whole.verify(ANN)
        whole.verify(BOB)
        whole.forget(**fields)
        whole.verify(ANN)
        assert store.asked.count(ANN) == number
    assert store.asked.count(BOB) == 1
    whole.verify(BOB)
    assert store.asked.count(BOB) == 2


def test_what_was_forgotten_meanwhile_does_not_come_back() -> None:
    """The answer was on its way when somebody signed out."""
    whole: Auth

    def resolve(session_id: str) -> Any:
        whole.forget(token=session_id)
        asked.append(session_id)
        return {"sub": "ann"}

    asked: list[str] = []
    whole = by_bearer(resolve, cache_ttl=60)
    whole.verify(ANN)
    whole.verify(ANN)
    assert len(asked) == 2


def test_a_resolver_that_fails_is_an_outage() -> None:
    """503 with Retry-After and the kind of error, its text only where that says nothing of the session id."""
    store = Store()
    whole = by_bearer(store, cache_ttl=60)
    store.sessions[ANN] = ConnectionError("no route to the database")
    with pytest.raises(StoreUnavailable, match="ConnectionError") as refused:
        whole.verify(ANN)
    assert whole.answer(refused.value).header("retry-after")
    assert isinstance(refused.value.__cause__, ConnectionError)
    store.sessions[ANN] = KeyError(ANN)
    with pytest.raises(StoreUnavailable, match="KeyError") as refused:
        whole.verify(ANN)
    assert refused.value.__cause__ is None
    assert refused.value.__context__ is None
    store.sessions[ANN] = {"sub": "ann"}
    assert whole.verify(ANN).subject == "ann"


def test_a_resolver_may_refuse_by_itself() -> None:
    """What is ours passes."""
    store = Store()
    for error in (Revoked("signed out"), PermissionDenied("not from here"), StoreUnavailable("later")):
        store.sessions[ANN] = error
        with pytest.raises(type(error)) as refused:
            by_bearer(store).verify(ANN)
        assert refused.value is error


def test_revocations_are_asked_about_sessions() -> None:
    """By the public handle."""
    revocations = MemoryRevocations()
    whole = auth(Sessions(Store(), bearer=True, cache_ttl=60), revocations=revocations)
    assert whole.verify(ANN).subject == "ann"
    revocations.revoke_session("s1", until=NOW + 1_000)
    with pytest.raises(Revoked):
        whole.verify(ANN)


def test_an_async_resolver_in_sync_code_is_named() -> None:
    """As every port that needs a loop."""
    store = AsyncStore()
    for resolver in (store, store.__call__, partial(store), lambda session_id: store(session_id)):
        with pytest.raises(PortNeedsLoop, match=r"Sessions\(resolver\)"):
            by_bearer(resolver).verify(ANN)


def test_an_async_resolver_that_does_not_wait_may_be_used_by_sync_code() -> None:
    """It needs no loop."""

    async def resolve(session_id: str) -> Any:
        return {"sub": "ann"}

    assert by_bearer(resolve).verify(ANN).subject == "ann"


@pytest.mark.anyio
async def test_an_async_resolver_is_awaited_on_the_loop_of_the_caller() -> None:
    """On its thread, whatever shape the callable has."""
    store = AsyncStore()
    for resolver in (store, store.__call__, partial(store)):
        assert (await by_bearer(resolver).averify(ANN)).subject == "ann"
    assert store.threads == {threading.get_ident()}
    assert len(store.asked) == 3


@pytest.mark.anyio
async def test_a_plain_function_that_returns_an_awaitable_is_found_out() -> None:
    """Once; nothing is left unawaited, and it is awaited on this thread."""
    store, called = AsyncStore(), []

    def resolve(session_id: str) -> Any:
        called.append(threading.get_ident())
        return store(session_id)

    whole = by_bearer(resolve)
    for _ in range(3):
        assert (await whole.averify(ANN)).subject == "ann"
    assert store.threads == {threading.get_ident()}
    assert called[1:] == [threading.get_ident()] * 3
    assert len(store.asked) == 3


@pytest.mark.anyio
async def test_a_sync_resolver_does_not_hold_up_the_loop() -> None:
    """It runs on a thread, once for all who ask at the same time."""
    release, asked = threading.Event(), []

    def resolve(session_id: str) -> Any:
        asked.append(threading.get_ident())
        assert release.wait(10)
        return {"sub": "ann"}

    whole, got = by_bearer(resolve), []

    async def ask() -> None:
        got.append((await whole.averify(ANN)).subject)

    with anyio.fail_after(10):
        async with anyio.create_task_group() as tasks:
            for _ in range(200):
                tasks.start_soon(ask)
            while not asked:
                await anyio.sleep(0.001)
            await anyio.sleep(0.05)
            release.set()
    assert got == ["ann"] * 200
    assert len(asked) == 1
    assert asked[0] != threading.get_ident()


@pytest.mark.anyio
async def test_tasks_share_one_call_of_an_async_resolver() -> None:
    """200 of them."""
    release, store, got = anyio.Event(), Store(), []

    async def resolve(session_id: str) -> Any:
        await release.wait()
        return store(session_id)

    whole = by_bearer(resolve)

    async def ask() -> None:
        got.append((await whole.averify(ANN)).subject)

    async with anyio.create_task_group() as tasks:
        for _ in range(200):
            tasks.start_soon(ask)
        await anyio.sleep(0.05)
        release.set()
    assert got == ["ann"] * 200
    assert len(store.asked) == 1


def test_threads_share_one_call() -> None:
    """And each gets the answer."""
    release, asked = threading.Event(), []

    def resolve(session_id: str) -> Any:
        asked.append(session_id)
        assert release.wait(10)
        return {"sub": "ann"}

    whole = by_bearer(resolve)
    with ThreadPoolExecutor(50) as pool:
        threading.Timer(0.3, release.set).start()
        assert {context.subject for context in pool.map(whole.verify, [ANN] * 50)} == {"ann"}
    assert len(asked) < 5  # one, unless a thread came after the first had its answer


def test_a_page_of_another_site_reaches_no_resolver() -> None:
    """By a cookie. A bearer token is asked about nothing, though it is the same session."""
    store = Store()
    whole = auth(Sessions(store, cookie="sid", bearer=True, origins=["https://app.example.test"]))
    for fields in ({}, {"origin": "https://evil.test"}, {"sec_fetch_site": "cross-site"}):
        with pytest.raises(PermissionDenied) as refused:
            whole.authorize(by_cookie(ANN, "POST", **fields), optional=True)
        assert (refused.value.reason, whole.answer(refused.value).status) == ("cross_site", 403)
        assert ANN not in str(refused.value)
    assert store.asked == []
    assert whole.authorize(by_cookie(ANN, "POST", origin="https://APP.example.test:443")).subject == "ann"
    assert whole.authorize(by_cookie(ANN, "POST", sec_fetch_site="same-origin")).subject == "ann"
    assert whole.authorize(by_cookie(ANN, "GET", sec_fetch_site="cross-site")).subject == "ann"
    bearer = {"authorization": f"Bearer {BOB}", "origin": "https://evil.test"}
    assert whole.authorize(by_cookie(ANN, "POST", **bearer)).subject == "bob"


def test_settings_that_cannot_work() -> None:
    """All at once, one sentence each."""
    with pytest.raises(ConfigError) as raised:
        Sessions(
            None,  # type: ignore[arg-type]
            prefix="eyJ",
            bearer=True,
            origins=["https://a.test/", "null", "*", 5],  # type: ignore[list-item]
            cache_ttl=61,
            claims={"nonsense": "x"},
        )
    assert len(raised.value.problems) == 10
    store = Store()
    for settings in (
        {},
        {"cookie": ""},
        {"cookie": "a b"},
        {"cookie": "a=b"},
        {"cookie": 5},
        {"prefix": ""},
        {"prefix": "a b"},
        {"prefix": "e"},
        {"prefix": "x" * 65},
        {"bearer": "yes"},
        {"cookie": "sid", "origins": "https://a.test"},
        {"cookie": "sid", "origins": 5},
        {"cookie": "sid", "origins": ["https://b\xfccher.test"]},
        {"cookie": "sid", "cache_ttl": -1},
        {"cookie": "sid", "cache_ttl": True},
        {"cookie": "sid", "cache_ttl": float("nan")},
        {"cookie": "sid", "cache_ttl": "5"},
    ):
        with pytest.raises(ConfigError):
            Sessions(store, **settings)  # type: ignore[arg-type]


def test_what_is_shown() -> None:
    """Where ids come from, and never one of them."""
    settings = Sessions(Store(), cookie="sid", prefix="of-", cache_ttl=5, origins=iter(["https://a.test"]))
    whole = auth(settings)
    whole.verify(ANN)
    assert repr(settings) == "Sessions(cookie='sid', prefix='of-')"
    assert "1 remembered" in whole.describe()
    assert "asked every time" in by_bearer(Store()).describe()
    assert ANN not in whole.describe()
    with pytest.raises(AttributeError):
        settings.cookie = "other"  # type: ignore[misc]


def test_memory_is_bounded() -> None:
    """Inventing ids fills nothing, and so many sessions are remembered at most."""
    whole = by_bearer(lambda session_id: {"sub": "x"} if session_id.startswith("ok") else None, cache_ttl=60)
    for number in range(10_050):
        whole.verify(f"ok{number:020}")
        if number % 10 == 0:
            with pytest.raises(Refused):
                whole.verify(f"no{number:020}")
    assert "10000 remembered" in whole.describe()
