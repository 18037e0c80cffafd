"""What a policy answers: the effect, and the layer that decided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bearerkit.policy.effect import ALLOW, Effect

__all__ = ["IDENTITY", "Decision"]

IDENTITY: Final = "identity"
"""The name of the policies themselves, beside the boundaries around them."""


@dataclass(frozen=True, slots=True)
class Decision:
    """`effect` is `allow`, `explicit_deny`, `implicit_deny` or `boundary_deny`; everything but `allow` denies.

    `layer` names what decided: `identity`, or the boundary that does not allow it. `error` says what went wrong, where
    something did; the answer then is a deny.
    """

    effect: Effect
    layer: str = IDENTITY
    error: str | None = None

    @property
    def allowed(self) -> bool:
        """True for the effect `allow` and no other."""
        return self.effect == ALLOW

    def __bool__(self) -> bool:
        return self.allowed
