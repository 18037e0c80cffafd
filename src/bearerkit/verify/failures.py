"""How a failure of the team's own code is told in a refusal: what kind it was, and where.

Never the message of an exception: it may hold what the code was given, such as the URL of a database.
"""

from __future__ import annotations

__all__ = ["failure"]


def failure(error: BaseException) -> str:
    """As in `OSError in policies_for (sources.py, line 12)`, the innermost call."""
    innermost = error.__traceback__
    if innermost is None:
        return type(error).__name__
    while innermost.tb_next is not None:
        innermost = innermost.tb_next
    code = innermost.tb_frame.f_code
    file = code.co_filename.replace("\\", "/").rpartition("/")[2]
    return f"{type(error).__name__} in {code.co_name} ({file}, line {innermost.tb_lineno})"
