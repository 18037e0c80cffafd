"""What every fault is put through, and what came of it.

A fault meets an application that has no keys yet, and ends; it comes again once there are fresh keys, and stays until
they are past use. In each stage callers come at once: honest ones and one with a forged signature, then two with key
ids that nobody published. Nothing is judged here.
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from typing import Any

import anyio
from flask import Flask
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from adapters.asgi_calls import get
from adapters.wsgi_calls import wsgi_get
from auth_doubles import token
from bearerkit import Auth, KeyCache
from bearerkit.flask import RequireBearer as FlaskRequireBearer
from bearerkit.starlette import RequireBearer
from bearerkit.testing import SigningKey
from faults.faults import FAULTS, Fault
from faults.world import KEY, World

__all__ = ["FRAMEWORKS", "STAGES", "Outcome", "Stage", "outcome"]

STAGES = ("no keys yet", "keys fresh", "keys past fresh", "keys past stale")
HONEST = 4
DEFAULTS = KeyCache()
FORGER = SigningKey.generate("ES256", kid=KEY.kid)

_numbers = count()

Ask = Callable[[Sequence[str]], list["Seen"]]


@dataclass(frozen=True)
class Seen:
    """What one caller saw."""

    status: int
    retry_after: str | None


@dataclass
class Stage:
    """What callers saw in one stage, and what it cost: fetches, connections that arrived, bytes at the peak."""

    honest: list[Seen] = field(default_factory=list)
    forged: list[Seen] = field(default_factory=list)
    unknown: list[Seen] = field(default_factory=list)
    fetches: int = 0
    connections: int = 0
    resolved: int = 0
    peak: int = 0
    errors: list[str] = field(default_factory=list)

    @property
    def everybody(self) -> list[Seen]:
        return [*self.honest, *self.forged, *self.unknown]


@dataclass(frozen=True)
class Outcome:
    """Every stage by name; `then` is what honest callers saw a minute after the fault had ended."""

    stages: dict[str, Stage]
    then: list[Seen]


def _starlette(auth: Auth) -> Ask:
    async def orders(request: Request) -> JSONResponse:
        return JSONResponse({})

    app = Starlette(routes=[Route("/orders", RequireBearer(auth)(orders))])

    async def ask_all(tokens: Sequence[str]) -> list[Seen]:
        seen: dict[int, Seen] = {}

        async def ask(number: int, text: str) -> None:
            call = await get(app, "/orders", text)
            seen[number] = Seen(call.status, call.header("retry-after"))

        async with anyio.create_task_group() as group:
            for number, text in enumerate(tokens):
                group.start_soon(ask, number, text)
        return [seen[number] for number in range(len(tokens))]

    return lambda tokens: anyio.run(ask_all, tokens)


def _flask(auth: Auth) -> Ask:
    app = Flask("orders", static_folder=None)
    app.add_url_rule("/orders", "orders", FlaskRequireBearer(auth)(lambda: {}))

    def ask(text: str) -> Seen:
        call = wsgi_get(app, "/orders", text)
        return Seen(call.status, call.header("retry-after"))

    def ask_all(tokens: Sequence[str]) -> list[Seen]:
        with ThreadPoolExecutor(len(tokens)) as pool:
            return list(pool.map(ask, tokens))

    return ask_all


FRAMEWORKS: dict[str, Callable[[Auth], Ask]] = {"starlette": _starlette, "flask": _flask}
"""An application in which callers are tasks, and one in which they are threads."""


def _mint(world: World, key: SigningKey = KEY, **header: Any) -> str:
    """A token as the issuer would make it now, whatever our clocks say."""
    now = world.clock.true_now
    return token(key, header, iss=world.issuer, iat=int(now), exp=int(now) + 300, jti=f"j{next(_numbers)}")


def _play(world: World, ask: Ask, *, weigh: bool = False) -> Stage:
    stage = Stage()
    fetches, connections, resolved = world.http.count, world.server.connections, len(world.asked)
    failures = len(world.events.named("keys.failed"))
    if weigh:
        tracemalloc.start()
    seen = ask([*(_mint(world) for _ in range(HONEST)), _mint(world, FORGER)])
    stage.honest, stage.forged = seen[:HONEST], seen[HONEST:]
    stage.unknown = ask([_mint(world, FORGER, kid=f"nobody-{next(_numbers)}") for _ in range(2)])
    world.threads.join()
    if weigh:
        stage.peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    stage.fetches, stage.connections = world.http.count - fetches, world.server.connections - connections
    stage.resolved = len(world.asked) - resolved
    stage.errors = [str(fields["error"]) for fields in world.events.named("keys.failed")[failures:]]
    return stage


def _begin(fault: Fault, world: World) -> None:
    fault.begin(world)
    world.http.hurry = fault.endless


def _end(world: World, ask: Ask) -> list[Seen]:
    world.heal()
    _grow_old(world, DEFAULTS.backoff_max)
    return ask([_mint(world) for _ in range(HONEST)])


def _grow_old(world: World, seconds: float) -> None:
    world.clock.passed += seconds + 1


@cache
def outcome(text: str, framework: str) -> Outcome:
    """What came of a fault, named by its text, in one framework. Played once per session."""
    fault = next(fault for fault in FAULTS if fault.text == text)
    stages: dict[str, Stage] = {}
    with World(fault.kind) as world:
        ask = FRAMEWORKS[framework](world.auth)
        _begin(fault, world)
        stages[STAGES[0]] = _play(world, ask, weigh=fault.heavy)
        then = _end(world, ask)

        _grow_old(world, DEFAULTS.fresh + DEFAULTS.stale)
        assert [seen.status for seen in ask([_mint(world)])] == [200]
        _begin(fault, world)
        stages[STAGES[1]] = _play(world, ask)
        _grow_old(world, DEFAULTS.fresh)
        stages[STAGES[2]] = _play(world, ask)
        _grow_old(world, DEFAULTS.fresh + DEFAULTS.stale)
        stages[STAGES[3]] = _play(world, ask)
        return Outcome(stages, then + _end(world, ask))
