"""What is fuzzed: plain functions over bytes that raise AssertionError, or anything unforeseen, for a finding.

`atheris_run.py` drives them by coverage, `test_corpus_replay.py` runs the kept inputs through them in every test run.
Each compares the code with a slow second opinion, or holds it to what its docstring promises. What must never
happen here: an import of atheris, randomness, or an expected error that is caught by a broad name.
"""

# ruff: noqa: PT017 - what is expected of a refusal stands where it is caught

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from bearerkit.challenge import Challenge, render
from bearerkit.errors import (
    BearerkitError,
    CredentialsMissing,
    Expired,
    InsufficientScope,
    InvalidRequest,
    KeysUnavailable,
    Malformed,
    StepUpRequired,
    TenantUnknown,
)
from bearerkit.http import Headers, Request
from bearerkit.jose import compact, strict_json
from bearerkit.verify.credentials import SUBPROTOCOL_HEADER, Places, take_token
from fuzz import challenge_reading, json_reading

__all__ = ["TARGETS"]

SEPARATOR = b"\n"
"""Between the parts of an input. A fuzzer finds by itself that it matters."""


def a_compact_token(data: bytes) -> None:
    """`jose.compact.parse` and `parse_claims` refuse with Malformed only, and take what a second reader takes.

    The first byte says how the token comes about: bit 0 padding accepted, bit 1 the rest is the token as it is, else
    three parts that are encoded here, so that the fuzzer works on JSON and not on base64url.
    """
    flags, rest = (data[0] if data else 0), data[1:]
    padding = bool(flags & 1)
    if flags & 2:
        token = rest.decode("utf-8", "surrogateescape")
    else:
        parts = (rest.split(SEPARATOR, 2) + [b"s"] * 2)[:3]
        token = ".".join(_encoded(part, padded=padding) for part in parts)
    expected = _second_reading(token, padding=padding)
    try:
        jws = compact.parse(token, padding=padding)
    except Malformed as refusal:
        _says_nothing_of(refusal, Malformed("x"), token)
        assert expected is None, f"refused ({refusal.detail}), but a second reader takes it"
        return
    assert expected is not None, "taken, but a second reader refuses it"
    assert (dict(jws.header.members), jws.payload, jws.signature, jws.padded) == expected
    assert (jws.header.alg, jws.header.kid, jws.header.typ) == tuple(map(expected[0].get, ("alg", "kid", "typ")))
    assert jws.signing_input == token.rpartition(".")[0].encode()
    segments = (base64.urlsafe_b64decode(jws.header_segment + b"=="), jws.payload, jws.signature)
    assert ".".join(_encoded(part, padded=jws.padded) for part in segments) == token
    assert compact.parse(token, padding=padding, known={jws.header_segment: jws.header}) == jws
    assert token not in repr(jws)
    _claims(jws.payload, token)


def _claims(payload: bytes, token: str) -> None:
    try:
        expected = json_reading.read(payload)
    except json_reading.NotStrict:
        expected = None
    try:
        claims = compact.parse_claims(payload)
    except Malformed as refusal:
        _says_nothing_of(refusal, Malformed("x"), token)
        assert type(expected) is not dict
    else:
        assert same(claims, expected)


def a_json_document(data: bytes) -> None:
    """`jose.strict_json` takes exactly what a second reader takes, and reads the same out of it."""
    flags, document = (data[0] if data else 0), data[1:]
    limits = {"depth": flags % 20, "digits": 1 + flags // 20 * 3}
    try:
        expected = [json_reading.read(document, **limits)]
    except json_reading.NotStrict:
        expected = []
    try:
        found = [strict_json.loads(document, depth=limits["depth"], integer_digits=limits["digits"])]
    except strict_json.JsonInvalid as refusal:
        assert len(str(refusal)) < 80
        assert expected == [], f"refused ({refusal}), but a second reader takes it"
    else:
        assert same(found, expected)


def an_authorization_field(data: bytes) -> None:
    """Taking the credential gives what one grammar says, or one of two refusals that say nothing of the input.

    The first byte chooses the field and the kind of the request; the lines after it are the fields, the last one the
    WebSocket subprotocols if the kind is so.
    """
    flags, lines = (data[0] if data else 0), [line.decode("latin-1") for line in data[1:].split(SEPARATOR)]
    websocket, bare = bool(flags & 1), bool(flags & 2)
    offers = [lines.pop()] if websocket else []
    name = "x-token" if bare else "authorization"
    items = [(name, line) for line in lines] + [(SUBPROTOCOL_HEADER, offer) for offer in offers]
    request = Request("GET", "/", Headers(items), kind="websocket" if websocket else "http")
    joined = ",".join(lines) if lines else None
    in_field = _bare_field(joined) if bare else _authorization(joined)
    offered = _offered(offers) if websocket and not bare else None
    try:
        token = take_token(request, Places(name))
    except CredentialsMissing as refusal:
        assert (in_field, offered) == (None, None)
        _says_nothing_of(refusal, CredentialsMissing("x"), *lines, *offers)
    except InvalidRequest as refusal:
        assert False in (in_field, offered) or (in_field and offered)
        _says_nothing_of(refusal, InvalidRequest("x"), *lines, *offers)
    else:
        assert [part for part in (in_field, offered) if part is not None] == [token]


_B64TOKEN = r"[A-Za-z0-9\-._~+/]+=*"


def _authorization(field: str | None) -> str | bool | None:
    """The token, None if there is no bearer credential, False if there is one that must be refused."""
    if field is None:
        return None
    if good := re.fullmatch(rf"(?i:bearer) ({_B64TOKEN})", field):
        return good[1]
    # What begins with the scheme, or names it again after a comma, meant to be a bearer credential.
    begins = re.match(r"(?i)bearer(?![-!#$%&'*+.^_`|~0-9A-Za-z])", field)
    again = re.search(r"(?i),\s*bearer(\s|$)", field)
    return False if begins or again else None


def _bare_field(field: str | None) -> str | bool | None:
    if field is None:
        return None
    return field if re.fullmatch(r"[A-Za-z0-9\-._~+/=]+", field) else False


def _offered(offers: list[str]) -> str | bool | None:
    protocols = [protocol.strip() for protocol in ",".join(offers).split(",")]
    if "bearer" not in protocols:
        return None
    following = protocols[protocols.index("bearer") + 1 :][:1]
    good = protocols.count("bearer") == 1 and following and re.fullmatch(_B64TOKEN, following[0])
    return following[0] if good else False


def a_challenge(data: bytes) -> None:
    """Whatever texts a refusal carries, the answer is ASCII lines that parse back to those texts and nothing more.

    The first byte chooses the refusal and whether there is metadata, the lines are realm, metadata URL, public text
    and names (scopes or acr values).
    """
    flags, text = (data[0] if data else 0), data[1:].decode("utf-8", "surrogateescape")
    realm, metadata, public, *names = (text.split("\v") + [""] * 3)[: 3 + 8]
    challenge = Challenge(realm, metadata if flags & 8 else None)
    refusal, code = _refusal(flags & 7, public, names)
    answer = render(refusal, challenge)
    for name, value in answer.headers:
        assert re.fullmatch(r"[!-~]+", name)
        assert re.fullmatch(r"[ -~]*", value), "not one line of printable ASCII"
    body = json.loads(answer.body.decode("ascii"))
    assert (body["detail"], body["status"], set(body)) == (public, answer.status, {"type", "title", "status", "detail"})
    everything = answer.body.decode("ascii") + "".join(value for _, value in answer.headers)
    assert "OPERATOR" not in everything or "OPERATOR" in text
    field = answer.header("www-authenticate")
    if code is None:
        assert field is None
        return
    expected = {"realm": realm, **code}
    if isinstance(refusal, InsufficientScope) and names:
        expected["scope"] = " ".join(names)
    if isinstance(refusal, StepUpRequired):
        expected |= {"acr_values": " ".join(names)} if names else {}
        expected["max_age"] = "7"
    if flags & 8:
        expected["resource_metadata"] = metadata
    assert field is not None
    ((scheme, parameters),) = challenge_reading.challenges(field)
    assert scheme == "Bearer"
    assert len(dict(parameters)) == len(parameters), "a parameter occurs twice"
    assert dict(parameters) == {name: re.sub(r"[^ -~]", "?", value) for name, value in expected.items()}


def _refusal(kind: int, public: str, names: list[str]) -> tuple[BearerkitError, dict[str, str] | None]:
    """A refusal, and the parameters that its challenge has beside the realm; None: no challenge at all."""
    texts: Mapping[str, Any] = {"public": public, "hint": "OPERATOR hint"}
    said = "OPERATOR detail"
    match kind:
        case 0:
            return CredentialsMissing(said, **texts), {}
        case 1:
            return InvalidRequest(said, **texts), {"error": "invalid_request", "error_description": public}
        case 2:
            return Expired(said, **texts), {"error": "invalid_token", "error_description": public}
        case 3:
            missing = InsufficientScope(said, required=names, **texts)
            return missing, {"error": "insufficient_scope", "error_description": public}
        case 4:
            step = StepUpRequired(said, acr_values=names, max_age=7, **texts)
            return step, {"error": "insufficient_user_authentication", "error_description": public}
        case 5:
            return KeysUnavailable(said, retry_after=len(names), **texts), None
        case _:
            return TenantUnknown(said, **texts), None


def _second_reading(token: str, *, padding: bool) -> tuple[dict[str, Any], bytes, bytes, bool] | None:
    """Header, payload, signature and whether they were padded, by the standard library; None: refuse."""
    if len(token) > 16_384 or not token.isascii() or token.count(".") != 2:
        return None
    padded = padding and "=" in token
    decoded: list[bytes] = []
    for segment in token.split("."):
        bare = segment.rstrip("=") if padded else segment
        if not re.fullmatch(r"[A-Za-z0-9_-]*", bare) or len(bare) % 4 == 1:
            return None
        value = base64.urlsafe_b64decode(bare + "=" * (-len(bare) % 4))
        if _encoded(value, padded=padded) != segment:
            return None
        decoded.append(value)
    head, payload, signature = decoded
    if not signature or len(token.partition(".")[0].rstrip("=")) > 4_096:
        return None
    try:
        header = json_reading.read(head)
    except json_reading.NotStrict:
        return None
    good = (
        type(header) is dict
        and not header.keys() & {"enc", "b64", "crit"}
        and header.get("alg")
        and all(isinstance(header.get(name, ""), str) for name in ("alg", "kid", "typ", "cty"))
    )
    return (header, payload, signature, padded) if good else None


def _encoded(data: bytes, *, padded: bool) -> str:
    text = base64.urlsafe_b64encode(data).decode()
    return text if padded else text.rstrip("=")


def _says_nothing_of(refusal: BearerkitError, plain: BearerkitError, *texts: str) -> None:
    """The answer does not depend on the input, and the operator's log does not quote a credential."""
    assert render(refusal) == render(plain)
    said = f"{refusal} {refusal.hint}"
    assert len(said) < 1_000
    # Long and without blanks: a piece of a credential, not a word of our own.
    for piece in (piece for text in texts for piece in re.split(r"[\s.,]", text) if len(piece) > 24):
        assert piece not in said, "an error quotes what was sent"


def same(one: Any, other: Any) -> bool:
    """Equal, types included: True is not 1, 1.0 is not 1."""
    return one == other and repr(one) == repr(other)


TARGETS: Mapping[str, Callable[[bytes], None]] = MappingProxyType(
    {
        "compact": a_compact_token,
        "json": a_json_document,
        "authorization": an_authorization_field,
        "challenge": a_challenge,
    }
)
"""Name, as in the folder of its corpus, to target."""
