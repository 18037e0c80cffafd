"""The requirement of a proved e-mail address. What counts as proved is the business of the claim mapping."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from bearerkit.context import AuthContext
from bearerkit.errors import EmailUnverified
from bearerkit.guards.requirement import Facts, Requirement, Stage
from bearerkit.http import Request

__all__ = ["email_verified"]


@final
@dataclass(frozen=True)
class _EmailVerified(Requirement):
    stage = Stage.SCOPE

    def check(self, ctx: AuthContext, request: Request, facts: Facts, now: float) -> None:
        if not ctx.email_verified:
            raise EmailUnverified(
                "the credential does not say that the e-mail address of the caller is verified",
                hint=_TEXT if ctx.claims.get("email_verified") == "true" else None,
            )

    def describe(self) -> str:
        return "a verified e-mail address"


_TEXT = (
    'email_verified is the text "true". If this issuer writes it so, say claims={"email_verified": '
    '{"claim": "email_verified", "shape": "bool-or-string"}}.'
)


def email_verified() -> Requirement:
    """The e-mail address of the caller must be verified (`ctx.email_verified`); otherwise EmailUnverified (403)."""
    return _EmailVerified()
