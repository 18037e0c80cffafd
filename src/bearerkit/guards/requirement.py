"""Requirements: what a route demands of a caller, as frozen values that compose with `&` and `|`.

A requirement is facts plus a pure rule: `facts()` names what must be loaded from outside, a procedure loads it, and
`check()` decides from the context, the request, those facts and the time. The order of refusal is fixed by `Stage`,
not by the order in which somebody wrote the parts: a caller learns about a missing scope only after it is clear
that the tenant is his. Nothing here loads, waits or asks for the time, and whatever goes wrong in a check denies.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, NamedTuple, NoReturn, TypeVar, final

from bearerkit.context import AuthContext
from bearerkit.errors import BearerkitError, ConfigError, CredentialsMissing, InsufficientScope, PermissionDenied
from bearerkit.guards.names import listed
from bearerkit.http import Request

__all__ = [
    "AllOf",
    "AnyOf",
    "Fact",
    "Refusal",
    "Requirement",
    "Stage",
    "checked_need",
    "enforce",
]

T = TypeVar("T")

Facts = Mapping["Fact", Any]


class Stage(IntEnum):
    """When a requirement refuses, relative to the others of a route: lower stages come first."""

    AUTHENTICATED = 0
    TENANT = 1
    SCOPE = 2
    """Scopes, roles, kinds of principal, and whatever else the credential itself says."""
    LIVE = 3
    """Whether the issuer still calls the credential active."""
    REMOTE = 4
    """What a loader of the team says: services, permissions, a tier, the end of an access period."""
    POLICY = 5
    STEP_UP = 6
    CUSTOM = 7


@dataclass(frozen=True)
class Fact:
    """Something that must be loaded before a rule can decide. Equal facts of one requirement are loaded once.

    `load(ctx, request)` gives the value or an awaitable of it; what it raises is an outage or a refusal, never a pass.
    """

    name: str
    load: Callable[[AuthContext, Request], Any]
    remote: bool = False
    """True for what a store or another service knows: kept until the request ends, and a failure is an outage (503)."""


class Refusal(NamedTuple):
    """A refusal that has not been raised yet, and the stage it belongs to."""

    stage: Stage
    error: BearerkitError


class Requirement(ABC):
    """What a route demands. Subclasses are frozen dataclasses, so that requirements are hashable and comparable.

    `a & b` needs both, `a | b` one of them. Python's `and` and `or` would silently drop one side, so they raise.
    """

    stage: Stage
    """The earliest stage at which this can refuse."""

    only_scopes: bool = False
    """True when scopes alone would satisfy it: only then may a challenge name scopes for it."""

    @abstractmethod
    def check(self, ctx: AuthContext, request: Request, facts: Facts, now: float) -> None:
        """Return None to let the caller pass, or raise a Refused error. Pure; `now` is in epoch seconds."""

    @abstractmethod
    def describe(self) -> str:
        """What is needed, in words: a noun phrase, such as `scope "orders:read"`."""

    def facts(self, request: Request) -> tuple[Fact, ...]:
        """What `check` needs to find in its `facts`, each once. None by default."""
        return ()

    def scopes(self) -> tuple[str, ...]:
        """The scopes that must all be granted, for OpenAPI; () where there is a choice."""
        return ()

    def refusal(self, ctx: AuthContext, request: Request, facts: Facts, now: float) -> Refusal | None:
        """The outcome of `check` as a value: None for a pass. A check that breaks, or returns anything, denies."""
        try:
            outcome: object = self.check(ctx, request, facts, now)
        except BearerkitError as error:
            return Refusal(self.stage, error)
        except Exception as cause:
            broken = PermissionDenied(
                f"the check of {type(self).__name__} raised {type(cause).__name__}", reason="check_failed"
            )
            broken.__cause__ = cause
            return Refusal(self.stage, broken)
        if outcome is None:
            return None
        return Refusal(
            self.stage,
            PermissionDenied(
                f"the check of {type(self).__name__} returned {type(outcome).__name__}",
                reason="check_failed",
                hint="check() returns None to pass and raises to refuse; it is a plain function, not a coroutine.",
            ),
        )

    def __and__(self, other: Requirement) -> AllOf:
        right: object = other
        return AllOf((self, right)) if isinstance(right, Requirement) else NotImplemented

    def __or__(self, other: Requirement) -> AnyOf:
        right: object = other
        return AnyOf((self, right)) if isinstance(right, Requirement) else NotImplemented

    def __bool__(self) -> NoReturn:
        raise TypeError("a requirement is neither true nor false: join requirements with & and |, compare with None")


@final
@dataclass(frozen=True)
class AllOf(Requirement):
    """Every member must pass. Members are flattened, each once, in order of their stage."""

    members: tuple[Requirement, ...]
    written: tuple[Requirement, ...] = field(init=False, repr=False, compare=False)
    """The members in the order in which they were written, for `describe()`."""
    stage: Stage = field(init=False, repr=False, compare=False)
    only_scopes: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        written = _flat(AllOf, self.members)
        members = tuple(sorted(written, key=lambda member: member.stage))
        object.__setattr__(self, "written", written)
        object.__setattr__(self, "members", members)
        object.__setattr__(self, "stage", members[0].stage)
        object.__setattr__(self, "only_scopes", all(member.only_scopes for member in members))

    def check(self, ctx: AuthContext, request: Request, facts: Facts, now: float) -> None:
        """Raise the refusal of the earliest stage."""
        refusal = self.refusal(ctx, request, facts, now)
        if refusal is not None:
            raise refusal.error

    def refusal(self, ctx: AuthContext, request: Request, facts: Facts, now: float) -> Refusal | None:
        """The refusal of the earliest stage; a scope refusal names every scope of the operation (RFC 6750)."""
        first: Refusal | None = None
        for member in self.members:
            if first is not None and first.stage <= member.stage:
                break
            found = member.refusal(ctx, request, facts, now)
            if found is not None and (first is None or found.stage < first.stage):
                first = found
        if first is not None and isinstance(first.error, InsufficientScope) and first.error.required:
            return Refusal(first.stage, _naming(first.error, (*self.scopes(), *first.error.required)))
        return first

    def facts(self, request: Request) -> tuple[Fact, ...]:
        """The facts of all members."""
        return _unique(fact for member in self.members for fact in member.facts(request))

    def scopes(self) -> tuple[str, ...]:
        """The scopes of all members, as written."""
        return _unique(name for member in self.written for name in member.scopes())

    def describe(self) -> str:
        """The members joined by "and"."""
        return listed((_nested(member) for member in self.written), "and")


@final
@dataclass(frozen=True)
class AnyOf(Requirement):
    """One member must pass. Members are flattened, each once, in the order in which they were written."""

    members: tuple[Requirement, ...]
    stage: Stage = field(init=False, repr=False, compare=False)
    only_scopes: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        members = _flat(AnyOf, self.members)
        object.__setattr__(self, "members", members)
        # It refuses only after every member did, so never before the last of their earliest stages.
        object.__setattr__(self, "stage", max(member.stage for member in members))
        object.__setattr__(self, "only_scopes", all(member.only_scopes for member in members))

    def check(self, ctx: AuthContext, request: Request, facts: Facts, now: float) -> None:
        """Raise the refusal of the member that got furthest, unless one passes."""
        refusal = self.refusal(ctx, request, facts, now)
        if refusal is not None:
            raise refusal.error

    def refusal(self, ctx: AuthContext, request: Request, facts: Facts, now: float) -> Refusal | None:
        """The refusal of the member that got furthest, the first one on a tie; None when a member passes."""
        refusals: list[Refusal] = []
        for member in self.members:
            found = member.refusal(ctx, request, facts, now)
            if found is None:
                return None
            refusals.append(found)
        furthest = max(refusals, key=lambda refusal: refusal.stage)
        if not isinstance(furthest.error, InsufficientScope):
            return furthest
        # Where something else than a scope would do as well, a challenge must not send the client after scopes.
        named = (name for _, error in refusals if isinstance(error, InsufficientScope) for name in error.required)
        return Refusal(furthest.stage, _naming(furthest.error, named if self.only_scopes else ()))

    def facts(self, request: Request) -> tuple[Fact, ...]:
        """The facts of all members."""
        return _unique(fact for member in self.members for fact in member.facts(request))

    def describe(self) -> str:
        """The members joined by "or"."""
        return listed((_nested(member) for member in self.members), "or")


def checked_need(need: object) -> Requirement:
    """`need`, if it is a requirement. Raises ConfigError for what would otherwise guard nothing, such as None."""
    if isinstance(need, Requirement):
        return need
    shown = need.__name__ if isinstance(need, type) or (callable(need) and hasattr(need, "__name__")) else repr(need)
    raise ConfigError(f'a requirement is needed, such as scope("orders:read"), not {shown}')


def enforce(need: Requirement, ctx: AuthContext, request: Request, facts: Facts, now: float) -> None:
    """Return when `ctx` meets `need`; raise a Refused error otherwise.

    `facts` must hold what `need.facts(request)` names; a fact that is absent denies. `now` is in epoch seconds.
    """
    if ctx.is_anonymous:
        raise CredentialsMissing("the route needs an authenticated caller")
    refusal = need.refusal(ctx, request, facts, now)
    if refusal is not None:
        raise refusal.error


def _flat(kind: type[AllOf | AnyOf], members: tuple[Requirement, ...]) -> tuple[Requirement, ...]:
    if not members or not all(isinstance(member, Requirement) for member in members):
        raise ConfigError(f"{kind.__name__} needs requirements, such as scope(…), and at least one")
    parts: list[Requirement] = []
    for member in members:
        match member:
            case AllOf() if kind is AllOf:
                parts += member.written
            case AnyOf() if kind is AnyOf:
                parts += member.members
            case _:
                parts.append(member)
    return _unique(parts)


def _unique(items: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(items))


def _nested(member: Requirement) -> str:
    return f"({member.describe()})" if isinstance(member, AllOf | AnyOf) else member.describe()


def _naming(error: InsufficientScope, names: Iterable[str]) -> InsufficientScope:
    return InsufficientScope(
        error.detail, required=_unique(names), reason=error.reason, public=error.public, hint=error.hint
    )
