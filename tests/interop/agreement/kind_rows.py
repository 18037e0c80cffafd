"""Rows about kinds of tokens: what is an access token, by `typ` and by claims (RFC 8725 section 3.11, RFC 9068)."""

from __future__ import annotations

from interop.agreement.row import ACCEPT, REFUSE, Row

__all__ = ["KINDS"]

KINDS = (
    Row("typ-application", "`typ` application/at+jwt", ACCEPT,
        lambda bench: bench.token(headers={"typ": "application/at+jwt"})),
    Row("typ-upper-case", "`typ` AT+JWT", ACCEPT, lambda bench: bench.token(headers={"typ": "AT+JWT"})),
    Row("typ-jwt", "`typ` JWT", ACCEPT, lambda bench: bench.token(headers={"typ": "JWT"}), strict=REFUSE),
    Row("typ-missing", "no `typ`", ACCEPT, lambda bench: bench.token(headers={"typ": None}), strict=REFUSE),
    Row("typ-number", "`typ` is a number", REFUSE, lambda bench: bench.raw(bench.header(typ=1))),
    Row("typ-other", "a `typ` that nobody knows", REFUSE, lambda bench: bench.token(headers={"typ": "x+jwt"})),
    Row("id-token", "an ID token: `typ` JWT, a `nonce`", REFUSE,
        lambda bench: bench.token(headers={"typ": "JWT"}, nonce="n-0S6", auth_time=bench.now)),
    Row("access-token-with-nonce", "an at+jwt with a `nonce` claim", ACCEPT, lambda bench: bench.token(nonce="n-0S6")),
    Row("refresh-token", "`typ` JWT, `token_use` refresh", REFUSE,
        lambda bench: bench.token(headers={"typ": "JWT"}, token_use="refresh")),
    Row("refresh-token-typed", "an at+jwt whose `token_use` is refresh", REFUSE,
        lambda bench: bench.token(token_use="refresh")),
    Row("logout-token", "`typ` logout+jwt with `events`", REFUSE,
        lambda bench: bench.token({"events": {"http://schemas.openid.net/event/backchannel-logout": {}}},
                                  headers={"typ": "logout+jwt"})),
    Row("logout-token-typed", "an at+jwt with `events` of a logout token", REFUSE,
        lambda bench: bench.token({"events": {"http://schemas.openid.net/event/backchannel-logout": {}}})),
    Row("dpop-proof", "`typ` dpop+jwt with `htm` and `htu`", REFUSE,
        lambda bench: bench.token(headers={"typ": "dpop+jwt"}, htm="GET", htu="https://orders.example.test")),
    Row("introspection-answer", "`typ` token-introspection+jwt", REFUSE,
        lambda bench: bench.token(headers={"typ": "token-introspection+jwt"}, token_introspection={"active": True})),
    Row("bound-by-dpop", "bound to a DPoP key (`cnf` jkt), sent without proof", REFUSE,
        lambda bench: bench.token(cnf={"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"})),
    Row("bound-by-mtls", "bound to a certificate (`cnf` x5t#S256)", REFUSE,
        lambda bench: bench.token(cnf={"x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"})),
)  # fmt: skip
