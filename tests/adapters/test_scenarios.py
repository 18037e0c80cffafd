"""The same request gets the same status, header fields and body in every framework."""

from __future__ import annotations

import pytest

from adapters.drivers import BUILDERS, ask
from adapters.scenarios import SCENARIOS, Scenario


@pytest.mark.anyio
@pytest.mark.parametrize("framework", BUILDERS)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
async def test_every_framework_answers_as_the_table_says(scenario: Scenario, framework: str):
    """One row of the table, in one framework, on both event loops."""
    assert await ask(framework, scenario) == scenario.expected


def test_the_table_is_worth_its_name():
    """Names are unique and every status that a guarded route may give occurs."""
    assert len({scenario.name for scenario in SCENARIOS}) == len(SCENARIOS) >= 30
    assert {scenario.status for scenario in SCENARIOS} == {200, 400, 401, 403, 404, 503}
