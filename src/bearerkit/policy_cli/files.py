"""Reading policy documents, catalogs and cases from JSON and YAML files.

A member that is written twice is an error in both: a second `effect` or `conditions` must not silently win.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bearerkit.policy import Catalog, Policy, PolicyError

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
        return _yaml(text) if path.suffix.lower() in _YAML else json.loads(text, object_pairs_hook=_each_once)
    except (ValueError, RecursionError) as error:
        raise FileProblem(f"{path}: {' '.join(str(error).split())}") from None


def catalog_in(path: Path | None) -> Catalog | None:
    """The catalog in a file: a list of names, or an object of names and their members."""
    return None if path is None else Catalog.of(data_in(path))


def policy_in(path: Path, catalog: Catalog | None) -> Policy:
    """The policy in a file, called by the file's name. Raises FileProblem and PolicyError."""
    return Policy.parse(data_in(path), id=path.name, catalog=catalog)


def policy_of(paths: Iterable[Path], catalog: Catalog | None) -> Policy:
    """The policies in several files, in force together. Raises FileProblem, also for what is wrong in a document."""
    whole = Policy(catalog=catalog)
    for path in paths:
        try:
            whole |= policy_in(path, catalog)
        except PolicyError as error:
            raise FileProblem(f"{path}: {'; '.join(map(str, error.problems))}") from None
    return whole


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member is written twice")
    return members


def _yaml(text: str) -> Any:
    try:
        import yaml
    except ModuleNotFoundError:
        raise ValueError('YAML files need PyYAML: pip install "bearerkit[cli]"') from None

    class Loader(yaml.SafeLoader):
        """Safe, and strict about members that are written twice. Dates stay text."""

    def members(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict[str, Any]:
        made = loader.construct_object
        return _each_once([(made(key, deep=True), made(value, deep=True)) for key, value in node.value])

    Loader.add_constructor("tag:yaml.org,2002:map", members)
    Loader.add_constructor("tag:yaml.org,2002:timestamp", lambda loader, node: str(node.value))
    try:
        return yaml.load(text, Loader)  # noqa: S506 - it is a SafeLoader
    except (yaml.YAMLError, TypeError) as error:  # TypeError: a list as the name of a member
        raise ValueError(str(error)) from None
