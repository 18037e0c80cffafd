"""How the files of Project Wycheproof are read: groups of tokens, each with its key material."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bearerkit.errors import Malformed
from bearerkit.jose.compact import parse
from vectors.tally import ACCEPT, REJECT, Outcome
from vectors.verifier import public_half, verdict

__all__ = ["JWE", "NO_DECRYPTION", "encrypted", "outcomes"]

JWE = "JWE"
NO_DECRYPTION = "bearerkit never decrypts; each token is refused with reason `encrypted` and a hint"
VERDICTS = {"valid": ACCEPT, "invalid": REJECT}


def outcomes(path: Path) -> Iterator[Outcome]:
    """Every vector of one file, signed and encrypted ones."""
    for group in json.loads(path.read_text(encoding="utf-8"))["testGroups"]:
        keys = _keys(group)
        for case in group["tests"]:
            name, wanted = f"tcId {case['tcId']}", VERDICTS[case["result"]]
            token = _text(case["jws"] if "jws" in case else case["jwe"])
            if "jws" in case:
                yield Outcome(name, wanted, verdict(token, keys), token=token)
            elif wanted == ACCEPT:
                yield Outcome(name, f"{REJECT}: encrypted", encrypted(token), JWE, token)
            else:
                yield Outcome(name, wanted, encrypted(token), token=token)


def encrypted(token: str) -> str:
    """How a JWE is refused."""
    try:
        parse(token)
    except Malformed as refusal:
        return f"{REJECT}: {refusal.reason}"
    return ACCEPT


def _keys(group: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    material = group.get("public") or group["private"]
    return [public_half(jwk) for jwk in material.get("keys", [material])]


def _text(token: Any) -> str:
    return token if isinstance(token, str) else json.dumps(token)
