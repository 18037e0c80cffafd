"""Loaders: functions of the team that say what no credential says, such as the services of a tenant.

A loader is a fact: a procedure calls it, at most once for a request, and never for somebody whom an earlier stage
refuses. Here stands how such a fact is made and which answers count. A text is no list of names, a mapping of switches
is none either, and what was not loaded is no answer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import TypeVar

from bearerkit.context import AuthContext
from bearerkit.errors import ConfigError, PermissionDenied
from bearerkit.guards.requirement import Fact, Facts
from bearerkit.http import Request

__all__ = ["Loader", "fact_of", "loader_problems", "names_from", "no_answer"]

T = TypeVar("T")

Loader = Callable[[AuthContext, Request], T | Awaitable[T]]
"""Asked as `load(ctx, request)`; what it raises is an outage (503), unless it is a refusal of its own."""


def loader_problems(maker: str, name: str, fn: object) -> list[str]:
    """What is wrong with a function that is to become a fact."""
    if not callable(fn):
        return [f"{maker}: {name} must be callable"]
    try:
        hash(fn)
    except TypeError:
        return [f"{maker}: {name} must be hashable; pass a function rather than an object that defines __eq__"]
    return []


def fact_of(maker: str, what: str, load: Loader[T] | None) -> Fact | None:
    """The fact that `load` gives; None without one. Raises ConfigError for what cannot be called or hashed."""
    if load is None:
        return None
    problems = loader_problems(maker, "load", load)
    if problems:
        raise ConfigError(problems)
    return Fact(what, load, remote=True)


def names_from(fact: Fact, facts: Facts) -> Collection[str]:
    """The names that were loaded. Raises PermissionDenied for an answer that is no collection of names."""
    names = facts.get(fact)
    # "in" would find part of a text, and the key of a switch that is off.
    if isinstance(names, str | bytes | Mapping) or not isinstance(names, Collection):
        raise no_answer(fact, facts, "a collection of names")
    if not all(isinstance(name, str) for name in names):
        raise no_answer(fact, facts, "a collection of names")
    return names


def no_answer(fact: Fact, facts: Facts, wanted: str) -> PermissionDenied:
    """The refusal where a loader gave something else than it should."""
    gave = f"gave {type(facts[fact]).__name__}" if fact in facts else "was not asked"
    return PermissionDenied(
        f"the loader of {fact.name} {gave}", reason="check_failed", hint=f"load= returns, or is awaited to, {wanted}."
    )
