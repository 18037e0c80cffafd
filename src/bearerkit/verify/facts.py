"""Loading what a requirement wants to know: in the order of refusal, and only while it can still change the answer.

A callback of the team that breaks denies; a loader that breaks is an outage. What the answer then is decides the rule,
in `guards/`.
"""

from __future__ import annotations

from collections.abc import Mapping
from inspect import isawaitable
from typing import Any

from bearerkit._drive import PortNeedsLoop, port
from bearerkit.context import AuthContext
from bearerkit.errors import BearerkitError, ConfigError, PermissionDenied, StoreUnavailable
from bearerkit.guards import LIVE, Fact, Requirement, facts_to_load
from bearerkit.http import Request
from bearerkit.ports import Waits
from bearerkit.verify.seen import Seen

__all__ = ["load_facts"]


async def load_facts(
    need: Requirement, context: AuthContext, request: Request, now: float, seen: Seen | None, waits: Waits
) -> Mapping[Fact, Any]:
    """The facts of `need` on which the answer depends. `seen` is what is known of the request if it is this caller's.

    Raises what a callback refuses with, StoreUnavailable and IntrospectionUnavailable, Revoked, and ConfigError.
    """
    kept = {} if seen is None else seen.facts(request)
    loaded: dict[Fact, Any] = {}
    for _ in need.facts(request):  # a bound: facts that are made anew each time would be wanted for ever
        wanted = facts_to_load(need, context, request, now, loaded)
        if not wanted:
            break
        for fact in wanted:
            if fact is LIVE:
                loaded[fact] = await _live(seen, request, waits)
            elif fact in kept:
                loaded[fact] = kept[fact]
            else:
                loaded[fact] = await _load(fact, context, request)
                if fact.remote:
                    kept[fact] = loaded[fact]
    return loaded


async def _load(fact: Fact, context: AuthContext, request: Request) -> Any:
    try:
        value = request.call(fact.load, context, request)
        return await port(fact.name, value) if isawaitable(value) else value
    except (BearerkitError, PortNeedsLoop):
        raise
    except Exception as error:
        if fact.remote:
            raise StoreUnavailable(f"the loader of {fact.name} failed: {type(error).__name__}") from error
        raise PermissionDenied(f"{fact.name} raised {type(error).__name__}", reason="check_failed") from error


async def _live(seen: Seen | None, request: Request, waits: Waits) -> AuthContext:
    if seen is None:
        raise ConfigError("a requirement is live, and the caller did not come from the credential of this request")
    return await seen.live(request, waits)
