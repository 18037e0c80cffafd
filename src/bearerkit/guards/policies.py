"""The requirement that a policy allows an action on the resource that the request is about.

The resource is a template whose placeholders are path parameters. Their values go in as literal text, and only if they
cannot be more than one name of a path. The refusal's detail is the policy's own explanation; it is logged, never sent.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, final

from bearerkit.context import AuthContext
from bearerkit.errors import ConfigError, PermissionDenied
from bearerkit.guards.policy_hints import policy_hint
from bearerkit.guards.requirement import Facts, Requirement, Stage
from bearerkit.http import Request
from bearerkit.jose.claims import shown
from bearerkit.policy.name import fits_one_name, is_action

__all__ = ["can"]

_PLACEHOLDER: Final = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
_UPWARDS: Final = (".", "..")
_NO_POLICY: Final = (
    "No policy is attached to the caller: build the Auth with policies=…, or use a credential that brings its policy."
)


@final
@dataclass(frozen=True)
class _Can(Requirement):
    action: str
    resource: str
    stage = Stage.POLICY

    def check(self, ctx: AuthContext, request: Request, facts: Facts, now: float) -> None:
        resource = self._resource(request)
        if ctx.can(self.action, resource):
            return
        explanation = ctx.explain(self.action, resource)
        if explanation is None:
            raise PermissionDenied(
                f"{self.describe()}: the caller has no policy", reason="policy_missing", hint=_NO_POLICY
            )
        raise PermissionDenied(
            explanation.reasons, reason=explanation.decision.effect, hint=policy_hint(ctx, self.action, explanation)
        )

    def describe(self) -> str:
        return f'permission for "{self.action}" on "{self.resource}"'

    def _resource(self, request: Request) -> str:
        """The template with the path parameters of this request in it."""

        def fill(found: re.Match[str]) -> str:
            name = found.group(1)
            value = request.path_params.get(name)
            text = "" if value is None else str(value)
            if text in _UPWARDS or not fits_one_name(text):
                raise PermissionDenied(
                    f"the path parameter {name!r} is {shown(value)}, which is not one name of a resource",
                    reason="resource_unclear",
                    hint=f"The route needs a parameter {{{name}}} in its path." if value is None else None,
                )
            return text

        return _PLACEHOLDER.sub(fill, self.resource)


def can(action: str, resource: str) -> Requirement:
    """The caller's policy must allow `action` on `resource`; otherwise PermissionDenied (403).

    `{name}` in `resource` is a path parameter of the route: `can("orders.read", "orders/{order_id}")`. The reason is
    `implicit_deny`, `explicit_deny` or `boundary_deny`; `policy_missing` where nothing attached a policy. ConfigError
    for what is no action, and for braces that are no placeholder.
    """
    problems = []
    if not is_action(action):
        problems.append(f"can(): an action is asked for by its whole name, as in orders.read, not {action!r}")
    if not resource or type(resource) is not str:
        problems.append(f"can(): the resource must be a non-empty string, not {resource!r}")
    elif set("{}") & set(_PLACEHOLDER.sub("", resource)):
        problems.append(f"can(): a placeholder of {resource!r} is no {{name}} of a path parameter")
    if problems:
        raise ConfigError(problems)
    return _Can(action, resource)
