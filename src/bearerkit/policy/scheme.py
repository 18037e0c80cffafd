"""Hierarchical resource names: `service:core/package:materials/table:parts`.

A resource is opaque unless its scheme is declared. In a declared scheme a pattern that does not end in a star covers
itself and everything below it, at a `/` boundary; nothing is ever granted upwards.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from bearerkit.errors import ConfigError
from bearerkit.policy.pattern import RUN, Pattern

__all__ = ["DEFAULT_SCHEMES", "Scheme", "scheme_of", "schemes_from", "with_descendants"]

_LABEL: Final = re.compile(r"[a-z][a-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class Scheme:
    """The labels of the levels from the top down, as in `("service", "package", "table")`."""

    labels: tuple[str, ...]

    def levels(self, resource: str) -> tuple[tuple[str, str], ...] | None:
        """Label and name of each level of a resource, or of a pattern; None if it is not of this scheme."""
        found: list[tuple[str, str]] = []
        rest = iter(self.labels)
        for segment in resource.split("/"):
            label, colon, name = segment.partition(":")
            if not colon or not name or ":" in name or label not in rest:  # `in` goes on where it stopped
                return None
            found.append((label, name))
        return tuple(found) if found and found[0][0] == self.labels[0] else None


DEFAULT_SCHEMES: Final = (Scheme(("service", "package", "table")),)


def schemes_from(given: Iterable[Scheme | Sequence[str]]) -> tuple[Scheme, ...]:
    """Schemes as they may be written. Raises ConfigError listing every problem."""
    schemes: list[Scheme] = []
    problems: list[str] = []
    for item in given:
        labels = item.labels if isinstance(item, Scheme) else tuple(item) if not isinstance(item, str) else ()
        if not labels or not all(_LABEL.fullmatch(str(label)) for label in labels):
            problems.append(f'a scheme is a list of labels, as in ("service", "package", "table"), not {item!r}')
        elif len(set(labels)) != len(labels):
            problems.append(f"the scheme {labels!r} names a level twice")
        else:
            schemes.append(Scheme(labels))
    if len({scheme.labels[0] for scheme in schemes}) != len(schemes):
        problems.append("two schemes begin with the same label")
    if problems:
        raise ConfigError(problems)
    return tuple(schemes)


def scheme_of(resource: str, schemes: Sequence[Scheme]) -> Scheme | None:
    """The scheme that a resource name, or a pattern, belongs to."""
    return next((scheme for scheme in schemes if scheme.levels(resource) is not None), None)


def with_descendants(pattern: Pattern, schemes: Sequence[Scheme]) -> tuple[Pattern, ...]:
    """The pattern, and beside it, in a declared scheme, the one for everything below."""
    if not pattern.atoms or pattern.atoms[-1] is RUN or scheme_of(pattern.text, schemes) is None:
        return (pattern,)
    return pattern, pattern.below("/")
