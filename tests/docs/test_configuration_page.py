"""docs/configuration.md lists the arguments of `Auth` and the variables of `Auth.from_env` as the code knows them."""

from __future__ import annotations

import inspect
import re

from bearerkit import Auth
from bearerkit.environment import PREFIX, VARIABLES
from docs.pages import ROOT

PORTS = {"http", "clock", "entropy", "threads"}
ARGUMENT = re.compile(r"^\| `\*?(?P<name>\w+)` \| ", re.MULTILINE)
ROW = re.compile(rf"^\| `{PREFIX}(?P<suffix>\w+)` \| (?P<meaning>.+) \|$", re.MULTILINE)


def test_the_table_is_that_of_the_code():
    """Every variable with its meaning, in the order of the code, and none beside them."""
    text = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    rows = [(found["suffix"], found["meaning"]) for found in ROW.finditer(text)]
    assert rows == [(suffix, meaning) for suffix, (_, _, meaning) in VARIABLES.items()]


def test_every_argument_of_auth_is_there():
    """All but the ports, each with what it means, in the order of the code."""
    text = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8").partition("\n## ")[0]
    assert ARGUMENT.findall(text) == [name for name in inspect.signature(Auth).parameters if name not in PORTS]
