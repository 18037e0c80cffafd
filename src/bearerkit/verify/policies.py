"""From an identity to what its policies say: ask the source, and put the policies of this request into the context.

A source that fails is an outage (503), never an empty policy and never the one of the request before. What is in force
is decided in `policy/`; nothing is remembered here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, final

from bearerkit._drive import PortNeedsLoop, port
from bearerkit.context import AuthContext
from bearerkit.errors import Refused, StoreUnavailable, Unavailable
from bearerkit.guards.freshness import sign_in_age
from bearerkit.http import NOTHING, Request
from bearerkit.policy import Attachment, Grants, Policy
from bearerkit.ports import PolicySource
from bearerkit.verify.client_address import TrustedProxies

__all__ = ["Policies"]

_MULTI_FACTOR: Final = "mfa"


@final
class Policies:
    """A policy source, and what conditions are told about a request."""

    def __init__(self, source: PolicySource, proxies: TrustedProxies | None, now: Callable[[], float]) -> None:
        self._source = source
        self._proxies = proxies
        self._now = now

    async def attach(self, context: AuthContext, request: Request | None) -> AuthContext:
        """The identity with its policies. Raises StoreUnavailable if they cannot be had.

        An identity that brought its policy keeps it, and nobody has none.
        """
        if context.is_anonymous or context.policy is not None:
            return context
        try:
            found = await port("policies", self._source.policies_for(context))
        except (Refused, Unavailable, PortNeedsLoop):
            raise
        except Exception as error:  # a document that does not parse, too: only the operator can mend it
            raise StoreUnavailable(f"the policy source failed: {type(error).__name__}") from error
        attachment = Attachment(found) if isinstance(found, Policy) else found
        if not isinstance(attachment, Attachment):
            raise StoreUnavailable(
                f"the policy source gave {type(found).__name__}", hint="policies_for returns a Policy or an Attachment."
            )
        principal = attachment.principal(
            id=context.subject,
            roles=context.roles,
            groups=context.groups,
            tenant=context.tenant_id,
            key=context.token_id if context.credential_kind == "api_key" else None,
            attributes=_attributes(context),
        )
        return context.within(Grants(attachment.policy, principal, self._known(context, request)))

    def _known(self, context: AuthContext, request: Request | None) -> Mapping[str, Any]:
        now = self._now()
        known: dict[str, Any] = {"now": now, "tenant": context.tenant_id}
        if request is not None:
            known |= {"method": request.method, "path": request.path}
            known["ip"] = None if self._proxies is None else self._proxies.client_of(request)
        session = {
            "acr": context.acr,
            "mfa": _MULTI_FACTOR in context.amr if context.amr else None,
            "age": sign_in_age(context, now),
        }
        return {"request": _present(known), "session": _present(session)}


def _attributes(context: AuthContext) -> Mapping[str, Any]:
    """What conditions find as `principal.…` besides id, tenant, roles and groups."""
    return _present(
        {
            "type": context.principal_type,
            "client_id": context.client_id,
            "identity_id": context.identity_id,
            "issuer": context.issuer,
            "scopes": context.scopes,
            "tier": context.tier,
            # An address that nobody proved is none: a policy could not tell them apart.
            "email": context.email if context.email_verified else None,
            "email_verified": context.email_verified,
            "claims": context.claims,
        }
    )


def _present(members: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: value for name, value in members.items() if value is not None} or NOTHING
