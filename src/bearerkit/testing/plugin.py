"""pytest fixtures: `issuer`, `make_token`, `as_user`. Installed with bearerkit through the entry point `pytest11`.

pytest imports this module before coverage starts measuring, so nothing here may import the rest of bearerkit at
module level. Projects override a fixture by defining one of the same name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Any, final

import pytest

if TYPE_CHECKING:
    from bearerkit.auth import Auth
    from bearerkit.context import AuthContext
    from bearerkit.testing.issuer import FakeIssuer

__all__ = ["Acting", "as_user", "issuer", "make_token", "pytest_addoption"]

_UNSET: Any = object()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Two ini options, so that the fixtures fit an application without being overridden."""
    parser.addini("bearerkit_issuer", "issuer identifier of the `issuer` fixture", default="https://id.example.test")
    parser.addini("bearerkit_audience", "audience of the tokens of the `issuer` fixture", default="")


@pytest.fixture
def issuer(pytestconfig: pytest.Config) -> FakeIssuer:
    """A `FakeIssuer` of its own for each test; the ini options say which issuer and audience."""
    from bearerkit.testing.issuer import FakeIssuer

    return FakeIssuer(
        pytestconfig.getini("bearerkit_issuer"), audience=pytestconfig.getini("bearerkit_audience") or None
    )


@pytest.fixture
def make_token(issuer: FakeIssuer) -> Callable[..., str]:
    """Mint tokens, valid or broken in one named way.

    `make_token(scope="orders:read")` takes claims as `FakeIssuer.token` does. `expired=True` and `not_yet=True` move
    the times by an hour, `wrong_key=True` signs with a key that the issuer does not publish under a kid that it
    does, `kid="unknown"` names a key that is not there (None: no kid), `alg="none"` leaves the token unsigned and
    `alg="HS256"` signs it with the public key as if it were a shared secret.
    """

    def make_token(
        members: dict[str, Any] | None = None,
        /,
        *,
        expired: bool = False,
        not_yet: bool = False,
        wrong_key: bool = False,
        kid: str | None = _UNSET,
        alg: str | None = None,
        headers: dict[str, Any] | None = None,
        **claims: Any,
    ) -> str:
        from bearerkit.testing.signing import SigningKey

        now = int(issuer.now())
        times: dict[str, Any] = {}
        if expired:
            times = {"iat": now - 3600, "exp": now - 3300}
        if not_yet:
            times = {"iat": now, "nbf": now + 3600, "exp": now + 3900}
        header = dict(headers or {})
        if kid is not _UNSET:
            header["kid"] = kid
        if alg is not None:
            header["alg"] = alg
        key = SigningKey.generate(issuer.alg) if wrong_key else None
        return issuer.token({**times, **(members or {}), **claims}, headers=header, key=key)

    return make_token


@final
class Acting:
    """What the `as_user` fixture returns: `identity`, and a `with` statement to stop before the test ends."""

    def __init__(self, identity: AuthContext, stop: Callable[[], None]) -> None:
        self.identity = identity
        self._stop = stop

    def __enter__(self) -> AuthContext:
        return self.identity

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()


@pytest.fixture
def as_user() -> Iterator[Callable[..., Acting]]:
    """`as_user(auth, sub="u1", scopes=["orders:read"])` acts until the test ends; with `with`, until the block ends.

    Arguments are those of `bearerkit.testing.as_user`.
    """
    from bearerkit.testing.identity import as_user as acting_as

    with ExitStack() as until_the_test_ends:

        def as_user(auth: Auth, **identity: Any) -> Acting:
            once = ExitStack()
            context = once.enter_context(acting_as(auth, **identity))
            until_the_test_ends.callback(once.close)
            return Acting(context, once.close)

        yield as_user
