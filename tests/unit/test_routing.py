"""Which issuer entry judges a token: only configured ones, by exact or template match, and what a refusal says."""

from __future__ import annotations

from typing import Any

import pytest

from bearerkit import ANY, NO_ISSUER, Issuer, SharedSecret
from bearerkit.errors import ConfigError, IssuerMismatch, SignatureInvalid, TokenInvalid, WrongTokenType
from bearerkit.jose.compact import Header
from bearerkit.testing import SigningKey
from bearerkit.verify.key_source import StaticKeys
from bearerkit.verify.routing import Entry, Routes

URL = "https://id.example.com"
TID = "0f0e0d0c-0b0a-0908-0706-050403020100"
EC = SigningKey.generate("ES256", kid="ec")


def entry(name: Any = URL, **settings: Any) -> Entry:
    given = {"audience": "api", "keys": {"keys": [EC.jwk]}, **settings}
    made = Issuer(name, **given)
    assert made.static_keys is not None
    return Entry(made, StaticKeys(made.static_keys))


def header(alg: str = "ES256", typ: str | None = "at+jwt", **members: Any) -> Header:
    return Header(alg, None, typ, {"alg": alg, **members})


def template(name: str = "https://login.example.com/{tid}/v2.0", **settings: Any) -> Entry:
    return entry(name, **{"placeholders": {"tid": "uuid"}, "tenants": ANY, **settings})


def refusal(routes: Routes, claims: dict[str, Any], by: Header | None = None) -> TokenInvalid:
    wanted = by or header()
    with pytest.raises(TokenInvalid) as caught:
        routes.refuse(wanted, claims, routes.of_issuer(wanted, claims))
    return caught.value


def test_an_exact_issuer():
    """The entry that lists it, and no other."""
    first, second = entry(), entry(["https://b.example.com", "https://c.example.com"])
    routes = Routes([first, second])
    assert routes.of_issuer(header(), {"iss": URL}) == (first,)
    assert routes.of_issuer(header(), {"iss": "https://c.example.com"}) == (second,)


@pytest.mark.parametrize(
    "iss",
    [
        URL + "/", URL.upper(), "HTTPS://id.example.com", "https://id.example.com:443", "https://id.example.com.",
        "https://id.example.co",
        "https://id.example.com/x", "https://ID.example.com", "https://id%2eexample.com", "https://id.example.com\0",
        " " + URL,
        URL + "\n", "https://user@id.example.com", "https://id.example.com?", "https://id.example.com#",
        "http://id.example.com",
        "https://xn--id.example.com", "https://ıd.example.com", "", None, [URL], [[URL]], {"iss": URL}, True, 0,
    ],
    ids=repr,
)  # fmt: skip
def test_anything_else_selects_nothing(iss):
    """Attack 79: substring, slash, case, port, percent-encoding, look-alikes, lists and other types."""
    routes = Routes([entry(), entry(NO_ISSUER)])
    assert routes.of_issuer(header(), {"iss": iss}) == ()
    assert isinstance(refusal(routes, {"iss": iss}), IssuerMismatch)


def test_normal_forms_of_one_name_are_two_issuers():
    """NFC and NFD look alike and are not equal."""
    routes = Routes([entry("https://id.example.com/caf\u00e9", keys={"keys": [EC.jwk]})])
    assert routes.of_issuer(header(), {"iss": "https://id.example.com/cafe\u0301"}) == ()


def test_a_token_without_issuer():
    """Only NO_ISSUER entries take it, and they never take a token that has one, not even null."""
    nameless = entry(NO_ISSUER)
    routes = Routes([entry(), nameless])
    assert routes.of_issuer(header(), {}) == (nameless,)
    assert routes.of_issuer(header(), {"iss": None}) == ()
    assert Routes([entry()]).of_issuer(header(), {}) == ()
    found = refusal(Routes([entry()]), {})
    assert (type(found), "NO_ISSUER" in (found.hint or "")) == (IssuerMismatch, True)


def test_several_entries_share_an_issuer():
    """All of them, in the order of configuration: the algorithm and the typ tell them apart."""
    old, new = entry(keys=SharedSecret("s" * 32)), entry()
    routes = Routes([old, new])
    assert routes.of_issuer(header(), {"iss": URL}) == (old, new)
    assert [item.takes(header()) for item in (old, new)] == [False, True]
    assert [item.takes(header("HS256")) for item in (old, new)] == [True, False]


@pytest.mark.parametrize(
    ("alg", "typ", "takes"),
    [
        ("ES256", "at+jwt", True), ("ES256", "application/AT+JWT", True), ("ES256", None, True), ("RS256", "JWT", True),
        ("EdDSA", "JWT", True), ("Ed25519", "JWT", True), ("ES384", "JWT", False), ("HS256", "JWT", False), ("none",
        "JWT", False),
        ("es256", "JWT", False), ("ES256 ", "JWT", False), ("ES256", "dpop+jwt", False), ("ES256", "", False),
    ],
)  # fmt: skip
def test_what_an_entry_takes(alg, typ, takes):
    """Attacks 1 to 5: the algorithm must be on the closed list, letter by letter."""
    assert entry().takes(header(alg, typ)) is takes


def test_a_template_selects_by_its_own_claim():
    """The filled template must equal iss exactly."""
    multi = template()
    routes = Routes([multi])
    iss = f"https://login.example.com/{TID}/v2.0"
    assert routes.of_issuer(header(), {"iss": iss, "tid": TID}) == (multi,)
    for tid in (None, TID.upper(), TID[:-1] + "1", "x", [TID], f"{TID}/../{TID}"):
        assert routes.of_issuer(header(), {"iss": iss, "tid": tid}) == ()
    assert routes.of_issuer(header(), {"iss": "https://login.example.com/{tid}/v2.0", "tid": TID}) == ()


def test_a_named_entry_goes_before_a_template():
    """Both are candidates; the named one is asked first."""
    iss = f"https://login.example.com/{TID}/v2.0"
    multi, named = template(), entry(iss)
    assert Routes([multi, named]).of_issuer(header(), {"iss": iss, "tid": TID}) == (named, multi)


# What a refusal says


@pytest.mark.parametrize("claims", [{"iss": URL}, {"iss": "https://unknown.example"}, {}])
def test_a_foreign_algorithm_is_named_first(claims):
    """Whatever the issuer: an algorithm that nobody here uses is the reason, with what would be accepted."""
    found = refusal(Routes([entry()]), claims, header("PS512"))
    assert (type(found), found.reason) == (SignatureInvalid, "algorithm_not_allowed")
    assert "only ES256, EdDSA, PS256, RS256" in found.detail


def test_hs256_at_public_keys_is_explained():
    """Misconfiguration 11."""
    assert "SharedSecret" in (refusal(Routes([entry()]), {"iss": URL}, header("HS256")).hint or "")
    both = Routes([entry(keys=SharedSecret("s" * 32))])
    assert refusal(both, {"iss": URL}, header("HS512")).hint is None
    assert refusal(Routes([entry()]), {"iss": URL}, header("none")).hint is None


def test_the_algorithm_must_be_of_this_issuer():
    """Attack 16: allowed for one issuer is not allowed for the other."""
    routes = Routes([entry(), entry("https://b.example.com", algorithms=["ES384"])])
    found = refusal(routes, {"iss": URL}, header("ES384"))
    assert found.reason == "algorithm_not_allowed"


def test_a_foreign_type_comes_next():
    """The algorithm fits and the typ does not."""
    found = refusal(Routes([entry(typ="at+jwt")]), {"iss": URL}, header(typ="JWT"))
    assert isinstance(found, WrongTokenType)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (URL + "/", 'the ending "/"'),
        (URL + "/v2.0", 'the ending "/v2.0"'),
        ("https://sts.windows.net/x/", "Entra v1.0"),
        ("https://other.example.com", None),
        (5, None),
    ],
)
def test_issuer_hints(said, words):
    """Misconfigurations 1 and 2."""
    hint = refusal(Routes([entry()]), {"iss": said}).hint
    assert hint is None if words is None else words in (hint or "")


def test_the_ending_may_be_missing_on_either_side():
    """Configured with the slash, sent without."""
    assert "ending" in (refusal(Routes([entry(URL + "/")]), {"iss": URL}).hint or "")


def test_hostile_issuers_stay_on_one_line_of_the_log():
    """Line breaks are escaped and a long value is cut."""
    for iss in ("https://x\r\nrefused: forged", "x" * 9_000, "\u2028"):
        text = str(refusal(Routes([entry()]), {"iss": iss}))
        assert len(text.splitlines()) == 1
        assert len(text) < 600


def test_templates_only():
    """There is no exact name to show."""
    assert "no exact name" in refusal(Routes([template()]), {"iss": "x"}).detail


def test_an_entry_has_no_equality_but_identity():
    """Entries are compared by who they are, so that two equal settings stay two entries."""
    assert entry() != entry()


def test_too_many_entries_for_one_issuer_are_refused_by_auth():
    """A token is never checked against many keys."""
    from bearerkit import Auth

    issuers = [entry().settings for _ in range(5)]
    Auth(*issuers[:4])  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="share the issuer"):
        Auth(*issuers)  # type: ignore[arg-type]
