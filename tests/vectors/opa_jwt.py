"""The JWT built-ins of Open Policy Agent: decode, verify_<alg>, and decode_verify with its constraints.

`decode_verify` is judged by `Auth`, with the constraints as an `Issuer`: OPA asks for an audience only if the token
has one, so a case without the constraint becomes `ANY` for a token without `aud`, and an API of another name for one
that has it. `verify_<alg>` looks at the signature alone, and `decode` does not even do that.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from auth_doubles import NOW, auth
from bearerkit import ANY, NO_ISSUER, ConfigError, Issuer, Refused, SharedSecret
from bearerkit.errors import Malformed
from bearerkit.jose.compact import parse, parse_claims
from bearerkit.testing import FrozenClock
from vectors.tally import ACCEPT, REJECT, Outcome, Source
from vectors.verifier import KEY_POLICIES, PUBLIC_KEY_ALGORITHMS, refused_key, signature_verdict

__all__ = ["SOURCE", "cases", "constraints_of", "judged_by_auth"]

SIGNED_THERE = "no token"
POLICIES = {
    f"{REJECT}: exp_missing": "the token has no exp, which is required; all else about it is accepted",
    f"{REJECT}: nested": "a JWT within a JWT (RFC 7519 section 5.2) is not taken as a bearer token",
    f"{REJECT}: twice": "a claim occurs twice: two readings of one signed text (RFC 7519 section 4)",
}


def cases(folder: Path) -> Iterator[dict[str, Any]]:
    """The cases with token and constraints; what was left in the Rego source is read from there."""
    root = folder / "opa-rego-compliance"
    listed = {case["file"]: case for case in _load(root / "jwt-normalised.json")}
    for path in sorted(root.glob("jwt*.json")):
        if path.name == "jwt-normalised.json":
            continue
        for case in _load(path)["cases"]:
            normal = listed.pop(case["_file"], None) or {"note": case["note"], "builtin": "", "token": None, **case}
            yield normal | {"rego": case["modules"][0], "id": f"{case['note']} ({_number(case['_file'])})"}
    yield from ({**case, "rego": "", "id": case["note"]} for case in listed.values())


def outcomes(folder: Path) -> Iterator[Outcome]:
    """One vector per case."""
    for case in cases(folder):
        builtin, token = case["builtin"], case["token"]
        if token is None:
            yield Outcome(case["id"], "", "", SIGNED_THERE)
        elif builtin == "io.jwt.decode":
            yield Outcome(case["id"], _wanted_parts(case), _decoded(token), token=token)
        elif builtin == "io.jwt.decode_verify":
            wanted = ACCEPT if case["want_result"][0]["x"][0] else REJECT
            yield Outcome(case["id"], wanted, judged_by_auth(token, constraints_of(case)), token=token)
        else:
            wanted = ACCEPT if case["want_result"] and case["want_result"][0]["x"] else REJECT
            yield Outcome(case["id"], wanted, _signature(builtin, token, case["constraints_or_key"]), token=token)


def constraints_of(case: Mapping[str, Any]) -> dict[str, Any]:
    """The constraints of `decode_verify`, also where the case computes them."""
    given = case["constraints_or_key"]
    if given is None:
        # Rego with a variable or a raw string in it: texts in either kind of quotes, `time` if it is a number.
        texts = re.finditer(r'"(cert|secret|alg|iss|aud)":\s*("(?:[^"\\]|\\.)*"|`[^`]*`)', case["rego"])
        time = re.search(r'"time":\s*(\d+)', case["rego"])
        found = {name: json.loads(text) if text[0] == '"' else text[1:-1] for name, text in (m.groups() for m in texts)}
        return found | ({"time": int(time[1])} if time else {})
    return _value(given)


def judged_by_auth(token: str, constraints: Mapping[str, Any]) -> str:
    """The verdict of `Auth` whose issuer is made of these constraints."""
    claims = _unverified(token)
    audience = constraints.get("aud", "another API" if "aud" in claims else ANY)
    issuer = constraints.get("iss", claims.get("iss", NO_ISSUER))
    secret = constraints.get("secret")
    default = ["HS256"] if secret is not None else PUBLIC_KEY_ALGORITHMS
    algorithms = [constraints["alg"]] if "alg" in constraints else default
    try:
        keys = _key(constraints["cert"]) if secret is None else SharedSecret(secret)
        entry = Issuer(issuer, audience=audience, keys=keys, algorithms=algorithms, subject="optional", leeway=0)
    except ConfigError as error:
        return refused_key(error)
    clock = FrozenClock(constraints["time"] / 1e9 if "time" in constraints else NOW)
    try:
        auth(entry, clock=clock).verify(token)
    except Refused as refusal:
        return _refused(refusal, token)
    return ACCEPT


def _signature(builtin: str, token: str, key: str) -> str:
    algorithm = {"EDDSA": "EdDSA"}.get(name := builtin.rpartition("_")[2].upper(), name)
    try:
        keys = SharedSecret(key) if algorithm.startswith("HS") else _key(_value(key))
        issuer = Issuer("https://id.example.test", audience=ANY, keys=keys, algorithms=[algorithm])
    except ConfigError as error:
        return refused_key(error)
    return signature_verdict(token, issuer)


def _decoded(token: str) -> str:
    try:
        jws = parse(token)
        claims = parse_claims(jws.payload)
    except Malformed as refusal:
        return _refused(refusal, token)
    return json.dumps([dict(jws.header.members), claims, jws.signature.hex()], sort_keys=True)


def _refused(refusal: Refused, token: str) -> str:
    if "occurs twice" in refusal.detail:
        return f"{REJECT}: twice"
    if refusal.detail.startswith("the payload is not") and parse(token).header.members.get("cty") == "JWT":
        return f"{REJECT}: nested"
    return f"{REJECT}: {refusal.reason}"


def _wanted_parts(case: Mapping[str, Any]) -> str:
    return REJECT if case["want_result"] is None else json.dumps(case["want_result"][0]["x"], sort_keys=True)


def _key(text: Any) -> Any:
    """What `cert` holds: PEM text, a JWK or a JWK Set."""
    value = _value(text)
    return value if isinstance(value, str) else dict(value)


def _value(text: Any) -> Any:
    """A Rego literal: JSON, or a bare word."""
    while isinstance(text, str) and text.lstrip()[:1] in ('"', "{"):
        text = json.loads(text)
    return text


def _unverified(token: str) -> dict[str, Any]:
    try:
        return parse_claims(parse(token).payload)
    except Malformed:
        return {}


def _number(file: str) -> str:
    return file.rpartition("-")[2].removesuffix(".json")


def _load(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


SOURCE = Source(
    "OPA JWT built-ins",
    "opa-rego-compliance/jwt*.json",
    outcomes,
    {},
    POLICIES | KEY_POLICIES,
    {SIGNED_THERE: "the policy signs its own token with OPA's encode_sign"},
)
