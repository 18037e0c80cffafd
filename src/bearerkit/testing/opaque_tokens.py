"""Opaque tokens of a fake issuer, and its introspection endpoint (RFC 7662). For tests; it asks nobody who he is."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from typing import Any, final
from urllib.parse import parse_qsl

from bearerkit.http import Fetched, Headers

__all__ = ["OpaqueTokens"]


@final
class OpaqueTokens:
    """Tokens and what is said of them until they are revoked or end."""

    def __init__(self) -> None:
        self._claims: dict[str, Mapping[str, Any]] = {}

    def issue(self, claims: Mapping[str, Any]) -> str:
        """A token with these claims."""
        token = f"opaque-{secrets.token_urlsafe(24)}"
        self._claims[token] = claims
        return token

    def revoke(self, token: str) -> None:
        """Say that this token is not active from now on."""
        self._claims.pop(token, None)

    def introspect(self, body: bytes, now: float) -> Fetched:
        """The answer to a form with a token."""
        token = dict(parse_qsl(body.decode("utf-8", "replace"))).get("token", "")
        claims = self._claims.get(token)
        ended = claims is not None and claims.get("exp") is not None and now >= claims["exp"]
        said = {"active": False} if claims is None or ended else {"active": True, **claims}
        return Fetched(200, Headers([("Content-Type", "application/json")]), json.dumps(said).encode())
