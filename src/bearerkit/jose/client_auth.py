"""How we say who we are to an authorization server (RFC 6749 section 2.3, RFC 7523, RFC 7662 section 2.1).

`client_auth` judges the settings, `authenticate` gives the header fields and form fields for one request. Pure: `now`
and `jti` are parameters, nothing is sent here. What must never happen here: two methods in one request, or a secret in
a repr, an error or a pickle.
"""

from __future__ import annotations

import base64
import inspect
import math
import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Final, Literal, NamedTuple, NoReturn, TypeAlias, final, get_args
from urllib.parse import quote_plus

from bearerkit.errors import ConfigError, IntrospectionUnavailable
from bearerkit.jose.key_rules import KeyUnusable
from bearerkit.jose.private_key import KeyGiven, PrivateKey
from bearerkit.spelling import nearest

__all__ = ["ASSERTION_SECONDS", "ClientAuth", "Credentials", "Method", "TokenGiven", "authenticate", "client_auth"]

Method: TypeAlias = Literal["client_secret_basic", "client_secret_post", "private_key_jwt", "bearer"]
"""The ways there are, by their registered names (RFC 7591 section 2), and `bearer` (RFC 6750)."""

TokenGiven: TypeAlias = "str | Callable[[], str]"
"""An access token of our own, or what returns the present one. It is called for each request, and may block."""

ASSERTION_SECONDS: Final = 60
"""How long an assertion of ours is good for: one request, and clocks that differ a little."""
_ASSERTION_FORM: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_BEARER: Final = re.compile(r"[A-Za-z0-9\-._~+/]+=*", re.ASCII)
_BEARER_LENGTH: Final = 16_384


class Credentials(NamedTuple):
    """What one request carries besides its own fields. Holds secrets: never log it."""

    headers: tuple[tuple[str, str], ...] = ()
    form: tuple[tuple[str, str], ...] = ()

    def __repr__(self) -> str:
        return f"Credentials(headers={[name for name, _ in self.headers]}, form={[name for name, _ in self.form]})"


class ClientAuth(ABC):
    """One client as it is known to one server. Made by `client_auth`; immutable, and without a secret in its repr."""

    __slots__ = ("client_id",)

    client_id: str | None
    method: Method

    @abstractmethod
    def credentials(self, endpoint: str, now: float, jti: str) -> Credentials:
        """For one request to `endpoint`. Raises IntrospectionUnavailable where the team's own token cannot be had."""

    def __repr__(self) -> str:
        return f"ClientAuth({self.method!r}, client_id={self.client_id!r})"

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("ClientAuth is immutable")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError("ClientAuth is immutable")

    def __reduce__(self) -> NoReturn:
        raise TypeError("ClientAuth does not pickle")

    def _keep(self, **fields: Any) -> None:
        for name, value in fields.items():
            object.__setattr__(self, name, value)


def authenticate(method: ClientAuth, endpoint: str, now: float, jti: str) -> Credentials:
    """The header fields and form fields for one request to `endpoint`.

    `now` is in epoch seconds; `jti` was never used before and cannot be guessed (`Entropy.token(16)`). Only
    private_key_jwt needs either. Raises IntrospectionUnavailable where the team's own token cannot be had.
    """
    return method.credentials(endpoint, now, jti)


def client_auth(
    *,
    method: Method | None = None,
    client_id: str | None = None,
    client_secret: str | None = None,
    private_key: KeyGiven | PrivateKey | None = None,
    key_id: str | None = None,
    algorithm: str | None = None,
    audience: str | None = None,
    assertion_type: str = "client-authentication+jwt",
    form_encoded: bool = True,
    token: TokenGiven | None = None,
) -> ClientAuth:
    """Judge the settings of one client.

    Args:
        method: By default what the given secret is for: `client_secret_basic` for a client_secret, `private_key_jwt`
            for a private_key, `bearer` for a token.
        client_id: Who we are. `bearer` needs none.
        client_secret: For `client_secret_basic` and `client_secret_post`.
        private_key: PEM text or a JWK, for `private_key_jwt`; RSA, P-256, P-384, P-521 or Ed25519.
        key_id: The `kid` under which the server knows the key; that of the JWK by default.
        algorithm: RS256, PS256, ES256, EdDSA …; by default the usual one of the key's type.
        audience: The server's issuer identifier (RFC 7523bis section 4). None: the URL of the endpoint, which servers
            took before.
        assertion_type: The `typ` of the assertion; "JWT" for servers that know no other.
        form_encoded: False for servers that take the Basic credentials literally, in spite of RFC 6749 section 2.3.1.
        token: A bearer token of our own, or a plain function that returns the present one.

    Raises ConfigError listing every problem; no secret is in it.
    """
    problems: list[str] = []
    given = {"client_secret": client_secret, "private_key": private_key, "token": token}
    chosen = _method(method, [name for name, value in given.items() if value is not None], problems)
    if chosen != "bearer" or client_id is not None:
        _check_text("client_id", client_id, problems)
    made: ClientAuth | None = None
    match chosen:
        case "client_secret_basic" | "client_secret_post":
            _check_text("client_secret", client_secret, problems)
            if chosen == "client_secret_basic" and not form_encoded and ":" in str(client_id):
                problems.append("client_id has a colon, which Basic credentials cannot carry with form_encoded=False")
            if not problems:
                made = _Secret(chosen, str(client_id), str(client_secret), form_encoded)
        case "private_key_jwt":
            key = _key(private_key, algorithm, key_id, problems)
            if audience is not None:
                _check_text("audience", audience, problems)
            _check_text("assertion_type", assertion_type, problems)
            if not problems and key is not None:
                made = _Assertion(str(client_id), key, audience, assertion_type)
        case "bearer":
            _check_token(token, problems)
            if not problems and token is not None:
                made = _Bearer(client_id, token)
        case None:  # pragma: no branch - there is nothing else
            pass
    if made is None:
        raise ConfigError(problems)
    return made


def _method(method: Method | None, given: list[str], problems: list[str]) -> Method | None:
    """The way that is meant, and what does not belong to it."""
    methods: dict[str, Method] = {
        "client_secret": "client_secret_basic",
        "private_key": "private_key_jwt",
        "token": "bearer",
    }
    if method is None:
        if len(given) != 1:
            said = " and ".join(given) if given else "none"
            problems.append(f"client authentication needs one of client_secret, private_key, token; given is {said}")
            return None
        return methods[given[0]]
    if method not in get_args(Method):
        known = ", ".join(get_args(Method))
        problems.append(f"unknown method {str(method)[:60]!r}{nearest(str(method), get_args(Method))}; known: {known}")
        return None
    wanted = "client_secret" if method.startswith("client_secret") else "token" if method == "bearer" else "private_key"
    problems += [f"{name} does not belong to {method}, which takes {wanted}" for name in given if name != wanted]
    return method


def _check_text(name: str, value: object, problems: list[str]) -> None:
    if value is None or value == "":
        problems.append(f"{name} is missing")
    elif not isinstance(value, str):
        problems.append(f"{name} must be text, not {type(value).__name__}")
    elif _CONTROL.search(value):
        problems.append(f"{name} has a control character in it; a line break at the end of a file is one")
    elif value != value.strip():
        problems.append(f"{name} begins or ends with white space")


def _key(
    given: KeyGiven | PrivateKey | None, algorithm: str | None, key_id: str | None, problems: list[str]
) -> PrivateKey | None:
    if given is None:
        problems.append("private_key is missing")
        return None
    if isinstance(given, PrivateKey):
        if algorithm is not None or key_id is not None:
            problems.append("algorithm and key_id belong into the PrivateKey that was given")
        return given
    try:
        return PrivateKey(given, algorithm=algorithm, kid=key_id)
    except KeyUnusable as error:
        problems.append(f"private_key cannot be used: {error}")
        return None


def _check_token(token: object, problems: list[str]) -> None:
    if token is None:
        problems.append("token is missing")
    elif inspect.iscoroutinefunction(token):
        problems.append("token= must be a plain function: it is called by a thread of its own, not on an event loop")
    elif not callable(token) and not _is_bearer(token):
        problems.append("token is not one bearer token (RFC 6750 section 2.1)")


def _is_bearer(token: object) -> bool:
    return isinstance(token, str) and len(token) <= _BEARER_LENGTH and _BEARER.fullmatch(token) is not None


@final
class _Secret(ClientAuth):
    __slots__ = ("_form_encoded", "_secret", "method")

    _secret: str
    _form_encoded: bool

    def __init__(self, method: Method, client_id: str, secret: str, form_encoded: bool) -> None:
        self._keep(method=method, client_id=client_id, _secret=secret, _form_encoded=form_encoded)

    def credentials(self, endpoint: str, now: float, jti: str) -> Credentials:
        name = str(self.client_id)
        if self.method == "client_secret_post":
            return Credentials(form=(("client_id", name), ("client_secret", self._secret)))
        # Both are form-encoded first (RFC 6749 section 2.3.1), so a colon in either cannot end the name early.
        parts = [quote_plus(part) if self._form_encoded else part for part in (name, self._secret)]
        encoded = base64.b64encode(":".join(parts).encode("utf-8")).decode("ascii")
        return Credentials(headers=(("Authorization", f"Basic {encoded}"),))


@final
class _Assertion(ClientAuth):
    __slots__ = ("_audience", "_key", "_typ")

    method = "private_key_jwt"
    _key: PrivateKey
    _audience: str | None
    _typ: str

    def __init__(self, client_id: str, key: PrivateKey, audience: str | None, typ: str) -> None:
        self._keep(client_id=client_id, _key=key, _audience=audience, _typ=typ)

    def credentials(self, endpoint: str, now: float, jti: str) -> Credentials:
        name, issued = str(self.client_id), math.floor(now)
        claims = {
            "iss": name,
            "sub": name,
            # One text, never a list: an assertion is for one server and cannot be handed on to another.
            "aud": self._audience or endpoint,
            "jti": jti,
            "iat": issued,
            "exp": issued + ASSERTION_SECONDS,
        }
        assertion = self._key.sign({"typ": self._typ}, claims)
        return Credentials(
            form=(
                ("client_id", name),
                ("client_assertion_type", _ASSERTION_FORM),
                ("client_assertion", assertion),
            )
        )


@final
class _Bearer(ClientAuth):
    __slots__ = ("_token",)

    method = "bearer"
    _token: TokenGiven

    def __init__(self, client_id: str | None, token: TokenGiven) -> None:
        self._keep(client_id=client_id, _token=token)

    def credentials(self, endpoint: str, now: float, jti: str) -> Credentials:
        token = self._token if isinstance(self._token, str) else _asked(self._token)
        return Credentials(headers=(("Authorization", f"Bearer {token}"),))


def _asked(function: Callable[[], str]) -> str:
    problem = "returned no bearer token (RFC 6750 section 2.1)"
    try:
        token: object = function()
        if _is_bearer(token):
            return str(token)
    except Exception as error:
        problem = f"raised {type(error).__name__}"
    # Raised out here, because the error of the team's function may hold the token.
    raise IntrospectionUnavailable(
        f"the function in token= {problem}", hint="It must return the token alone, as text, or block until it has one."
    )
