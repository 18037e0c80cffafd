"""API keys that others made: a resolver of the team's, sync or async, and how long its answers are remembered."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from traceback import format_exception
from typing import Any

import anyio
import pytest

from auth_doubles import NOW, auth, request
from bearerkit import ApiKeys, Auth
from bearerkit._drive import PortNeedsLoop
from bearerkit.errors import Expired, Malformed, NotYetValid, StoreUnavailable, TokenInvalid
from bearerkit.stores.memory import MemoryRevocations
from bearerkit.system import AsyncWaits, BlockingWaits
from bearerkit.testing import FrozenClock
from bearerkit.verify.shared_call import SharedCall

PREFIX = "pcft_live_"


def key(name: str = "a") -> str:
    return PREFIX + name.rjust(32, "0")


class Resolver:
    """Knows some keys, and counts. `before` is called before it answers."""

    def __init__(self, **answers: Any) -> None:
        self.answers = {key(name): answer for name, answer in answers.items()}
        self.asked: list[str] = []
        self.before: Callable[[], Any] = lambda: None

    def __call__(self, text: str) -> Any:
        self.asked.append(text)
        self.before()
        answer = self.answers.get(text)
        if isinstance(answer, BaseException):
            raise answer
        return answer


class AwaitedResolver(Resolver):
    """The same, awaited."""

    async def __call__(self, text: str) -> Any:  # type: ignore[override]
        self.asked.append(text)
        await self.before()
        answer = self.answers.get(text)
        if isinstance(answer, BaseException):
            raise answer
        return answer


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(NOW)


def over(resolver: Any, clock: FrozenClock, **settings: Any) -> Auth:
    return auth(ApiKeys(prefix=PREFIX, resolver=resolver, **settings), clock=clock)


def test_claims_make_a_caller(clock: FrozenClock) -> None:
    """As those of a token would, through a mapping if they are spelt otherwise."""
    where = over(Resolver(a={"sub": "u1", "scope": "x y", "workspace_id": "acme", "jti": "k1"}), clock)
    context = where.authorize(request(key()))
    assert (context.credential_kind, context.token_id) == ("api_key", "k1")
    assert (context.subject, context.scopes, context.tenant_id) == ("u1", ("x", "y"), "acme")
    mapped = over(Resolver(a={"user": {"id": "u2"}}), clock, claims={"subject": "user.id"})
    assert mapped.verify(key()).subject == "u2"


def test_answers_are_remembered(clock: FrozenClock) -> None:
    """A yes for a minute, a no for ten seconds; then the resolver is asked again."""
    resolver = Resolver(a={"sub": "u1"})
    where = over(resolver, clock)
    for _ in range(3):
        assert where.verify(key()).subject == "u1"
        with pytest.raises(TokenInvalid) as raised:
            where.verify(key("b"))
        assert raised.value.reason == "api_key_unknown"
    assert resolver.asked == [key(), key("b")]
    for seconds, more in ((9.9, []), (0.1, [key("b")]), (49.9, [key("b")]), (0.1, [key()])):
        resolver.asked.clear()
        clock.advance(seconds)
        where.verify(key())
        with pytest.raises(TokenInvalid):
            where.verify(key("b"))
        assert resolver.asked == more, seconds


def test_a_no_ends_a_yes(clock: FrozenClock) -> None:
    """A key that was revoked is not taken from memory again, and a new one is known after its no."""
    resolver = Resolver(a={"sub": "u1"})
    where = over(resolver, clock)
    where.verify(key())
    del resolver.answers[key()]
    clock.advance(60)
    for _ in range(3):
        with pytest.raises(TokenInvalid):
            where.verify(key())
    assert len(resolver.asked) == 2
    resolver.answers[key()] = {"sub": "u2"}
    clock.advance(10)
    assert where.verify(key()).subject == "u2"


def test_nothing_outlives_the_key(clock: FrozenClock) -> None:
    """`exp` and `nbf` in the answer count, by either clock."""
    resolver = Resolver(
        a={"sub": "u1", "exp": NOW + 20}, b={"sub": "u1", "exp": NOW}, c={"sub": "u1", "nbf": NOW + 1},
        d={"sub": "u1", "exp": None, "nbf": NOW},
    )  # fmt: skip
    where = over(resolver, clock)
    assert where.verify(key("d"))
    assert where.verify(key("a"))
    for name, error in (("b", Expired), ("c", NotYetValid)):
        with pytest.raises(error):
            where.verify(key(name))
    clock.jump(20)
    with pytest.raises(Expired):
        where.verify(key("a"))


@pytest.mark.parametrize(
    "answer",
    [
        *(
            True,
            "u1",
            ["sub"],
            5,
            {"sub": 5},
            {"sub": ""},
            {"sub": None},
            {"jti": 5},
            {"exp": "tomorrow"},
            {"exp": True},
        ),
        *(OSError("down"), ValueError("a bug"), StoreUnavailable("down")),
    ],
    ids=str,
)
def test_what_is_no_answer_is_an_outage(clock: FrozenClock, answer: Any) -> None:
    """503, never a caller, never a no that is remembered."""
    resolver = Resolver(a=answer)
    where = over(resolver, clock)
    for _ in range(2):
        with pytest.raises(StoreUnavailable) as raised:
            where.verify(key())
        assert where.answer(raised.value).status == 503
    assert len(resolver.asked) == 2
    resolver.answers[key()] = {"sub": "u1"}
    assert where.verify(key())


@pytest.mark.parametrize("active", [False, None, "true", 1, "false", []])
def test_what_is_not_active_is_refused(clock: FrozenClock, active: Any) -> None:
    """Whoever hands on the answer of an introspection endpoint means it."""
    with pytest.raises(TokenInvalid):
        over(Resolver(a={"sub": "u1", "active": active}), clock).verify(key())
    assert over(Resolver(a={"sub": "u1", "active": True}), clock).verify(key())


def test_a_bound_answer_needs_a_proof(clock: FrozenClock) -> None:
    """A key is held to `cnf` as a token is."""
    with pytest.raises(TokenInvalid):
        over(Resolver(a={"sub": "u1", "cnf": {"jkt": "x"}}), clock).authorize(request(key()))


def test_the_error_of_a_resolver_does_not_tell_the_key(clock: FrozenClock) -> None:
    """Its cause is kept for the log unless the key stands in it, or in the cause of it."""
    told = OSError("down")
    try:
        raise ValueError("bad answer") from OSError(f"GET https://id.test/keys/{key()} failed")
    except ValueError as error:
        telling = error
    for error, kept in ((told, told), (telling, None)):
        with pytest.raises(StoreUnavailable) as raised:
            over(Resolver(a=error), clock).verify(key())
        assert raised.value.__cause__ is raised.value.__context__ is kept
        assert key() not in "".join(format_exception(raised.value))


def test_a_refusal_of_the_resolver_is_one(clock: FrozenClock) -> None:
    """A team may say why by itself."""
    with pytest.raises(Expired):
        over(Resolver(a=Expired("long ago")), clock).verify(key())


def test_ten_thousand_random_keys(clock: FrozenClock) -> None:
    """Malformed ones ask nobody; the others push no good key out, and what is remembered is bounded."""
    resolver = Resolver(a={"sub": "u1"})
    keys = ApiKeys(prefix=PREFIX, resolver=resolver, pattern="[0-9a-f]{32}", cache_size=100)
    where = auth(keys, clock=clock)
    where.verify(key())
    resolver.asked.clear()
    for number in range(10_000):
        with pytest.raises(Malformed):
            where.verify(f"{PREFIX}{number:031x}")
    assert resolver.asked == []
    for number in range(10_000):
        with pytest.raises(TokenInvalid):
            where.verify(f"{PREFIX}f{number:031x}")
    assert len(resolver.asked) == 10_000
    (kind,) = keys._kinds
    assert len(kind._answers) == 101
    resolver.asked.clear()
    where.verify(key())
    assert resolver.asked == []


def test_very_many_good_keys_are_bounded_too(clock: FrozenClock) -> None:
    """The oldest goes first."""
    resolver = Resolver(**{str(number): {"sub": "u1"} for number in range(50)})
    keys = ApiKeys(prefix=PREFIX, resolver=resolver, cache_size=10)
    where = auth(keys, clock=clock)
    for number in range(50):
        where.verify(key(str(number)))
    (kind,) = keys._kinds
    assert len(kind._answers) == 10
    resolver.asked.clear()
    where.verify(key("49"))
    where.verify(key("0"))
    assert resolver.asked == [key("0")]


@pytest.mark.parametrize(
    "forgotten",
    [
        {"token": key()},
        {"token_id": "k1"},
        {"subject": "u1"},
        {"tenant_id": "acme"},
        {"subject": "u1", "token_id": "k1"},
    ],
)
def test_what_is_forgotten_is_asked_for_again(clock: FrozenClock, forgotten: dict[str, str]) -> None:
    """By the key, and by what it stands for; and nothing else is."""
    answers = {
        "a": {"sub": "u1", "tenant_id": "acme", "jti": "k1"},
        "b": {"sub": "u2", "tenant_id": "blue", "jti": "k2"},
    }
    resolver = Resolver(**answers)
    where = over(resolver, clock)
    for name in answers:
        where.verify(key(name))
    where.forget(**forgotten)
    resolver.asked.clear()
    for name in answers:
        where.verify(key(name))
    assert resolver.asked == [key("a")]


def test_what_was_asked_before_a_revocation_is_not_kept_after_it(clock: FrozenClock) -> None:
    """An answer that was on its way while its key was forgotten counts for who waited for it, and for nobody else."""
    resolver = Resolver(a={"sub": "u1"})
    where = over(resolver, clock)
    resolver.before = lambda: where.forget(token=key())
    where.verify(key())
    resolver.before = lambda: None
    where.verify(key())
    assert len(resolver.asked) == 2


def test_nothing_is_remembered_where_nothing_shall_be(clock: FrozenClock) -> None:
    """0 seconds."""
    resolver = Resolver(a={"sub": "u1"})
    where = over(resolver, clock, cache_seconds=0)
    for _ in range(3):
        where.verify(key())
        with pytest.raises(TokenInvalid):
            where.verify(key("b"))
    assert len(resolver.asked) == 6


def test_200_threads_ask_once(clock: FrozenClock) -> None:
    """However many come at once with the same key."""
    resolver, go = Resolver(a={"sub": "u1"}), threading.Event()
    resolver.before = lambda: go.wait(10)
    where = over(resolver, clock)
    with ThreadPoolExecutor(200) as pool:
        asked = [pool.submit(where.verify, key()) for _ in range(200)]
        threading.Timer(0.1, go.set).start()
        assert {future.result(20).subject for future in asked} == {"u1"}
    assert len(resolver.asked) == 1


@pytest.mark.anyio
@pytest.mark.parametrize("awaited", [False, True])
async def test_200_tasks_ask_once(clock: FrozenClock, awaited: bool) -> None:
    """A sync resolver runs on a thread and blocks no loop; an async one runs in one of the tasks."""
    if awaited:
        resolver: Resolver = AwaitedResolver(a={"sub": "u1"})
        resolver.before = lambda: anyio.sleep(0.05)
    else:
        resolver, loop = Resolver(a={"sub": "u1"}), threading.get_ident()
        resolver.before = lambda: (threading.get_ident() != loop and threading.Event().wait(0.05)) or None
    where, got = over(resolver, clock), []

    async def ask() -> None:
        got.append((await where.averify(key())).subject)

    async with anyio.create_task_group() as tasks:
        for _ in range(200):
            tasks.start_soon(ask)
    assert got == ["u1"] * 200
    assert len(resolver.asked) == 1


@pytest.mark.anyio
async def test_an_async_resolver_answers_and_fails_as_a_sync_one(clock: FrozenClock) -> None:
    """Yes, no, outage; a sync caller is told what is wrong in the wiring."""
    resolver = AwaitedResolver(a={"sub": "u1"}, c=OSError("down"))
    resolver.before = lambda: anyio.sleep(0)
    where = over(resolver, clock)
    assert (await where.aauthorize(request(key()))).subject == "u1"
    with pytest.raises(TokenInvalid):
        await where.averify(key("b"))
    with pytest.raises(StoreUnavailable):
        await where.averify(key("c"))
    assert where.verify(key()).subject == "u1"  # remembered

    def in_a_thread() -> None:
        with pytest.raises(PortNeedsLoop, match="resolver"):
            where.verify(key("d"))

    await anyio.to_thread.run_sync(in_a_thread)


@pytest.mark.anyio
async def test_nobody_joins_a_question_that_was_asked_before_a_revocation(clock: FrozenClock) -> None:
    """Whoever comes after `forget` is answered by what is true after it."""
    resolver, go = AwaitedResolver(a={"sub": "before"}), anyio.Event()
    resolver.before = go.wait
    where, got = over(resolver, clock), []

    async def ask() -> None:
        got.append((await where.averify(key())).subject)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask)
        await anyio.wait_all_tasks_blocked()
        where.forget(token=key())
        tasks.start_soon(ask)
        await anyio.wait_all_tasks_blocked()
        go.set()
    assert len(resolver.asked) == 2


def test_who_comes_when_the_answer_has_just_landed_asks_nobody(clock: FrozenClock) -> None:
    """Between looking and asking, another caller may have been told."""
    resolver = Resolver(a={"sub": "u1"})
    keys = ApiKeys(prefix=PREFIX, resolver=resolver)
    where = auth(keys, clock=clock)
    (kind,) = keys._kinds
    flights = kind._flights
    assert flights is not None

    class Late:
        """Another caller with the same key goes first."""

        async def ask(self, name: Any, work: Any, waits: Any) -> Any:
            await flights.ask(name, work, waits)
            return await flights.ask(name, work, waits)

    kind._flights = Late()  # type: ignore[assignment]
    assert where.verify(key())
    assert len(resolver.asked) == 1


def test_malformed_keys_ask_nobody_where_revocations_are_asked_too(clock: FrozenClock) -> None:
    """There nothing can be said at once, and yet the look of a key comes first."""
    resolver = Resolver(a={"sub": "u1"})
    where = auth(ApiKeys(prefix=PREFIX, resolver=resolver), clock=clock, revocations=MemoryRevocations(clock))
    with pytest.raises(Malformed):
        where.verify(PREFIX + "short")
    assert resolver.asked == []
    assert where.verify(key())


@pytest.mark.anyio
async def test_a_cancelled_caller_strands_nobody(clock: FrozenClock) -> None:
    """Whoever asked is cancelled; one of those who waited asks again, the others wait for that one."""
    resolver = AwaitedResolver(a={"sub": "u1"})
    go = anyio.Event()
    resolver.before = go.wait
    where, got = over(resolver, clock), []
    first = anyio.CancelScope()

    async def cancelled() -> None:
        with first:
            await where.averify(key())

    async def waiting() -> None:
        got.append((await where.averify(key())).subject)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(cancelled)
        await anyio.wait_all_tasks_blocked()
        for _ in range(20):
            tasks.start_soon(waiting)
        await anyio.wait_all_tasks_blocked()
        first.cancel()
        await anyio.wait_all_tasks_blocked()
        go.set()
    assert got == ["u1"] * 20
    assert len(resolver.asked) == 2


@pytest.mark.anyio
async def test_shared_calls_leave_nothing_behind() -> None:
    """After a result, an error and a cancellation, at each of some moments."""
    calls: SharedCall[str] = SharedCall()

    async def work(steps: int, outcome: Any) -> str:
        for _ in range(steps):
            await anyio.sleep(0)
        if isinstance(outcome, Exception):
            raise outcome
        return str(outcome)

    for steps in range(5):
        assert await calls.ask("k", lambda steps=steps: work(steps, "yes"), AsyncWaits()) == "yes"
        with pytest.raises(OSError):  # noqa: PT011
            await calls.ask("k", lambda steps=steps: work(steps, OSError()), AsyncWaits())
        with anyio.CancelScope() as scope:
            scope.cancel()
            await calls.ask("k", lambda steps=steps: work(steps + 1, "never"), AsyncWaits())
        assert len(calls) == 0


def test_a_thread_waits_for_no_task_of_a_loop_that_it_blocks() -> None:
    """It asks for itself; otherwise both would wait forever."""
    calls: SharedCall[str] = SharedCall()

    async def slow() -> str:
        await asyncio.sleep(0)
        return "task"

    async def at_once() -> str:
        return "thread"

    async def main() -> tuple[str, str]:
        from bearerkit._drive import run

        task = asyncio.ensure_future(calls.ask("k", slow, AsyncWaits()))
        await asyncio.sleep(0)
        return run(calls.ask("k", at_once, BlockingWaits())), await task

    assert asyncio.run(main()) == ("thread", "task")


def test_a_fork_keeps_nobody_waiting() -> None:
    """What only the parent would finish is new in the child."""
    calls: SharedCall[str] = SharedCall()
    calls._lock.acquire()
    calls.after_fork()
    assert len(calls) == 0
