"""A token and its key set while they are being made: everything a mutation can take hold of before it is text.

A `Recipe` is a base and a list of steps; baking it twice gives the same case but for the randomness inside a
signature. What must never happen here: a verdict on a token, or a mutation (those are in the `*_steps` files).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from bearerkit.testing import SigningKey

__all__ = ["AUDIENCE", "ISSUER", "LEEWAY", "NOW", "Case", "Draft", "Recipe", "Step", "b64", "unb64"]

NOW = 1_790_000_000
LEEWAY = 30
ISSUER = "https://id.example.test"
AUDIENCE = "api"


def b64(data: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    """The bytes of base64url, padded or not."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass(frozen=True)
class Recipe:
    """How a case is made: the name of a base, then steps by name, each with the number of its variant."""

    base: str
    steps: tuple[tuple[str, int], ...] = ()

    def __str__(self) -> str:
        return " + ".join([self.base, *(f"{name}[{number}]" for name, number in self.steps)])


@dataclass(frozen=True)
class Case:
    """One token beside the keys that are trusted: a key set document, or a shared secret."""

    recipe: Recipe
    token: str
    jwks: Mapping[str, Any] | None
    secret: bytes | None

    @cached_property
    def header(self) -> dict[str, Any]:
        """The header as any JSON reader gives it. Only for tokens that somebody accepts."""
        return dict(json.loads(unb64(self.token.split(".")[0])))

    @cached_property
    def claims(self) -> dict[str, Any]:
        """The claims likewise."""
        return dict(json.loads(unb64(self.token.split(".")[1])))

    @property
    def keys(self) -> list[Any]:
        """The members of the key set."""
        return list((self.jwks or {}).get("keys", ()))

    def as_json(self) -> str:
        """All that is needed to try it again; the keys are made for tests."""
        secret = None if self.secret is None else b64(self.secret)
        return json.dumps({"recipe": str(self.recipe), "token": self.token, "jwks": self.jwks, "secret": secret})


@dataclass
class Draft:
    """What steps change. `raw_…` replace a part by bytes, `on_…` change what was made of it."""

    signer: SigningKey
    header: dict[str, Any]
    claims: dict[str, Any]
    jwks: Any
    secret: bytes | None = None
    signs_with: str | None = None
    """The algorithm of the maths, if not the one that the header names."""
    raw_header: Callable[[str], bytes] | None = None
    raw_payload: Callable[[str], bytes] | None = None
    on_signature: list[Callable[[bytes], bytes]] = field(default_factory=list)
    on_token: list[Callable[[str], str]] = field(default_factory=list)

    @property
    def jwk(self) -> dict[str, Any]:
        """The signer's own JWK, wherever steps have moved it; a throw-away one where there is none."""
        keys = self.jwks.get("keys") if isinstance(self.jwks, dict) else None
        own = [key for key in keys if isinstance(key, dict) and "own" in key] if isinstance(keys, list) else []
        return own[0] if own else {}

    def bake(self, recipe: Recipe) -> Case:
        """The finished case."""
        head = _bytes(self.header, self.raw_header)
        signing_input = f"{b64(head)}.{b64(_bytes(self.claims, self.raw_payload))}"
        alg = self.header.get("alg")
        named = self.signs_with or (alg if isinstance(alg, str) else None)
        try:
            signature = self.signer.sign(signing_input.encode(), alg=named)
        except ValueError:  # RSA of 1024 bits has no room for PS512
            signature = b"none"
        for change in self.on_signature:
            signature = change(signature)
        token = f"{signing_input}.{b64(signature)}"
        for edit in self.on_token:
            token = edit(token)
        return Case(recipe, token, None if self.secret else _unmarked(self.jwks), self.secret)


@dataclass(frozen=True)
class Step:
    """A kind of mutation with `count` variants, which are numbered so that all of them can be swept."""

    name: str
    count: int
    apply: Callable[[Draft, int], None]


def _bytes(members: dict[str, Any], raw: Callable[[str], bytes] | None) -> bytes:
    text = json.dumps(members, separators=(",", ":"))
    return raw(text) if raw is not None else text.encode()


def _unmarked(jwks: Any) -> Any:
    keys = jwks.get("keys") if isinstance(jwks, dict) else None
    if not isinstance(keys, list):
        return jwks
    plain = [{k: v for k, v in key.items() if k != "own"} if isinstance(key, dict) else key for key in keys]
    return {**jwks, "keys": plain}
