"""`python -m bearerkit`: the same as the `bearerkit` command. Nothing else belongs here."""

from __future__ import annotations

from bearerkit.cli import main

__all__: list[str] = []

if __name__ == "__main__":
    raise SystemExit(main())
