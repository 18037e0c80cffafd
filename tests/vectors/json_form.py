"""JWS in their JSON serialisations: never a bearer token, but each signature in it can be put in compact form.

Only what is wholly protected can: an algorithm that stands outside the protected header is not signed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from bearerkit.errors import Malformed
from bearerkit.jose import base64url
from bearerkit.jose.compact import parse
from vectors.tally import ACCEPT, REJECT

__all__ = ["DETACHED", "JSON_FORM", "NOT_COMPACT", "NO_CONTENT", "compact_forms", "is_detached", "refused_as_json"]

DETACHED = "detached content"
JSON_FORM = "JSON serialisation"
NO_CONTENT = "the payload is not in the token (RFC 7515 appendix F), and a JWT has one; the signature is refused"
NOT_COMPACT = "a bearer token is the compact form (RFC 7519 section 1); the signatures inside are counted on their own"


def compact_forms(document: Mapping[str, Any]) -> Iterator[tuple[int, str]]:
    """Number and compact form of every signature whose `alg` is protected and whose payload is there and encoded."""
    if "payload" not in document:
        return
    for number, signature in enumerate(document.get("signatures", [document])):
        protected = signature.get("protected", "")
        header = json.loads(base64url.decode(protected.encode())) if protected else {}
        if "alg" in header and "b64" not in header:
            yield number, f"{protected}.{document['payload']}.{signature['signature']}"


def is_detached(token: str) -> bool:
    """Whether a compact token comes without its payload."""
    return token.count(".") == 2 and ".." in token


def refused_as_json(text: str) -> str:
    """How a document that is given in place of a token is refused."""
    try:
        parse(text)
    except Malformed as refusal:
        # A hint for each: whoever sends this needs to know what to send instead.
        named = refusal.reason == "encrypted" or "JSON serialisation" in refusal.detail
        return f"{REJECT}: {refusal.reason}" if named and refusal.hint else f"{REJECT} without saying why"
    return ACCEPT
