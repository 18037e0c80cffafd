"""Variants of the presets that no sample of the collection shows: regions, custom domains, roles, clouds, servers."""

from __future__ import annotations

from typing import Any

from bearerkit import ANY, PRESENT, Issuer, Network, providers
from providers.made import API, MADE, ORDERS, TENANT


def test_national_clouds() -> None:
    """Hosts of their own, for issuer, metadata and keys."""
    for cloud, login, sts in (
        ("us_government", "login.microsoftonline.us", "sts.windows.net"),
        ("china", "login.partner.microsoftonline.cn", "sts.chinacloudapi.cn"),
    ):
        assert providers.entra(TENANT, audience=API, cloud=cloud).exact == (f"https://{login}/{TENANT}/v2.0",)
        old = providers.entra_v1(TENANT, audience=API, cloud=cloud)
        assert old.exact == (f"https://{sts}/{TENANT}/",)
        assert old.location.metadata_url == f"https://{login}/{TENANT}/.well-known/openid-configuration"
        several = providers.entra_multitenant(audience=API, tenants=ANY, cloud=cloud)
        assert several.location.metadata_issuer == f"https://{login}/{{tenantid}}/v2.0"


def test_cognito_with_resource_binding_and_id_tokens() -> None:
    """`audience` is checked beside the client; `token_type="id"` takes the other token of the same clients."""
    bound = providers.cognito("eu-west-1_A", client_ids="c1", audience=ORDERS)
    assert (bound.rules.audience, bound.rules.clients) == ({ORDERS}, {"c1"})
    id_tokens = providers.cognito("cn-north-1_A", client_ids="c1", token_type="id")
    assert id_tokens.exact == ("https://cognito-idp.cn-north-1.amazonaws.com.cn/cn-north-1_A",)
    assert [path.path for path in id_tokens.rules.audience_from] == ["aud"]
    assert {path.path: value for path, value in id_tokens.rules.require} == {"token_use": ("id",)}


def test_auth0_by_role_based_access_control() -> None:
    """What the client was given, and of that only what the user was granted; never more than the client asked for."""
    issuer = providers.auth0("a.example", audience="a", rbac=True)
    claims = {"scope": "orders:read orders:delete", "permissions": ["orders:read", "orders:purge"]}
    assert issuer.mapping.read("scopes", claims) == ("orders:read",)
    assert issuer.mapping.read("scopes", {"permissions": ["orders:read"]}) == ()
    plain = providers.auth0("a.example", audience="a").mapping
    assert plain.read("scopes", claims) == ("orders:read", "orders:delete")
    assert plain.read("scopes", {"permissions": ["orders:read"]}) == ()
    assert plain.read("principal_type", {"sub": "client@clients"}) == "service"


def test_keycloak_roles_of_one_client_and_organizations() -> None:
    """A client id may hold dots and slashes; organizations come as a list or as an object."""
    issuer = providers.keycloak("https://s.example/auth/", "r", audience="a", client_roles="my.app/api~1")
    claims = {
        "realm_access": {"roles": ["realm-role"]},
        "resource_access": {"my.app/api~1": {"roles": ["client-role"]}},
    }
    assert issuer.exact == ("https://s.example/auth/realms/r",)
    assert issuer.mapping.read("roles", claims) == ("client-role",)
    assert issuer.mapping.read("memberships", {"organization": ["acme", "globex"]}) == ("acme", "globex")
    assert issuer.mapping.read("memberships", {"organization": {"acme": {"id": "1"}}}) == ("acme",)
    assert issuer.location.network == Network()


def test_zitadel_roles_of_another_organization_do_not_count() -> None:
    """A role is granted by an organization: one that a second organization gave is not one in the user's own."""
    mapping = providers.zitadel("z.example", project_id="7").mapping
    owner = "urn:zitadel:iam:user:resourceowner:id"
    roles = {"admin": {"org-2": "b.example"}, "reader": {"org-1": "a.example", "org-2": "b.example"}}
    claims: dict[str, Any] = {"urn:zitadel:iam:org:project:7:roles": roles, owner: "org-1"}
    assert mapping.read("roles", claims) == ("reader",)
    assert mapping.read("roles", {**claims, owner: "org-2"}) == ("admin", "reader")
    assert mapping.read("roles", {**claims, owner: None}) == ()


def test_zitadel_roles_of_another_project_do_not_count() -> None:
    """The short claim is about the project of whichever client asked, and that may be anybody's."""
    mapping = providers.zitadel("z.example", project_id="7").mapping
    owner = "urn:zitadel:iam:user:resourceowner:id"
    foreign = {"urn:zitadel:iam:org:project:roles": {"admin": {"org-1": ""}}, owner: "org-1"}
    assert mapping.read("roles", foreign) == ()
    assert mapping.read("roles", {**foreign, "urn:zitadel:iam:org:project:9:roles": {"admin": {"org-1": ""}}}) == ()


def test_kubernetes_through_its_public_issuer() -> None:
    """EKS and others publish the keys: nothing of the cluster is needed."""
    issuer = providers.kubernetes(audience="a", issuer="https://oidc.eks.example/id/1", api_server=None)
    assert (issuer.location.jwks_uri, issuer.location.network) == (None, Network())
    inside = providers.kubernetes(audience="a")
    assert inside.location.network.private
    assert str(inside.location.network.token_file).endswith("/serviceaccount/token")


def test_github_servers_and_gitlab_servers() -> None:
    """An enterprise's issuer, a GitHub Enterprise Server, a self-managed GitLab."""
    pinned: Any = {"require": {"repository_id": "1", "project_id": "1"}}
    assert providers.github_actions(audience="a", enterprise="acme", **pinned).exact == (
        "https://token.actions.githubusercontent.com/acme",
    )
    assert providers.github_actions(audience="a", server="ghes.example.com", **pinned).exact == (
        "https://ghes.example.com/_services/token",
    )
    assert providers.gitlab_ci(audience="a", server="https://git.example.com/", **pinned).exact == (
        "https://git.example.com",
    )


def test_custom_domains() -> None:
    """Each of these adds an issuer, or moves it; none takes another away."""
    assert (
        "https://login.example.com/as"
        in providers.pingone(TENANT, audience="a", custom_domain="login.example.com").exact
    )
    assert len(providers.workos("client_1", audience=ANY, auth_domain="auth.example.com").exact) == 6
    assert providers.descope("P1", base_url="https://auth.example.com/").exact == (
        "https://auth.example.com/v1/apps/P1",
    )
    assert providers.entra_external_id("login.example.com", TENANT, audience=API).location.metadata_url == (
        f"https://login.example.com/{TENANT}/v2.0/.well-known/openid-configuration"
    )
    assert providers.ory("https://o.example/", audience="a").exact == ("https://o.example/",)
    assert providers.supabase("http://localhost:9999").exact == ("http://localhost:9999",)
    assert providers.supabase("https://abc.supabase.co/").exact == ("https://abc.supabase.co/auth/v1",)
    everything = providers.authentik("https://a.example", None, client_id="c", jwks_uri="https://a.example/jwks")
    assert everything.exact == ("https://a.example/",)
    assert "/tfp/" not in providers.entra_b2c("c", TENANT, policy="p", audience=API, domain="l.example").exact[0]


def test_ias_for_one_subscriber() -> None:
    """The keys are asked for in its name, and no other zone passes."""
    issuer = providers.sap_ias("t.example", client_id="c", app_tid="zone-1")
    assert dict(issuer.location.network.headers) == {"x-client_id": "c", "x-app_tid": "zone-1"}
    assert ("zone-1",) in [values for path, values in issuer.rules.require if path.path == "app_tid"]
    anybody = providers.sap_ias("t.example", client_id="c", tenants=ANY).rules.require
    assert (PRESENT,) in [values for path, values in anybody if path.path == "app_tid"]


def test_descope_tenants_may_be_limited() -> None:
    """ANY of the project's own is the default, a list replaces it."""
    assert providers.descope("P1", tenants=["T1"]).accepts_tenant("T2") is False
    assert providers.descope("P1").accepts_tenant("T2") is True


def test_policies_are_spelled_as_portal_and_token_do() -> None:
    """B2C writes the policy into the token in the case in which it was made."""
    for typed in ("b2c_1a_signin", "B2C_1A_signin", "B2C_1a_signin"):
        issuer = providers.entra_b2c("c", TENANT, policy=typed, audience=API)
        accepted = {path.path: values for path, values in issuer.rules.require}["tfp"]
        assert {"B2C_1A_signin", "b2c_1a_signin"} <= set(accepted)
        assert str(issuer.location.metadata_url).startswith("https://c.b2clogin.com/c.onmicrosoft.com/b2c_1a_signin/")


def test_presets_return_issuers() -> None:
    """Nothing but an Issuer, so all that takes one takes a preset."""
    assert all(type(make()) is Issuer for make in MADE.values())
