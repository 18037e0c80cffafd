"""Rows of the scenario table, asked of real servers over sockets: what servers make of a request changes no answer."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from adapters.drivers import TARGETS
from adapters.scenarios import SCENARIOS, Scenario, answer_of
from adapters.server_quirks import OWN_BODY, QUIRKS, Quirk
from adapters.servers import SERVERS, Reply, RunningServer, running_servers
from adapters.test_scenarios import expected_of, without_values

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="no child process can be handed a socket here"),
    pytest.mark.slow,
]

SERVED = [scenario for scenario in SCENARIOS if scenario.served]


def if_installed(server: str, *more: str) -> Any:
    missing = pytest.mark.skipif(not SERVERS[server].is_installed, reason=f"{SERVERS[server].package} is not installed")
    return pytest.param(server, *more, marks=missing)


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, RunningServer]]:
    """Each server once, for all frameworks and rows: a start takes seconds."""
    with running_servers(tmp_path_factory.mktemp("servers")) as servers:
        yield servers


def essence(reply: Reply | None) -> tuple[int | None, Any]:
    """The status of a reply and its body, JSON or not; whether bearerkit made it shows in the body."""
    if reply is None:
        return None, None
    try:
        return reply.status, json.loads(reply.body)
    except ValueError:
        return reply.status, OWN_BODY


def is_quirk(reply: Reply | None, quirk: Quirk) -> bool:
    """True if a reply is the one that the server is known for."""
    status, body = essence(reply)
    return body == quirk.body and (status in quirk.statuses if quirk.statuses else status is None)


@pytest.mark.parametrize(
    ("server", "framework"),
    [
        if_installed(name, framework)
        for name, server in SERVERS.items()
        for framework, target in TARGETS.items()
        if target.kind == server.kind
    ],
)
@pytest.mark.parametrize("scenario", SERVED, ids=lambda scenario: scenario.name)
def test_every_framework_answers_the_same_behind_every_server(
    scenario: Scenario, server: str, framework: str, servers: Mapping[str, RunningServer]
) -> None:
    """One row of the table, in one framework, behind one server; or the server's own answer, where that is listed."""
    running = servers[server]
    with running.explained():
        reply = running.ask(framework, scenario)
        if quirk := QUIRKS[server].get(scenario.name):
            assert is_quirk(reply, quirk), f"{reply} is not what {quirk} says"
            return
        assert reply is not None, "the server hung up"
        answer = answer_of(reply.status, reply.headers, reply.body)
        assert without_values(answer, framework) == expected_of(scenario, framework)


@pytest.mark.parametrize("server", [if_installed(name) for name in SERVERS])
def test_no_application_fails_behind_a_server(server: str, servers: Mapping[str, RunningServer]) -> None:
    """No server had to report an exception, as it would where an answer was right but went over the wire wrongly."""
    running = servers[server]
    with running.explained():
        for framework, target in TARGETS.items():
            if target.kind == SERVERS[server].kind:
                assert running.ask(framework, SERVED[0]) is not None
        assert "Traceback" not in running.output


def test_the_served_rows_are_worth_a_server() -> None:
    """They are 20 at least, of every status and of both applications, and each quirk is one of them."""
    assert len(SERVED) >= 20
    assert {scenario.status for scenario in SERVED} == {200, 400, 401, 403, 404, 503}
    assert {scenario.closed for scenario in SERVED} == {False, True}
    assert set(QUIRKS) == set(SERVERS)
    assert {row for quirks in QUIRKS.values() for row in quirks} <= {scenario.name for scenario in SERVED}
