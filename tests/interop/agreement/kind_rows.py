"""Rows about kinds of tokens: what is an access token, by `typ` and by claims (RFC 8725 section 3.11, RFC 9068)."""

from __future__ import annotations

from interop.agreement.row import ACCEPT, Row

__all__ = ["KINDS"]

KINDS = (
    Row("typ-application", "`typ` application/at+jwt", ACCEPT,
        lambda bench: bench.token(headers={"typ": "application/at+jwt"})),
    Row("typ-upper-case", "`typ` AT+JWT", ACCEPT, lambda bench: bench.token(headers={"typ": "AT+JWT"})),
    Row("typ-jwt", "`typ` JWT", ACCEPT, lambda bench: bench.token(headers={"typ": "JWT"}), strict="typ_not_accepted"),
    Row("typ-missing", "no `typ`", ACCEPT, lambda bench: bench.token(headers={"typ": None}), strict="typ_not_accepted"),
    Row("typ-number", "`typ` is a number", "malformed", lambda bench: bench.raw(bench.header(typ=1))),
    Row("typ-other", "a `typ` that nobody knows", "typ_not_accepted",
        lambda bench: bench.token(headers={"typ": "x+jwt"})),
    Row("id-token", "an ID token: `typ` JWT, a `nonce`", "claim_forbidden",
        lambda bench: bench.token(headers={"typ": "JWT"}, nonce="n-0S6", auth_time=bench.now),
        strict="typ_not_accepted"),
    Row("access-token-with-nonce", "an at+jwt with a `nonce` claim", ACCEPT, lambda bench: bench.token(nonce="n-0S6")),
    Row("refresh-token", "`typ` JWT, `token_use` refresh", "wrong_token_type",
        lambda bench: bench.token(headers={"typ": "JWT"}, token_use="refresh"), strict="typ_not_accepted"),
    Row("refresh-token-typed", "an at+jwt whose `token_use` is refresh", "wrong_token_type",
        lambda bench: bench.token(token_use="refresh")),
    Row("logout-token", "`typ` logout+jwt with `events`", "typ_not_accepted",
        lambda bench: bench.token({"events": {"http://schemas.openid.net/event/backchannel-logout": {}}},
                                  headers={"typ": "logout+jwt"})),
    Row("logout-token-typed", "an at+jwt with `events` of a logout token", "wrong_token_type",
        lambda bench: bench.token({"events": {"http://schemas.openid.net/event/backchannel-logout": {}}})),
    Row("dpop-proof", "`typ` dpop+jwt with `htm` and `htu`", "typ_not_accepted",
        lambda bench: bench.token(headers={"typ": "dpop+jwt"}, htm="GET", htu="https://orders.example.test")),
    Row("dpop-proof-typed", "an at+jwt with the `htm` and `htu` of a DPoP proof", "wrong_token_type",
        lambda bench: bench.token(htm="GET", htu="https://orders.example.test")),
    Row("introspection-answer-typed", "an at+jwt with `token_introspection`", "wrong_token_type",
        lambda bench: bench.token(token_introspection={"active": True})),
    Row("introspection-answer", "`typ` token-introspection+jwt", "typ_not_accepted",
        lambda bench: bench.token(headers={"typ": "token-introspection+jwt"}, token_introspection={"active": True})),
    Row("bound-by-dpop", "bound to a DPoP key (`cnf` jkt), sent without proof", "proof_required",
        lambda bench: bench.token(cnf={"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"})),
    Row("bound-by-mtls", "bound to a certificate (`cnf` x5t#S256)", "proof_required",
        lambda bench: bench.token(cnf={"x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"})),
)  # fmt: skip
