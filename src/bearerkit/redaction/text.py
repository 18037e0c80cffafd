"""A text, and the same without its credentials.

Here the spans that the rules find in every reading of a text come together and are replaced. No rule about what a
credential is stands here.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from typing import Final

from bearerkit.redaction.escapes import readings
from bearerkit.redaction.named import inside, named
from bearerkit.redaction.names import CREDENTIAL_NAMES, known_name
from bearerkit.redaction.unnamed import unnamed

__all__ = ["CUT", "MARK", "MAX_LENGTH", "redacted", "redacted_field"]

MARK: Final = "[redacted]"
"""What stands in the place of a credential."""
CUT: Final = " [cut: too long to be searched for credentials]"
"""What stands in the place of the rest of a text that is too long."""
MAX_LENGTH: Final = 65_536
"""How many characters of a text are kept, `CUT` included."""

_ROOM: Final = MAX_LENGTH - len(CUT)
_BEYOND: Final = 1024
"""How far what stands at the cut is followed."""
_ROUNDS: Final = 4
_LINE: Final = 256
_SUSPECT: Final = re.compile(r"[=:,%\\]|ey[A-J]|ew[k-r0-3]|bearer|dpop|basic|_[0-9a-z]{16}_", re.IGNORECASE)
"""Whatever holds none of these is no credential that any rule knows."""


def redacted(text: str, names: Collection[str] = CREDENTIAL_NAMES) -> str:
    """`text` with `MARK` in the place of every credential; `names` as `credential_names` gives them."""
    if len(text) <= _LINE and _SUSPECT.search(text) is None:
        return text
    is_cut = len(text) > MAX_LENGTH or text.endswith(CUT)
    kept = text.removesuffix(CUT)[: _ROOM + _BEYOND] if is_cut else text
    end = _ROOM if is_cut else len(kept)
    for _ in range(_ROUNDS):  # what was taken out may have hidden that something else goes on
        before, kept = kept, _without(kept, _spans(kept, names), end)
        if kept == before:
            break
        end = len(kept)
    return kept[:_ROOM] + CUT if is_cut or len(kept) > MAX_LENGTH else kept


def redacted_field(name: str, value: str, names: Collection[str] = CREDENTIAL_NAMES) -> str:
    """`value` as it may be shown where it stands under `name`: a header, a parameter, a member of a mapping."""
    if name.startswith("{"):  # gunicorn and Hypercorn: {authorization}i
        name = name[1:].partition("}")[0]
    known = known_name(name, names)
    span = inside(value, 0, len(value), known) if known else None
    return value[: span[0]] + MARK if span else redacted(value, names)


def _spans(text: str, names: Collection[str]) -> Iterator[tuple[int, int]]:
    for reading in readings(text):
        for rule in (named(reading.text, names), unnamed(reading.text)):
            for start, end in rule:
                yield reading.place(start), reading.place(end)


def _without(text: str, spans: Iterable[tuple[int, int]], end: int) -> str:
    """`text` up to `end`, with one `MARK` for all spans that overlap or touch, unless they begin after `end`."""
    parts: list[str] = []
    done = 0
    for begun, ended in sorted(spans):
        if begun >= end:
            break
        if begun > done or not parts:
            parts += (text[done:begun], MARK)
        done = max(done, ended)
    return "".join((*parts, text[done:end]))
