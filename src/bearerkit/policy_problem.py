"""`PolicyProblem`: one thing that is wrong with a policy document, as `PolicyError` carries it. Data only."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["PolicyProblem"]


class PolicyProblem(NamedTuple):
    """What is wrong, and where.

    `code` is stable (docs/policies.md and docs/policy-stores.md list them), `pointer` a JSON pointer into the document
    (RFC 6901), `message` a sentence with the nearest valid name where there is one.
    """

    code: str
    pointer: str
    message: str

    def __str__(self) -> str:
        return f"{self.code} at {self.pointer or '/'}: {self.message}"
