"""`Policy`: documents that are in force together, and the questions that can be asked of them.

A policy is a value: it never changes, and equal content is compiled once however often it is parsed. Its own statements
grant; boundaries around it only take away. Whatever goes wrong while a question is answered, the answer is a deny.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal, final

from bearerkit.errors import PolicyError
from bearerkit.policy.answers import NO_CONTEXT
from bearerkit.policy.catalog import Catalog
from bearerkit.policy.clauses import Resolve
from bearerkit.policy.compiled import CompiledSet, compiled_set
from bearerkit.policy.decision import IDENTITY, Decision
from bearerkit.policy.document import read_document
from bearerkit.policy.effect import ALLOW, BOUNDARY_DENY, EXPLICIT_DENY, IMPLICIT_DENY
from bearerkit.policy.explanation import Explanation, explained
from bearerkit.policy.limits import Limits
from bearerkit.policy.listing import decided_below, decided_here
from bearerkit.policy.members import each_once
from bearerkit.policy.operators import Operator
from bearerkit.policy.principal import Principal, principal_from
from bearerkit.policy.scheme import DEFAULT_SCHEMES, Scheme, schemes_from
from bearerkit.policy.statement import Source
from bearerkit.policy_problem import PolicyProblem

__all__ = ["Policy"]

Who = Principal | Mapping[str, Any] | None
_DEFAULT_LIMITS: Final = Limits()
_BOUNDARY: Final = "boundary"
_NO_NAMES: Final = frozenset[str]()
_ALLOWED: Final = Decision(ALLOW)
_DENIED: Final = {effect: Decision(effect) for effect in (EXPLICIT_DENY, IMPLICIT_DENY)}


@final
class Policy:
    """One or more policy documents, perhaps within boundaries. Make one with `parse`.

    `principal` of the questions is a `Principal`, a mapping of its fields, or None for the one that the policy is
    attached to. `context` is a mapping with the roots `request`, `session` and `resource`.
    """

    __slots__ = ("_answers", "_catalog", "_count", "_limits", "_schemes", "_set", "boundaries", "sources")

    sources: tuple[Source, ...]
    """The documents, in order."""
    boundaries: tuple[tuple[str, Policy], ...]
    """What must allow a request too, by name."""
    _set: CompiledSet

    def __init__(
        self,
        sources: Iterable[Source] = (),
        *,
        boundaries: Iterable[tuple[str, Policy]] = (),
        catalog: Catalog | None = None,
        schemes: tuple[Scheme, ...] = DEFAULT_SCHEMES,
        limits: Limits = _DEFAULT_LIMITS,
    ) -> None:
        self.sources = tuple(dict.fromkeys(sources))
        self.boundaries = tuple(boundaries)
        self._catalog, self._schemes, self._limits = catalog, schemes, limits
        self._count = count = sum(len(source.statements) for source in self.sources)
        if count > limits.effective_statements:
            most = limits.effective_statements
            text = f"{count} statements in force together; at most {most} are allowed"
            raise PolicyError([PolicyProblem("too_many_statements", "", text)])
        self._set = compiled_set(self.sources, schemes, limits, _NO_NAMES if catalog is None else catalog.known)
        self._answers = self._set.answers

    @classmethod
    def parse(
        cls,
        document: Any,
        *,
        id: str | None = None,  # noqa: A002 - what a policy's id is called everywhere
        version: str | None = None,
        catalog: Catalog | None = None,
        schemes: Iterable[Scheme | Sequence[str]] = DEFAULT_SCHEMES,
        limits: Limits = _DEFAULT_LIMITS,
        resolve: Resolve | None = None,
        operators: Sequence[Operator] = (),
    ) -> Policy:
        """The policy that a document spells: a list of statements, or an object with version and statements.

        Args:
            document: JSON values, not text (`parse_json` takes text).
            id: What explanations call this document.
            version: Its revision, for explanations and for telling two of them apart.
            catalog: The actions that exist; any other exact one is then an error.
            schemes: Hierarchical resource names, as in `[("service", "package", "table")]`, which is the default.
            limits: How large it may be.
            resolve: Turns `role:<name>` and `user:<email>` into ids that never change: `resolve("role", name)`. Without
                it names compare as given, so that whoever takes over a name takes over its grants.
            operators: Further operators of conditions.

        Raises:
            PolicyError: listing every problem; nothing of the document is in force then.
            ConfigError: for schemes or operators that cannot work.
        """
        known = schemes_from(schemes)
        source = read_document(
            document,
            id=id,
            version=version,
            catalog=catalog,
            schemes=known,
            limits=limits,
            resolve=resolve,
            operators=operators,
        )
        return cls([source], catalog=catalog, schemes=known, limits=limits)

    @classmethod
    def parse_json(cls, text: str | bytes, **options: Any) -> Policy:
        """As `parse`, from JSON text. A member that is written twice is a problem too."""
        try:
            document = json.loads(text, object_pairs_hook=each_once)
        except (ValueError, RecursionError) as error:
            raise PolicyError([PolicyProblem("bad_document", "", f"this is no JSON: {error}")]) from None
        return cls.parse(document, **options)

    # Questions

    def allows(
        self, action: str, resource: str, principal: Who = None, context: Mapping[str, Any] | None = None
    ) -> bool:
        """Whether this principal may do this to that resource. The fast path; `decide` says by which layer not."""
        try:
            # All that `decide` does, in line: this is asked on every request, and a call costs as much as a look.
            who = principal if principal is None or type(principal) is Principal else principal_from(principal)
            effect = self._answers[action][resource]
            if effect is None:
                effect = self._answers[action].ask(resource, who, NO_CONTEXT if context is None else context)
            if effect is not ALLOW:
                return False
            return not self.boundaries or all(
                policy.allows(action, resource, who, context) for _, policy in self.boundaries
            )
        except Exception:
            return False

    def decide(
        self, action: str, resource: str, principal: Who = None, context: Mapping[str, Any] | None = None
    ) -> Decision:
        """The effect, and the layer that decided."""
        try:
            who = principal_from(principal)
            effect = self._answers[action][resource]
            if effect is None:
                effect = self._answers[action].ask(resource, who, NO_CONTEXT if context is None else context)
        except Exception as error:
            return Decision(IMPLICIT_DENY, error=f"{type(error).__name__}: {error}"[:200])
        if effect != ALLOW:
            return _DENIED[effect]
        for name, policy in self.boundaries:
            bound = policy.decide(action, resource, who, context)
            if not bound.allowed:
                return Decision(BOUNDARY_DENY, name, bound.error)
        return _ALLOWED

    def explain(
        self, action: str, resource: str, principal: Who = None, context: Mapping[str, Any] | None = None
    ) -> Explanation:
        """The decision, the statement behind it, the path to the principal, and what nearly applied.

        It decides as `decide` does. Values of conditions and of the request are left out of its text.
        """
        decision = self.decide(action, resource, principal, context)
        return explained(self, decision, action, resource, principal, context)

    def decide_all(
        self,
        resource: str,
        principal: Who = None,
        context: Mapping[str, Any] | None = None,
        *,
        depth: Literal["here", "all"] = "here",
    ) -> dict[str, bool]:
        """Every action of the catalog that is about this resource → whether it is allowed.

        `depth="all"` says whether it is allowed on the resource and on everything below it, whatever exists there;
        where that cannot be known the answer is no. Raises LookupError for a policy without a catalog.
        """
        if self._catalog is None:
            raise LookupError("decide_all needs a catalog: Policy.parse(…, catalog=Catalog.of([…]))")
        names = self._catalog.for_resource(resource)
        decided = decided_below if depth == "all" else decided_here
        return {name: decided(self, name, resource, principal, context) for name in names}

    # Several policies

    def bounded_by(self, other: Policy, name: str = _BOUNDARY) -> Policy:
        """This policy within another one: both must allow. `name` is the layer that a refusal names."""
        if name == IDENTITY or not name:
            raise ValueError(f"{name!r} names no boundary")
        return self._with(self.sources, (*self.boundaries, (name, other)))

    def __and__(self, other: object) -> Policy:
        return self.bounded_by(other) if isinstance(other, Policy) else NotImplemented

    def __or__(self, other: object) -> Policy:
        """The statements of both, in force together. Raises ValueError if one has boundaries: merge, then bound."""
        if not isinstance(other, Policy):
            return NotImplemented
        if self.boundaries or other.boundaries:
            raise ValueError("merge policies first and bound the result: a boundary is about all of its statements")
        if (self._schemes, self._limits) != (other._schemes, other._limits):
            raise ValueError("policies that are merged need the same schemes and limits")
        return self._with((*self.sources, *other.sources), ())

    def _with(self, sources: tuple[Source, ...], boundaries: tuple[tuple[str, Policy], ...]) -> Policy:
        return Policy(sources, boundaries=boundaries, catalog=self._catalog, schemes=self._schemes, limits=self._limits)

    # As data

    @property
    def compiled(self) -> CompiledSet:
        """Its own statements by action, compiled; boundaries are not among them."""
        return self._set

    @property
    def catalog(self) -> Catalog | None:
        """The actions that exist, if that is known."""
        return self._catalog

    @property
    def limits(self) -> Limits:
        """How large documents and questions may be."""
        return self._limits

    @property
    def schemes(self) -> tuple[Scheme, ...]:
        """The hierarchical schemes of resources."""
        return self._schemes

    def to_json(self) -> str:
        """The document as JSON, byte for byte as it was written if that had canonical order and no spaces.

        Raises ValueError for anything but one document without boundaries.
        """
        if len(self.sources) != 1 or self.boundaries:
            raise ValueError("only one document can be written back; see Policy.sources")
        return self.sources[0].written

    def to_document(self) -> Any:
        """As `to_json`, as JSON values."""
        return json.loads(self.to_json())

    def __len__(self) -> int:
        return self._count

    def __eq__(self, other: object) -> bool:
        """Whether both answer every question alike: the same documents under the same rules."""
        if not isinstance(other, Policy):
            return NotImplemented
        mine = (self.sources, self.boundaries, self._schemes, self._limits, self._catalog)
        return mine == (other.sources, other.boundaries, other._schemes, other._limits, other._catalog)

    def __hash__(self) -> int:
        return hash((self.sources, self.boundaries, self._schemes, self._limits))

    def __repr__(self) -> str:
        ids = ", ".join(source.id or "?" for source in self.sources)
        bounds = "".join(f" within {name}" for name, _ in self.boundaries)
        return f"<Policy {ids or 'empty'}: {len(self)} statements{bounds}>"
