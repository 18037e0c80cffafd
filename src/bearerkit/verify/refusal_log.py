"""What operators are told about refusals: in full, once each, on the logger `bearerkit.auth` and to the observer.

The caller learns `public` only, and not from here.
"""

from __future__ import annotations

import logging
from contextlib import suppress

from bearerkit.errors import BearerkitError, Unavailable
from bearerkit.ports import Observer

__all__ = ["note"]

_log = logging.getLogger("bearerkit.auth")


def note(refusal: BearerkitError, observer: Observer) -> None:
    """Log a refusal and tell the observer, unless that was done for it already."""
    if refusal.noted:
        return
    refusal.noted = True
    level, cause = logging.WARNING if isinstance(refusal, Unavailable) else logging.INFO, None
    if refusal.reason == "check_failed":  # a mistake in the team's own code, which only looks like a refusal
        level, cause = logging.ERROR, refusal.__cause__
    _log.log(level, "refused: %s", refusal, exc_info=cause)
    with suppress(Exception):  # an observer must never turn a refusal into something else
        observer.event("request.refused", {"reason": refusal.reason, "status": refusal.status})
