"""An identity provider for tests: real keys, real signatures, no network unless asked for.

It publishes metadata and keys as a provider would and mints tokens that are valid unless a test breaks them on
purpose. It never decides anything about a token, and it must never be part of a production configuration.
"""

from __future__ import annotations

import itertools
import json
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, final
from urllib.parse import urlsplit, urlunsplit

from bearerkit.http import Fetched, Headers
from bearerkit.testing.identity import auth_of
from bearerkit.testing.memory_http import MemoryHttp
from bearerkit.testing.opaque_tokens import OpaqueTokens
from bearerkit.testing.provider_shape import shape_of
from bearerkit.testing.server import LoopbackServer
from bearerkit.testing.signing import SigningKey, compact

if TYPE_CHECKING:
    from bearerkit.auth import Auth
    from bearerkit.jose.keys import SharedSecret
    from bearerkit.ports import Clock
    from bearerkit.testing.identity import Guarded
    from bearerkit.verify.issuer import IssuerSettings

__all__ = ["FakeIssuer", "Outage"]

_numbers = itertools.count(1)


@final
class FakeIssuer:
    """Mints signed tokens and publishes the keys that verify them.

    `alg` is any algorithm that bearerkit verifies. `audience` is the `aud` of tokens that name none. `clock` (a
    `FrozenClock`) replaces the real time, here and in every `Auth` this issuer is connected to. `jwks_uri` and
    `metadata_url` are for applications that configure those URLs instead of leaving them to discovery, and
    `metadata_issuer` is what the metadata calls itself, if not the issuer. `key` is a
    key to start with instead of a fresh one. `headers` and `claims` are what every token of this issuer carries
    unless `token()` says otherwise, None for what it lacks: the shape of a certain provider.

    `issuer` is its identifier at the moment, `fetches` the URLs that were asked of it so far.
    """

    def __init__(
        self,
        issuer: str = "https://id.example.test",
        *,
        alg: str = "RS256",
        audience: str | Sequence[str] | None = None,
        clock: Clock | None = None,
        jwks_uri: str | None = None,
        metadata_url: str | None = None,
        metadata_issuer: str | None = None,
        key: SigningKey | None = None,
        headers: Mapping[str, Any] | None = None,
        claims: Mapping[str, Any] | None = None,
    ) -> None:
        self.issuer = issuer
        self.alg = alg if key is None else key.alg
        self.audience = audience
        self.clock = clock
        self.fetches: list[str] = []
        self.is_down = False
        self._jwks_uri = jwks_uri
        self._metadata_url = metadata_url
        self._metadata_issuer = metadata_issuer
        self._headers = dict(headers or {})
        self._claims = dict(claims or {})
        self._keys: tuple[SigningKey, ...] = (self._new_key() if key is None else key,)
        self._further: tuple[SigningKey | Mapping[str, Any], ...] = ()
        self._opaque = OpaqueTokens()

    @classmethod
    def for_issuer(cls, issuer: IssuerSettings, **changes: Any) -> FakeIssuer:
        """A fake whose tokens this `Issuer` takes, such as one that a preset of `bearerkit.providers` made.

        Name, addresses, `typ`, audience and required claims are read from it, with made-up values where any would do;
        `changes` are further arguments. Raises ValueError for an issuer whose keys are at hand, or come one by one.
        """
        return cls(**{**shape_of(issuer), **changes})

    def now(self) -> float:
        """Epoch seconds, by the clock of this issuer."""
        return time.time() if self.clock is None else self.clock.now()

    # Tokens

    def token(
        self,
        members: Mapping[str, Any] | None = None,
        /,
        *,
        headers: Mapping[str, Any] | None = None,
        key: SigningKey | None = None,
        **claims: Any,
    ) -> str:
        """A signed token with these claims.

        Filled in unless given: `iss`, `iat` (now), `exp` (now + 300 s), `jti`, `sub` ("user"), if this issuer has
        an audience, `aud`, and its own `claims`. A claim or header given as None is left out. `headers` changes or
        adds JOSE header members over `{"alg", "typ": "at+jwt", "kid"}` and those of this issuer; an `alg` there is
        used for the signature too where the key
        can (see `SigningKey.sign`). `key` signs with another key; its kid goes into the header if it has one.
        Claims whose names are no Python names go into the mapping: `issuer.token({"cognito:groups": ["a"]})`.
        """
        signing = self.key if key is None else key
        header: dict[str, Any] = {"alg": signing.alg, "typ": "at+jwt", "kid": signing.kid or self.key.kid}
        header |= {**self._headers, **(headers or {})}
        return compact(_present(header), self._filled({**(members or {}), **claims}), signing)

    def opaque_token(self, members: Mapping[str, Any] | None = None, /, **claims: Any) -> str:
        """A token that only `introspection_endpoint` can resolve, to claims that are filled in as for `token()`."""
        return self._opaque.issue(self._filled({**(members or {}), **claims}))

    def revoke(self, opaque_token: str) -> None:
        """Let the introspection endpoint say that this token is not active."""
        self._opaque.revoke(opaque_token)

    def _filled(self, claims: Mapping[str, Any]) -> dict[str, Any]:
        now = int(self.now())
        filled: dict[str, Any] = {"iss": self.issuer, "aud": self.audience, "sub": "user", "iat": now}
        return _present({**filled, "exp": now + 300, "jti": secrets.token_urlsafe(12), **self._claims, **claims})

    def sign(
        self, header: Mapping[str, Any] | bytes, payload: Mapping[str, Any] | bytes, *, key: SigningKey | None = None
    ) -> str:
        """A compact JWS over exactly this header and payload; nothing is filled in, and bytes may be any bytes."""
        return compact(header, payload, self.key if key is None else key)

    # Keys

    @property
    def key(self) -> SigningKey:
        """The key that signs at the moment."""
        return self._keys[0]

    @property
    def secret(self) -> SharedSecret:
        """The shared secret of an HS* issuer, for `Issuer(..., keys=issuer.secret)`. Raises TypeError otherwise."""
        if not isinstance(self.key.private, bytes):
            raise TypeError(f"{self.alg} uses a public key: there is no shared secret")
        from bearerkit.jose.keys import SharedSecret

        return SharedSecret(self.key.private, kid=self.key.kid)

    def rotate(self, *, keep_old: bool = False) -> SigningKey:
        """Sign with a new key from now on; `keep_old` leaves the former ones published. Returns the former key."""
        retired = self.key
        self._keys = (self._new_key(), *(self._keys if keep_old else ()))
        return retired

    def publish(self, *keys: SigningKey | Mapping[str, Any]) -> None:
        """Publish further keys beside the own one, as a provider with several algorithms does.

        `token(key=...)` signs with one of them. A mapping is published as it is: `{**key.jwk, "use": "enc"}`.
        """
        self._further += keys

    def _new_key(self) -> SigningKey:
        return SigningKey.generate(self.alg, kid=f"{self.alg.lower()}-{next(_numbers)}")

    # Documents

    @property
    def jwks(self) -> dict[str, Any]:
        """The published key set (RFC 7517). Empty for HS*: a shared secret is never published."""
        return {"keys": [key.jwk if isinstance(key, SigningKey) else dict(key) for key in self._published()]}

    def _published(self) -> Iterator[SigningKey | Mapping[str, Any]]:
        for key in (*self._keys, *self._further):
            if not (isinstance(key, SigningKey) and isinstance(key.private, bytes)):
                yield key

    def _algorithms(self) -> list[str]:
        named = (key.alg if isinstance(key, SigningKey) else key.get("alg") for key in self._published())
        return list(dict.fromkeys([self.alg, *(str(alg) for alg in named if alg)]))

    @property
    def jwks_uri(self) -> str:
        """Where the key set is."""
        return self._jwks_uri or self.issuer.rstrip("/") + "/jwks.json"

    @property
    def introspection_endpoint(self) -> str:
        """Where opaque tokens are resolved (RFC 7662), for every client."""
        return self.issuer.rstrip("/") + "/introspect"

    @property
    def metadata(self) -> dict[str, Any]:
        """The discovery document (OpenID Connect Discovery, RFC 8414), without grants or their endpoints."""
        return {
            "issuer": self._metadata_issuer or self.issuer,
            "jwks_uri": self.jwks_uri,
            "introspection_endpoint": self.introspection_endpoint,
            "response_types_supported": [],
            "grant_types_supported": [],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": self._algorithms(),
        }

    # Outages

    def go_down(self) -> Outage:
        """Answer nothing until `come_up()`. In a `with` statement the outage ends with the block."""
        self.is_down = True
        return Outage(self)

    def come_up(self) -> None:
        """End the outage."""
        self.is_down = False

    # Being asked

    def owns(self, url: str) -> bool:
        """True for every URL on the host of this issuer, and for its metadata and key set wherever they are."""
        return urlsplit(url)[:2] == urlsplit(self.issuer)[:2] or url in self._documents()

    def answer(self, url: str, body: bytes | None = None) -> Fetched:
        """What a GET of `url` gives, or a POST of `body`, counted in `fetches`; 404, or 503 during an outage."""
        self.fetches.append(url)
        if self.is_down:
            return Fetched(503, Headers(), b"")
        if body is not None and url == self.introspection_endpoint:
            return self._opaque.introspect(body, self.now())
        make = self._documents().get(url)
        if make is None:
            return Fetched(404, Headers(), b"")
        return Fetched(200, Headers([("Content-Type", "application/json")]), json.dumps(make()).encode())

    def _documents(self) -> dict[str, Callable[[], dict[str, Any]]]:
        parts = urlsplit(self.issuer)
        root, path = f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/")
        places = [
            f"{root}{path}/.well-known/openid-configuration",
            f"{root}/.well-known/openid-configuration{path}",
            f"{root}/.well-known/oauth-authorization-server{path}",
        ]
        if self._metadata_url is not None:
            places.append(self._metadata_url)
        return {**{place: lambda: self.metadata for place in places}, self.jwks_uri: lambda: self.jwks}

    # Being used

    @property
    def http(self) -> MemoryHttp:
        """An `HttpClient` port for `Auth(http=issuer.http)` that answers from memory."""
        return MemoryHttp(self)

    @contextmanager
    def connect(self, auth: Auth | Guarded, *others: FakeIssuer) -> Iterator[FakeIssuer]:
        """Make an existing `Auth`, or the one inside a `RequireBearer`, take its keys from here while the block lasts.

        With a `clock` it takes its time from here too. The `Auth` keeps its configuration: this issuer must have
        the identifier, and its tokens the audience, that were configured there. `others` are further fakes for an
        `Auth` that trusts several issuers.
        """
        with auth_of(auth).replaced(http=MemoryHttp(self, *others), clock=self.clock):
            yield self

    @contextmanager
    def serve(self, port: int = 0, *, host: str = "127.0.0.1") -> Iterator[str]:
        """Serve the documents over real HTTP on loopback and give the URL that is the issuer meanwhile.

        Only scheme and host of its URLs change: issuer, metadata and key set keep the paths they have. Tokens minted
        inside the block carry that `iss`. Raises OSError if the port is taken, ValueError for a host that is not
        loopback.
        """
        server = LoopbackServer(self.answer, host=host, port=port)
        before = self.issuer, self._jwks_uri, self._metadata_url

        def here(url: str) -> str:
            return urlunsplit((*urlsplit(server.base_url)[:2], *urlsplit(url)[2:]))

        try:
            with server:
                self.issuer = here(self.issuer)
                self._jwks_uri = self._jwks_uri and here(self._jwks_uri)
                self._metadata_url = self._metadata_url and here(self._metadata_url)
                yield self.issuer
        finally:
            self.issuer, self._jwks_uri, self._metadata_url = before

    def __repr__(self) -> str:
        return f"<FakeIssuer {self.issuer} {self.alg}{' down' if self.is_down else ''}>"


@final
class Outage:
    """What `FakeIssuer.go_down()` returns: a context manager whose end is the end of the outage."""

    def __init__(self, issuer: FakeIssuer) -> None:
        self._issuer = issuer

    def __enter__(self) -> FakeIssuer:
        return self._issuer

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._issuer.come_up()


def _present(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
