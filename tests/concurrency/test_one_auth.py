"""One `Auth`, whoever calls: threads, asyncio tasks, trio tasks and all at once, from the token to the context.

`test_key_stampede.py` says the same of the key source alone; here everything between the caller and the socket is in
play: the token cache, routing, discovery, the HTTP client.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import anyio
import pytest
from anyio.lowlevel import checkpoint

from bearerkit import Auth, AuthContext, Issuer
from bearerkit.errors import BearerkitError, KeyNotFound, KeysUnavailable
from bearerkit.http import Fetch, Fetched
from bearerkit.testing import FakeIssuer, FrozenClock
from bearerkit.transport.blocking import BlockingClient
from key_doubles import PATIENCE

CALLERS = 200
AUDIENCE = "orders-api"


class Gated:
    """The real HTTP client behind a gate: fetches are held before they leave, and let go by the test."""

    def __init__(self, client: Any = None) -> None:
        self._client = client or BlockingClient()
        self._open = threading.Event()
        self._open.set()
        self._asked = threading.Semaphore(0)

    async def fetch(self, fetch: Fetch) -> Fetched:
        self._asked.release()
        assert self._open.wait(PATIENCE), "the test did not let the fetch go"
        answer: Fetched = await self._client.fetch(fetch)
        return answer

    def hold(self) -> None:
        self._open.clear()
        while self._asked.acquire(blocking=False):
            pass

    def wait_until_asked(self) -> None:
        assert self._asked.acquire(timeout=PATIENCE), "nothing was fetched"

    def let_go(self) -> None:
        self._open.set()


class Crowd:
    """Callers of one `Auth`, each with a token of its own; what each of them got."""

    def __init__(self, auth: Auth, token: Callable[[int], str]) -> None:
        self._auth = auth
        self._token = token
        self._arrived = threading.Semaphore(0)
        self._threads: list[threading.Thread] = []
        self.outcomes: list[str | type[BearerkitError]] = []

    def verify(self, number: int) -> None:
        token = self._token(number)
        self._arrived.release()
        try:
            self.outcomes.append(_subject(self._auth.verify(token)))
        except BearerkitError as refusal:
            self.outcomes.append(type(refusal))

    async def averify(self, number: int) -> None:
        token = self._token(number)
        self._arrived.release()
        try:
            self.outcomes.append(_subject(await self._auth.averify(token)))
        except BearerkitError as refusal:
            self.outcomes.append(type(refusal))

    def come(self, mix: str, callers: int) -> None:
        """Start them all: as threads, as tasks of one loop, or a third each way."""
        if mix == "threads":
            self._come_as_threads(range(callers))
        elif mix == "mix":
            self._come_as_threads(range(0, callers, 3))
            self._come_as_tasks("asyncio", range(1, callers, 3))
            self._come_as_tasks("trio", range(2, callers, 3))
        else:
            self._come_as_tasks(mix, range(callers))

    def wait_for_arrivals(self, callers: int) -> None:
        for _ in range(callers):
            assert self._arrived.acquire(timeout=PATIENCE)

    def finish(self) -> list[str | type[BearerkitError]]:
        for thread in self._threads:
            thread.join(PATIENCE)
            assert not thread.is_alive(), "a caller was stranded"
        return self.outcomes

    def _come_as_threads(self, numbers: range) -> None:
        for number in numbers:
            self._start(self.verify, number)

    def _come_as_tasks(self, backend: str, numbers: range) -> None:
        async def main() -> None:
            async with anyio.create_task_group() as group:
                for number in numbers:
                    group.start_soon(self.averify, number)

        self._start(lambda: anyio.run(main, backend=backend))

    def _start(self, work: Callable[..., Any], *arguments: Any) -> None:
        self._threads.append(threading.Thread(target=work, args=arguments, daemon=True))
        self._threads[-1].start()


def _subject(context: AuthContext) -> str:
    return str(context.subject)


def made(issuer: FakeIssuer, count: int, **changes: Any) -> list[str]:
    """That many different good tokens, for subjects u0, u1, …"""
    return [issuer.token(sub=f"u{number}", **changes) for number in range(count)]


def subjects(count: int) -> set[str]:
    return {f"u{number}" for number in range(count)}


MIXES = pytest.mark.parametrize("mix", ["threads", "asyncio", "trio", "mix"])


@pytest.fixture
def issuer() -> FakeIssuer:
    return FakeIssuer(alg="ES256", audience=AUDIENCE)


@pytest.fixture
def served(issuer: FakeIssuer) -> Iterator[FakeIssuer]:
    """The issuer behind a real socket; `served.fetches` is what that server was asked."""
    with issuer.serve():
        yield issuer


@pytest.fixture
def gate() -> Gated:
    return Gated()


@pytest.fixture
def auth(served: FakeIssuer, gate: Gated) -> Auth:
    """Finds its keys through the metadata of the served issuer."""
    return Auth(Issuer(served.issuer, audience=AUDIENCE), http=gate)


def once_each(issuer: FakeIssuer) -> list[str]:
    """One fetch of the metadata, then one of the keys."""
    return [f"{issuer.issuer}/.well-known/openid-configuration", issuer.jwks_uri]


@MIXES
def test_cold_callers_cause_one_fetch(mix: str, auth: Auth, served: FakeIssuer, gate: Gated) -> None:
    """All of them have arrived before the first byte leaves, and every one gets its own context."""
    tokens = made(served, CALLERS)
    gate.hold()
    crowd = Crowd(auth, tokens.__getitem__)
    crowd.come(mix, CALLERS)
    gate.wait_until_asked()
    crowd.wait_for_arrivals(CALLERS)
    assert served.fetches == []
    gate.let_go()
    outcomes = crowd.finish()
    assert len(outcomes) == CALLERS
    assert set(outcomes) == subjects(CALLERS)
    assert served.fetches == once_each(served)


@MIXES
def test_cold_callers_with_the_same_token_cause_one_fetch(
    mix: str, auth: Auth, served: FakeIssuer, gate: Gated
) -> None:
    token = served.token(sub="u0")
    gate.hold()
    crowd = Crowd(auth, lambda number: token)
    crowd.come(mix, CALLERS)
    gate.wait_until_asked()
    crowd.wait_for_arrivals(CALLERS)
    gate.let_go()
    assert crowd.finish() == ["u0"] * CALLERS
    assert served.fetches == once_each(served)


@MIXES
def test_a_new_key_costs_one_fetch_and_everybody_passes(mix: str, auth: Auth, served: FakeIssuer, gate: Gated) -> None:
    """The metadata is still good; only the keys are fetched anew."""
    auth.warm_up()
    served.rotate()
    tokens = made(served, CALLERS)
    gate.hold()
    crowd = Crowd(auth, tokens.__getitem__)
    crowd.come(mix, CALLERS)
    gate.wait_until_asked()
    crowd.wait_for_arrivals(CALLERS)
    gate.let_go()
    assert set(crowd.finish()) == subjects(CALLERS)
    assert served.fetches == [*once_each(served), served.jwks_uri]


@MIXES
def test_a_thousand_random_kids_cost_one_fetch(mix: str, auth: Auth, served: FakeIssuer) -> None:
    auth.warm_up()
    tokens = [served.token(headers={"kid": f"random-{number}"}) for number in range(1_000)]
    crowd = Crowd(auth, tokens.__getitem__)
    crowd.come(mix, 1_000)
    assert crowd.finish() == [KeyNotFound] * 1_000
    assert served.fetches[:2] == once_each(served)
    assert len(served.fetches) <= 3


@MIXES
def test_a_thousand_random_kids_on_a_cold_auth_cost_two_fetches(mix: str, auth: Auth, served: FakeIssuer) -> None:
    """The one that brings the keys, and at most one to see whether there are newer ones."""
    tokens = [served.token(headers={"kid": f"random-{number}"}) for number in range(1_000)]
    crowd = Crowd(auth, tokens.__getitem__)
    crowd.come(mix, 1_000)
    assert crowd.finish() == [KeyNotFound] * 1_000
    assert served.fetches.count(served.jwks_uri) <= 2
    assert len(served.fetches) <= 3


@MIXES
def test_an_outage_is_one_attempt_and_503_for_everybody(mix: str, served: FakeIssuer, gate: Gated) -> None:
    """Who comes while the attempt is in the air shares its failure; who comes right after does not try again."""
    served.clock = clock = FrozenClock()
    auth = Auth(Issuer(served.issuer, audience=AUDIENCE), http=gate, clock=clock)
    tokens = made(served, 60)
    served.go_down()
    gate.hold()
    crowd = Crowd(auth, tokens.__getitem__)
    crowd.come(mix, 60)
    gate.wait_until_asked()
    crowd.wait_for_arrivals(60)
    gate.let_go()
    assert crowd.finish() == [KeysUnavailable] * 60
    late = Crowd(auth, tokens.__getitem__)
    late.come(mix, 60)
    assert late.finish() == [KeysUnavailable] * 60
    assert once_each(served)[0] in served.fetches
    assert len(served.fetches) == len(set(served.fetches))


def test_known_callers_pass_while_a_fetch_for_a_stranger_is_held(auth: Auth, served: FakeIssuer, gate: Gated) -> None:
    """Order is asserted, not time: the stranger's answer comes after everybody else's."""
    auth.warm_up()
    tokens = made(served, 50)
    stranger = Crowd(auth, lambda number: served.token(headers={"kid": "made-up"}))
    gate.hold()
    stranger.come("threads", 1)
    gate.wait_until_asked()
    known = Crowd(auth, tokens.__getitem__)
    known.come("mix", 50)
    assert set(known.finish()) == subjects(50)
    again = Crowd(auth, tokens.__getitem__)
    again.come("mix", 50)
    assert set(again.finish()) == subjects(50)
    assert stranger.outcomes == []
    gate.let_go()
    assert stranger.finish() == [KeyNotFound]


@pytest.mark.anyio
async def test_known_tasks_pass_on_the_loop_of_a_stranger_who_waits(
    auth: Auth, served: FakeIssuer, gate: Gated
) -> None:
    """A held fetch does not block the loop that asked for it."""
    await auth.awarm_up()
    known = Crowd(auth, made(served, 50).__getitem__)
    stranger = Crowd(auth, lambda number: served.token(headers={"kid": "made-up"}))
    gate.hold()
    with anyio.fail_after(PATIENCE):
        async with anyio.create_task_group() as group:
            group.start_soon(stranger.averify, 0)
            await anyio.wait_all_tasks_blocked()
            for number in range(50):
                await known.averify(number)
            assert set(known.outcomes) == subjects(50)
            assert stranger.outcomes == []
            gate.let_go()
    assert stranger.outcomes == [KeyNotFound]


def test_nobody_waits_for_a_refresh_ahead(issuer: FakeIssuer) -> None:
    """At 80 % of their lifetime keys are fetched anew; callers go on with those at hand meanwhile."""
    issuer.clock = clock = FrozenClock()
    gate = Gated(issuer.http)
    auth = Auth(Issuer(issuer.issuer, audience=AUDIENCE), http=gate, clock=clock)
    tokens = made(issuer, 50, exp=int(clock.now()) + 3_600)
    assert auth.verify(tokens[0]).subject == "u0"
    clock.advance(481)
    gate.hold()
    crowd = Crowd(auth, tokens.__getitem__)
    crowd.come("mix", 50)
    assert set(crowd.finish()) == subjects(50)
    gate.wait_until_asked()
    assert issuer.fetches == once_each(issuer)
    assert auth.verify(tokens[0]).subject == "u0"
    gate.let_go()


@pytest.mark.anyio
async def test_a_cancelled_leader_strands_nobody(auth: Auth, served: FakeIssuer, gate: Gated) -> None:
    """Who came first has hung up; the fetch goes on for the others and is made once."""
    crowd = Crowd(auth, made(served, 50).__getitem__)
    leader = anyio.CancelScope()

    async def lead() -> None:
        with leader:
            await crowd.averify(0)

    gate.hold()
    with anyio.fail_after(PATIENCE):
        async with anyio.create_task_group() as group:
            group.start_soon(lead)
            await anyio.wait_all_tasks_blocked()
            for number in range(1, 50):
                group.start_soon(crowd.averify, number)
            await anyio.wait_all_tasks_blocked()
            leader.cancel()
            await anyio.wait_all_tasks_blocked()
            assert crowd.outcomes == []
            gate.let_go()
    assert leader.cancelled_caught
    assert set(crowd.outcomes) == subjects(50) - {"u0"}
    assert served.fetches == once_each(served)


def test_a_leader_whose_loop_has_ended_strands_nobody(auth: Auth, served: FakeIssuer, gate: Gated) -> None:
    """The loop that asked first is gone when the answer comes, and so is the second, of the other kind."""
    tokens = made(served, 31)
    gate.hold()

    async def give_up() -> None:
        with anyio.move_on_after(0.02):
            await auth.averify(tokens[30])

    for backend in ("asyncio", "trio"):
        anyio.run(give_up, backend=backend)
    crowd = Crowd(auth, tokens.__getitem__)
    crowd.come("mix", 30)
    crowd.wait_for_arrivals(30)
    gate.let_go()
    assert set(crowd.finish()) == subjects(30)
    assert served.fetches == once_each(served)


@pytest.mark.anyio
async def test_a_sync_caller_on_the_leaders_own_loop_is_served(auth: Auth, served: FakeIssuer) -> None:
    """It blocks the loop, as the docs say; it must not wait for a task of that very loop."""
    crowd = Crowd(auth, made(served, 2).__getitem__)
    with anyio.fail_after(PATIENCE):
        async with anyio.create_task_group() as group:
            group.start_soon(crowd.averify, 0)
            await checkpoint()
            crowd.verify(1)
    assert set(crowd.outcomes) == subjects(2)
    assert served.fetches == once_each(served)


def test_each_issuer_of_one_auth_has_a_flight_of_its_own(gate: Gated) -> None:
    """An issuer that does not answer holds up only its own callers."""
    slow, quick = FakeIssuer(alg="ES256", audience=AUDIENCE), FakeIssuer(alg="ES256", audience=AUDIENCE)
    with slow.serve(), quick.serve():

        class HoldsSlow:
            async def fetch(self, fetch: Fetch) -> Fetched:
                client: Any = gate if fetch.url.startswith(slow.issuer) else BlockingClient()
                answer: Fetched = await client.fetch(fetch)
                return answer

        auth = Auth(*(Issuer(one.issuer, audience=AUDIENCE) for one in (slow, quick)), http=HoldsSlow())
        waiting, passing = (Crowd(auth, made(one, 30).__getitem__) for one in (slow, quick))
        gate.hold()
        waiting.come("mix", 30)
        gate.wait_until_asked()
        passing.come("mix", 30)
        assert set(passing.finish()) == subjects(30)
        assert waiting.outcomes == []
        gate.let_go()
        assert set(waiting.finish()) == subjects(30)
        assert (slow.fetches, quick.fetches) == (once_each(slow), once_each(quick))
