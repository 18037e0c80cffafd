"""Limits of policy documents and of the questions asked of them. Numbers only."""

from __future__ import annotations

from dataclasses import dataclass, fields

from bearerkit.errors import ConfigError

__all__ = ["ROLE_DEPTH", "Limits"]

ROLE_DEPTH = 16
"""How many parents a role may have above it; those further up are not looked at."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a document may hold at most, and how long an action or resource may be that is asked about.

    A document beyond them is refused whole; a question beyond them is answered with a deny. Raises ConfigError for
    anything but positive whole numbers.
    """

    document_bytes: int = 64 * 1024
    statements: int = 200
    actions: int = 100
    resources: int = 100
    principals: int = 100
    conditions: int = 20
    values: int = 100
    pattern_length: int = 512
    wildcards: int = 8
    action_length: int = 256
    resource_length: int = 2_048
    effective_statements: int = 10_000

    def __post_init__(self) -> None:
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        problems = [
            f"Limits({name}={value!r}) must be a positive whole number"
            for name, value in values.items()
            if not isinstance(value, int) or isinstance(value, bool) or value < 1
        ]
        if problems:
            raise ConfigError(problems)
