"""Presets as functions: what a team adds on top, what is wrong with a call, and that the options are one list."""

from __future__ import annotations

import inspect
import types
import typing
from typing import Any

import pytest

from bearerkit import ANY, PRESENT, Claim, ClaimMapping, ConfigError, Network, SharedSecret, providers
from bearerkit.providers import IssuerOptions
from bearerkit.verify.issuer import IssuerSettings
from providers.made import API, MADE, ORDERS, TENANT, made
from providers.samples import RSA, SECRET

NAMES = [name for name in providers.__all__ if name != "IssuerOptions"]


def problems_of(make: Any, *args: Any, **options: Any) -> str:
    with pytest.raises(ConfigError) as refused:
        make(*args, **options)
    return "\n".join(refused.value.problems)


# One list of options


def test_the_options_are_those_of_issuer() -> None:
    """`IssuerOptions` has every setting of Issuer but its name and audience, with the same types."""
    parameters = inspect.signature(IssuerSettings.__init__).parameters
    settings = {name for name in parameters if name not in ("self", "issuer", "audience")}
    assert IssuerOptions.__annotations__.keys() == settings
    theirs = typing.get_type_hints(IssuerSettings.__init__)
    ours = typing.get_type_hints(IssuerOptions)
    for name in settings:
        assert members(ours[name]) == members(theirs[name]), name


def members(hint: Any) -> set[str]:
    """The alternatives of a type, without the mark of a setting that was not given."""
    union = typing.get_origin(hint) in (typing.Union, types.UnionType)
    return {str(item) for item in (typing.get_args(hint) if union else (hint,)) if "_Unset" not in str(item)}


@pytest.mark.parametrize("name", NAMES)
def test_every_preset_takes_them_all(name: str) -> None:
    """Its last parameter is `**options`, and nothing of Issuer is hidden by a parameter of its own."""
    parameters = inspect.signature(getattr(providers, name)).parameters
    assert [item.kind for item in parameters.values()][-1] is inspect.Parameter.VAR_KEYWORD
    assert not parameters.keys() & IssuerOptions.__annotations__.keys()


@pytest.mark.parametrize("name", NAMES)
def test_every_preset_says_what_goes_in(name: str) -> None:
    """Each parameter stands in the docstring, and the error that may come out."""
    function = getattr(providers, name)
    text = inspect.getdoc(function) or ""
    for parameter in inspect.signature(function).parameters:
        assert f"\n    {parameter}: " in text, parameter
    assert "ConfigError: listing every problem." in text


def test_the_names_are_loaded_when_they_are_used() -> None:
    """An unknown name is an AttributeError, and `dir` lists what there is."""
    with pytest.raises(AttributeError, match="azure"):
        providers.azure  # noqa: B018
    assert set(NAMES) < set(dir(providers))


# What a team adds


@pytest.mark.parametrize("file", MADE)
def test_plain_settings_replace_the_presets(file: str) -> None:
    """Whatever the preset says about it."""
    issuer = made(file, leeway=7, algorithms=["PS256"], wildcard_scopes=True, lifetime_max=60)
    assert (issuer.rules.leeway, issuer.rules.lifetime_max, issuer.wildcard_scopes) == (7, 60, True)
    assert issuer.algorithms == {"PS256"}


def test_require_is_joined() -> None:
    """The preset's own conditions stay; the same path may be narrowed, and never widened."""
    issuer = providers.entra(TENANT, audience=API, require={"xms_cc": "cp1", "azp": ["app-1"]})
    for wider in ({"tid": "other"}, {"azp": None}, {"tid": PRESENT}, {"azp": ["a", None]}):
        assert "can only narrow" in problems_of(providers.entra, TENANT, audience=API, require=wider)
    required = {path.path: values for path, values in issuer.rules.require}
    assert required == {"azp": ("app-1",), "tid": (TENANT,), "xms_cc": ("cp1",)}


def test_claims_are_joined_field_by_field() -> None:
    """Also those that a mapping changes that was made as such."""
    issuer = providers.okta("acme.okta.com", audience="a", claims={"roles": "app_roles", "groups": ()})
    assert issuer.mapping.roles == (Claim("app_roles"),)
    assert issuer.mapping.groups == ()
    assert issuer.mapping.subject == (Claim("uid"), Claim("sub"))
    mapping = ClaimMapping(email=(Claim("mail"),), machine=(("kind", "bot"),))
    whole = providers.okta("acme.okta.com", audience="a", claims=mapping).mapping
    assert (whole.email, whole.machine, whole.scopes) == ((Claim("mail"),), (("kind", "bot"),), issuer.mapping.scopes)


def test_forbid_and_hosts_add() -> None:
    """What the preset forbids stays forbidden."""
    issuer = providers.entra_v1(TENANT, audience=API, forbid=["acrs"], hosts=["keys.example.com"])
    assert {path.path for path in issuer.rules.forbid} == {"nonce", "at_hash", "c_hash", "header.nonce", "acrs"}
    for forbid in ("acrs", ["acrs"]):
        added = providers.auth0("a.example", audience="a", forbid=forbid)
        assert {path.path for path in added.rules.forbid} == {"nonce", "at_hash", "c_hash", "acrs"}
    assert issuer.location.hosts == ("login.microsoftonline.com", "keys.example.com")


@pytest.mark.parametrize("none", [{"require": None}, {"claims": None}])
def test_none_leaves_the_presets_rules(none: dict[str, Any]) -> None:
    """None never switches a rule off."""
    assert providers.entra(TENANT, audience=API, **none).rules == providers.entra(TENANT, audience=API).rules
    assert providers.entra(TENANT, audience=API, **none).mapping == providers.entra(TENANT, audience=API).mapping


@pytest.mark.parametrize("file", MADE)
@pytest.mark.parametrize(
    "place",
    [
        {"keys": RSA.public_key()},
        {"jwks_uri": "https://mirror.example.com/jwks"},
        {"metadata_url": "https://mirror.example.com/metadata"},
    ],
    ids=lambda place: next(iter(place)),
)
def test_another_place_of_keys(file: str, place: dict[str, Any]) -> None:
    """One's own takes the place of the preset's, whichever kind it was."""
    if file == "aws-alb" and "keys" not in place:
        place = {**place, "key_format": "jwks"}
    issuer = made(file, **place)
    assert (issuer.location.jwks_uri, issuer.location.metadata_url) == (
        place.get("jwks_uri"),
        place.get("metadata_url"),
    )
    assert (issuer.static_keys is None) is ("keys" not in place)


@pytest.mark.parametrize("secrets", [SharedSecret(SECRET), [SharedSecret(SECRET), SharedSecret(SECRET + "2")]])
def test_a_shared_secret_brings_its_algorithm(secrets: Any) -> None:
    """HS256 without saying so; and a preset's public-key algorithms never stand beside it."""
    assert providers.authentik("https://a.example", "o", client_id="c", keys=secrets).algorithms == {"HS256"}
    said = providers.authentik("https://a.example", "o", client_id="c", keys=secrets, algorithms="HS512")
    assert said.algorithms == {"HS512"}


def test_the_network_of_a_preset_goes_with_its_place() -> None:
    """A pod's token goes to the API server and nowhere else; what a team sets joins what the preset needs."""
    elsewhere = providers.kubernetes(audience="a", jwks_uri="https://keys.example.com/jwks").location.network
    assert (elsewhere.token_file, elsewhere.ca_file, elsewhere.private) == (None, None, False)
    patient = providers.kubernetes(audience="a", network=Network(timeout=20)).location.network
    assert (patient.timeout, patient.private) == (20, True)
    assert str(patient.token_file).endswith("/token")
    inside = providers.keycloak(
        "https://s.example", "r", audience="a", internal_url="http://keycloak:8080", network=Network(timeout=3)
    )
    assert (inside.location.network.allow_http, inside.location.network.timeout) == (True, 3)
    headers = providers.sap_ias("t.example", client_id="c", app_tid="z", network=Network(headers={"x": "1"}))
    assert dict(headers.location.network.headers) == {"x-client_id": "c", "x-app_tid": "z", "x": "1"}


def test_a_profile_is_not_weakened_by_a_preset() -> None:
    """`profile="rfc9068"` asks for at+jwt, also where the preset would take JWT."""
    assert providers.auth0("a.example", audience="a", profile="rfc9068").typ == {"at+jwt"}


def test_memberships_count_where_tenants_are_judged_only_if_the_team_says_so() -> None:
    """A preset's own mapping does not count as saying so."""
    realm: Any = {"base_url": "https://s.example", "realm": "r", "audience": "a"}
    organization = {"organization": ["acme", "globex"]}
    assert providers.keycloak(**realm).mapping.read("memberships", organization) == ("acme", "globex")
    assert providers.keycloak(**realm, tenants=["acme"]).mapping.read("memberships", organization) == ()
    said = {"memberships": {"claim": "organization", "shape": "array"}}
    assert providers.keycloak(**realm, tenants=["acme"], claims=said).mapping.read("memberships", organization)


def test_a_preset_leaves_its_options_alone() -> None:
    """The team's own dictionary is not written to."""
    options: Any = {"require": {"hd": "example.com"}, "tenants": [TENANT.upper()]}
    providers.cloud_run(audience=ORDERS, callers="a@example.com", **options)
    providers.entra_multitenant(audience=API, **options)
    assert options == {"require": {"hd": "example.com"}, "tenants": [TENANT.upper()]}


# What is wrong with a call


def test_an_unknown_option() -> None:
    """With the nearest that exists, like everywhere."""
    assert "auth0(): unknown option 'leway'" in problems_of(providers.auth0, "a.example", audience="a", leway=5)
    assert "leeway" in problems_of(providers.auth0, "a.example", audience="a", leway=5)


def test_every_problem_at_once() -> None:
    """Those of the preset's arguments and those of the settings."""
    text = problems_of(providers.entra_b2c, "Con toso", "common", policy="a/b", audience="", leeway=900, domain="x y")
    for part in ("tenant_name", "no token is ever issued by", "policy", "audience must be", "leeway must be", "domain"):
        assert part in text


@pytest.mark.parametrize(
    "domain",
    ["", " ", "https://", "http://a.example", "a.example/path", "a..b", "a b", "-a.b", "a:b", 5, None],
)
def test_what_is_no_host_name(domain: Any) -> None:
    """A host is a host: no scheme but https, no path."""
    assert "domain must be a host name" in problems_of(providers.zitadel, domain, project_id="1")


@pytest.mark.parametrize(
    "domain",
    ["acme.eu.auth0.com", "https://acme.eu.auth0.com", "https://acme.eu.auth0.com/", " ACME.eu.auth0.com "],
)
def test_a_host_as_consoles_show_it(domain: str) -> None:
    """All are the same tenant."""
    assert providers.auth0(domain, audience="a").exact == ("https://acme.eu.auth0.com/",)


@pytest.mark.parametrize(
    ("make", "needle"),
    [
        (lambda: providers.auth0([], audience="a"), "at least one host"),
        (lambda: providers.okta("acme.okta.com", audience="a", server="org"), "org authorization server"),
        (lambda: providers.okta("acme.okta.com", audience="a", server=""), "org authorization server"),
        (lambda: providers.okta([], audience="a"), "at least one host"),
        (lambda: providers.clerk([], authorized_parties="https://a.example"), "at least one host"),
        (lambda: providers.entra(TENANT, audience=API, cloud="mars"), "cloud must be one of"),
        (lambda: providers.entra_multitenant(audience=API), "needs tenants="),
        (lambda: providers.entra_multitenant(audience=API, tenants=["common"]), "no token is ever issued"),
        (lambda: providers.sap_xsuaa("u.example", xsappname="a", client_id="b"), "needs tenants="),
        (lambda: providers.entra_b2c("c", TENANT, policy="p", audience=API, policy_claim="x"), "policy_claim"),
        (lambda: providers.cognito("eu-west-1", client_ids="c"), "must look like"),
        (lambda: providers.aws_alb("eu-west-1", issuer="https://i", client_id="c", load_balancer="x"), "an ARN"),
        (lambda: providers.aws_alb("eu-west-1", issuer="https://i", client_id="c", load_balancer=[]), "an ARN"),
        (lambda: providers.google_iap(audience="https://a.example"), "must be a path"),
        (lambda: providers.github_actions(audience="a", enterprise="e", server="s.example"), "exclude each other"),
        (lambda: providers.gitlab_ci(audience="a", server="gitlab.example.com"), "must be an address"),
        (lambda: providers.authentik("https://a.example", None, client_id="c"), "global issuer mode"),
        (lambda: providers.keycloak("sso.example.com", "r", audience="a"), "must be an address"),
        (lambda: providers.keycloak("https://s.example", "r", audience="a", client_roles="{"), "client_roles must be"),
        (
            lambda: providers.keycloak("https://s.example", "r", audience="a", client_roles=["a"]),
            "client_roles must be",
        ),
        (lambda: providers.keycloak("https://s.example", "..", audience="a"), "realm must be"),
        (lambda: providers.keycloak("https://s.example/realms/r", "r", audience="a"), "leave the rest out"),
        (lambda: providers.keycloak("https://s.ex", "r", audience="a", internal_url="http://k/{azp}"), "placeholders"),
        (lambda: providers.authentik("https://a.ex/application/o/x/", "x", client_id="c"), "leave the rest out"),
        (lambda: providers.entra(TENANT, audience="api://orders"), "application id"),
        (lambda: providers.entra(TENANT, audience=API, keys=SharedSecret(SECRET)), "public keys"),
        (lambda: providers.entra_multitenant(audience=API, tenants=[]), "refuse everybody"),
        (lambda: providers.pingone(TENANT, audience="a", region="evil.example"), "region must be one of"),
        (lambda: providers.sap_ias("t.example", client_id="c"), "whose tokens"),
        (lambda: providers.cognito("eu-west-1_A", client_ids="c", clients=None), "leave clients= out"),
        (
            lambda: providers.cognito("eu-west-1_A", client_ids="c", audience="a", token_type="id"),
            "leave audience= out",
        ),
        (lambda: providers.google(audience=ANY, require={"sub": "1"}), "let everybody in"),
        (lambda: providers.google_iap(audience=ANY), "let everybody in"),
        (lambda: providers.clerk("c.example", authorized_parties="https://a.example/"), "origins"),
        (lambda: providers.clerk("c.example", authorized_parties="a.example"), "origins"),
        (lambda: providers.cloud_run(audience="a", callers=[PRESENT]), "callers"),
        (lambda: providers.auth0(None, audience="a"), "at least one host"),
        (lambda: providers.keycloak("https://s.example?x", "r", audience="a"), "must be an address"),
        (lambda: providers.workos("client/../x", audience=ANY), "client_id"),
    ],
)
def test_arguments_that_cannot_work(make: Any, needle: str) -> None:
    """Each is said in words, before any token comes."""
    assert needle in problems_of(make)
