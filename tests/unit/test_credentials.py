"""Taking the one credential out of a request: exactly one b64token, or a refusal (RFC 6750 section 2.1)."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from bearerkit.errors import ConfigError, CredentialsMissing, InvalidRequest
from bearerkit.http import Headers, Request
from bearerkit.verify.credentials import SUBPROTOCOL, SUBPROTOCOL_HEADER, Places, take_token

ALB = Places("x-amzn-oidc-data")


def taken(*fields: str, places: Places = Places(), kind: Literal["http", "websocket"] = "http", **other: str) -> str:
    """The token of a request with these Authorization fields (or those of `places`), and other headers."""
    items = [(places.header, field) for field in fields]
    items += [(name.replace("_", "-"), value) for name, value in other.items()]
    return take_token(Request("GET", "/", Headers(items), kind=kind), places)


@pytest.mark.parametrize("field", ["Bearer abc", "bearer abc", "BEARER abc", "bEaReR abc"])
def test_the_scheme_ignores_case(field):
    """Attack 91: all spellings of the scheme are the same scheme."""
    assert taken(field) == "abc"


@pytest.mark.parametrize("token", ["a", "a.b.c", "A-z0._~+/9", "abc=", "abc==", "a======", "x" * 65_536])
def test_every_b64token_comes_back_as_sent(token):
    """Nothing is trimmed, decoded or folded."""
    assert taken(f"Bearer {token}") == token


@pytest.mark.parametrize(
    "fields",
    [
        (), ("",), ("Basic dXNlcjpwYXNz",), ("Basic dXNlcjpwYXNz", "Digest x"), ("Bearerabc",), ("Bearer-abc x",),
        ("BearerX abc",), ("DPoP abc",), ("Negotiate",), ("token=bearer",), ("Ｂearer abc",), ("Bearer_ abc",),
    ],
    ids=repr,
)  # fmt: skip
def test_no_bearer_credential(fields):
    """No field, an empty one, other schemes, and words that only begin like ours: nothing was presented."""
    with pytest.raises(CredentialsMissing):
        taken(*fields)


@pytest.mark.parametrize(
    "fields",
    [
        ("Bearer",), ("Bearer ",), ("bearer",), ("Bearer  abc",), ("Bearer abc ",), ("Bearer abc def",), ("Bearer\tabc",
        ),
        ("Bearer\x0babc",), ("Bearer\xa0abc",), ('Bearer "abc"',), ("Bearer token=abc",), ("Bearer a=b",), ("Bearer =",
        ),
        ("Bearer =abc",), ("Bearer abc\x00",), ("Bearer abc\r\nX: y",), ("Bearer \xe4\xf6",), ("Bearer 日本",),
        ("Bearer a,b",), ("Bearer abc,",), ("Bearer: abc",), ("Bearer,abc",), ("Bearer;abc",), ("Bearer=abc",),
    ],
    ids=repr,
)  # fmt: skip
def test_a_malformed_credential(fields):
    """Whoever names the scheme must send exactly one space and one b64token."""
    with pytest.raises(InvalidRequest):
        taken(*fields)


@pytest.mark.parametrize(
    "fields",
    [
        ("Bearer abc", "Bearer abc"),
        ("Bearer abc", "Bearer def"),
        ("Bearer abc", "Basic dXNlcjpwYXNz"),
        ("Basic dXNlcjpwYXNz", "Bearer abc"),
        ("Basic dXNlcjpwYXNz,Bearer abc",),
        ("Basic dXNlcjpwYXNz , bearer abc",),
        ("Basic dXNlcjpwYXNz,bearer",),
        ("Basic x", "Digest y", "bEARER z"),
        ("Bearer", "Basic x"),
        ("Bearer", ""),
        ("", "Bearer abc"),
    ],
    ids=repr,
)
def test_several_credentials(fields):
    """Attacks 89 and 90: repeated or comma-joined fields are judged alike, and refused whichever comes first."""
    with pytest.raises(InvalidRequest):
        taken(*fields)
    with pytest.raises(InvalidRequest):
        taken(",".join(fields))


def test_a_token_in_the_query_or_a_cookie_is_not_read():
    """Attack 93."""
    request = Request("GET", "/", Headers([("cookie", "access_token=abc")]), query="access_token=abc")
    with pytest.raises(CredentialsMissing):
        take_token(request)


# Another header


def test_a_header_of_its_own_holds_the_bare_token():
    """AWS ALB and Google IAP send the token alone, in any case of the field name."""
    assert taken("a.b.c", places=ALB) == "a.b.c"
    assert take_token(Request("GET", "/", Headers([("X-Amzn-OIDC-Data", "a.b.c")])), ALB) == "a.b.c"


def test_tokens_of_aws_are_padded_in_each_part():
    """Whether padding is accepted is the issuer's rule; the field may carry it."""
    assert taken("ab==.cd==.ef==", places=ALB) == "ab==.cd==.ef=="
    with pytest.raises(InvalidRequest):
        taken("Bearer ab==.cd==.ef==")


@pytest.mark.parametrize(
    "fields", [("Bearer abc",), ("",), (" abc",), ("abc\n",), ("a,b",), ("abc", "abc"), ('"abc"',)], ids=repr
)
def test_anything_else_in_that_header_is_refused(fields):
    """A scheme, white space, a list: the field is there, so it must be one token."""
    with pytest.raises(InvalidRequest):
        taken(*fields, places=ALB)


def test_only_the_configured_header_is_read():
    """A caller cannot choose the place."""
    with pytest.raises(CredentialsMissing):
        taken(places=ALB, authorization="Bearer abc")
    with pytest.raises(CredentialsMissing):
        taken(x_amzn_oidc_data="abc")


@pytest.mark.parametrize("name", ["Authorization", "AUTHORIZATION"])
def test_authorization_is_authorization_in_any_case(name):
    """Spelled in capitals it is still read as RFC 6750 says, never as a bare token."""
    assert take_token(Request("GET", "/", Headers([("authorization", "Bearer abc")])), Places(name)) == "abc"
    with pytest.raises(CredentialsMissing):
        take_token(Request("GET", "/", Headers([("authorization", "abc")])), Places(name))


# WebSocket


@pytest.mark.parametrize(
    "offered", ["bearer, abc", "bearer,abc", "chat, bearer, abc", "bearer, abc, chat", " bearer ,  abc ", "bearer, a=="]
)
def test_a_browser_offers_its_token_as_a_subprotocol(offered):
    """The element after `bearer`."""
    assert taken(kind="websocket", sec_websocket_protocol=offered) in ("abc", "a==")


def test_the_subprotocol_list_may_be_spread_over_fields():
    """RFC 6455 section 11.3.4: the field may occur several times."""
    items = [(SUBPROTOCOL_HEADER, "bearer"), (SUBPROTOCOL_HEADER, "abc")]
    assert take_token(Request("GET", "/", Headers(items), kind="websocket")) == "abc"
    assert SUBPROTOCOL == "bearer"


@pytest.mark.parametrize("offered", ["", "chat", "graphql-ws, abc", "Bearer, abc", "bearers, abc", "abc"])
def test_other_subprotocols_carry_nothing(offered):
    """Subprotocol names are case-sensitive."""
    with pytest.raises(CredentialsMissing):
        taken(kind="websocket", sec_websocket_protocol=offered)


@pytest.mark.parametrize(
    "offered",
    [
        "bearer",
        "bearer,",
        "bearer, ",
        "bearer, a b",
        "bearer, ä",
        "bearer, bearer",
        "bearer, a, bearer, b",
        "abc, bearer",
    ],
)
def test_a_malformed_offer(offered):
    """The subprotocol announces a token and none, or more than one, follows."""
    with pytest.raises(InvalidRequest):
        taken(kind="websocket", sec_websocket_protocol=offered)


def test_header_and_subprotocol_together_are_two_credentials():
    """Even when they are equal."""
    with pytest.raises(InvalidRequest):
        taken("Bearer abc", kind="websocket", sec_websocket_protocol="bearer, abc")


def test_a_websocket_may_use_the_header_too():
    """Clients other than browsers do; another scheme in the header does not disturb the offer."""
    assert taken("Bearer abc", kind="websocket") == "abc"
    assert taken("Basic x", kind="websocket", sec_websocket_protocol="bearer, abc") == "abc"


def test_the_subprotocol_means_nothing_on_http():
    """It is a WebSocket header."""
    with pytest.raises(CredentialsMissing):
        taken(sec_websocket_protocol="bearer, abc")


@pytest.mark.parametrize("field", ["Bearer s3cr3t s3cr3t", "Bearer s3cr3t,Bearer s3cr3t", 'Bearer "s3cr3t"'])
def test_no_text_of_a_refusal_holds_the_credential(field):
    """Neither for the caller nor for the log."""
    with pytest.raises(InvalidRequest) as caught:
        taken(field)
    error: Any = caught.value
    assert "s3cr3t" not in f"{error}{error!r}{error.args}{error.public}{error.detail}{error.hint}"


def test_a_field_of_a_gateway_closes_the_way_through_subprotocols():
    """Who says where the credential stands has named the only place; unless the subprotocol is named as well."""
    offer = [("Sec-WebSocket-Protocol", "bearer, abc")]
    coming = Request("GET", "/", Headers(offer), kind="websocket")
    assert take_token(coming) == "abc"
    assert take_token(coming, Places(header="x-other", subprotocol=True)) == "abc"
    for places in (Places(header="x-other"), Places(subprotocol=False)):
        with pytest.raises(CredentialsMissing):
            take_token(coming, places)


@pytest.mark.parametrize("header", ["", "a b", "x:y", "ä", "x\n"])
def test_a_field_must_have_a_name(header):
    """Told when the settings are read, not by the first request."""
    with pytest.raises(ConfigError):
        Places(header=header)
