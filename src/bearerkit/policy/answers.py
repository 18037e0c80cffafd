"""What the statements about one action answer, with the answers that the resource alone decides kept for next time.

Each kind is a dictionary from resource to effect that finds out what it does not hold: a repeated question then costs
two looks. Where the caller or the context has a say, nothing is ever kept, and the dictionary holds no answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, final

from bearerkit.policy.condition import Context
from bearerkit.policy.effect import ALLOW, EXPLICIT_DENY, IMPLICIT_DENY, Effect
from bearerkit.policy.pattern import Match
from bearerkit.policy.principal import Principal

__all__ = [
    "KEPT_ANSWERS",
    "KEPT_LENGTH",
    "NO_CONTEXT",
    "Answers",
    "Ask",
    "Asked",
    "DenyAndAllow",
    "Nobody",
    "OnlyAllow",
    "Room",
]

KEPT_ANSWERS: Final = 2_048
"""Answers of one compiled set that are kept; then it begins anew."""
KEPT_LENGTH: Final = 256
"""Resources that are longer are decided each time, for callers choose them and memory is ours."""
NO_CONTEXT: Final[Mapping[str, Any]] = MappingProxyType({})

Ask = Callable[[str, Principal | None, Context], Effect]
"""Resource, principal and context → the effect."""


@final
class Room:
    """How long resources may be, how many more answers may be kept, and who makes room when there is none."""

    __slots__ = ("left", "longest", "make")

    def __init__(self, longest: int, make: Callable[[], None]) -> None:
        self.longest = longest
        self.make = make
        self.left = KEPT_ANSWERS


class Answers(dict[str, Effect | None]):
    """Resource → effect; None where principal and context have a say, and `ask` is to be asked."""

    __slots__ = ("_room", "ask")

    ask: Ask

    def __init__(self, room: Room) -> None:
        self._room = room

    def _keep(self, resource: str, effect: Effect) -> Effect:
        room = self._room
        if len(resource) <= KEPT_LENGTH and type(resource) is str:
            if room.left <= 0:
                room.make()
            room.left -= 1
            self[resource] = effect
        return effect


@final
class Nobody(Answers):
    """The answers about an action that no statement is about."""

    __slots__ = ()

    def __missing__(self, resource: str) -> Effect:
        return IMPLICIT_DENY


@final
class OnlyAllow(Answers):
    """The answers of plain allows."""

    __slots__ = ("_may",)

    def __init__(self, room: Room, may: Match) -> None:
        super().__init__(room)
        self._may = may

    def __missing__(self, resource: str) -> Effect:
        if len(resource) > self._room.longest:
            return IMPLICIT_DENY
        return self._keep(resource, ALLOW if self._may(resource) else IMPLICIT_DENY)


@final
class DenyAndAllow(Answers):
    """The answers of plain denies and plain allows."""

    __slots__ = ("_denied", "_may")

    def __init__(self, room: Room, denied: Match, may: Match) -> None:
        super().__init__(room)
        self._denied, self._may = denied, may

    def __missing__(self, resource: str) -> Effect:
        if len(resource) > self._room.longest:
            return IMPLICIT_DENY
        if self._denied(resource):
            return self._keep(resource, EXPLICIT_DENY)
        return self._keep(resource, ALLOW if self._may(resource) else IMPLICIT_DENY)


@final
class Asked(Answers):
    """The answers of statements about certain principals, with variables or with conditions: never kept."""

    __slots__ = ()

    def __init__(self, room: Room, ask: Ask) -> None:
        super().__init__(room)
        self.ask = ask

    def __missing__(self, resource: str) -> None:
        return None
