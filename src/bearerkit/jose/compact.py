"""The compact form of a signed JWT, taken apart (RFC 7515 sections 3, 4 and 7.1, RFC 7519 section 7.2, RFC 8725).

Text goes in, checked pieces come out, and every defect has its own `detail` for the operator. Nothing here is
verified: no caller may act on a header or a payload before the signature held. What must never happen here: reading
a key or its address (`jwk`, `jku`, `x5u`, `x5c`, `x5t`) from a header, honouring an extension we do not implement,
quoting a token in an error, or raising anything but `Malformed`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any, Final, NamedTuple, NoReturn

from bearerkit.errors import ConfigError, Malformed
from bearerkit.jose import base64url, strict_json
from bearerkit.jose.algorithms import canonical
from bearerkit.jose.token_type import normalise_typ

__all__ = ["Header", "Jws", "Limits", "check_size", "parse", "parse_claims"]


@dataclass(frozen=True, slots=True)
class Limits:
    """How big a token may be; checked before anything is decoded."""

    token: int = 16_384
    """Characters of the whole token."""
    header: int = 4_096
    """Characters of the header segment."""
    depth: int = 16
    """JSON objects and arrays within each other, in header and payload."""
    integer_digits: int = 20
    """Digits of a JSON integer."""

    def __post_init__(self) -> None:
        problems = [
            f"Limits({item.name}={value!r}) must be a positive whole number"
            for item in fields(self)
            if isinstance(value := getattr(self, item.name), bool) or not isinstance(value, int) or value < 1
        ]
        if problems:
            raise ConfigError(problems)


@dataclass(frozen=True, slots=True)
class Header:
    """A JOSE header that passed the rules of this module. It is still only what the token says."""

    alg: str
    kid: str | None
    typ: str | None
    members: Mapping[str, Any]
    """All header members, read-only. Those that carry or point to keys are in it and must stay unused."""
    algorithm: str = field(init=False)
    """`alg` by its canonical name."""
    kind: str | None = field(init=False)
    """`typ` in its normal form: lower case, without `application/` (RFC 7515 section 4.1.9)."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "algorithm", canonical(self.alg))
        object.__setattr__(self, "kind", normalise_typ(self.typ))


class Jws(NamedTuple):
    """The pieces of one token. A named tuple, because building one costs a third of a frozen dataclass."""

    header: Header
    payload: bytes
    signing_input: bytes
    """Header and payload segments exactly as received."""
    signature: bytes
    padded: bool
    """True when the segments carried `=` padding (accepted on request only)."""
    header_segment: bytes
    """Key under which the caller may remember `header` for `known`; always without padding."""

    def __repr__(self) -> str:
        return f"Jws(alg={self.header.alg[:40]!r}, payload={len(self.payload)} bytes)"


_DEFAULTS: Final = Limits()
_NONE_KNOWN: Final[Mapping[bytes, Header]] = MappingProxyType({})
_SEGMENTS: Final = ("header", "payload", "signature")
_OPAQUE_HINT: Final = (
    "The token is opaque or encrypted, so it cannot be verified here. Auth0: the client sent no audience. "
    "Zitadel, Hydra, Salesforce: switch on JWT access tokens."
)
_JSON_HINT: Final = "A bearer token is the compact form: three base64url parts with dots between them."
_PADDING_HINT: Final = (
    'The token is padded with "=", as AWS ALB tokens are. If it comes from there, set padding=True on that issuer.'
)
_CRIT_HINT: Final = "The issuer marks a header member as critical that bearerkit does not implement."
# RFC 7515 section 4.1.11: names registered by RFC 7515 and RFC 7518 cannot be extensions.
_REGISTERED: Final = frozenset(
    {"alg", "jku", "jwk", "kid", "x5u", "x5c", "x5t", "x5t#S256", "typ", "cty", "crit"}
    | {"enc", "zip", "epk", "apu", "apv", "iv", "tag", "p2s", "p2c"}
)


def parse(
    token: str, limits: Limits = _DEFAULTS, *, padding: bool = False, known: Mapping[bytes, Header] = _NONE_KNOWN
) -> Jws:
    """Take a compact JWS apart without verifying it.

    `known` maps header segments to headers this function returned before, under the same limits; for those the
    header is not parsed again. `padding=True` accepts a token whose segments all carry their exact `=` padding, and
    leaves the signing input as received. Raises `Malformed` for everything else that is not a signed JWT; reason
    "encrypted" for a JWE in either form, "opaque" for a text without dots.
    """
    check_size(token, limits)
    if not token.isascii():  # asked first: the error of encode() would hold the whole token
        raise Malformed("the token holds a character that is not ASCII")
    text = token.encode("ascii")
    parts = text.split(b".", 5)
    if len(parts) != 3:
        _refuse_shape(text, len(parts))
    head, body, tail = parts
    signing_input = text[: -1 - len(tail)]
    padded = padding and b"=" in text
    if padded:
        head, body, tail = (_unpadded(part, name) for part, name in zip(parts, _SEGMENTS, strict=True))
    if not tail:
        raise Malformed("the signature segment is empty")
    header = known.get(head)
    if header is None:
        if _is_json(head):  # with exactly two dots somewhere in it
            _refuse_json(text)
        header = _parse_header(head, limits)
    try:
        return Jws(header, base64url.decode(body), signing_input, base64url.decode(tail), padded, head)
    except ValueError:
        _refuse_encoding(body, tail)


def check_size(token: str, limits: Limits = _DEFAULTS) -> None:
    """Raise `Malformed` for what is no text or too long, before anybody spends time on it."""
    if not isinstance(token, str):
        raise Malformed("the token is not text")
    if len(token) > limits.token:
        raise Malformed(f"the token has {len(token)} characters; the limit is {limits.token}")


def parse_claims(payload: bytes, limits: Limits = _DEFAULTS) -> dict[str, Any]:
    """The claims of a payload: one JSON object (RFC 7519 section 7.2), or `Malformed`.

    A payload may be empty in a JWS but not in a JWT, so it is refused here.
    """
    if not payload:
        raise Malformed("the payload is empty (detached content is not used with a JWT)")
    try:
        claims = strict_json.loads(payload, depth=limits.depth, integer_digits=limits.integer_digits)
    except strict_json.JsonInvalid as error:
        raise Malformed(f"the payload is not strict JSON: {error}") from None
    if type(claims) is not dict:
        raise Malformed(f"the payload is not a JSON object but {_kind(claims)}")
    return claims


def _parse_header(segment: bytes, limits: Limits) -> Header:
    if not segment:
        raise Malformed("the header segment is empty")
    if len(segment) > limits.header:
        raise Malformed(f"the header has {len(segment)} characters; the limit is {limits.header}")
    try:
        document = base64url.decode(segment)
    except ValueError:
        _refuse_segment(segment, "header")
    try:
        members = strict_json.loads(document, depth=limits.depth, integer_digits=limits.integer_digits)
    except strict_json.JsonInvalid as error:
        raise Malformed(f"the header is not strict JSON: {error}") from None
    if type(members) is not dict:
        raise Malformed(f"the header is not a JSON object but {_kind(members)}")
    return _check_header(members)


def _check_header(members: dict[str, Any]) -> Header:
    if "enc" in members:
        raise Malformed('the header has "enc": this is a JWE', reason="encrypted", hint=_OPAQUE_HINT)
    if "alg" not in members:
        raise Malformed('the header has no "alg"')
    for name in ("alg", "kid", "typ", "cty"):
        if name in members and not isinstance(members[name], str):
            raise Malformed(f'header "{name}" is not a string but {_kind(members[name])}')
    if not members["alg"]:
        raise Malformed('header "alg" is empty')
    if "b64" in members:
        raise Malformed('the header has "b64", which a JWT must not use (RFC 7797 section 7)')
    if "crit" in members:
        _refuse_crit(members["crit"], members)
    return Header(members["alg"], members.get("kid"), members.get("typ"), MappingProxyType(members))


def _refuse_crit(crit: Any, members: Mapping[str, Any]) -> NoReturn:
    if not isinstance(crit, list):
        raise Malformed(f'header "crit" is not an array but {_kind(crit)}')
    if not crit:
        raise Malformed('header "crit" is an empty array')
    if not all(isinstance(name, str) for name in crit):
        raise Malformed('header "crit" holds something that is not a string')
    if len(set(crit)) != len(crit):
        raise Malformed('header "crit" names a member twice')
    for name in crit:
        if name in _REGISTERED:
            raise Malformed(f'header "crit" names the registered member {name!r}')
        if name not in members:
            raise Malformed(f'header "crit" names {_shown(name)}, which the header does not have')
    raise Malformed(f"unsupported critical header {_shown(', '.join(crit))}", hint=_CRIT_HINT)


def _refuse_shape(text: bytes, count: int) -> NoReturn:
    if _is_json(text):
        _refuse_json(text)
    if not text:
        raise Malformed("the token is empty")
    if count == 1:
        raise Malformed("the token has no dots, so it is not a JWT", reason="opaque", hint=_OPAQUE_HINT)
    if count == 5:
        raise Malformed("the token has five parts: this is a JWE", reason="encrypted", hint=_OPAQUE_HINT)
    parts = "more than five" if count > 5 else str(count)
    # A JSON object in base64url begins with these letters; without them the dots are those of an opaque token.
    hint = None if text.startswith(b"eyJ") else _OPAQUE_HINT
    raise Malformed(f"the token has {parts} parts instead of three", hint=hint)


def _is_json(text: bytes) -> bool:
    return text.lstrip()[:1] == b"{"


def _refuse_json(text: bytes) -> NoReturn:
    # RFC 7516 section 9: every JWE has a "ciphertext" and no JWS has. Not parsed: it is refused either way.
    if b'"ciphertext"' in text:
        raise Malformed("the token is a JWE in its JSON serialisation", reason="encrypted", hint=_OPAQUE_HINT)
    raise Malformed("the token is a JSON serialisation, not the compact form", hint=_JSON_HINT)


def _refuse_encoding(body: bytes, tail: bytes) -> NoReturn:
    try:
        base64url.decode(body)
    except ValueError:
        _refuse_segment(body, "payload")
    _refuse_segment(tail, "signature")


def _refuse_segment(segment: bytes, name: str) -> NoReturn:
    if segment[:7].lower() == b"bearer ":
        raise Malformed("the token begins with its scheme", hint='verify() takes the token without "Bearer ".')
    if b"=" in segment:
        raise Malformed(f'the {name} segment is padded with "="', hint=_PADDING_HINT)
    raise Malformed(f"the {name} segment is not canonical base64url")


def _unpadded(segment: bytes, name: str) -> bytes:
    bare = segment.rstrip(b"=")
    if len(segment) - len(bare) != -len(bare) % 4:
        raise Malformed(f'the {name} segment does not carry its exact "=" padding')
    return bare


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    names = {bool: "a boolean", int: "a number", float: "a number", str: "a string", list: "an array"}
    return names.get(type(value), "an object")


def _shown(text: str) -> str:
    return repr(text[:200])
