"""Requests per second behind uvicorn (one worker, uvloop, httptools) under wrk, protected beside bare.

Called by `requests.py --served`. wrk shares the machine's cores with the server, so what counts is the ratio of two
runs that followed each other; the median of the turns is taken. wrk is Debian's package of that name.
"""

from __future__ import annotations

import json
import re
import shutil
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent.resolve()
BARE = "bare"
AIMS: Mapping[str, Mapping[str, float | None]] = {
    "starlette": {"repeat": 0.80, "first seen": 0.42, "PyJWT": None},
    "fastapi": {"repeat": 0.80, "first seen": 0.52, "PyJWT": None},
}
"""Framework → variant → the least share of the bare route's requests per second."""
CONNECTIONS = 16
PATIENCE = 30
RATE = re.compile(r"Requests/sec:\s+([\d.]+)")
REFUSED = re.compile(r"Non-2xx or 3xx responses: (\d+)")


def application(framework: str, variant: str) -> Any:
    """The app that a child process serves. "First seen": nothing is remembered, so each request verifies anew."""
    from stacks import fastapi_stack, starlette_stack

    apps: Mapping[tuple[str, str], Callable[[], Any]] = {
        ("starlette", BARE): starlette_stack.bare,
        ("starlette", "repeat"): starlette_stack.bearerkit,
        ("starlette", "first seen"): lambda: starlette_stack.bearerkit(cache=0),
        ("starlette", "PyJWT"): starlette_stack.pyjwt,
        ("fastapi", BARE): fastapi_stack.bare,
        ("fastapi", "repeat"): fastapi_stack.bearerkit,
        ("fastapi", "first seen"): lambda: fastapi_stack.bearerkit(cache=0),
        ("fastapi", "PyJWT"): lambda: fastapi_stack.behind(fastapi_stack.by_pyjwt),
    }
    return apps[framework, variant]()


def measure_served(seconds: int, turns: int, *, as_json: bool, check: bool) -> int:
    """Run, print, and return 1 with `check` if an aim was missed."""
    wrk = shutil.which("wrk")
    if wrk is None:
        print("wrk is missing: it is Debian's package wrk", file=sys.stderr)
        return 2
    results: dict[str, dict[str, Any]] = {}
    for framework, aims in AIMS.items():
        rates: dict[str, list[float]] = {variant: [] for variant in (BARE, *aims)}
        for _ in range(turns):
            for variant in rates:
                with serving(framework, variant) as (port, token):
                    _ask(wrk, port, token, 1)  # warm
                    rates[variant].append(_ask(wrk, port, token, seconds))
        results[framework] = {
            variant: {
                "requests per second": statistics.median(taken),
                "of bare": statistics.median(rate / bare for rate, bare in zip(taken, rates[BARE], strict=True)),
                "aim": aims.get(variant),
            }
            for variant, taken in rates.items()
        }
    if as_json:
        json.dump(results, sys.stdout, indent=2)
        sys.stdout.write("\n")
    else:
        _print(results)
    missed = [row for rows in results.values() for row in rows.values() if row["aim"] and row["of bare"] < row["aim"]]
    return 1 if check and missed else 0


@contextmanager
def serving(framework: str, variant: str) -> Iterator[tuple[int, str]]:
    """A child process that serves one app: its port, and a token that it accepts."""
    child = subprocess.Popen(
        [sys.executable, str(HERE / "served.py"), framework, variant], stdout=subprocess.PIPE, text=True
    )
    try:
        assert child.stdout is not None
        told = json.loads(child.stdout.readline())
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                socket.create_connection(("127.0.0.1", told["port"]), timeout=1).close()
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
        yield told["port"], told["token"]
    finally:
        child.terminate()
        child.wait(PATIENCE)


def _ask(wrk: str, port: int, token: str, seconds: int) -> float:
    command = [wrk, "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-H", f"Authorization: Bearer {token}"]
    output = subprocess.run([*command, f"http://127.0.0.1:{port}/orders"], capture_output=True, text=True, check=True)
    rate = RATE.search(output.stdout)
    assert rate is not None, output.stdout
    assert REFUSED.search(output.stdout) is None, output.stdout
    return float(rate[1])


def _print(results: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> None:
    for framework, rows in results.items():
        print(f"\n{framework:<20}{'requests/s':>12}{'of bare':>10}")
        for variant, row in rows.items():
            verdict = ""
            if row["aim"]:
                verdict = f"   {'met' if row['of bare'] >= row['aim'] else 'MISSED'}: at least {row['aim']:.2f}"
            print(f"  {variant:<18}{row['requests per second']:>12.0f}{row['of bare']:>10.2f}{verdict}")


def _serve(framework: str, variant: str) -> None:
    import uvicorn
    from stacks.tokens import TOKENS

    listener = socket.create_server(("127.0.0.1", 0))
    print(json.dumps({"port": listener.getsockname()[1], "token": TOKENS[0]}), flush=True)
    config = uvicorn.Config(
        application(framework, variant), loop="uvloop", http="httptools", log_level="warning", access_log=False
    )
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    _serve(*sys.argv[1:])
