"""Rows about registered claims: issuer, audience, times, names (RFC 7519 section 4.1, RFC 9068 section 2.2)."""

from __future__ import annotations

from interop.agreement.row import ACCEPT, AUDIENCE, Row

__all__ = ["CLAIMS"]

_ISSUERS = (
    Row("iss-missing", "no `iss`", "issuer_mismatch", lambda bench: bench.token(iss=None)),
    Row("iss-other", "another `iss`", "issuer_mismatch", lambda bench: bench.token(iss="https://evil.example.test")),
    Row("iss-trailing-slash", "`iss` with a slash more", "issuer_mismatch",
        lambda bench: bench.token(iss=f"{bench.issuer.issuer}/")),
    Row("iss-suffix", "`iss` that begins like ours", "issuer_mismatch",
        lambda bench: bench.token(iss=f"{bench.issuer.issuer}.evil.example.test")),
    Row("iss-upper-case", "`iss` with an upper-case scheme", "issuer_mismatch",
        lambda bench: bench.token(iss=bench.issuer.issuer.replace("http", "HTTP"))),
    Row("iss-list", "`iss` is a list with ours in it", "issuer_mismatch",
        lambda bench: bench.token(iss=[bench.issuer.issuer])),
)  # fmt: skip
_AUDIENCES = (
    Row("aud-list", "`aud` is a list with ours in it", ACCEPT, lambda bench: bench.token(aud=["billing", AUDIENCE])),
    Row("aud-missing", "no `aud`", "audience_mismatch", lambda bench: bench.token(aud=None)),
    Row("aud-null", "`aud` is null", "audience_mismatch", lambda bench: bench.raw(None, bench.claims(aud=None))),
    Row("aud-other", "another `aud`", "audience_mismatch", lambda bench: bench.token(aud="billing")),
    Row("aud-list-of-others", "`aud` is a list of others", "audience_mismatch",
        lambda bench: bench.token(aud=["billing", "x"])),
    Row("aud-empty-list", "`aud` is an empty list", "audience_mismatch", lambda bench: bench.token(aud=[])),
    Row("aud-words", "`aud` is ours and another in one string", "audience_mismatch",
        lambda bench: bench.token(aud=f"{AUDIENCE} billing")),
    Row("aud-prefix", "`aud` is the beginning of ours", "audience_mismatch",
        lambda bench: bench.token(aud=AUDIENCE[:6])),
    Row("aud-upper-case", "`aud` in upper case", "audience_mismatch", lambda bench: bench.token(aud=AUDIENCE.upper())),
    Row("aud-number", "`aud` is a number", "audience_mismatch", lambda bench: bench.token(aud=5)),
    Row("aud-object", "`aud` is an object with our name", "audience_mismatch",
        lambda bench: bench.token(aud={AUDIENCE: 1})),
    Row("aud-nested", "`aud` is a list in a list", "audience_mismatch", lambda bench: bench.token(aud=[[AUDIENCE]])),
    Row("aud-mixed-list", "`aud` is a list of ours and a number", "audience_mismatch",
        lambda bench: bench.token(aud=[AUDIENCE, 5])),
)  # fmt: skip
_TIMES = (
    Row("exp-missing", "no `exp`", "exp_missing", lambda bench: bench.token(exp=None)),
    Row("exp-fraction", "`exp` with a fraction", ACCEPT, lambda bench: bench.token(exp=bench.now + 60.5)),
    Row("exp-past", "expired two minutes ago", "expired", lambda bench: bench.token(exp=bench.now - 120)),
    Row("exp-just-past", "expired 15 s ago", ACCEPT, lambda bench: bench.token(exp=bench.now - 15)),
    Row("exp-negative", "`exp` before 1970", "expired", lambda bench: bench.token(exp=-1)),
    Row("exp-string", "`exp` is a string", "exp_invalid", lambda bench: bench.token(exp=str(bench.now + 60))),
    Row("exp-true", "`exp` is true", "exp_invalid", lambda bench: bench.token(exp=True)),
    Row("exp-null", "`exp` is null", "exp_invalid", lambda bench: bench.raw(None, bench.claims(exp=None))),
    Row("exp-list", "`exp` is a list", "exp_invalid", lambda bench: bench.token(exp=[bench.now + 60])),
    Row("exp-infinite", "`exp` is 1e400", "malformed",
        lambda bench: bench.raw(None, bench.json(_without(bench.claims(), "exp"), '"exp": 1e400'))),
    Row("nbf-past", "`nbf` in the past", ACCEPT, lambda bench: bench.token(nbf=bench.now - 60)),
    Row("nbf-future", "`nbf` in an hour", "not_yet_valid", lambda bench: bench.token(nbf=bench.now + 3_600)),
    Row("nbf-near", "`nbf` in 15 s", ACCEPT, lambda bench: bench.token(nbf=bench.now + 15)),
    Row("nbf-string", "`nbf` is a string", "nbf_invalid", lambda bench: bench.token(nbf=str(bench.now - 60))),
    Row("nbf-null", "`nbf` is null", "nbf_invalid", lambda bench: bench.raw(None, bench.claims(nbf=None))),
    Row("iat-missing", "no `iat`", ACCEPT, lambda bench: bench.token(iat=None), strict="claim_required"),
    Row("iat-string", "`iat` is a string", "iat_invalid", lambda bench: bench.token(iat=str(bench.now))),
    Row("iat-future", "issued in an hour", "not_yet_valid", lambda bench: bench.token(iat=bench.now + 3_600)),
)  # fmt: skip
_NAMES = (
    Row("sub-missing", "no `sub`", "sub_missing", lambda bench: bench.token(sub=None)),
    Row("sub-null", "`sub` is null", "sub_missing", lambda bench: bench.raw(None, bench.claims(sub=None))),
    Row("sub-number", "`sub` is a number", "sub_invalid", lambda bench: bench.token(sub=42)),
    Row("sub-empty", "`sub` is empty", "sub_missing", lambda bench: bench.token(sub="")),
    Row("jti-missing", "no `jti`", ACCEPT, lambda bench: bench.token(jti=None), strict="claim_required"),
    Row("jti-number", "`jti` is a number", "jti_invalid", lambda bench: bench.token(jti=7)),
    Row("jti-null", "`jti` is null", ACCEPT,
        lambda bench: bench.raw(None, bench.claims(jti=None)), strict="claim_required"),
    Row("client-missing", "no `client_id`", ACCEPT, lambda bench: bench.token(client_id=None), strict="claim_required"),
    Row("client-number", "`client_id` is a number", ACCEPT,
        lambda bench: bench.token(client_id=7), strict="client_id_invalid"),
)  # fmt: skip

CLAIMS = (*_ISSUERS, *_AUDIENCES, *_TIMES, *_NAMES)


def _without(claims: dict[str, object], name: str) -> dict[str, object]:
    return {key: value for key, value in claims.items() if key != name}
