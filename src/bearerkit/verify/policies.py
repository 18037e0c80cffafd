"""From an identity to what its policies say: ask the source, and put the policies of this request into the context.

A source that fails is an outage (503), never an empty policy and never the one of the request before. What is in force
is decided in `policy/`; nothing is remembered here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, final

from bearerkit._drive import PortNeedsLoop, port
from bearerkit.context import AuthContext
from bearerkit.errors import Refused, StoreUnavailable, Unavailable
from bearerkit.guards.freshness import sign_in_age
from bearerkit.http import NOTHING, Request
from bearerkit.policy import Attachment, Grants, Policy
from bearerkit.ports import PolicySource
from bearerkit.verify.client_address import TrustedProxies
from bearerkit.verify.failures import failure

__all__ = ["Policies", "bringing"]

_MULTI_FACTOR: Final = "mfa"


@final
class Policies:
    """A policy source, if there is one, and what conditions are told about a request."""

    def __init__(self, source: PolicySource | None, proxies: TrustedProxies | None, now: Callable[[], float]) -> None:
        self._source = source
        self._proxies = proxies
        self._now = now

    def at_once(self, context: AuthContext, request: Request | None) -> AuthContext | None:
        """The identity with its policies; None if the source has to be asked for them.

        An identity that brought its policy keeps it, and nobody has none.
        """
        if context.policy is not None:
            return context.told(self._known(context, request))
        return context if self._source is None or context.is_anonymous else None

    async def attach(self, context: AuthContext, request: Request | None) -> AuthContext:
        """The identity with its policies. Raises StoreUnavailable if they cannot be had."""
        told = self.at_once(context, request)
        if told is not None:
            return told
        assert self._source is not None
        try:
            asked = self._source.policies_for(context)
            if not isinstance(asked, Awaitable):
                raise StoreUnavailable(
                    "the policy source is not async", hint="It has `async def policies_for(context)`."
                )
            found = await port("policies", asked)
        except (Refused, Unavailable, PortNeedsLoop):
            raise
        except Exception as error:  # a document that does not parse, too: only the operator can mend it
            raise StoreUnavailable(f"the policy source failed: {failure(error)}") from error
        if not isinstance(found, Policy | Attachment):
            raise StoreUnavailable(
                f"the policy source gave {type(found).__name__}", hint="policies_for returns a Policy or an Attachment."
            )
        return bringing(context, found).told(self._known(context, request))

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


def bringing(context: AuthContext, found: Policy | Attachment) -> AuthContext:
    """The identity with a policy of its own, which came with the credential: whoever resolves credentials calls this.

    The principal is made of the identity. What is known of a request comes later, so that the result may be cached.
    """
    attachment = Attachment(found) if isinstance(found, Policy) else found
    principal = attachment.principal(
        id=context.subject,
        roles=context.roles,
        groups=context.groups,
        tenant=context.tenant_id,
        key=context.token_id if context.credential_kind == "api_key" else None,
        attributes=_attributes(context),
    )
    return context.within(Grants(attachment.policy, principal))


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
