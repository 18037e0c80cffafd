"""The claim rules of one issuer: each rule at its boundary, the order of refusal, and hostile JSON values."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bearerkit.errors import (
    AudienceMismatch,
    BearerkitError,
    ClaimInvalid,
    Expired,
    NotYetValid,
    TokenInvalid,
    WrongTokenType,
)
from bearerkit.jose.claim_path import ClaimPath
from bearerkit.jose.claims import ANY, NO_ISSUER, PRESENT, ClaimRules, check, refuse_no_subject, shown

NOW = 1_790_000_000
GOOD: dict[str, Any] = {"iss": "i", "sub": "u1", "aud": "api", "iat": NOW - 10, "exp": NOW + 300, "jti": "j"}


def paths(*names: str) -> tuple[ClaimPath, ...]:
    return tuple(ClaimPath(name) for name in names)


RULES = ClaimRules(
    audience=frozenset({"api", "api-2"}),
    audience_from=paths("aud"),
    audience_optional=False,
    clients=None,
    client_claims=paths("azp", "client_id"),
    require=(),
    require_any=(),
    forbid=paths("nonce", "at_hash", "c_hash"),
    forbid_if_typed=False,
    subject_required=True,
    token_type="access",
    leeway=30,
    lifetime_max=None,
)


def rules(**changes: Any) -> ClaimRules:
    return replace(RULES, **changes)


def judge(
    changes: dict[str, Any] | None = None,
    *,
    by: ClaimRules = RULES,
    typed: bool = False,
    now: float = NOW,
    **header: Any,
) -> None:
    """Check the good claims after `changes`; a value of `...` removes the claim."""
    claims = {name: value for name, value in {**GOOD, **(changes or {})}.items() if value is not ...}
    check(by, header, claims, now, typed=typed)


def refusal(changes: dict[str, Any] | None = None, **also: Any) -> TokenInvalid:
    with pytest.raises(TokenInvalid) as caught:
        judge(changes, **also)
    return caught.value


def test_good_claims_pass():
    """The starting point of every test below is itself accepted."""
    judge()


# Times


@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        False,
        "1790000300",
        "",
        [],
        [NOW + 300],
        {},
        math.nan,
        math.inf,
        -math.inf,
        1e15,
        -1e15,
        10**400,
        1e308,
    ],
    ids=repr,
)
def test_a_time_is_a_finite_number_or_the_token_is_refused(name, value):
    """Attack 74: strings, booleans, null, lists, NaN, infinities and absurd numbers are no times."""
    found = refusal({name: value})
    assert isinstance(found, ClaimInvalid)
    assert found.reason == f"{name}_invalid"


@pytest.mark.parametrize("value", [-1, 0, -0.0, -1e14, 1.5, NOW - 30, NOW - 30.5])
def test_a_past_expiry_is_expired_whatever_its_number(value):
    """Negative, zero and fractional dates are dates, and long gone."""
    assert isinstance(refusal({"exp": value}), Expired)


def test_expiry_is_required():
    """Attack 73."""
    found = refusal({"exp": ...})
    assert (type(found), found.reason) == (ClaimInvalid, "exp_missing")
    assert found.hint


@pytest.mark.parametrize(("leeway", "now", "passes"), [
    (30, NOW + 329.999, True),
    (30, NOW + 330, False),
    (0, NOW + 299.999, True),
    (0, NOW + 300, False),
    (300, NOW + 599, True),
])  # fmt: skip
def test_expiry_at_its_boundary(leeway, now, passes):
    """RFC 7519 section 4.1.4: on or after exp is too late; the leeway moves the boundary and nothing else."""
    by = rules(leeway=leeway)
    if passes:
        judge(by=by, now=now)
    else:
        assert isinstance(refusal(by=by, now=now), Expired)


@pytest.mark.parametrize("name", ["nbf", "iat"])
def test_not_before_and_issued_at_may_lie_ahead_by_the_leeway_only(name):
    """Attacks 75 and 76, both sides of the boundary."""
    judge({name: NOW + 30})
    assert isinstance(refusal({name: NOW + 30.001}), NotYetValid)


@pytest.mark.parametrize("name", ["nbf", "iat"])
def test_not_before_and_issued_at_may_be_absent(name):
    """Only exp is demanded."""
    judge({name: ...})


@pytest.mark.parametrize(("iat", "exp", "passes"), [
    (NOW, NOW + 600, True),
    (NOW, NOW + 600.5, False),
    (NOW - 500, NOW + 100, True),
    (NOW - 500, NOW + 101, False),
    (-1e14, NOW + 1, False),
])  # fmt: skip
def test_the_longest_lifetime(iat, exp, passes):
    """Attack 77: counted from iat, and the leeway adds nothing."""
    by = rules(lifetime_max=600)
    if passes:
        judge({"iat": iat, "exp": exp}, by=by)
    else:
        assert refusal({"iat": iat, "exp": exp}, by=by).reason == "lifetime_too_long"


def test_a_lifetime_cannot_be_judged_without_issued_at():
    """Attack 76: leaving iat out must not make a ten-year token look short in its last minutes."""
    found = refusal({"iat": ..., "exp": NOW + 1}, by=rules(lifetime_max=600))
    assert (type(found), found.reason) == (ClaimInvalid, "iat_missing")


# Audience


@pytest.mark.parametrize("aud", ["api", "api-2", ["api"], ["x", "api"], ["api", "api"]])
def test_an_audience_that_names_us(aud):
    """A string, or a list in which one element is ours."""
    judge({"aud": aud})


@pytest.mark.parametrize(
    "aud",
    [
        ..., None, "", " ", "other", "API", "api ", " api", "ap", "api-", "api api-2", "api,api-2", "api\0", "аpi",
        [], ["other"], [""], ["api", None], ["api", 1], ["api", ["api"]], [["api"]], [{"api": 1}],
        {}, {"api": True}, 0, 5, True, False,
    ],
    ids=repr,
)  # fmt: skip
def test_an_audience_that_does_not(aud):
    """Attack 80: missing, other, partial, joined, nested, an object, a number, a look-alike, a mixed list."""
    assert isinstance(refusal({"aud": aud}), AudienceMismatch)


def test_any_audience_must_be_spelled():
    """With ANY (compiled to None) whatever string stands there passes."""
    judge({"aud": "anything"}, by=rules(audience=None))
    judge({"aud": ...}, by=rules(audience=None))


def test_an_optional_audience_is_optional_only_by_absence():
    """A token on its way out may leave aud out (or null), never name another API."""
    by = rules(audience_optional=True)
    judge({"aud": ...}, by=by)
    judge({"aud": None}, by=by)
    for wrong in ([], "other", {}, 0, ""):
        assert isinstance(refusal({"aud": wrong}, by=by), AudienceMismatch)


def test_audience_from_takes_the_first_that_is_present():
    """A present claim decides even if the next one would fit: no falling through to a friendlier claim."""
    by = rules(audience_from=paths("client_id", "header.client", "aud"))
    judge({"client_id": "api", "aud": "other"}, by=by)
    judge({"aud": "other"}, by=by, client="api")
    assert isinstance(refusal({"client_id": "other"}, by=by), AudienceMismatch)
    judge({"client_id": None}, by=by)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"aud": ..., "client_id": "abc"}, "audience_from"),
        ({"aud": ..., "client_id": 5}, "Ask for a token for this API"),
        ({"aud": ...}, "Ask for a token for this API"),
        ({"aud": "web", "nonce": "n"}, "ID token"),
        ({"aud": "web", "at_hash": "n"}, "ID token"),
        ({"aud": "account"}, "Keycloak"),
        ({"aud": ["account"]}, "Keycloak"),
        ({"aud": []}, "Hydra"),
        ({"aud": ["web"]}, "Ask for a token for this API"),
    ],
)
def test_audience_hints(changes, words):
    """Misconfigurations 4, 5 and 6 of the provider collection say what to do."""
    hint = refusal(changes).hint
    assert (hint is None) if words is None else words in (hint or "")


def test_audience_detail_names_both_sides():
    """The operator sees what the token said and what was wanted, and the wanted ones in a stable order."""
    assert refusal({"aud": "web"}).detail == "\"aud\" is 'web', wanted is api, api-2"
    assert refusal({"aud": ...}).detail == 'the token has no "aud", wanted is api, api-2'


# Clients


@pytest.mark.parametrize("changes", [{"azp": "c1"}, {"client_id": "c1"}, {"azp": None, "client_id": "c1"}])
def test_a_client_that_is_allowed(changes):
    """The first present claim names it; null is absent."""
    judge(changes, by=rules(clients=frozenset({"c1"})))


@pytest.mark.parametrize(
    "changes",
    [{}, {"azp": "c2"}, {"azp": "c2", "client_id": "c1"}, {"azp": ["c1"]}, {"azp": True}, {"azp": ""}],
    ids=repr,
)
def test_a_client_that_is_not(changes):
    """None, another one, another one before ours, or something that is no string."""
    found = refusal(changes, by=rules(clients=frozenset({"c1"})))
    assert (type(found), found.reason) == (ClaimInvalid, "client_not_allowed")


# require, forbid


def requiring(name: str, *values: Any) -> ClaimRules:
    return rules(require=((ClaimPath(name), values),))


@pytest.mark.parametrize(
    ("values", "value"),
    [
        (("access",), "access"), (("a", "b"), "b"), ((None, "a"), ...), ((None, "a"), None), ((None, "a"), "a"),
        ((True,), True), ((False,), False), ((0,), 0), ((PRESENT,), 0), ((PRESENT,), False), ((PRESENT,), ""),
        ((PRESENT,), []),
        (({"a": [1]},), {"a": [1]}),
    ],
)  # fmt: skip
def test_a_required_value_that_is_there(values, value):
    """Alternatives, absence as an alternative, and PRESENT for any value at all."""
    judge({"x": value}, by=requiring("x", *values))


@pytest.mark.parametrize(
    ("values", "value"),
    [
        (("access",), ...), (("access",), None), (("access",), "Access"), (("access",), ["access"]), (("access",),
        "access "),
        ((True,), 1), ((1,), True), ((False,), 0), ((0,), False), ((1,), 1.0), (("1",), 1), ((True,), "true"),
        ((PRESENT,), ...), ((PRESENT,), None), ((None,), "x"), ((None,), False), ((), "x"),
    ],
)  # fmt: skip
def test_a_required_value_that_is_not(values, value):
    """Type confusion counts as a wrong value: Python calls true and 1 equal, we do not."""
    found = refusal({"x": value}, by=requiring("x", *values))
    assert (type(found), found.reason) == (ClaimInvalid, "claim_required")
    assert '"x"' in found.detail


def test_requirements_reach_the_header_and_nested_claims():
    """`header.signer` and dotted paths work as everywhere else."""
    judge({}, by=requiring("header.signer", "arn:1"), signer="arn:1")
    assert refusal({"signer": "arn:1"}, by=requiring("header.signer", "arn:1")).reason == "claim_required"
    judge({"a": {"b": "c"}}, by=requiring("a.b", "c"))


@pytest.mark.parametrize("name", ["nonce", "at_hash", "c_hash"])
@pytest.mark.parametrize("value", ["x", "", 0, False, []])
def test_marks_of_an_id_token_are_forbidden(name, value):
    """Attack 81: any value counts, only null and absence do not."""
    found = refusal({name: value})
    assert (type(found), found.reason) == (WrongTokenType, "claim_forbidden")
    judge({name: None})


def test_an_explicit_type_lifts_the_default_marks_only():
    """`typ: at+jwt` says what the token is (RFC 9068); a forbid= of the team still holds for it."""
    judge({"nonce": "x"}, typed=True)
    assert refusal({"nonce": "x"}, typed=True, by=rules(forbid_if_typed=True)).reason == "claim_forbidden"


# Subject and names


@pytest.mark.parametrize("name", ["sub", "jti"])
@pytest.mark.parametrize("value", [0, 1, True, [], ["u1"], {}, 1.5], ids=repr)
def test_sub_and_jti_are_strings_where_they_occur(name, value):
    """Attack 84, also where no subject is demanded."""
    for by in (RULES, rules(subject_required=False)):
        assert refusal({name: value}, by=by).reason == f"{name}_invalid"


def test_the_refusal_of_a_token_that_names_nobody():
    """Which claim was read, and what to do for machines; the verifier judges the mapped subject."""
    with pytest.raises(ClaimInvalid) as caught:
        refuse_no_subject("oid")
    assert (caught.value.reason, "oid" in caught.value.detail) == ("sub_missing", True)
    assert "optional" in (caught.value.hint or "")


# Kind, and the order of refusal


def test_a_kind_that_never_authenticates():
    """Refresh tokens are told apart whatever else fits; the rest is in test_token_type."""
    assert isinstance(refusal({"token_use": "refresh"}), WrongTokenType)
    assert isinstance(refusal({"token_use": "id"}), WrongTokenType)
    judge({"token_use": "id"}, by=rules(token_type="id"))


ORDER = [
    ({"exp": NOW - 100}, "expired"),
    ({"nbf": NOW + 100}, "not_yet_valid"),
    ({"iat": NOW - 10**6}, "lifetime_too_long"),
    ({"aud": "other"}, "audience_mismatch"),
    ({"azp": "c2"}, "client_not_allowed"),
    ({"x": "other"}, "claim_required"),
    ({"nonce": "n"}, "claim_forbidden"),
    ({"token_use": "refresh"}, "wrong_token_type"),
    ({"sub": 5}, "sub_invalid"),
]


@pytest.mark.parametrize("place", range(len(ORDER)))
def test_the_order_of_refusal_is_fixed(place):
    """Of all that is wrong the first rule speaks: times, lifetime, audience, clients, require, forbid, kind, names."""
    by = rules(lifetime_max=3600, clients=frozenset({"c1"}), require=((ClaimPath("x"), ("y",)),))
    wrong: dict[str, Any] = {"azp": "c1", "x": "y"}
    for changes, _ in reversed(ORDER[place:]):
        wrong |= changes
    assert refusal(wrong, by=by).reason == ORDER[place][1]


@pytest.mark.parametrize("client", [7, True, ["c1"], {"id": "c1"}])
def test_a_profile_may_name_further_claims_that_are_strings(client):
    """The `client_id` of RFC 9068 is that of RFC 6749 section 2.2, a string; others number their clients."""
    by = rules(texts=("sub", "jti", "client_id"))
    assert refusal({"client_id": client}, by=by).reason == "client_id_invalid"
    judge({"client_id": client})
    judge({"client_id": "c1"}, by=by)


# Texts


def test_shown_is_quoted_and_bounded():
    """A claim value fits on one line of a log, whatever it is."""
    assert shown("a\r\nb") == "'a\\r\\nb'"
    assert shown("x" * 198) == "'" + "x" * 198 + "'"
    assert len(shown("x" * 199)) == 200
    assert shown(["x" * 10_000]).endswith("...")


def test_sentinels_read_as_they_are_spelled():
    """In error messages a sentinel is its name."""
    assert [repr(item) for item in (ANY, NO_ISSUER, PRESENT)] == ["ANY", "NO_ISSUER", "PRESENT"]


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["api", "c1", "u1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
NAMES = ["exp", "nbf", "iat", "aud", "sub", "jti", "azp", "nonce", "typ", "token_use", "type", "x"]
EVERYTHING = rules(lifetime_max=600, clients=frozenset({"c1"}), require=((ClaimPath("x"), ("y", None)),))


@given(st.dictionaries(st.sampled_from(NAMES), JSON, max_size=6), st.booleans())
def test_any_claims_are_accepted_or_refused_and_nothing_else(changes, typed):
    """No JSON value, wherever it stands, raises anything but a refusal whose texts stay on one bounded line."""
    refused: BearerkitError | None = None
    try:
        check(EVERYTHING, {}, {**GOOD, "azp": "c1", **changes}, NOW, typed=typed)
    except TokenInvalid as error:
        refused = error
    if refused is not None:
        assert len(str(refused).splitlines()) == 1
        assert len(str(refused)) < 1_500
    else:
        merged = {**GOOD, **changes}
        assert merged["exp"] > NOW - 30
        assert not isinstance(merged["exp"], bool)
        assert isinstance(merged["sub"], str | None)


@pytest.mark.parametrize(
    ("claims", "passes"), [({"scp": "a"}, True), ({"roles": []}, True), ({"scp": None}, False), ({}, False)]
)
def test_one_of_several_claims_must_be_there(claims: dict[str, Any], passes: bool):
    """`require_any`: any of them will do, null is none, and without the rule nothing is asked."""
    asked = rules(require_any=paths("scp", "roles"))
    whole = {"exp": NOW + 60, "aud": "api", "sub": "u", **claims}
    if passes:
        check(asked, {}, whole, NOW, typed=True)
    else:
        with pytest.raises(ClaimInvalid) as refused:
            check(asked, {}, whole, NOW, typed=True)
        assert refused.value.reason == "claim_required"
        assert '"scp" or "roles"' in refused.value.detail
    check(rules(), {}, whole, NOW, typed=True)
