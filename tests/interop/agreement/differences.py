"""Where the judges of the table differ, each with the sentence that decides it or leaves it open.

The list is exact in both directions: test_agreement.py fails for a difference that is not here, and for one that is
gone. A difference is between a judge and its counterpart of ours (`judges.COUNTERPART`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from interop.agreement.row import ACCEPT, INVALID_REQUEST, REFUSE, Row

__all__ = ["DIFFERENCES", "Difference", "difference", "expected"]


class Difference(NamedTuple):
    """These judges say `verdict` of these rows, ours says what the row says."""

    id: str
    judges: tuple[str, ...]
    verdict: str
    rows: tuple[str, ...]
    why: str


_DEFAULT = ("express",)
_EXPRESS = ("express", "express strict")
_OAUTH4WEBAPI = ("oauth4webapi",)
_ALL = (*_EXPRESS, *_OAUTH4WEBAPI)

DIFFERENCES = (
    Difference("leeway", _EXPRESS, REFUSE, ("exp-just-past", "nbf-near"),
        "RFC 7519 sections 4.1.4 and 4.1.5 allow a small leeway. Theirs is 5 s; ours, like oauth4webapi's, is 30 s."),
    Difference("default-algorithms", _ALL, ACCEPT, ("es384",),
        "RFC 8725 section 3.1: the caller says which algorithms are used. Left alone, theirs takes whatever the "
        "metadata or the library knows, ours RS256, PS256, ES256 and EdDSA; `algorithms=` adds others."),
    Difference("ed25519", _EXPRESS, REFUSE, ("ed25519", "ed25519-by-an-eddsa-key"),
        "RFC 9864 section 2.2 names Ed25519 of its own; their list of algorithms has only EdDSA."),
    Difference("ed25519-alias", _OAUTH4WEBAPI, REFUSE, ("ed25519-by-an-eddsa-key",),
        "RFC 9864 section 2.2: for an Ed25519 key both names are one algorithm. Theirs compares the `alg` of header "
        "and key as text."),
    Difference("kid-optional", _ALL, REFUSE, ("kid-missing-several-keys",),
        "RFC 7515 section 4.1.4: `kid` is optional. Ours tries the few keys that fit the algorithm, theirs wants a "
        "`kid` as soon as there are two."),
    Difference("kid-string", _EXPRESS, ACCEPT, ("kid-number",),
        "RFC 7515 section 4.1.4: the value must be a string. Theirs overlooks one that is none."),
    Difference("aud-strings", _ALL, ACCEPT, ("aud-mixed-list",),
        "RFC 7519 section 4.1.3: an array of strings. Theirs looks no further than the one that fits."),
    Difference("infinite-exp", _ALL, ACCEPT, ("exp-infinite",),
        "RFC 8259 section 6 leaves the range of numbers open. JavaScript reads Infinity, so the token never expires."),
    Difference("iat-future", _ALL, ACCEPT, ("iat-future",),
        "RFC 7519 section 4.1.6 gives `iat` no such meaning. Ours takes a token from the future as not yet valid."),
    Difference("sub-required", _DEFAULT, ACCEPT, ("sub-missing",),
        "RFC 9068 section 2.2 requires `sub`. Theirs does under `strict`; ours always, unless `subject=\"optional\"`."),
    Difference("sub-empty", _ALL, ACCEPT, ("sub-empty",),
        "RFC 7519 section 4.1.2: `sub` identifies somebody. Ours takes an empty one for none."),
    Difference("jti-null", _DEFAULT, REFUSE, ("jti-null",),
        "RFC 7519 section 4.1.7: a string. Ours takes null for absent, as issuers exist that write `sub` so."),
    Difference("client-number", _DEFAULT, REFUSE, ("client-number",),
        "RFC 6749 section 2.2: a string. Ours insists under the profile; without it providers may number clients."),
    Difference("kinds-by-typ", _DEFAULT, ACCEPT,
        ("typ-number", "typ-other", "id-token", "refresh-token", "logout-token", "dpop-proof", "introspection-answer"),
        "RFC 8725 sections 3.11 and 3.12: kinds of tokens must not pass for each other. Theirs looks at `typ` under "
        "`strict` only."),
    Difference("kinds-by-claims", _ALL, ACCEPT,
        ("refresh-token-typed", "logout-token-typed", "dpop-proof-typed", "introspection-answer-typed"),
        "RFC 8725 section 3.12. Ours also refuses an at+jwt whose claims say that it is something else."),
    Difference("bound-by-mtls", _EXPRESS, ACCEPT, ("bound-by-mtls",),
        "RFC 8705 section 3: the resource must compare the certificate. Theirs does where `getCertificate` is set, "
        "and else takes the token as a bearer token; ours refuses what it cannot check."),
    Difference("base64url", _ALL, ACCEPT, ("padding", "standard-alphabet"),
        "RFC 7515 section 2: base64url without padding; RFC 4648 section 3.3: other characters must be rejected."),
    Difference("trailing-bits", _ALL, ACCEPT, ("trailing-bits",),
        "RFC 4648 section 3.5: a decoder may reject them. Ours does, so that a token has one spelling."),
    Difference("duplicates", _ALL, ACCEPT, ("payload-aud-twice", "header-alg-twice"),
        "RFC 7515 section 4 and RFC 7519 section 4: reject, or take the last. Ours rejects, theirs takes the last."),
    Difference("utf-8", _ALL, ACCEPT, ("payload-not-utf8", "payload-surrogate"),
        "RFC 7519 section 7.2 step 10: valid UTF-8; RFC 8259 section 8.2: half a pair means nothing certain. Theirs "
        "puts U+FFFD, or the half, in its place."),
    Difference("bom", _ALL, ACCEPT, ("payload-bom",),
        "RFC 8259 section 8.1: must not be sent, may be ignored. Theirs ignores it."),
    Difference("limits", _ALL, ACCEPT, ("payload-deep", "payload-long-number", "long"),
        "RFC 8259 section 9 allows limits of size, depth and numbers. Ours has some (`limits=`), theirs has none."),
    Difference("b64-critical", _EXPRESS, ACCEPT, ("crit-b64-true",),
        "RFC 7797 section 7: a JWT must not use the unencoded payload option. Theirs understands `b64` and lets true "
        "pass; ours refuses the header."),
    Difference("b64-uncritical", _ALL, ACCEPT, ("b64-false-uncritical",),
        "RFC 7797 section 6: `b64` must be critical. Theirs ignores it where it is not; ours refuses the header."),
    Difference("other-scheme", _EXPRESS, "400", ("scheme-basic",),
        "RFC 6750 section 3.1: an unsupported method is a request without authentication, so a bare 401 challenge "
        "(RFC 9110 section 15.5.2)."),
    Difference("no-code", _EXPRESS, "400", ("scheme-alone", "two-words", "two-spaces"),
        "RFC 6750 section 3.1: invalid_request. Theirs answers 400 and names no code."),
    Difference("spaces", _OAUTH4WEBAPI, ACCEPT, ("two-spaces",),
        "RFC 6750 section 2.1 writes `1*SP`. Ours and Auth0's take exactly one."),
    Difference("b64token", _EXPRESS, REFUSE, ("quoted",),
        "RFC 6750 section 2.1: a quote cannot stand in a token, so the request is malformed (section 3.1). Theirs "
        "takes it for a bad token."),
    Difference("two-headers", _ALL, ACCEPT, ("two-headers",),
        "RFC 9110 section 5.3: this field must not be repeated. Node keeps the first and drops the rest before they "
        "can see it."),
    Difference("other-methods", _EXPRESS, ACCEPT, ("in-the-query", "in-the-body"),
        "RFC 6750 sections 2.2 and 2.3 make both optional, RFC 9700 section 4.3.2 forbids the query. Ours reads the "
        "header only."),
    Difference("several-methods", _EXPRESS, INVALID_REQUEST, ("header-and-query", "header-and-body"),
        "RFC 6750 section 2: one method per request. To ours, what stands in query and body is no credential."),
)  # fmt: skip


def difference(row: Row, judge: str) -> Difference | None:
    """The one that explains what this judge says of this row; None where it agrees."""
    return next(_of(row.id, judge), None)


def expected(row: Row, judge: str) -> str:
    """What this judge says, as a status and error code."""
    found = difference(row, judge)
    if found is not None:
        return found.verdict
    return row.verdict(profile=judge not in ("bearerkit", "express"))


def _of(row: str, judge: str) -> Iterator[Difference]:
    return (item for item in DIFFERENCES if judge in item.judges and row in item.rows)
