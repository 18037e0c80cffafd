"""One row of the agreement table: a credential, how it is made, and what bearerkit says of it.

`Bench` is what rows are made with: the served issuer, its further keys, and raw material for broken tokens.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric import rsa

from bearerkit.testing import FakeIssuer, SigningKey

__all__ = ["ACCEPT", "AUDIENCE", "BARE", "INVALID_REQUEST", "REFUSE", "Asked", "Bench", "Row"]

AUDIENCE = "orders-api"

ACCEPT = "200"
REFUSE = "401 invalid_token"
INVALID_REQUEST = "400 invalid_request"
BARE = "401"
"""A challenge without an error code: the request carried no bearer credential (RFC 6750 section 3.1)."""
_VERDICTS = {"credentials_missing": BARE, "invalid_request": INVALID_REQUEST}
"""Of the reasons that are about the request; all others are about the token."""


class Asked(NamedTuple):
    """A request in full, for rows that are about more than the token in it."""

    headers: tuple[tuple[str, str], ...] = ()
    query: str = ""
    form: str | None = None

    @classmethod
    def of(cls, authorization: str) -> Asked:
        """A GET with this header."""
        return cls((("Authorization", authorization),))

    @classmethod
    def with_token(cls, token: str) -> Asked:
        """A GET with this token."""
        return cls.of(f"Bearer {token}")


@dataclass(frozen=True)
class Row:
    """`plain` is what `Issuer(issuer, audience=…)` says, `strict` what `profile="rfc9068"` says (None: the same).

    Each is ACCEPT or the reason of the refusal, so that a row cannot be refused for something else than its flaw.
    """

    id: str
    what: str
    plain: str
    make: Callable[[Bench], str | Asked] = field(repr=False)
    strict: str | None = None

    def outcome(self, *, profile: bool) -> str:
        """ACCEPT or the reason."""
        return self.strict if profile and self.strict is not None else self.plain

    def verdict(self, *, profile: bool) -> str:
        """Status and error code."""
        outcome = self.outcome(profile=profile)
        return outcome if outcome == ACCEPT else _VERDICTS.get(outcome, REFUSE)

    def asked(self, bench: Bench) -> Asked:
        made = self.make(bench)
        return Asked.with_token(made) if isinstance(made, str) else made


class Bench:
    """A served issuer whose tokens are complete by RFC 9068, with keys of several kinds in its set."""

    def __init__(self, issuer: FakeIssuer) -> None:
        self.issuer = issuer
        self.ec = SigningKey.generate("ES256", kid="ec")
        self.ec384 = SigningKey.generate("ES384", kid="ec384")
        self.ed = SigningKey.generate("EdDSA", kid="ed")
        self.ed25519 = SigningKey.generate("Ed25519", kid="ed25519")
        self.ps = SigningKey.generate("PS256", kid="ps")
        self.short = SigningKey("RS256", rsa.generate_private_key(65537, 1024), kid="short")
        self.for_encryption = SigningKey.generate("RS256", kid="for-encryption")
        self.for_wrapping = SigningKey.generate("RS256", kid="for-wrapping")
        self.without_alg = SigningKey.generate("RS256", kid="without-alg")
        issuer.publish(
            *(self.ec, self.ec384, self.ed, self.ed25519, self.ps, self.short),
            {**self.for_encryption.jwk, "use": "enc"},
            {"key_ops": ["wrapKey"], **{name: value for name, value in self.for_wrapping.jwk.items() if name != "use"}},
            {name: value for name, value in self.without_alg.jwk.items() if name not in ("alg", "use")},
        )

    @staticmethod
    def fake_issuer() -> FakeIssuer:
        """An issuer to serve and to make a bench of."""
        return FakeIssuer(audience=AUDIENCE, claims={"client_id": "client-1", "scope": "orders:read"})

    @property
    def now(self) -> int:
        return int(self.issuer.now())

    def token(self, members: Mapping[str, Any] | None = None, /, **given: Any) -> str:
        """A token that is good but for what is given."""
        return self.issuer.token(members, **given)

    def claims(self, **changes: Any) -> dict[str, Any]:
        """The claims of a good token."""
        return {**self.read(self.token())[1], **changes}

    def header(self, **changes: Any) -> dict[str, Any]:
        """The header of a good token."""
        return {**self.read(self.token())[0], **changes}

    def raw(self, header: Any = None, payload: Any = None, *, key: SigningKey | None = None) -> str:
        """Signed over exactly this: mappings become JSON, text and bytes are taken as they are."""
        parts = (self.header() if header is None else header, self.claims() if payload is None else payload)
        return self.issuer.sign(*(part.encode() if isinstance(part, str) else part for part in parts), key=key)

    @staticmethod
    def json(members: Mapping[str, Any], more: str, *, first: bool = False) -> str:
        """JSON of these members, and `more` as it is behind them or before them."""
        inside = json.dumps(members)[1:-1]
        return "{" + ", ".join([more, inside] if first else [inside, more]) + "}"

    @staticmethod
    def read(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
        header, claims = (json.loads(decoded(part)) for part in token.split(".")[:2])
        return header, claims

    @staticmethod
    def resigned(token: str, change: Callable[[bytes], bytes]) -> str:
        """The token with another signature, made of the one it has."""
        signing_input, _, signature = token.rpartition(".")
        return f"{signing_input}.{encoded(change(decoded(signature)))}"


def decoded(part: str) -> bytes:
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))


def encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
