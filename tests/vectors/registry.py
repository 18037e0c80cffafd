"""Every source of conformance vectors, and the tables that docs/conformance.md shows of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from vectors import (
    cookbook,
    json_test_suite,
    latchset,
    opa_jwt,
    rfc_examples,
    wycheproof_crypto,
    wycheproof_jwe,
    wycheproof_jwk,
    wycheproof_jws,
)
from vectors.tally import Deviation, Tally, count

__all__ = ["NOT_JOSE", "SOURCES", "as_tables"]

SOURCES = (
    wycheproof_jws.SOURCE,
    wycheproof_jwk.SOURCE,
    wycheproof_crypto.SOURCE,
    wycheproof_jwe.SOURCE,
    cookbook.SOURCE,
    latchset.SOURCE,
    rfc_examples.SOURCE,
    opa_jwt.SOURCE,
    json_test_suite.SOURCE,
)

NOT_JOSE = {
    "**/README.md": "says what the folder holds",
    "**/LICENSE": "the licence of the vectors",
    "latchset-jose/COPYING": "the licence of the vectors",
    "authzen/*": "decisions about access, not about tokens",
    "cedar/**/*": "the policy language",
    "opa-rego-compliance/[!j]*.json": "built-ins of the policy language that are not about JWT",
}
"""Files of the folder of vectors that no source reads, and why not."""


def as_tables(folder: Path) -> str:
    """Counts, deviations and what does not apply, as Markdown."""
    tallies = [count(source, folder) for source in SOURCES]
    parts = {"Counts": _counts, "Deviations": _deviations, "What does not apply": _outside}
    return "\n\n".join(f"## {title}\n\n" + "\n".join(rows(tallies)) for title, rows in parts.items())


def _counts(tallies: Sequence[Tally]) -> Iterator[str]:
    yield "| Source | Vectors | Agree | Deviate | Do not apply |"
    yield "| --- | ---: | ---: | ---: | ---: |"
    rows = [(f"{tally.source.name} (`{tally.source.path}`)", *_numbers(tally)) for tally in tallies]
    rows.append(("Total", *map(sum, zip(*map(_numbers, tallies), strict=True))))
    yield from (f"| {' | '.join(map(str, row))} |" for row in rows)


def _numbers(tally: Tally) -> tuple[int, int, int, int]:
    return len(tally.outcomes), len(tally.agreed), len(tally.deviating), tally.not_applicable


def _deviations(tallies: Sequence[Tally]) -> Iterator[str]:
    yield "| Source | Vector | Our verdict | Why |"
    yield "| --- | --- | --- | --- |"

    def cause(row: tuple[str, Deviation]) -> tuple[str, str]:
        return row[1].ours, row[1].why

    for tally in tallies:
        for (ours, why), group in groupby(sorted(tally.deviating, key=cause), key=cause):
            yield _row(tally.source.name, ", ".join(name for name, _ in group), ours, why)


def _outside(tallies: Sequence[Tally]) -> Iterator[str]:
    yield "| Source | Class | Vectors | Why |"
    yield "| --- | --- | ---: | --- |"
    for tally in tallies:
        for name, members in tally.outside.items():
            if members:
                yield _row(tally.source.name, name, str(len(members)), tally.source.outside[name])


def _row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
