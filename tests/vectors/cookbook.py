"""The IETF JOSE cookbook: RFC 7520, and the examples of RFC 7797 and RFC 8037.

Every serialisation of every example is a vector, and so is every signature of a JSON serialisation that can be put
in compact form. Private keys are examples of keys too; a verifier is given their public half.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bearerkit import ConfigError
from vectors.json_form import DETACHED, JSON_FORM, NO_CONTENT, NOT_COMPACT, compact_forms, is_detached, refused_as_json
from vectors.tally import ACCEPT, REJECT, Deviation, Outcome, Source
from vectors.verifier import KEY_POLICIES, configured, key_verdict, public_half, refused_key, signature_verdict
from vectors.wycheproof import JWE, NO_DECRYPTION, encrypted

__all__ = ["SOURCE"]

_B64 = Deviation("reject: malformed", '"b64": false must not be used in a JWT (RFC 7797 section 7)')


def outcomes(folder: Path) -> Iterator[Outcome]:
    """Every file, in order."""
    root = folder / "ietf-jose-cookbook"
    for path in sorted(root.rglob("*.json")):
        name = str(path.relative_to(root))[: -len(".json")]
        document = json.loads(path.read_text(encoding="utf-8"))
        if "kty" in document:
            yield from _key(name, document)
        nested = {f"{name}, {part}": document[part] for part in ("sign", "encrypt") if part in document}
        for title, example in (nested or {name: document}).items():
            if "signing" in example:
                yield from _signed(title, example)
            elif "output" in example:
                yield from _encrypted(title, example["output"])
            elif "kty" not in example:
                yield Outcome(title, "to be known", "an unknown kind of example")


def _key(name: str, jwk: Mapping[str, Any]) -> Iterator[Outcome]:
    if jwk.get("use") == "enc":
        yield Outcome(name, REJECT, key_verdict([public_half(jwk)]), JWE)
        return
    yield Outcome(name, ACCEPT, key_verdict([jwk]))
    if "d" in jwk:
        yield Outcome(f"{name}, public half", ACCEPT, key_verdict([public_half(jwk)]))


def _signed(name: str, example: Mapping[str, Any]) -> Iterator[Outcome]:
    keys, payload = example["input"]["key"], example["input"]["payload"].encode()
    for form, token in example["output"].items():
        if form == "compact":
            ours, outside = _verdict(token, keys, payload), DETACHED if is_detached(token) else ""
            yield Outcome(f"{name} compact", REJECT if outside else ACCEPT, ours, outside, token)
            continue
        text = json.dumps(token)
        yield Outcome(f"{name} {form}", f"{REJECT}: malformed", refused_as_json(text), JSON_FORM, text)
        for number, compact in compact_forms(token):
            key = keys[number] if isinstance(keys, list) else keys
            ours = _verdict(compact, key, payload)
            yield Outcome(f"{name} {form}, signature {number + 1}", ACCEPT, ours, token=compact)


def _verdict(token: str, key: Mapping[str, Any], payload: bytes) -> str:
    try:
        issuer = configured([public_half(key)])
    except ConfigError as error:
        return refused_key(error)
    return signature_verdict(token, issuer, payload)


def _encrypted(name: str, output: Mapping[str, Any]) -> Iterator[Outcome]:
    for form, token in output.items():
        text = token if isinstance(token, str) else json.dumps(token)
        ours = encrypted(text) if isinstance(token, str) else refused_as_json(text)
        yield Outcome(f"{name} {form}", f"{REJECT}: encrypted", ours, JWE, text)


SOURCE = Source(
    "IETF JOSE cookbook",
    "ietf-jose-cookbook/**/*.json",
    outcomes,
    {"rfc7797/hmac-sha2_b64_false compact": _B64},
    KEY_POLICIES,
    {JSON_FORM: NOT_COMPACT, DETACHED: NO_CONTENT, JWE: NO_DECRYPTION},
)
