"""What was verified for one request, so that a token is verified once however many guards it passes.

It lies in the memo of the request and counts for exactly one credential: a request may be dispatched anew with other
header fields. What was loaded about the caller lies beside it. Whether a token is good is not decided here.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any, final

from bearerkit.context import AuthContext
from bearerkit.guards import Fact
from bearerkit.http import Request
from bearerkit.ports import Waits
from bearerkit.verify.authenticator import Credential, Identifier

__all__ = ["Seen"]


@final
class Seen:
    """A credential and its context. It has no repr of its own: memos lie in environs, which debug pages show."""

    __slots__ = ("_about", "_facts", "_identifier", "_live", "_token", "context")

    def __init__(self, identifier: Identifier, token: Credential | None, context: AuthContext) -> None:
        self._identifier = identifier
        self._token = token
        self.context = context
        self._about: object = None
        self._facts: dict[Fact, Any] = {}
        self._live: AuthContext | None = None

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

    @classmethod
    def of(cls, memo: MutableMapping[str, Any], key: str, identifier: Identifier, context: AuthContext) -> Seen | None:
        """What `identifier` has seen if it gave this very context, and not one that came from elsewhere."""
        seen: Seen | None = memo.get(key)
        if seen is None or seen._identifier is not identifier or seen.context is not context:
            return None
        return seen

    def facts(self, request: Request) -> dict[Fact, Any]:
        """Where facts about this caller are kept: as long as it is the same request, and not for a conversation."""
        if request.kind != "http":
            return {}
        about = (request.method, request.path, request.query, dict(request.path_params), request.headers)
        if self._about != about:
            self._about, self._facts = about, {}
        return self._facts

    async def live(self, request: Request, waits: Waits) -> AuthContext:
        """What the issuer says of the credential now: asked once for a request, each time in a conversation."""
        assert self._token is not None  # nobody is asked about nobody
        answer = self._live if request.kind == "http" else None
        if answer is None:
            answer = self._live = await self._identifier.live(self._token, self.context, waits)
        return answer
