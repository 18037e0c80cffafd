"""Whether a key may sign for an issuer, where the key set limits its keys by an `issuer` member (Microsoft Entra).

One key set may serve many issuers. A key that names its issuer signs for that one only; a `{tenantid}`-like
placeholder in the name stands for one tenant id: letters, digits, `-` and `_`.
"""

from __future__ import annotations

import re
from functools import lru_cache

__all__ = ["key_may_sign"]


def key_may_sign(key_issuer: str | None, token_issuer: object) -> bool:
    """True if a key with this `issuer` member may have signed a token with this `iss`."""
    if key_issuer is None or key_issuer == token_issuer:
        return True
    if not isinstance(token_issuer, str) or "{" not in key_issuer:
        return False
    return _pattern(key_issuer).fullmatch(token_issuer) is not None


@lru_cache(64)
def _pattern(key_issuer: str) -> re.Pattern[str]:
    pieces = re.split(r"\{[^{}]*\}", key_issuer)
    # Possessive, so that a key set cannot make the comparison slow by many placeholders in a row.
    return re.compile(r"[A-Za-z0-9_-]{1,128}+".join(map(re.escape, pieces)))
