"""Everything that can be wrong with the settings of an issuer is told at once, by a ConfigError, before any token."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bearerkit import (
    ANY,
    NO_ISSUER,
    PRESENT,
    ClaimMapping,
    ConfigError,
    Issuer,
    KeyCache,
    Limits,
    Network,
    SharedSecret,
)
from bearerkit.testing import SigningKey
from bearerkit.verify.issuer import IssuerSettings

URL = "https://id.example.com"
TEMPLATE = "https://login.example.com/{tid}/v2.0"
EC = SigningKey.generate("ES256", kid="ec")
RSA = SigningKey.generate("RS256", kid="rsa")
SECRET = SharedSecret("s" * 32)
JWKS = {"keys": [EC.jwk]}


def issuer(name: Any = URL, /, **settings: Any) -> Issuer:
    return Issuer(name, **{"audience": "api", **settings})


def problems(name: Any = URL, /, **settings: Any) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        issuer(name, **settings)
    return caught.value.problems


def templated(**settings: Any) -> dict[str, Any]:
    return {"placeholders": {"tid": "uuid"}, "tenants": ANY, "keys": JWKS, **settings}


# What is wrong, one at a time


@pytest.mark.parametrize(
    ("name", "settings", "words"),
    [
        # issuer
        ("", {}, "spell NO_ISSUER"),
        (" " + URL, {}, "without spaces"),
        (None, {"keys": JWKS}, "spell NO_ISSUER"),
        (ANY, {"keys": JWKS}, "spell NO_ISSUER"),
        ([], {"keys": JWKS}, "issuer must be"),
        ([URL, ""], {}, "issuer must be"),
        ([URL, NO_ISSUER], {}, "issuer must be"),
        (5, {"keys": JWKS}, "issuer must be"),
        (b"https://id.example.com", {"keys": JWKS}, "issuer must be"),
        ("https://login.microsoftonline.com/common/v2.0", {}, '"common"'),
        ("https://login.microsoftonline.com/organizations/v2.0", {}, '"organizations"'),
        ("https://login.microsoftonline.com/consumers/v2.0", {"keys": JWKS}, '"consumers"'),
        ("https://login.microsoftonline.com/{tenantid}/v2.0", templated(placeholders={"tenantid": "uuid"}),
        "{tenantid}"),
        # where the keys are
        (NO_ISSUER, {}, "without an issuer need"),
        ("idp", {}, "is no URL"),
        ("https://id.example.com/.well-known/openid-configuration", {}, "address of the metadata"),
        (TEMPLATE, templated(keys=None), "has no metadata of its own"),
        ("http://id.example.com", {}, "not loopback"),
        ("https://", {}, "cannot be fetched"),
        ("https://user:pw@id.example.com", {}, "cannot be fetched: it has "),
        ("https://id.example.com:port", {}, "cannot be fetched"),
        (URL, {"metadata_url": "http://id.example.com/m"}, "metadata_url cannot be fetched: http://"),
        (URL, {"jwks_uri": "http://id.example.com/k"}, "jwks_uri cannot be fetched: http://"),
        (URL, {"jwks_uri": "file:///etc/passwd"}, "cannot be fetched"),
        (URL, {"jwks_uri": "id.example.com/k"}, "cannot be fetched"),
        (URL, {"jwks_uri": ""}, "cannot be fetched"),
        (URL, {"jwks_uri": "https://[::1/k"}, "cannot be fetched"),
        (URL, {"jwks_uri": "https://id.example.com/k#x"}, "cannot be fetched: it has "),
        (URL, {"jwks_uri": "https://id.example.com/k", "keys": JWKS}, "keys and jwks_uri exclude each other"),
        (URL, {"jwks_uri": "https://id.example.com/k", "metadata_url": URL}, "jwks_uri and metadata_url exclude"),
        (URL, {"key_format": "pem"}, "key_format='pem' is unknown"),
        (URL, {"key_format": "pem-per-kid"}, "{kid}"),
        (URL, {"key_format": "pem-per-kid", "jwks_uri": "https://id.example.com/k"}, "{kid}"),
        (URL, {"jwks_uri": "https://id.example.com/{kid}"}, "{kid}"),
        (URL, {"jwks_uri": "https://id.example.com/{kid}", "placeholders": {"kid": "any"}}, "needs a format"),
        # templates and tenants
        (TEMPLATE, templated(tenants=None), "needs tenants="),
        (TEMPLATE, templated(placeholders={}), "needs a format in placeholders="),
        (TEMPLATE, templated(placeholders={"tid": ["uuid"]}), "placeholders"),
        (TEMPLATE, templated(tenants="acme"), "tenants must be"),
        (TEMPLATE, templated(tenants=[1]), "tenants must be"),
        (TEMPLATE, templated(tenants=5), "tenants must be"),
        (TEMPLATE, templated(tenants=PRESENT), "tenants must be"),
        # audience
        (URL, {"audience": ""}, "spell ANY"),
        (URL, {"audience": None}, "spell ANY"),
        (URL, {"audience": []}, "spell ANY"),
        (URL, {"audience": ["api", ""]}, "spell ANY"),
        (URL, {"audience": ["api", ANY]}, "spell ANY"),
        (URL, {"audience": "api "}, "spell ANY"),
        (URL, {"audience": 5}, "spell ANY"),
        (URL, {"audience_from": []}, "audience_from"),
        (URL, {"audience_from": "a..b"}, "empty segment"),
        (URL, {"audience_from": [5]}, "audience_from"),
        (URL, {"audience_from": [None]}, "audience_from"),
        (URL, {"require": {5: "x"}}, "require"),
        ("https://[::1/x", {"keys": None}, "cannot be fetched"),
        (URL, {"audience_optional": True}, "needs until="),
        (URL, {"audience_optional": True, "until": float("inf")}, "until="),
        (URL, {"audience_optional": True, "until": float("nan")}, "until="),
        (URL, {"audience_optional": 1}, "audience_optional"),
        # until
        (URL, {"until": datetime(2030, 1, 1)}, "time zone"),
        (URL, {"until": "2030-01-01"}, "until="),
        (URL, {"until": True}, "until="),
        # clients, require, forbid, subject, type
        (URL, {"clients": []}, "clients must be"),
        (URL, {"clients": [None]}, "clients must be"),
        (URL, {"clients": "c", "client_claims": []}, "client_claims"),
        (URL, {"client_claims": ""}, "client_claims"),
        (URL, {"require": {"a..b": 1}}, "require: claim path"),
        (URL, {"require": ["x"]}, "require"),
        (URL, {"forbid": [""]}, "forbid"),
        (URL, {"forbid": 5}, "forbid"),
        (URL, {"token_type": "refresh"}, "token_type='refresh' is unknown"),
        (URL, {"token_type": []}, "token_type"),
        (URL, {"profile": "oidc"}, "profile='oidc' is unknown"),
        (URL, {"typ": 5}, "typ"),
        (URL, {"subject": None}, "subject=None is unknown"),
        (URL, {"subject": True}, "subject=True is unknown"),
        # bounds
        (URL, {"leeway": -1}, "leeway must be 0 to 300"),
        (URL, {"leeway": 301}, "leeway must be 0 to 300"),
        (URL, {"leeway": float("nan")}, "leeway must be 0 to 300"),
        (URL, {"leeway": float("inf")}, "leeway must be 0 to 300"),
        (URL, {"leeway": True}, "leeway must be 0 to 300"),
        (URL, {"leeway": "30"}, "leeway must be 0 to 300"),
        (URL, {"leeway": None}, "leeway must be 0 to 300"),
        (URL, {"lifetime_max": 0}, "lifetime_max must be"),
        (URL, {"lifetime_max": float("nan")}, "lifetime_max must be"),
        (URL, {"lifetime_max": float("inf")}, "lifetime_max must be"),
        (URL, {"lifetime_max": False}, "lifetime_max must be"),
        # algorithms and static keys
        (URL, {"algorithms": []}, "algorithms must not be empty"),
        (URL, {"algorithms": 5}, "algorithms"),
        (URL, {"algorithms": ["none"]}, "algorithm 'none' is unknown"),
        (URL, {"algorithms": ["None"]}, "algorithm 'None' is unknown"),
        (URL, {"algorithms": "RS265"}, "did you mean RS256?"),
        (URL, {"algorithms": ["rs256"]}, "algorithm 'rs256' is unknown"),
        (URL, {"algorithms": ["ES256K"]}, "is unknown"),
        (URL, {"algorithms": ["RS256", None]}, "algorithm"),
        (URL, {"algorithms": ["HS256"]}, "needs keys=SharedSecret"),
        (URL, {"algorithms": ["HS256"], "keys": JWKS}, "needs keys=SharedSecret"),
        (URL, {"algorithms": ["HS256", "RS256"], "keys": SECRET}, "never share an entry"),
        (URL, {"algorithms": ["RS256"], "keys": SECRET}, "SharedSecret needs algorithms"),
        (URL, {"algorithms": ["HS512"], "keys": SECRET}, "at least 64 bytes"),
        (URL, {"keys": [SECRET, EC.public_key]}, "never share an entry"),
        (URL, {"keys": "not a key"}, "keys: "),
        (URL, {"keys": b""}, "keys: "),
        (URL, {"keys": {"keys": 5}}, "keys: "),
        (URL, {"keys": {"kid": "x"}}, "keys: "),
        (URL, {"keys": object()}, "keys: object is not"),
        (URL, {"keys": [EC.public_key, None]}, "keys: "),
        (URL, {"keys": EC.private}, "private key"),
        (URL, {"keys": "s" * 64}, "keys: "),
        # values of a type that nothing can be done with
        (URL, {"network": None}, "network"),
        (URL, {"limits": None}, "limits"),
        (URL, {"key_cache": {}}, "key_cache"),
        (URL, {"hosts": 5}, "hosts"),
        (URL, {"metadata_url": 5}, "metadata_url"),
        (URL, {"metadata_issuer": 5}, "metadata_issuer"),
        (URL, {"jwks_uri": 5}, "jwks_uri"),
        (URL, {"placeholders": ["tid"]}, "placeholders"),
        (URL, {"claims": {"tenent": "tid"}}, "tenent"),
        (URL, {"claims": 5}, "claims must be"),
    ],
    ids=lambda value: str(value)[:40] if not isinstance(value, dict) else "-".join(value),
)  # fmt: skip
def test_a_problem_is_told(name, settings, words):
    """Each names the setting and says what would be right."""
    found = problems(name, **settings)
    assert any(words in problem for problem in found), found
    assert all(problem.startswith("Issuer(") for problem in found)


def test_all_problems_at_once():
    """A team mends its settings in one go."""
    found = problems(
        "https://login.microsoftonline.com/common/v2.0",
        audience="",
        algorithms=[],
        leeway=-1,
        lifetime_max=0,
        profile="x",
        token_type="x",
        subject="x",
        claims={"nope": "x"},
        require={"a..b": 1},
        forbid=["a..b"],
        clients=[],
        until="x",
        audience_optional=True,
        keys={"keys": 5},
        jwks_uri="http://id.example.com/k",
        key_format="x",
        tenants=[1],
    )
    for words in (
        "common", "spell ANY", "algorithms must not be empty", "leeway", "lifetime_max", "profile", "token_type",
        "subject",
        "nope", "require", "forbid", "clients", "until= must", "needs until", "keys: ", "exclude", "http://",
        "key_format", "tenants",
    ):  # fmt: skip
        assert any(words in problem for problem in found), words


def test_an_audience_cannot_be_left_out():
    """Attack surface by omission: Python itself refuses."""
    with pytest.raises(TypeError):
        Issuer(URL)  # type: ignore[call-arg]


def test_there_is_no_way_to_switch_verification_off():
    """No parameter is called verify_anything, and none takes False for a check."""
    import inspect

    names = inspect.signature(IssuerSettings.__init__).parameters
    assert not [name for name in names if name.startswith(("verify", "skip", "disable", "insecure", "options"))]


@pytest.mark.parametrize(
    "keys",
    ["-----BEGIN PRIVATE KEY-----\nS3CR3T\n-----END PRIVATE KEY-----", {"keys": [{"kty": "oct", "k": "S3CR3T"}]}],
)
def test_problems_hold_no_key_material(keys):
    """A wrong key is named by what it is."""
    assert "S3CR3T" not in str(problems(keys=keys))


# What is right


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        (URL, {}),
        ([URL, URL + "/"], {}),
        ("https://id.example.com/commonwealth", {}),
        ("https://id.example.com/organizations/42", {}),
        ("https://id.example.com/common", {}),
        ("http://localhost:8080/realms/x", {}),
        ("http://127.0.0.1:8080", {}),
        ("http://id.internal", {"network": Network(allow_http=True)}),
        ("idp", {"keys": JWKS}),
        ("idp", {"metadata_url": URL}),
        (NO_ISSUER, {"keys": SECRET}),
        (TEMPLATE, templated()),
        (TEMPLATE, templated(tenants=[])),
        (TEMPLATE, templated(tenants=lambda tenant: True)),
        (TEMPLATE, templated(keys=None, metadata_url=URL)),
        (URL, {"audience": ANY}),
        (URL, {"audience": {"api", "api-2"}}),
        (URL, {"until": datetime(2030, 1, 1, tzinfo=UTC), "audience_optional": True}),
        (URL, {"until": 2_000_000_000}),
        (URL, {"leeway": 0}),
        (URL, {"leeway": 300}),
        (URL, {"lifetime_max": 0.5}),
        (URL, {"keys": {}}),
        (URL, {"keys": {"keys": []}}),
        (URL, {"keys": EC.jwk}),
        (URL, {"keys": [EC.public_key, RSA.public_key]}),
        (URL, {"keys": SharedSecret("s" * 64), "algorithms": "HS512"}),
        (
            URL,
            {"jwks_uri": "https://k.example.com/{kid}", "placeholders": {"kid": "word"}, "key_format": "pem-per-kid"},
        ),
        (URL, {"algorithms": ["Ed25519"]}),
        (URL, {"claims": {"tenant": "tid"}, "limits": Limits(), "key_cache": KeyCache()}),
    ],
    ids=repr,
)
def test_settings_that_work(name, settings):
    """No false alarm."""
    issuer(name, **settings)


def test_defaults():
    """Safe for a plain RFC 9068 server, as the docs say."""
    plain = issuer()
    assert plain.algorithms == {"RS256", "PS256", "ES256", "EdDSA"}
    assert plain.typ == {None, "jwt", "at+jwt"}
    assert plain.rules.leeway == 30
    assert plain.rules.lifetime_max is None
    assert plain.rules.subject_required
    assert not plain.rules.audience_optional
    assert [path.path for path in plain.rules.audience_from] == ["aud"]
    assert [path.path for path in plain.rules.client_claims] == ["azp", "client_id", "appid", "cid"]
    assert [path.path for path in plain.rules.forbid] == ["nonce", "at_hash", "c_hash"]
    assert (plain.padding, plain.wildcard_scopes, plain.until, plain.static_keys) == (False, False, None, None)
    assert plain.location.hosts == ()


def test_id_tokens():
    """token_type="id" drops the marks of ID tokens and the at+jwt type, nothing else."""
    entry = issuer(token_type="id")
    assert entry.typ == {None, "jwt"}
    assert entry.rules.forbid == ()
    assert entry.algorithms == issuer().algorithms


def test_the_rfc_9068_profile():
    """Section 2.2's claims are required and at+jwt is; what the team spells itself wins."""
    entry = issuer(profile="rfc9068")
    assert entry.typ == {"at+jwt"}
    assert {path.path: values for path, values in entry.rules.require} == {
        "client_id": (PRESENT,),
        "iat": (PRESENT,),
        "jti": (PRESENT,),
    }
    assert entry.rules.texts == ("sub", "jti", "client_id")
    wider = issuer(profile="rfc9068", typ=["JWT", "application/at+jwt"], require={"jti": ["a", None]})
    assert wider.typ == {"jwt", "at+jwt"}
    assert {path.path: values for path, values in wider.rules.require}["jti"] == ("a", None)


def test_types_are_normalised_and_none_is_absence():
    """typ=None means: there must be no typ."""
    assert issuer(typ=None).typ == {None}
    assert issuer(typ=["JWT", None]).typ == {"jwt", None}
    assert issuer(typ=[]).typ == frozenset()


def test_an_explicit_forbid_replaces_the_default_and_holds_for_typed_tokens():
    """Entra B2C must be able to drop nonce; Zitadel adds auth_time."""
    entry = issuer(forbid=["auth_time"])
    assert ([path.path for path in entry.rules.forbid], entry.rules.forbid_if_typed) == (["auth_time"], True)
    assert issuer(forbid=[]).rules.forbid == ()
    assert not issuer().rules.forbid_if_typed


def test_secrets_and_public_keys_choose_their_algorithms():
    """A SharedSecret alone means HS256; EdDSA and Ed25519 are one algorithm."""
    assert issuer(keys=SECRET).algorithms == {"HS256"}
    assert issuer(keys=EC.public_key).algorithms == {"RS256", "PS256", "ES256", "EdDSA"}
    assert issuer(algorithms=["Ed25519", "EdDSA"]).algorithms == {"EdDSA"}


@pytest.mark.parametrize(
    ("tenants", "accepted"),
    [
        (["a"], {"a"}),
        ([], set()),
        (("a", "b"), {"a", "b"}),
        (ANY, {"a", "b", "c"}),
        (lambda tenant: tenant == "b", {"b"}),
        (lambda tenant: "truthy", set()),
        (lambda tenant: 1, set()),
        (lambda tenant: {"a": True}[tenant], {"a"}),
    ],
)
def test_tenant_rules(tenants, accepted):
    """A list, a predicate that says True and nothing but True, or ANY; a predicate that raises refuses."""
    entry = issuer(TEMPLATE, **templated(tenants=tenants))
    assert {tenant for tenant in ("a", "b", "c") if entry.accepts_tenant(tenant)} == accepted
    assert entry.tenant_checked is (tenants is not ANY)


def test_a_template_binds_the_tenant_to_its_placeholder():
    """Only the placeholder was compared with iss, so only it may say which tenant this is; a spelled mapping stays."""
    bound = issuer(TEMPLATE, **templated())
    assert [claim.path for claim in bound.mapping.tenant] == ["tid"]
    spelled = issuer(TEMPLATE, **templated(claims={"tenant": "org"}))
    assert [claim.path for claim in spelled.mapping.tenant] == ["org"]
    assert issuer().mapping == ClaimMapping()


def test_a_template_with_two_placeholders_must_say_which_is_the_tenant():
    """Else the allow-list would judge the region and let every tenant in."""
    two = {"placeholders": {"region": "word", "tid": "uuid"}, "tenants": ["acme"], "keys": JWKS}
    assert any("tenant" in problem for problem in problems("https://{region}.id.example.com/{tid}", **two))
    issuer("https://{region}.id.example.com/{tid}", claims={"tenant": "tid"}, **two)


def test_static_keys_keep_what_can_be_used():
    """A set that also holds an encryption key is valid; every usable key of a list is taken."""
    mixed = issuer(keys={"keys": [EC.jwk, {**RSA.jwk, "use": "enc"}]})
    assert mixed.static_keys is not None
    assert [key.kid for key in mixed.static_keys.keys] == ["ec"]
    several = issuer(keys=[{"keys": [EC.jwk]}, RSA.public_key])
    assert several.static_keys is not None
    assert len(several.static_keys.keys) == 2


def test_ready_made_keys_and_pem():
    """Key values of ours and PEM text are taken as they are."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    pem = EC.public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    first = issuer(keys=[pem.decode(), pem]).static_keys
    assert first is not None
    assert len(first.keys) == 1
    again = issuer(keys=first.keys[0]).static_keys
    assert again is not None
    assert again.keys == first.keys


def test_names():
    """What describe() and errors call it."""
    assert repr(issuer()) == f"Issuer({URL!r})"
    assert issuer([URL, "https://b.example.com"]).name == URL
    assert repr(issuer(NO_ISSUER, keys=SECRET)) == "Issuer('NO_ISSUER')"
    keys = issuer(NO_ISSUER, keys=SECRET).static_keys
    assert "s" * 32 not in f"{keys!r}{keys and keys.keys}"


def test_an_issuer_does_not_change():
    """It may be shared between Auth objects, so no setting can be loosened afterwards."""
    entry = issuer()
    with pytest.raises(AttributeError):
        entry.algorithms = frozenset({"HS256"})  # type: ignore[misc]
    with pytest.raises(AttributeError):
        del entry.rules
    assert entry.algorithms == issuer().algorithms


JUNK = (
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.text(max_size=5)
    | st.binary(max_size=3)
    | st.lists(st.none() | st.integers() | st.text(max_size=3), max_size=2)
    | st.dictionaries(
        st.text(max_size=3), st.none() | st.text(max_size=3) | st.lists(st.integers(), max_size=1), max_size=2
    )
    | st.floats()
)
SETTINGS = [
    "audience", "audience_from", "audience_optional", "until", "clients", "client_claims", "tenants", "placeholders",
    "token_type", "profile", "typ", "require", "forbid", "algorithms", "metadata_url", "metadata_issuer", "jwks_uri",
    "keys",
    "key_format", "hosts", "network", "subject", "leeway", "lifetime_max", "claims", "wildcard_scopes", "padding",
    "limits",
    "key_cache",
]  # fmt: skip


@given(
    st.sampled_from([URL, TEMPLATE, NO_ISSUER, "x"]) | JUNK,
    st.dictionaries(st.sampled_from(SETTINGS), JUNK, max_size=4),
)
def test_any_settings_work_or_are_a_config_error(name, settings):
    """Wrong types, empty things, NaN: always a ConfigError that says something, never another exception."""
    told: tuple[str, ...] = ("nothing was wrong",)
    try:
        issuer(name, **settings)
    except ConfigError as error:
        told = error.problems
    assert told
    assert all(told)


def test_the_default_of_an_unset_option_reads_as_such():
    """In a signature shown by help()."""
    import inspect

    assert repr(inspect.signature(IssuerSettings.__init__).parameters["typ"].default) == "…"


def test_a_misspelt_setting_is_told_by_the_name_that_a_team_knows():
    """Python's own error speaks of Issuer, not of a class behind it."""
    with pytest.raises(TypeError, match=r"^Issuer\(\) got an unexpected keyword argument 'audiance'"):
        Issuer(URL, audience="api", audiance="x")  # type: ignore[call-arg]
