"""What a guard adds to one request, over the bare route of its framework, beside what other libraries add.

In process, CPU time, RS256, a token of 838 characters and a route that needs one scope:

    uv run python benchmarks/requests.py [--rounds 40] [--json] [--check]

and over loopback, behind uvicorn and under wrk (Debian's package), as requests per second:

    uv run python benchmarks/requests.py --served [--seconds 5] [--turns 3]
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# This file has the name of a package that libraries may import.
sys.path[0] = str(Path(__file__).parent.resolve())
sys.modules["requests"] = None  # type: ignore[assignment]

from interleaved import Candidate, added, ratio, samples  # noqa: E402
from stacks import asgi_calls, django_stack, fastapi_stack, flask_stack, starlette_stack, wsgi_calls  # noqa: E402
from stacks.tokens import TOKENS  # noqa: E402

BARE, REPEAT, FIRST, PYJWT = "bare route", "bearerkit, repeat", "bearerkit, first seen", "PyJWT glue"


@dataclass(frozen=True)
class Aim:
    """`row` may add at most `over`'s addition and `part` of PyJWT's."""

    row: str
    part: float
    over: str | None = None

    def __str__(self) -> str:
        allowed = f"{self.part:g} of what PyJWT adds"
        return f"{self.row}: at most {allowed if self.over is None else f'{self.over} and {allowed}'}"

    def measured(self, taken: Mapping[str, list[float]]) -> float:
        """The part of PyJWT's addition that is really there."""
        floor = taken[BARE if self.over is None else self.over]
        return ratio(added(taken[self.row], floor), added(taken[PYJWT], taken[BARE]))


@dataclass(frozen=True)
class Table:
    """One framework."""

    rows: Mapping[str, Candidate]
    aims: tuple[Aim, ...]


TENTH, HALF = 0.1, 0.5


def tables() -> Mapping[str, Callable[[], Table]]:
    return {
        "Starlette": starlette,
        "FastAPI": fastapi,
        "Flask": flask,
        "Django": django,
        "Django REST framework": rest,
    }


def starlette() -> Table:
    call, stack = asgi_calls.caller, starlette_stack
    return Table(
        {
            BARE: call(stack.bare()),
            REPEAT: call(stack.bearerkit(), TOKENS[:1]),
            "bearerkit middleware, repeat": call(stack.bearerkit_middleware(), TOKENS[:1]),
            FIRST: call(stack.bearerkit(cache=1), TOKENS),
            PYJWT: call(stack.pyjwt(), TOKENS[:1]),
            "AuthenticationMiddleware + PyJWT": call(stack.authentication_middleware(), TOKENS[:1]),
        },
        (Aim(REPEAT, TENTH), Aim(FIRST, HALF)),
    )


def fastapi() -> Table:
    call, stack = asgi_calls.caller, fastapi_stack
    one, two = "an empty async dependency", "two nested empty ones"
    require = "bearerkit require(), repeat"
    return Table(
        {
            BARE: call(stack.bare()),
            one: call(stack.behind(stack.nothing)),
            two: call(stack.behind(stack.nested)),
            REPEAT: call(stack.bearerkit(), TOKENS[:1]),
            require: call(stack.bearerkit(require=True), TOKENS[:1]),
            FIRST: call(stack.bearerkit(cache=1), TOKENS),
            PYJWT: call(stack.behind(stack.by_pyjwt), TOKENS[:1]),
        },
        (Aim(REPEAT, TENTH, one), Aim(require, TENTH, two), Aim(FIRST, HALF)),
    )


def flask() -> Table:
    call, stack = wsgi_calls.caller, flask_stack
    return Table(
        {
            BARE: call(stack.behind()),
            REPEAT: call(stack.bearerkit(), TOKENS[:1]),
            FIRST: call(stack.bearerkit(cache=1), TOKENS),
            PYJWT: call(stack.pyjwt(), TOKENS[:1]),
            "Authlib ResourceProtector": call(stack.authlib(), TOKENS[:1]),
            "flask-jwt-extended": call(stack.flask_jwt_extended(), TOKENS[:1]),
        },
        (Aim(REPEAT, TENTH), Aim(FIRST, HALF)),
    )


def django() -> Table:
    call, stack = wsgi_calls.caller, django_stack
    return Table(
        {
            BARE: call(stack.behind()),
            REPEAT: call(stack.bearerkit(), TOKENS[:1]),
            FIRST: call(stack.bearerkit(cache=1), TOKENS),
            PYJWT: call(stack.pyjwt(), TOKENS[:1]),
        },
        (Aim(REPEAT, TENTH), Aim(FIRST, HALF)),
    )


def rest() -> Table:
    call, stack = wsgi_calls.caller, django_stack
    return Table(
        {
            BARE: call(stack.rest_bare()),
            REPEAT: call(stack.rest_bearerkit(), TOKENS[:1]),
            FIRST: call(stack.rest_bearerkit(cache=1), TOKENS),
            "simplejwt, stateless": call(stack.rest_simplejwt(), TOKENS[:1]),
        },
        (),
    )


def main() -> int:
    """Run and print. With --check, return 1 if an aim was missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of tables")
    parser.add_argument("--check", action="store_true", help="exit with 1 if an aim was missed")
    parser.add_argument("--served", action="store_true", help="behind uvicorn and under wrk instead of in process")
    parser.add_argument("--seconds", type=int, default=5, help="how long wrk runs each time (with --served)")
    parser.add_argument("--turns", type=int, default=3, help="how often each is measured (with --served)")
    arguments = parser.parse_args()
    if arguments.served:
        from served import measure_served

        return measure_served(arguments.seconds, arguments.turns, as_json=arguments.json, check=arguments.check)
    results, missed = {}, False
    for name, build in tables().items():
        table = build()
        taken = samples(table.rows, arguments.rounds)
        aims = [{"aim": str(aim), "most": aim.part, "measured": aim.measured(taken)} for aim in table.aims]
        missed |= any(aim["measured"] > aim["most"] for aim in aims)  # type: ignore[operator]
        results[name] = {"rows": _rows(taken), "aims": aims}
        if not arguments.json:
            _print(name, results[name])
    if arguments.json:
        json.dump(results, sys.stdout, indent=2)
        sys.stdout.write("\n")
    return 1 if arguments.check and missed else 0


def _rows(taken: Mapping[str, list[float]]) -> dict[str, dict[str, float]]:
    rows: dict[str, dict[str, float]] = {}
    for name, times in taken.items():
        more = added(times, taken[BARE])
        rows[name] = {"us": statistics.median(times) * 1e6, "added us": statistics.median(more) * 1e6}
        if PYJWT in taken and name != BARE:
            rows[name]["of PyJWT's addition"] = ratio(more, added(taken[PYJWT], taken[BARE]))
    return rows


def _print(name: str, result: Mapping[str, Any]) -> None:
    print(f"\n{name:<36}{'us':>8}{'added':>8}{'of PyJWT adds':>16}")
    for row, numbers in result["rows"].items():
        part = numbers.get("of PyJWT's addition")
        share = "" if part is None else f"1/{1 / part:.0f}" if 0 < part < 0.5 else f"{part:.2f}"
        print(f"  {row:<34}{numbers['us']:>8.1f}{numbers['added us']:>8.1f}{share:>16}")
    for aim in result["aims"]:
        verdict = "met   " if aim["measured"] <= aim["most"] else "MISSED"
        print(f"  {verdict}  {aim['aim']} (measured: {aim['measured']:.2f})")


if __name__ == "__main__":
    sys.exit(main())
