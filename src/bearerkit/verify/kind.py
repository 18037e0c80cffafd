"""What a kind of credential is, other than a JWT: API keys, sessions, tokens that are introspected, shared secrets.

`KindSettings` is what users build and give to `Auth`; it is immutable and says which credentials are of this kind.
`Kind` is that wired to ports: it resolves one credential to one `AuthContext`. Neither says what a caller may do, and
which kind a credential is of is decided in `kinds.py`, nowhere else.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

from bearerkit.context import AuthContext
from bearerkit.http import Request
from bearerkit.ports import Waits
from bearerkit.verify.world import World

__all__ = ["Kind", "KindSettings"]


class Kind(ABC):
    """One kind of credential, wired to ports."""

    @abstractmethod
    def at_once(self, credential: str) -> AuthContext | None:
        """The context of a credential if nothing has to be waited for; None if `verify` must be asked.

        Raises TokenInvalid for what is no such credential, whatever a store or server would say.
        """

    @abstractmethod
    async def verify(self, credential: str, waits: Waits) -> AuthContext:
        """The context of a credential. Raises TokenInvalid or Unavailable."""

    async def live(self, credential: str, waits: Waits) -> AuthContext | None:
        """What whoever issued the credential says of it now, past every cache; None if this kind can ask nobody.

        The credential may also be a JWT that an `Issuer` verified, if its issuer is the `issuer` of this kind. Raises
        TokenInvalid for what is no longer active, and Unavailable.
        """
        return None

    def check(self, request: Request) -> None:  # noqa: B027 - most kinds have nothing to add
        """Refuse a request that may not use this kind: a cookie sent by another site. Raises Refused."""

    def forget_credential(self, credential: str) -> None:  # noqa: B027 - not every kind remembers something
        """Drop what is cached about one credential."""

    def forget_where(self, matches: Callable[[AuthContext], bool]) -> None:  # noqa: B027
        """Drop what is cached about every matching context."""

    @abstractmethod
    def describe(self) -> str:
        """One line for operators."""

    def close(self) -> None:  # noqa: B027
        """Release what is held. It may be used again afterwards."""

    async def aclose(self) -> None:
        """`close` for async code."""
        self.close()


class KindSettings(ABC):
    """One kind of credential as configured. Subclasses are immutable."""

    prefixes: tuple[str, ...] = ()
    """How bearer tokens of this kind begin."""
    unprefixed: bool = False
    """True if bearer tokens that no prefix and no shape claims are of this kind. At most one kind of an `Auth` is."""
    header: str | None = None
    """The header field, in lower case, that carries nothing but this kind."""
    cookie: str | None = None
    """The cookie that carries this kind."""
    issuer: str | None = None
    """JWTs with exactly this `iss` are of this kind, unless an `Issuer` is configured for them."""

    @abstractmethod
    def enter(self, world: World) -> Kind:
        """This kind over these ports."""

    def warnings(self) -> tuple[str, ...]:
        """What an operator should know when the service starts."""
        return ()
