"""The eight traps of the identity-provider collection's section 5: each is walked into, and seen not to work.

Presets stand where a team would use one; the numbers are those of the collection.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from auth_doubles import Web, auth
from bearerkit import ANY, PRESENT, Auth, ConfigError, Issuer, providers
from bearerkit.errors import AudienceMismatch, IssuerMismatch, KeyNotFound, SignatureInvalid, TokenInvalid
from bearerkit.testing import FrozenClock, SigningKey
from providers.made import API, CALLER, CLIENTS, ORDERS, POOL, SECOND_TENANT, TENANT, made
from providers.samples import ISSUED_AT, Sample, keys_for, mint, read, verify, without


@pytest.fixture(scope="module")
def collected(shared: Path) -> dict[str, Sample]:
    return {sample.id: sample for sample in read(shared / "idps")}


def changed(sample: Sample, **claims: Any) -> str:
    """The sample's token with other claims, signed as before; `...` leaves one out."""
    members = {**sample.claims, **claims}
    return mint(sample.header, without(members, *(name for name, value in members.items() if value is ...)))


def refusal(issuer: Any, token: str) -> TokenInvalid:
    with pytest.raises(TokenInvalid) as refused:
        verify(issuer, token)
    return refused.value


# 1. One issuer, many customers.

OPEN = {
    "google": (lambda **o: providers.google(audience=ORDERS, **o), "email"),
    "github_actions": (lambda **o: providers.github_actions(audience=ORDERS, **o), "repository_owner_id"),
    "gitlab_ci": (lambda **o: providers.gitlab_ci(audience=ORDERS, **o), "namespace_id"),
    "gitlab_ci on a server": (
        lambda **o: providers.gitlab_ci(audience=ORDERS, server="https://gitlab.example.com", **o),
        "project_id",
    ),
}


@pytest.mark.parametrize("name", OPEN)
def test_1_an_open_issuer_wants_to_know_who(name: str) -> None:
    """Signature, issuer and an audience that the caller chose prove nothing: a ConfigError without more."""
    make, path = OPEN[name]
    for too_little in (
        {},
        {"require": {}},
        {"require": {path: PRESENT}},
        {"require": {path: ["x", None]}},
        {"require": {path: []}},
        {"require": {"email_verified": True}},
        {"require": {"aud": ORDERS}},
        {"require": {path: ""}},
        {"require": {path: " "}},
        {"clients": []},
        {"clients": ["refs/heads/main"], "client_claims": "ref"},
    ):
        with pytest.raises(ConfigError, match="Say who is meant") as refused:
            make(**too_little)
        assert path in str(refused.value)
    assert isinstance(make(require={path: "72"}), Issuer)
    assert isinstance(make(clients=["client-1"]), Issuer)


def test_1_what_a_caller_shapes_himself_says_nothing() -> None:
    """A public workflow that anybody may call, a `sub` that a repository makes of its environment."""
    for require in (
        {"job_workflow_ref": "acme/w/.github/workflows/deploy.yml@refs/heads/main"},
        {"sub": "environment:production"},
        {"sub": ["repo:acme/orders:ref:refs/heads/main", "environment:production"]},
    ):
        with pytest.raises(ConfigError, match="Say who is meant"):
            providers.github_actions(audience=ORDERS, require=require)
    assert providers.github_actions(audience=ORDERS, require={"sub": "repo:acme/orders:ref:refs/heads/main"})
    with pytest.raises(ConfigError, match="a star stands for itself"):
        providers.github_actions(audience=ORDERS, require={"sub": "repo:acme/*"})
    with pytest.raises(ConfigError, match="in quotes"):
        providers.github_actions(audience=ORDERS, require={"repository_owner_id": 3000003})


def test_1_other_shared_issuers_are_bound_by_what_the_preset_asks_for(collected: dict[str, Sample]) -> None:
    """Firebase's project, IAP's audience, the ALB's ARN, PingOne's environment: another customer's never fits."""
    for ours, theirs in {
        "firebase/access_token": "firebase/other_project",
        "google-iap/access_token": "google-iap/other_backend",
        "aws-alb/access_token": "aws-alb/forged_by_another_alb",
        "pingone/access_token": "pingone/platform_token",
        "salesforce/access_token": "salesforce/other_app",
    }.items():
        sample = collected[ours]
        issuer = made(sample.file, keys=keys_for(sample))
        assert verify(issuer, sample.token).subject
        refusal(issuer, collected[theirs].token)


def test_1_google_wants_a_verified_address(collected: dict[str, Sample]) -> None:
    """The allow-list is one of addresses, so an address that nobody proved is not on it."""
    sample = collected["google/gce_full"]
    issuer = made("google", keys=keys_for(sample))
    assert verify(issuer, sample.token).email == CALLER
    for value in (False, "false", ..., None):
        assert refusal(issuer, changed(sample, email_verified=value)).reason == "claim_required"


def test_1_salesforce_and_cognito_name_their_clients() -> None:
    """Without clients the audience (the org itself, or nothing) would let every app in."""
    with pytest.raises(ConfigError, match="clients"):
        providers.salesforce("acme.my.salesforce.com")
    with pytest.raises(ConfigError, match="audience must be a non-empty string"):
        providers.cognito(POOL, client_ids=[])
    with pytest.raises(ConfigError, match="callers"):
        providers.cloud_run(audience=ORDERS, callers=[])


# 2. Templates are a hole when the claim is unchecked.

CROOKED = [
    f"{TENANT}/../x",
    f"{TENANT}/v2.0/x",
    "x/..",
    f"{TENANT}?",
    f"{TENANT}#",
    f" {TENANT}",
    f"{TENANT}\n",
    "",
    "%2e",
]


@pytest.mark.parametrize("tid", [*CROOKED, "common", ["x"], 5, None, {"a": 1}])
def test_2_a_tid_that_is_no_uuid(collected: dict[str, Sample], tid: Any) -> None:
    """It is refused before it is put into a string, whatever iss says."""
    sample = collected["entra-multitenant/access_token"]
    issuer = made("entra-multitenant", keys=keys_for(sample), tenants=ANY)
    for iss in (f"https://login.microsoftonline.com/{tid}/v2.0", sample.claims["iss"]):
        assert isinstance(refusal(issuer, changed(sample, iss=iss, tid=tid)), IssuerMismatch)


@pytest.mark.parametrize(
    "host",
    [
        "authentication.eu10.hana.ondemand.com.evil.example",
        "evilauthentication.eu10.hana.ondemand.com",
        "acme.evil.example/authentication.eu10.hana.ondemand.com",
        "authentication.eu10.hana.ondemand.com@evil.example",
    ],
)
def test_2_a_host_that_only_looks_right(collected: dict[str, Sample], host: str) -> None:
    """XSUAA's own rule is endswith(): here the whole string is compared."""
    sample = collected["sap-xsuaa/access_token"]
    web = Web()
    with pytest.raises(IssuerMismatch):
        auth(made("sap-xsuaa"), web=web, clock=FrozenClock(ISSUED_AT)).verify(
            changed(sample, iss=f"https://acme.{host}/oauth/token")
        )
    assert web.urls == []


@pytest.mark.parametrize("zid", ["../x", "a&b=c", "@evil.example", "x?y", "", "a b", 5, None, ...])
def test_2_a_zone_that_is_no_uuid_is_never_asked_for(collected: dict[str, Sample], zid: Any) -> None:
    """It would go into the address of the keys."""
    web = Web()
    with pytest.raises(KeyNotFound):
        auth(made("sap-xsuaa"), web=web, clock=FrozenClock(ISSUED_AT)).verify(
            changed(collected["sap-xsuaa/access_token"], zid=zid)
        )
    assert web.urls == []


def test_2_jku_is_never_read(collected: dict[str, Sample]) -> None:
    """Even where it points to the honest place, only the configured address is asked."""
    sample = collected["sap-xsuaa/access_token"]
    assert "jku" in sample.header
    web = Web()
    address = f"https://authentication.eu10.hana.ondemand.com/token_keys?zid={sample.claims['zid']}"
    web[address] = sample.key_set
    header = {**sample.header, "jku": "https://evil.example/token_keys"}
    assert auth(made("sap-xsuaa"), web=web, clock=FrozenClock(ISSUED_AT)).verify(mint(header, sample.claims))
    assert web.urls == [address]


def test_2_a_subscriber_is_bound_to_its_own_keys(collected: dict[str, Sample]) -> None:
    """One tenant's key does not sign for another: keys are kept by zone."""
    sample = collected["sap-xsuaa/access_token"]
    web = Web()
    base = "https://authentication.eu10.hana.ondemand.com/token_keys?zid="
    other = "99999999-aaaa-4bbb-8ccc-000000000000"
    web[base + sample.claims["zid"]] = sample.key_set
    web[base + other] = {"keys": [SigningKey.generate("RS256", kid=sample.header["kid"]).jwk]}
    verifier = auth(made("sap-xsuaa"), web=web, clock=FrozenClock(ISSUED_AT))
    assert verifier.verify(sample.token).tenant_id == sample.claims["zid"]
    with pytest.raises(SignatureInvalid):
        verifier.verify(changed(sample, zid=other))


# 3. Refresh tokens that are JWTs with the same key and issuer.


def test_3_refresh_tokens_of_the_same_key(collected: dict[str, Sample]) -> None:
    """Descope says it in drn, Keycloak in typ, PingOne has no mark but the ones that are always on."""
    descope = collected["descope/access_token"]
    issuer = made("descope", keys=keys_for(descope))
    assert refusal(issuer, changed(descope, drn="DSR")).reason == "claim_required"
    assert refusal(issuer, changed(descope, drn=...)).reason == "claim_required"
    keycloak = collected["keycloak/access_token"]
    issuer = made("keycloak", keys=keys_for(keycloak))
    for kind in ("Refresh", "Offline", "ID", "Logout", "bearer", ...):
        assert refusal(issuer, changed(keycloak, typ=kind)).reason == "claim_required"
    pingone = collected["pingone/access_token"]
    issuer = made("pingone", keys=keys_for(pingone))
    for mark in ({"token_use": "refresh"}, {"typ": "refresh"}, {"type": "refresh_token"}):
        refusal(issuer, changed(pingone, **mark))


# 4. ID token and access token with the same audience.


def test_4_id_tokens_with_the_audience_of_the_api(collected: dict[str, Sample]) -> None:
    """The file's ID token with the API's audience, as where one registration serves for both."""
    for id_token, audience in {
        "zitadel/id_token": "240000000000000001",
        "authentik/id_token": "ExampleClientId0000000000000000000000001",
        "entra-v2/id_token_same_app": API,
        "entra-v1/id_token": API,
        "keycloak/id_token_same_client": "orders-api",
        "keycloak/id_token": "orders-api",
        "okta-custom/id_token": "api://default",
        "auth0/id_token": ORDERS,
        "hydra/id_token": ORDERS,
        "pingone/id_token": "orders-api",
        "entra-b2c/id_token": API,
        "entra-external-id/id_token": API,
        "cognito/id_token": CLIENTS[0],
    }.items():
        sample = collected[id_token]
        issuer = made(sample.file, keys=keys_for(sample))
        client = {"client_id": audience} if sample.file == "cognito" else {}
        told = refusal(issuer, changed(sample, aud=audience, **client))
        assert told.reason in ("claim_required", "claim_forbidden", "wrong_token_type"), id_token


def test_4_an_entra_token_that_says_nothing(collected: dict[str, Sample]) -> None:
    """Any daemon of the tenant can have one with this audience: without scopes and roles it is nobody's."""
    for file in ("entra-v2", "entra-v1", "entra-multitenant", "entra-external-id"):
        sample = collected[f"{file}/access_token"]
        issuer = made(file, keys=keys_for(sample))
        assert refusal(issuer, changed(sample, scp=..., roles=...)).reason == "claim_required"
        assert verify(issuer, changed(sample, scp=..., roles=["Orders.Read.All"])).principal_type == "service"
        assert verify(issuer, sample.token).principal_type == "user"


def test_4_machines_are_services(collected: dict[str, Sample]) -> None:
    """Each provider's own mark of a machine, so that no robot passes where a person is meant."""
    for name in ("entra-v2/m2m", "keycloak/m2m", "auth0/m2m", "descope/access_key", "sap-xsuaa/m2m"):
        sample = collected[name]
        assert verify(made(sample.file, keys=keys_for(sample)), sample.token).principal_type == "service", name
    for name in ("keycloak/access_token", "auth0/access_token", "descope/access_token"):
        sample = collected[name]
        assert verify(made(sample.file, keys=keys_for(sample)), sample.token).principal_type == "user", name


def test_4_roles_of_one_descope_tenant_are_not_those_of_another(collected: dict[str, Sample]) -> None:
    """They are those of the current tenant, which alone a request may name."""
    sample = collected["descope/access_token"]
    issuer = made("descope", keys=keys_for(sample))
    both = {"T1": {"roles": ["Admin"]}, "T2": {"roles": ["Viewer"]}}
    context = verify(issuer, changed(sample, dct="T1", tenants=both))
    assert (context.tenant_id, context.memberships, context.roles) == ("T1", (), ("Admin",))
    assert verify(issuer, changed(sample, dct="T1", tenants={"T1": {}}, roles=["Admin"], permissions=["*"])).roles == ()
    assert verify(issuer, changed(sample, dct=..., tenants={}, roles=["Admin"])).roles == ("Admin",)


def test_4_supabase_sessions_of_other_apps(collected: dict[str, Sample]) -> None:
    """Whichever app a user once signed in to has a full session of his; only listed ones are taken."""
    sample = collected["supabase/access_token"]
    credential = changed(sample, client_id="third-party")
    assert refusal(made("supabase", keys=keys_for(sample)), credential).reason == "claim_forbidden"
    assert verify(made("supabase", keys=keys_for(sample), clients=["third-party"]), credential).client_id


def test_4_apple_notifications(collected: dict[str, Sample]) -> None:
    """They have the audience of the app, and are no identity tokens."""
    sample = collected["apple/access_token"]
    assert refusal(made("apple", keys=keys_for(sample)), changed(sample, events="{}")).reason == "claim_forbidden"


# 5. Type changes announced or per client.


@pytest.mark.parametrize(
    ("file", "typs"),
    [
        ("pingone", [None, "JWT", "at+jwt", "application/at+jwt"]),
        ("auth0", ["JWT", "at+jwt", "AT+JWT"]),
        ("keycloak", ["JWT", "at+jwt"]),
        ("zitadel", ["JWT", "at+jwt"]),
    ],
)
def test_5_both_types_are_taken(collected: dict[str, Sample], file: str, typs: list[str | None]) -> None:
    """A provider's switch to at+jwt, announced or by a setting of one client, breaks nothing."""
    sample = collected[f"{file}/access_token"]
    issuer = made(file, keys=keys_for(sample))
    for typ in typs:
        header = without(sample.header, "typ") | ({} if typ is None else {"typ": typ})
        assert verify(issuer, mint(header, sample.claims)).issuer
    header = {**sample.header, "typ": "logout+jwt"}
    assert refusal(issuer, mint(header, sample.claims)).reason == "typ_not_accepted"


# 6. Same key set, different issuers; same issuer, different key sets.


def test_6_one_key_set_for_several_issuers(collected: dict[str, Sample]) -> None:
    """Entra: a good signature of a key that names another issuer is none. Auth0: only the listed domains."""
    sample = collected["entra-v2/access_token"]
    (key, _) = sample.key_set["keys"]
    for owner, passes in {
        "https://login.microsoftonline.com/{tenantid}/v2.0": True,
        "https://login.microsoftonline.com/{TenantId}/v2.0": True,
        sample.claims["iss"]: True,
        f"https://login.microsoftonline.com/{SECOND_TENANT}/v2.0": False,
        "https://login.microsoftonline.com/{tenantid}/": False,
        "https://sts.windows.net/{tenantid}/": False,
    }.items():
        for file, settings in (("entra-v2", {}), ("entra-multitenant", {"tenants": [TENANT]})):
            issuer = made(file, keys={"keys": [{**key, "issuer": owner}]}, **settings)
            if passes:
                assert verify(issuer, sample.token).tenant_id == TENANT
            else:
                assert refusal(issuer, sample.token).reason == "key_issuer_mismatch"
    custom = collected["auth0/custom_domain"]
    only_one = providers.auth0("acme.eu.auth0.com", audience=ORDERS, keys=keys_for(custom))
    assert isinstance(refusal(only_one, custom.token), IssuerMismatch)


def test_6_one_issuer_with_several_key_sets(collected: dict[str, Sample]) -> None:
    """B2C: the policies share an issuer, so two entries stand side by side, each with its keys and its policy."""
    sample = collected["entra-b2c/access_token"]
    other = SigningKey.generate("RS256", kid="reset-key")
    sign_in = made("entra-b2c", keys=keys_for(sample))
    reset = providers.entra_b2c(
        "contoso", TENANT, policy="B2C_1A_passwordreset", audience=API, keys={"keys": [other.jwk]}
    )
    both = Auth(sign_in, reset, clock=FrozenClock(ISSUED_AT))
    assert both.verify(sample.token).subject
    with pytest.raises(TokenInvalid):  # signed by the first policy's key, says the second policy
        both.verify(changed(sample, tfp="B2C_1A_passwordreset"))


# 7. The audience in every shape.


@pytest.mark.parametrize(
    "aud",
    [
        [],
        {},
        5,
        True,
        None,
        "",
        [ORDERS, 5],
        [[ORDERS]],
        {"0": ORDERS},
        f"{ORDERS} x",
        f"{ORDERS}/",
        ORDERS.upper(),
        ...,
    ],
)
def test_7_an_audience_that_is_not_ours(collected: dict[str, Sample], aud: Any) -> None:
    """As string, array, empty array, missing, or something else: only a whole, equal element counts."""
    sample = collected["auth0/access_token"]
    assert isinstance(refusal(made("auth0", keys=keys_for(sample)), changed(sample, aud=aud)), AudienceMismatch)


def test_7_an_audience_that_is_ours(collected: dict[str, Sample]) -> None:
    """String and array, a path (IAP), a word (Supabase), a project number (Zitadel), the issuer itself (Salesforce)."""
    sample = collected["auth0/access_token"]
    issuer = made("auth0", keys=keys_for(sample))
    for aud in (ORDERS, [ORDERS], ["https://acme.eu.auth0.com/userinfo", ORDERS]):
        assert verify(issuer, changed(sample, aud=aud)).audience
    for file in ("google-iap", "supabase", "zitadel", "salesforce"):
        own = collected[f"{file}/access_token"]
        assert verify(made(file, keys=keys_for(own)), own.token).subject


# 8. Booleans and ids as strings; nbf before iat.


def test_8_a_boolean_as_a_string(collected: dict[str, Sample]) -> None:
    """Apple writes "false", which Python takes for true."""
    sample = collected["apple/access_token"]
    issuer = made("apple", keys=keys_for(sample))
    for value, verified in {"true": True, "false": False, "True": False, "1": False, "": False}.items():
        assert verify(issuer, changed(sample, email_verified=value)).email_verified is verified
    for value, verified in [(True, True), (False, False), (1, False), ([True], False)]:
        assert verify(issuer, changed(sample, email_verified=value)).email_verified is verified


def test_8_an_id_as_a_string(collected: dict[str, Sample]) -> None:
    """GitHub's and GitLab's ids are strings: a number is another value, and so is one in other spelling."""
    for file, claim in (("github-actions", "repository_owner_id"), ("gitlab-ci", "namespace_id")):
        sample = collected[f"{file}/access_token"]
        issuer = made(file, keys=keys_for(sample))
        value = sample.claims[claim]
        assert isinstance(value, str)
        assert verify(issuer, sample.token).tenant_id == value
        for other in (int(value), f"0{value}", f"{value} ", [value]):
            assert refusal(issuer, changed(sample, **{claim: other})).reason == "claim_required"


def test_8_nbf_before_iat(collected: dict[str, Sample]) -> None:
    """GitHub by ten minutes, Clerk and Salesforce by seconds: neither order is an error."""
    for file in ("github-actions", "clerk", "salesforce"):
        sample = collected[f"{file}/access_token"]
        assert sample.claims["nbf"] < sample.claims["iat"], file
        assert verify(made(file, keys=keys_for(sample)), sample.token)
