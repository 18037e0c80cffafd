"""Telling kinds of tokens apart, by the typ header and by the claims that give a kind away."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bearerkit.errors import WrongTokenType
from bearerkit.jose.token_type import DEFAULT_FORBID, DEFAULT_TYP, check_kind, check_typ, normalise_typ

ACCESS = frozenset(DEFAULT_TYP["access"])
ID = frozenset(DEFAULT_TYP["id"])


@pytest.mark.parametrize(
    ("typ", "normal"),
    [
        (None, None), ("JWT", "jwt"), ("jwt", "jwt"), ("at+jwt", "at+jwt"), ("AT+JWT", "at+jwt"),
        ("application/at+jwt", "at+jwt"), ("Application/AT+JWT", "at+jwt"), ("application/jwt", "jwt"),
        ("", ""), ("application/", ""), (" at+jwt", " at+jwt"), ("application/application/at+jwt",
        "application/at+jwt"),
        ("text/at+jwt", "text/at+jwt"),
    ],
)  # fmt: skip
def test_normal_form(typ, normal):
    """RFC 7515 section 4.1.9: case and one `application/` prefix do not matter; everything else does."""
    assert normalise_typ(typ) == normal


@pytest.mark.parametrize("typ", [None, "JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt", "application/JWT"])
def test_types_of_access_tokens(typ):
    """The default takes what providers really send."""
    check_typ(typ, ACCESS)


REFUSED = {
    "logout+jwt": "logout token",
    "dpop+jwt": "DPoP proof",
    "token-introspection+jwt": "introspection answer",
    "client-authentication+jwt": "client assertion",
    "oauth-authz-req+jwt": "request object",
    "secevent+jwt": "security event",
    "refresh+jwt": "refresh token",
    "rt+jwt": "refresh token",
    "okta-internal-at+jwt": "Okta org server",
}


@pytest.mark.parametrize("typ", REFUSED)
@pytest.mark.parametrize("spelling", ["{}", "application/{}", "Application/{}"])
def test_types_that_never_authenticate_are_named(typ, spelling):
    """Attack 82: the operator reads what it was."""
    for accepted in (ACCESS, ID):
        with pytest.raises(WrongTokenType) as caught:
            check_typ(spelling.format(typ).upper(), accepted)
        assert caught.value.reason == "typ_not_accepted"
        assert REFUSED[typ] in caught.value.detail
        assert caught.value.hint


@pytest.mark.parametrize(
    "typ", ["", " ", "JOSE", "JWE", "at+jwt ", "at+jwt\0", "ａt+jwt", "none", "text/jwt", "a" * 9000]
)
def test_any_other_type_is_refused(typ):
    """Unknown, empty, look-alike and oversized types; the log line stays short."""
    with pytest.raises(WrongTokenType) as caught:
        check_typ(typ, ACCESS)
    assert len(caught.value.detail) < 150


def test_an_access_token_is_no_id_token():
    """`token_type="id"` takes no at+jwt: a provider that marks access tokens so sends them by mistake."""
    with pytest.raises(WrongTokenType, match="an access token"):
        check_typ("at+jwt", ID)
    check_typ(None, ID)
    check_typ("JWT", ID)


def test_a_strict_list_demands_the_header():
    """With typ="at+jwt" an absent typ is refused, and said so."""
    with pytest.raises(WrongTokenType, match="no typ"):
        check_typ(None, frozenset({"at+jwt"}))


def test_nothing_is_accepted_by_an_empty_list():
    """An empty list refuses, it does not switch the check off."""
    with pytest.raises(WrongTokenType):
        check_typ("at+jwt", frozenset())


@pytest.mark.parametrize(
    ("claims", "kind"),
    [
        ({"events": {"http://schemas.openid.net/event/backchannel-logout": {}}}, "logout"),
        ({"events": {"urn:example:event": None, "other": 1}}, "logout"),
        ({"token_introspection": {"active": True}}, "introspection"),
        ({"token_introspection": None}, "introspection"),
        ({"htm": "GET", "htu": "https://api.example.com/"}, "DPoP"),
        ({"htm": None, "htu": None}, "DPoP"),
    ],
)
def test_claims_that_give_a_kind_away(claims, kind):
    """Whatever their values, these claims stand in no access token."""
    for token_type in ("access", "id"):
        with pytest.raises(WrongTokenType, match=kind):
            check_kind({"sub": "u1", **claims}, token_type)


@pytest.mark.parametrize(
    "claims", [{"events": ["login"]}, {"events": {"count": 3}}, {"events": "a:b"}, {"htm": "GET"}, {"htu": "x"}]
)
def test_ordinary_claims_of_the_same_name_pass(claims):
    """A team may call a claim of its own `events`; only what RFC 8417 makes of it betrays a token."""
    check_kind({"sub": "u1", **claims}, "access")


@pytest.mark.parametrize("claim", ["typ", "token_use", "token_type", "type"])
@pytest.mark.parametrize("value", ["refresh", "Refresh", "REFRESH_TOKEN", "Offline", "logout", "Logout"])
def test_refresh_and_logout_markers(claim, value):
    """Keycloak, Cognito, KB Labs and others mark refresh tokens in a claim; neither kind of issuer takes them."""
    for token_type in ("access", "id"):
        with pytest.raises(WrongTokenType) as caught:
            check_kind({claim: value}, token_type)
        assert claim in caught.value.detail


@pytest.mark.parametrize("claim", ["typ", "token_use", "token_type", "type"])
@pytest.mark.parametrize("value", ["id", "ID", "Id_Token"])
def test_id_markers_matter_to_access_tokens_only(claim, value):
    """With token_type="id" it is what was asked for."""
    with pytest.raises(WrongTokenType):
        check_kind({claim: value}, "access")
    check_kind({claim: value}, "id")


@pytest.mark.parametrize("value", ["access", "Bearer", "DPoP", "end_user", "m2m", "", "identity", "refreshing"])
def test_harmless_markers(value):
    """What marks an access token, and words that only begin alike."""
    check_kind({"typ": value, "token_use": value, "type": value}, "access")


def test_defaults():
    """What the docs promise about the defaults."""
    assert DEFAULT_FORBID["access"] == ("nonce", "at_hash", "c_hash")
    assert DEFAULT_FORBID["id"] == ()


@given(st.dictionaries(st.sampled_from(["typ", "token_use", "type"]), st.none() | st.integers() | st.lists(st.text())))
def test_markers_of_another_type_are_not_read(claims):
    """A marker that is no string neither refuses nor raises."""
    check_kind(claims, "access")


@given(st.text(max_size=80))
def test_any_typ_passes_or_is_refused(typ):
    """Arbitrary text raises nothing but the refusal, and passes only if its normal form is listed."""
    refused: WrongTokenType | None = None
    try:
        check_typ(typ, ACCESS)
    except WrongTokenType as error:
        refused = error
    if refused is not None:
        assert len(str(refused).splitlines()) == 1
    else:
        assert typ.lower().removeprefix("application/") in ("jwt", "at+jwt")
