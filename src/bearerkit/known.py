"""What is known about one request, kept in the mapping that its server made for it: ASGI scope or WSGI environ.

It lasts exactly as long as the request. A mapping that was copied before a fact was noted does not see the fact, so
a sub-request that was dispatched with a copy keeps its caller to itself. Who the caller is was decided elsewhere:
adapters note it here, and find it here again. No framework is named here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from typing import Any, Final, Protocol, TypeAlias, final

from bearerkit.context import AuthContext
from bearerkit.current_caller import OUTSIDE
from bearerkit.gate import Gate
from bearerkit.http import NOTHING, Request

__all__ = [
    "ABSENT",
    "KEY",
    "Carrier",
    "MappedUser",
    "UserPlace",
    "begin",
    "caller_of",
    "known_caller",
    "known_of",
    "make_known",
    "remember",
]

Carrier: TypeAlias = MutableMapping[str, Any]
"""An ASGI scope or a WSGI environ."""

KEY: Final = "bearerkit.known"
"""Where a carrier holds what we know. The dot is for WSGI, where names without one stand for text (PEP 3333)."""
ABSENT: Final = object()
"""Where there is no user at all."""
_CONTEXT: Final = "context"
_USER: Final = "user"


class UserPlace(Protocol):
    """Where a framework keeps the user of a request."""

    def get(self) -> Any:
        """The user that stands there, `ABSENT` if none does."""
        ...

    def put(self, user: Any) -> None:
        """Put the team's user there; None for a caller who has none."""
        ...

    def clear(self) -> None:
        """Take away what stands there."""
        ...


@final
class MappedUser:
    """A user under a key of a mapping."""

    __slots__ = ("_key", "_mapping")

    def __init__(self, mapping: MutableMapping[str, Any], key: str) -> None:
        self._mapping = mapping
        self._key = key

    def get(self) -> Any:
        """The user, `ABSENT` if there is none."""
        return self._mapping.get(self._key, ABSENT)

    def put(self, user: Any) -> None:
        """Set it."""
        self._mapping[self._key] = user

    def clear(self) -> None:
        """Remove it."""
        self._mapping.pop(self._key, None)


def known_of(carrier: Mapping[str, Any]) -> Mapping[str, Any]:
    """What we know about the request of a carrier; see `remember`."""
    known: Mapping[str, Any] = carrier.get(KEY, NOTHING)
    return known


def remember(carrier: Carrier, **facts: Any) -> None:
    """Note facts about the request of a carrier. A copy that was made before does not see them."""
    carrier[KEY] = {**known_of(carrier), **facts}


def begin(carrier: Carrier, facts: Mapping[str, Any]) -> Mapping[str, Any]:
    """Forget what was known, since it was about another request; the user that stands in it is still ours."""
    before = carrier.get(KEY)
    begun = dict(facts) if before is None else {**facts, _USER: before.get(_USER)}
    carrier[KEY] = begun
    return begun


def make_known(
    gate: Gate, carrier: Carrier, request: Request, context: AuthContext, place: Callable[..., UserPlace], *where: Any
) -> None:
    """Let `caller_of` find the caller, and `place(*where)` hold the team's user if the gate loads one.

    A user whom another gate put there for another caller is taken away; a user that is not ours stays.
    """
    facts = carrier.get(KEY, NOTHING)
    ours = facts.get(_USER)
    if gate.user is not None or ours is not None:
        ours = _settle_user(gate, place(*where), request, context, ours)
    carrier[KEY] = {**facts, _CONTEXT: context, _USER: ours}


def _settle_user(gate: Gate, place: UserPlace, request: Request, context: AuthContext, ours: Any) -> Any:
    """The user of ours that stands in `place` afterwards, with the caller that it belongs to; None if none does."""
    if gate.user is not None and not context.is_anonymous:
        user = gate.user_of(request, context)
        place.put(user)
        return user, context
    if ours is not None and ours[1] != context and place.get() is ours[0]:
        place.clear()
        ours = None
    if gate.user is not None and place.get() is ABSENT:
        place.put(None)
    return ours


def known_caller(carrier: Mapping[str, Any]) -> AuthContext | None:
    """The caller of the request of a carrier; None if nothing of bearerkit guards it."""
    context: AuthContext | None = known_of(carrier).get(_CONTEXT)
    return context


def caller_of(carrier: Mapping[str, Any]) -> AuthContext:
    """The caller of the request of a carrier. Raises RuntimeError if nothing of bearerkit guards it."""
    context = known_caller(carrier)
    if context is None:
        raise RuntimeError(f"auth_from: {OUTSIDE}")
    return context
