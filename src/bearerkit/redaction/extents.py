"""How far a value reaches: to the quote that ends it, to the end of its list or line, or to what separates it.

Each function takes a text and where the value begins, and gives where it ends, at the latest at the end of the text:
what was cut off is a part of the value too. What a value means is not asked here.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["line_end", "list_end", "quote_end", "run_end"]

_RUN: Final = re.compile(
    r"""(?:\[redacted\]
      |[^\x00-\x20\x7f&;,"'`<>()\[\]{}\\]++
      |;(?!\s|\Z|[\w.%\-\[\]]*+=)                  # unless it separates parameters
      |,(?!\s|\Z|\\*+"|(?:bearer|dpop|basic)\b)     # unless it separates what is listed
      |\\*+"(?!\\*+(?:[\s,;:)\]}>&]|\Z)|\.(?:\s|\Z))                                 # unless it closes,
      |\\*+['`<>()\[\]{}](?![)\]}>"'`\\]{0,8}+[,;:.]?[)\]}>"'`\\]{0,8}+(?:\s|\Z))    # which these may mean less
      |\\++(?!["'`<>()\[\]{}]|u0026)
    )*+""",
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)
_QUOTE: Final = re.compile(r"(\\*+)([\"'`])")
_QUOTES: Final = ("'", '"', "`")
_IN_LIST: Final = re.compile(r"\\+.|[\"'`\[\]()]", re.DOTALL)
_LINE_END: Final = re.compile(r"[\r\n]|\\[rn]|\\*([\"'`])(\s|\Z)?", re.ASCII)


def run_end(text: str, start: int) -> int:
    """The end of a value that stands in no quotes: the next space, `&`, or sign that closes or separates."""
    run = _RUN.match(text, start)
    return run.end() if run else start


def quote_end(text: str, start: int, quote: str) -> int:
    """Where the string ends that `quote` opened, which has its backslashes if it stands in another string."""
    depth = len(quote) - 1
    for found in _QUOTE.finditer(text, start):
        if found[2] == quote[-1]:
            if len(found[1]) < depth:
                return found.start()
            if (len(found[1]) - depth) % (2 * depth + 2) == 0:
                return found.end() - len(quote)
    return len(text)


def list_end(text: str, start: int) -> int:
    """Where the list or tuple ends whose first element begins at `start`."""
    depth, quote = 1, ""
    for found in _IN_LIST.finditer(text, start):
        sign = found[0]
        if sign in _QUOTES:
            quote = sign if not quote else "" if quote == sign else quote
        elif len(sign) == 1 and not quote:
            depth += 1 if sign in "[(" else -1
            if not depth:
                return found.start()
    return len(text)


def line_end(text: str, start: int, before: str) -> int:
    """The end of a header line, or of the string that it is; `before` is the character in front of its name."""
    for found in _LINE_END.finditer(text, start):
        quote, space = found.groups()
        if quote is None or (quote == before if before in _QUOTES else space is not None):
            return found.start()
    return len(text)
