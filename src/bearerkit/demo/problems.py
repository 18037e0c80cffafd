"""How the demo says that it could not run. Nothing else belongs here."""

from __future__ import annotations

__all__ = ["DemoFailed"]


class DemoFailed(Exception):
    """The demo could not run. The message is one line."""
