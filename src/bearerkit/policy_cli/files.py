"""Reading policy documents, catalogs and cases from JSON and YAML files.

A member that is written twice is an error in both: a second `effect` or `conditions` must not silently win.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from bearerkit.errors import ConfigError
from bearerkit.policy import Catalog, Policy, PolicyError
from bearerkit.policy.members import each_once
from bearerkit.policy_cli.yaml_text import yaml_value

__all__ = ["FileProblem", "catalog_in", "data_in", "policy_in", "policy_of"]

_YAML = (".yaml", ".yml")


class FileProblem(Exception):
    """A file cannot be read: one line for the user, with its name."""


def data_in(path: Path) -> Any:
    """The JSON values in a file; YAML if the name ends so. Raises FileProblem."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FileProblem(f"{path}: {getattr(error, 'strerror', None) or 'it is no UTF-8 text'}") from None
    try:
        return yaml_value(text) if path.suffix.lower() in _YAML else json.loads(text, object_pairs_hook=each_once)
    except json.JSONDecodeError as error:
        raise FileProblem(f"{path}: this is no JSON: {error}") from None
    except RecursionError:
        raise FileProblem(f"{path}: it is nested too deeply") from None
    except ValueError as error:
        raise FileProblem(f"{path}: {' '.join(str(error).split())}") from None


def catalog_in(path: Path | None) -> Catalog | None:
    """The catalog in a file: a list of names, or an object of names and their members. Raises FileProblem."""
    try:
        return None if path is None else Catalog.of(data_in(path))
    except ConfigError as error:
        raise FileProblem(f"{path} is no catalog: {error}") from None


def policy_in(path: Path, catalog: Catalog | None) -> Policy:
    """The policy in a file, called by the file's name. Raises FileProblem and PolicyError."""
    data = data_in(path)
    if isinstance(data, Mapping) and "cases" in data and "statements" not in data:
        raise FileProblem(f"{path}: these are cases and no policy: bearerkit policy test {path}")
    return Policy.parse(data, id=path.name, catalog=catalog)


def policy_of(paths: Iterable[Path], catalog: Catalog | None) -> Policy:
    """The policies in several files, in force together. Raises FileProblem, also for what is wrong in a document."""
    whole = Policy(catalog=catalog)
    for path in paths:
        try:
            whole |= policy_in(path, catalog)
        except PolicyError as error:
            raise FileProblem(f"{path}: {'; '.join(map(str, error.problems))}") from None
    return whole
