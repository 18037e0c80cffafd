"""Rows about the request: where the credential stands and how often (RFC 6750 sections 2 and 3.1)."""

from __future__ import annotations

from interop.agreement.row import ACCEPT, Asked, Row

__all__ = ["REQUESTS"]

REQUESTS = (
    Row("no-credential", "no credential", "credentials_missing", lambda bench: Asked()),
    Row("scheme-basic", "the Basic scheme", "credentials_missing", lambda bench: Asked.of("Basic dTpw")),
    Row("scheme-lower-case", "`bearer`", ACCEPT, lambda bench: Asked.of(f"bearer {bench.token()}")),
    Row("scheme-upper-case", "`BEARER`", ACCEPT, lambda bench: Asked.of(f"BEARER {bench.token()}")),
    Row("scheme-alone", "the scheme without a token", "invalid_request", lambda bench: Asked.of("Bearer")),
    Row("two-words", "two words after the scheme", "invalid_request",
        lambda bench: Asked.of(f"Bearer {bench.token()} x")),
    Row("two-spaces", "two spaces after the scheme", "invalid_request",
        lambda bench: Asked.of(f"Bearer  {bench.token()}")),
    Row("quoted", "the token in quotes", "invalid_request", lambda bench: Asked.of(f'Bearer "{bench.token()}"')),
    Row("two-headers", "two Authorization headers", "invalid_request",
        lambda bench: Asked((*Asked.with_token(bench.token()).headers, *Asked.with_token(bench.token()).headers))),
    Row("in-the-query", "the token in the query only", "credentials_missing",
        lambda bench: Asked(query=f"access_token={bench.token()}")),
    Row("in-the-body", "the token in a form body only", "credentials_missing",
        lambda bench: Asked(form=f"access_token={bench.token()}")),
    Row("header-and-query", "a token in the header and one in the query", ACCEPT,
        lambda bench: Asked.with_token(bench.token())._replace(query=f"access_token={bench.token()}")),
    Row("header-and-body", "a token in the header and one in the body", ACCEPT,
        lambda bench: Asked.with_token(bench.token())._replace(form=f"access_token={bench.token()}")),
)  # fmt: skip
