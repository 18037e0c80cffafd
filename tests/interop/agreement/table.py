"""The whole agreement table, and how docs/interop.md shows it. What it says is measured by test_agreement.py."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from interop.agreement.claim_rows import CLAIMS
from interop.agreement.differences import DIFFERENCES, Difference, difference
from interop.agreement.form_rows import FORMS
from interop.agreement.judges import COUNTERPART, as_said_by
from interop.agreement.kind_rows import KINDS
from interop.agreement.request_rows import REQUESTS
from interop.agreement.row import ACCEPT, Row
from interop.agreement.signature_rows import SIGNATURES

__all__ = ["GROUPS", "ROWS", "as_differences", "as_peers", "as_rows"]

GROUPS: Mapping[str, tuple[Row, ...]] = {
    "Signatures and keys": SIGNATURES,
    "Registered claims": CLAIMS,
    "Kinds of tokens": KINDS,
    "Form": FORMS,
    "Requests": REQUESTS,
}
ROWS = tuple(row for rows in GROUPS.values() for row in rows)

PEERS: Mapping[str, str] = {
    "express-oauth2-jwt-bearer": "guards an API beside ours in the table below, with defaults and with `strict: true`",
    "oauth4webapi": "`validateJwtAccessToken`, the third judge of the table",
    "jose": "`jwtVerify` with `createRemoteJWKSet` accepts our tokens; signs tokens of Heimdall's shape for ours",
    "@productcraft/heimdall": "`verifyToken` accepts our tokens of its shape, and refuses twelve kinds of wrong ones",
    "@productcraft/heimdall-passport": "its passport-jwt strategy, the same tokens",
    "passport-jwt": "with keys of jwks-rsa and from a PEM: RS256, PS256 and ES256",
    "jwks-rsa": "fetches our key set for passport-jwt and jsonwebtoken",
    "jsonwebtoken": "verifies our tokens; signs RS256, PS256, ES256 and HMAC for ours",
    "fast-jwt": "verifies our tokens; signs the same and EdDSA for ours",
    "aws-jwt-verify": "verifies our tokens: RS256, ES256, EdDSA",
    "@rudderjs/passport": "`verifyToken` accepts our tokens; issues for machines and users, ours accepts",
    "oidc-provider": "issues tokens, and all frameworks admit or refuse them",
}
"""npm package → what it was used for; its version is that of package.json."""


def as_peers() -> str:
    """The table of versions, in Markdown."""
    package = json.loads((Path(__file__).parents[1] / "package.json").read_text(encoding="utf-8"))
    rows = [f"| `{name}` | {package['dependencies'][name]} | {what} |" for name, what in PEERS.items()]
    return "\n".join(["| npm package | version | role |", "| --- | --- | --- |", *rows])


def as_rows() -> str:
    """A table per group, in Markdown: what ours says, and who says something else."""
    parts = []
    for title, rows in GROUPS.items():
        lines = [
            f"### {title}",
            "",
            "| row | what | bearerkit | under rfc9068 | others |",
            "| --- | --- | --- | --- | --- |",
        ]
        lines += [
            f"| `{row.id}` | {row.what} | {_ours(row, False)} | {_ours(row, True)} | {_others(row)} |" for row in rows
        ]
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def _ours(row: Row, profile: bool) -> str:
    """The verdict and the reason; under the profile only where it is another one."""
    outcome = row.outcome(profile=profile)
    if profile and outcome == row.plain:
        return "same"
    return outcome if outcome == ACCEPT else f"{row.verdict(profile=profile)}: `{outcome}`"


def _others(row: Row) -> str:
    named: dict[str, list[str]] = {}
    verdicts: dict[str, str] = {}
    for judge in COUNTERPART:
        if found := difference(row, judge):
            named.setdefault(found.id, []).append(judge)
            verdicts.setdefault(found.id, as_said_by(judge, found.verdict))
    told = [f"{', '.join(judges)}: {verdicts[name]} ([{name}](#{name}))" for name, judges in named.items()]
    return "; ".join(told) or "agree"


def as_differences() -> str:
    """The list of differences, in Markdown; each has an anchor of its name."""
    rows = [
        f'| <a id="{item.id}"></a>{item.id} | {", ".join(item.judges)} | {_verdict(item)} | {item.why} |'
        for item in DIFFERENCES
    ]
    return "\n".join(["| name | who | says | because |", "| --- | --- | --- | --- |", *rows])


def _verdict(item: Difference) -> str:
    return " or ".join(dict.fromkeys(as_said_by(judge, item.verdict) for judge in item.judges))
