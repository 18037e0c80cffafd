"""What the tests of requirements share: a request, and the outcome of a need as a value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from bearerkit.context import AuthContext
from bearerkit.errors import BearerkitError
from bearerkit.guards import Fact, Requirement, enforce
from bearerkit.http import Headers, Request

Judge = Callable[..., BearerkitError | None]


@pytest.fixture
def judge() -> Judge:
    """`judge(need, ctx, …)` gives the refusal, None for a pass."""

    def outcome(
        need: Requirement | None,
        ctx: AuthContext,
        *,
        path_params: Mapping[str, Any] | None = None,
        headers: list[tuple[str, str]] | None = None,
        query: str = "",
        facts: Mapping[Fact, Any] | None = None,
        now: float = 1_790_000_000,
    ) -> BearerkitError | None:
        request = Request("GET", "/", Headers(headers or []), path_params or {}, query)
        try:
            enforce(need, ctx, request, facts or {}, now)
        except BearerkitError as refusal:
            return refusal
        return None

    return outcome
