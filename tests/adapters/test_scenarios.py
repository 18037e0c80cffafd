"""The same request gets the same status, header fields and body in every framework."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.drivers import TARGETS, ask, ask_wsgi
from adapters.forced import FORCED, additions_of
from adapters.scenarios import SCENARIOS, Answer, Scenario

ASYNC = [name for name, target in TARGETS.items() if target.kind == "asgi"]
SYNC = [name for name, target in TARGETS.items() if target.kind == "wsgi"]
LOOPS = [(name, "asyncio") for name in ASYNC] + [(name, "trio") for name in ASYNC if not TARGETS[name].needs_asyncio]
every_scenario = pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)


def expected_of(scenario: Scenario, framework: str) -> Answer:
    """The answer of the table, with what this framework cannot help adding."""
    answer = scenario.expected
    if not answer.headers:
        return answer
    added = additions_of(framework, reached_view=not scenario.closed)
    return Answer(answer.status, answer.headers | added, answer.body)


def without_values(answer: Answer, framework: str) -> Answer:
    """Values that the table leaves open become `*`."""
    anything = {addition.name for addition in FORCED[framework] if addition.value == "*"}
    fields = frozenset((name, "*" if name in anything else value) for name, value in answer.headers)
    return Answer(answer.status, fields, answer.body)


@pytest.mark.anyio
@pytest.mark.parametrize(("framework", "anyio_backend"), LOOPS)
@every_scenario
async def test_every_async_framework_answers_as_the_table_says(
    scenario: Scenario, framework: str, anyio_backend: Any
) -> None:
    """One row of the table, in one framework, on both event loops (Django's handler is made for asyncio alone)."""
    assert without_values(await ask(framework, scenario), framework) == expected_of(scenario, framework)


@pytest.mark.parametrize("framework", SYNC)
@every_scenario
def test_every_sync_framework_answers_as_the_table_says(scenario: Scenario, framework: str) -> None:
    """The same rows behind WSGI."""
    assert without_values(ask_wsgi(framework, scenario), framework) == expected_of(scenario, framework)


def test_the_table_is_worth_its_name() -> None:
    """Names are unique and every status that a guarded route may give occurs, in nine frameworks."""
    assert len({scenario.name for scenario in SCENARIOS}) == len(SCENARIOS) >= 80
    assert {scenario.status for scenario in SCENARIOS} == {200, 400, 401, 403, 404, 503}
    assert set(TARGETS) == set(FORCED)
    assert len(TARGETS) == 9
