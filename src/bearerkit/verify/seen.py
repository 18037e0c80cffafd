"""What was verified for one request, so that a token is verified once however many guards it passes.

It lies in the memo of the request and counts for exactly one credential: a request may be dispatched anew with other
header fields. Whether a token is good is not decided here.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any, final

from bearerkit.context import AuthContext
from bearerkit.verify.authenticator import Credential, Identifier

__all__ = ["Seen"]


@final
class Seen:
    """A credential and its context. It has no repr of its own: memos lie in environs, which debug pages show."""

    __slots__ = ("_identifier", "_token", "context")

    def __init__(self, identifier: Identifier, token: Credential | None, context: AuthContext) -> None:
        self._identifier = identifier
        self._token = token
        self.context = context

    @classmethod
    def in_memo(
        cls, memo: MutableMapping[str, Any], key: str, identifier: Identifier, token: Credential | None
    ) -> AuthContext | None:
        """The context that `identifier` gave for this very credential; None if it was not asked yet."""
        seen = memo.get(key)
        if seen is None or seen._identifier is not identifier or seen._token != token:
            return None
        context: AuthContext = seen.context
        return context
