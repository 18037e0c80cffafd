"""Act as somebody without a token. Requirements stay in force: this replaces who is calling, never what they may do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol, final

from bearerkit.context import AuthContext
from bearerkit.policy import Policy

if TYPE_CHECKING:
    from bearerkit.auth import Auth
    from bearerkit.gate import Gate

__all__ = ["Guarded", "as_user", "auth_of"]


class Guarded(Protocol):
    """What stands around an `Auth` in an application: the `RequireBearer` of any framework."""

    @property
    def gate(self) -> Gate:
        """The gate that holds the `Auth`."""
        ...


def auth_of(target: Auth | Guarded) -> Auth:
    """The `Auth` itself, or the one inside a `RequireBearer`."""
    gate: Gate | None = getattr(target, "gate", None)
    return target if gate is None else gate.auth  # type: ignore[return-value]


@contextmanager
def as_user(
    auth: Auth | Guarded,
    *,
    sub: str | None = "user",
    scopes: str | Iterable[str] = (),
    roles: str | Iterable[str] = (),
    tenant_id: str | None = None,
    policy: Policy | Sequence[Mapping[str, Any]] | Mapping[str, Any] | None = None,
    **claims: Any,
) -> Iterator[AuthContext]:
    """Make every request that `auth` (or that `RequireBearer`) judges inside the block come from this caller.

    It acts on the `Auth` object itself, so it reaches every framework and every guard that was built from it. The
    request needs no Authorization header and the token in one is not looked at; needs (scopes, roles, tenants …)
    are enforced on the identity given here. `claims` are further claims of it. Yields that identity.

    `policy` is a `Policy` or a document, and the only one that is in force for this caller; `Auth(policies=…)` is not
    asked. Without it that source decides, by this identity. Raises PolicyError for a document that does not parse.
    """
    identity = AuthContext.of(subject=sub, scopes=scopes, roles=roles, tenant_id=tenant_id, **claims)
    if policy is None:
        with auth_of(auth).replaced(identity=identity):
            yield identity
        return
    parsed = policy if isinstance(policy, Policy) else Policy.parse(policy, id="as_user")
    with auth_of(auth).replaced(identity=identity, policies=_OnePolicy(parsed)) as acting:
        yield acting.verify("")


@final
class _OnePolicy:
    """A policy source with one answer."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    async def policies_for(self, context: AuthContext) -> Policy:
        return self._policy
