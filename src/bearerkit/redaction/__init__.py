"""Text without the credentials that stand in it.

Everything in this package is pure and linear in the length of the text, which is cut where it is too long to be
searched. Whatever is no credential stays as it is, character by character; in doubt a value is taken for one; and
redacting twice changes nothing more. Nothing here keeps a credential or raises it, and nothing logs: the filter for
logs is in logs.py.
"""

from __future__ import annotations

from bearerkit.redaction.names import credential_names, known_name
from bearerkit.redaction.text import CUT, MARK, MAX_LENGTH, redacted, redacted_field

__all__ = ["CUT", "MARK", "MAX_LENGTH", "credential_names", "known_name", "redacted", "redacted_field"]
