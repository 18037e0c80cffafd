"""How the demo looks: coloured on a terminal, plain text of width 100 on a pipe. It shows and decides nothing.

The only token that may appear is the one to paste.
"""

from __future__ import annotations

import io
import sys
from http import HTTPStatus
from typing import final

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bearerkit.demo.walk import Step
from bearerkit.http import Response

__all__ = ["Screen"]

_WIDTH = 100


@final
class Screen:
    """Writes to stdout."""

    def __init__(self) -> None:
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="replace")
        self._console = Console(highlight=False, markup=False, emoji=False) if sys.stdout.isatty() else _plain()

    def opening(self, issuer: str, api: str) -> None:
        """What is running."""
        self._console.print(Text("bearerkit demo", style="bold"))
        self._rows([("issuer", Text(issuer)), ("API", Text(f"{api}  (FastAPI; its code: bearerkit/demo/app.py)"))])

    def step(self, number: int, step: Step, answer: Response, log: list[str]) -> None:
        """One request, its answer, and why; `log` is what the operator of the API reads about it."""
        self._console.print()
        self._console.rule(Text(f"{number}. {step.title}", style="bold"), align="left", style="dim", characters="-")
        rows = [("request", Text(f"GET {step.path}"))]
        if step.presents:
            rows.append(("", Text(f"Authorization: Bearer <{step.presents}>")))
        colour = "green" if answer.status < HTTPStatus.BAD_REQUEST else "yellow"
        rows.append(("answer", Text(f"{answer.status} {HTTPStatus(answer.status).phrase}", style=f"bold {colour}")))
        if (challenge := answer.header("WWW-Authenticate")) is not None:
            rows.append(("", Text(f"WWW-Authenticate: {challenge}")))
        rows.append(("", Text(answer.body.decode("utf-8", "replace"))))
        rows.append(("why", Text(step.why)))
        rows += [("your log" if position == 0 else "", Text(line)) for position, line in enumerate(log)]
        self._rows(rows)

    def unexpected(self, problems: list[str]) -> None:
        """The answer was not the one that the walk is about."""
        self._rows([("WRONG", Text(problem, style="bold red")) for problem in problems])

    def closing(self, total: int, wrong: int) -> None:
        """How it went."""
        self._console.print()
        if wrong:
            self._console.print(Text(f"{wrong} of {total} answers were not the expected ones.", style="bold red"))
        else:
            self._console.print(Text(f"All {total} answers were as expected.", style="bold green"))

    def invitation(self, api: str, token: str, hours: int) -> None:
        """Where to go on by hand. The token belongs to the throw-away issuer of this demo."""
        self._console.print()
        self._console.print(Text(f"Try it yourself: {api}/docs", style="bold"))
        self._console.print(f"Authorize with this token (ada at acme, scope orders:read, good for {hours} h):")
        self._console.print()
        self._console.print(token, soft_wrap=True)
        self._console.print()
        # Not through the console: interrupted before it has forgotten a line, it would print that again at the end.
        self._console.file.write("Ctrl-C stops the demo.\n")
        self._console.file.flush()

    def stopped(self) -> None:
        """The last line."""
        self._console.print("\nStopped.")

    def _rows(self, rows: list[tuple[str, Text]]) -> None:
        grid = Table.grid(padding=(0, 2))
        grid.add_column(style="dim", width=8, no_wrap=True)
        grid.add_column(overflow="fold")
        for label, value in rows:
            grid.add_row(label, value)
        with self._console.capture() as captured:
            self._console.print(Padding(grid, (0, 0, 0, 2)))
        lines = captured.get().splitlines()
        self._console.file.write("".join(f"{line.rstrip()}\n" for line in lines))


def _plain() -> Console:
    """No escape codes whatever the environment says (FORCE_COLOR, TTY_COMPATIBLE)."""
    return Console(
        width=_WIDTH, force_terminal=False, no_color=True, color_system=None, highlight=False, markup=False, emoji=False
    )
