"""`Forgetting`: what `Auth.forget` drops here, and through `Evictions` in every other process.

The message is matched with contexts in this module and nowhere else, whoever sent it. Nothing is revoked here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import final

from bearerkit.context import AuthContext
from bearerkit.ports import Evictions
from bearerkit.verify.authenticator import Identifier

__all__ = ["Forgetting"]

_CREDENTIAL = "credential"


@final
class Forgetting:
    """Joins the caches behind `identifier()` to `evictions`, if there are any."""

    def __init__(self, identifier: Callable[[], Identifier], evictions: Evictions | None) -> None:
        self._identifier = identifier
        self._evictions = evictions
        self._leave: Callable[[], None] | None = None
        self.asleep = evictions is not None
        """True until somebody is asked to `listen`."""

    def listen(self) -> None:
        """Hear what others say, until `close`.

        Begun with the first credential and not before: a server that forks after it was built must not do so while a
        thread of ours holds a lock, and until then there is nothing to forget.
        """
        if self._evictions is not None and self._leave is None:
            self.asleep = False
            self._leave = self._evictions.listen(self.here)

    def everywhere(self, credential: str | None, fields: Mapping[str, str | None]) -> None:
        """Drop it here, then tell everybody. Nothing given means everything."""
        message = {name: value for name, value in fields.items() if value is not None}
        if credential is not None:
            message[_CREDENTIAL] = credential
        self.here(message)
        if self._evictions is not None:
            self._evictions.publish(message)

    def here(self, message: Mapping[str, str]) -> None:
        """Drop the credential, and every context that has all of the fields; an empty message is everything."""
        fields = {name: value for name, value in message.items() if name != _CREDENTIAL}
        identifier = self._identifier()
        if _CREDENTIAL in message:
            identifier.forget_token(message[_CREDENTIAL])
            if not fields:
                return
        identifier.forget_where(lambda context: _has_all(context, fields))

    def close(self) -> None:
        """Drop everything here, and hear nothing more."""
        if self._leave is not None:
            self._leave()
            self._leave = None
        self.asleep = self._evictions is not None
        self.here({})


def _has_all(context: AuthContext, fields: Mapping[str, str]) -> bool:
    return all(getattr(context, name, None) == value for name, value in fields.items())
