"""Values that RFCs print: thumbprints (RFC 7638, 8037, 9449), a DPoP proof (RFC 9449), and what comes later."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from bearerkit.jose.thumbprint import thumbprint
from vectors.tally import ACCEPT, Outcome, Source
from vectors.verifier import key_verdict, verdict

__all__ = ["SOURCE"]

LATER = "another step"


def outcomes(folder: Path) -> Iterator[Outcome]:
    """Every value of the file; a member of an unknown kind is unexplained."""
    for name, example in json.loads((folder / "rfc-examples" / "rfc-examples.json").read_text("utf-8")).items():
        if not isinstance(example, dict):
            continue
        for member, value in example.items():
            title = f"{name} {member}"
            match member:
                case "jwk":
                    yield Outcome(title, ACCEPT, key_verdict([value]))
                case "sha256" | "jkt" | "thumbprint":
                    yield Outcome(title, value, thumbprint(example["jwk"]))
                case _ if isinstance(value, dict) and "jwt" in value:
                    yield Outcome(title, ACCEPT, verdict(value["jwt"], [example["jwk"]]), token=value["jwt"])
                case "code_verifier" | "code_challenge" | "method" | "access_token" | "ath":
                    yield Outcome(title, "", "", LATER)
                case _:
                    yield Outcome(title, "to be known", "an unknown kind of value")


SOURCE = Source(
    "Values in RFCs",
    "rfc-examples/rfc-examples.json",
    outcomes,
    outside={LATER: "PKCE (RFC 7636) and the hash of a DPoP-bound token (RFC 9449) are not about JWS or keys"},
)
