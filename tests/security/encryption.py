"""Encrypted tokens, and what only looks like one: made with our public key, which everybody has."""

from __future__ import annotations

import os
import zlib
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from auth_doubles import token
from bearerkit.jose.base64url import encode
from security.forgery import EC, RSA, body, segment


def jwe(plain: bytes, wrap: Any = None, **header: Any) -> str:
    """Encrypted to our public key, properly: whoever opens it finds `plain`."""
    key: Any = RSA.public_key
    secret, iv = os.urandom(32), os.urandom(12)
    head = segment({"alg": "RSA-OAEP", "enc": "A256GCM", "kid": "rsa-1", **header})
    oaep = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)
    sealed = AESGCM(secret).encrypt(iv, plain, head.encode())
    parts = (key.encrypt(secret, wrap or oaep), iv, sealed[:-16], sealed[-16:])
    return ".".join([head, *map(encode, parts)])


def unsigned() -> str:
    """A token of the attacker with alg none."""
    return f"{segment({'alg': 'none'})}.{segment(body(sub='admin'))}."


def nested_jws(depth: int) -> str:
    """A signed token in a signed token in …, each properly signed. Each level adds a third: 50 would be 500 MB."""
    text = token(EC)
    for _ in range(depth - 1):
        outer = f"{segment({'alg': 'ES256', 'kid': 'ec-1', 'typ': 'at+jwt', 'cty': 'JWT'})}.{encode(text.encode())}"
        text = f"{outer}.{encode(EC.sign(outer.encode()))}"
    return text


def nested_jwe(depth: int) -> str:
    text = token(EC)
    for _ in range(depth):
        text = jwe(text.encode(), cty="JWT")
    return text


def five_parts(**header: Any) -> str:
    """The form of a JWE with a header that asks for work."""
    return ".".join([segment({"enc": "A256GCM", **header}), *(encode(os.urandom(16)) for _ in range(4))])


def deflated(plain: bytes) -> bytes:
    machine = zlib.compressobj(9, wbits=-15)
    return machine.compress(plain) + machine.flush()


def zipped_jws() -> str:
    """Signed, with a payload that inflates to 10 MB: `zip` has no meaning in a JWS."""
    text = f"{segment({'alg': 'ES256', 'kid': 'ec-1', 'zip': 'DEF'})}.{encode(deflated(b' ' * 10**7))}"
    return f"{text}.{encode(EC.sign(text.encode()))}"


BOMB = deflated(b" " * 10**7)
"""10 MB, deflated to 10 kB."""
