"""The twelve most common misconfigurations of the collection's section 4: each gives the operator its hint.

The numbers are those of the collection. A hint may name hosts, tenants and claim values; it never reaches the caller.
"""

from __future__ import annotations

from typing import Any

import pytest

from auth_doubles import NOW, Web, auth, claims, request, token
from bearerkit import Auth, ConfigError, Issuer, IssuerResolver, Network, any_role, providers, role, scope
from bearerkit.challenge import render
from bearerkit.errors import BearerkitError
from bearerkit.testing import FrozenClock, SigningKey
from providers.made import API, TENANT
from providers.samples import mint

KEY = SigningKey.generate("RS256", kid="k1")


def hint_of(issuer: Any, credential: str, *, need: Any = None, web: Web | None = None) -> str:
    """What the operator is told; it also must not be what the caller is told."""
    verifier = auth(issuer, web=web)
    with pytest.raises(BearerkitError) as refused:
        verifier.authorize(request(credential), need)
    hint = refused.value.hint
    assert hint, repr(refused.value)
    public = render(refused.value)
    assert hint not in public.body.decode() + repr(public.headers)
    return hint


def keyed(issuer: Any = "https://id.example.test", **settings: Any) -> Issuer:
    return Issuer(issuer, **{"audience": "api", "keys": {"keys": [KEY.jwk]}, **settings})


@pytest.mark.parametrize(
    ("configured", "said", "ending"),
    [
        ("https://acme.eu.auth0.com", "https://acme.eu.auth0.com/", "/"),
        ("https://acme.eu.auth0.com/", "https://acme.eu.auth0.com", "/"),
        (f"https://login.microsoftonline.com/{TENANT}", f"https://login.microsoftonline.com/{TENANT}/v2.0", "/v2.0"),
    ],
)
def test_1_the_issuer_differs_only_in_its_ending(configured: str, said: str, ending: str) -> None:
    """The two strings stand side by side, and what to copy from where."""
    hint = hint_of(keyed(configured), token(KEY, iss=said))
    assert f"the token says '{said}'" in hint
    assert f"configured is '{configured}'" in hint
    assert f'ending "{ending}"' in hint
    assert "character by character" in hint


def test_2_an_entra_token_of_version_1() -> None:
    """The version follows the API registration, not the endpoint."""
    said = f"https://sts.windows.net/{TENANT}/"
    hint = hint_of(
        providers.entra(TENANT, audience=API, keys={"keys": [KEY.jwk]}), token(KEY, {"typ": "JWT"}, iss=said)
    )
    assert "accessTokenAcceptedVersion (requestedAccessTokenVersion)" in hint
    assert "entra_v1" in hint


@pytest.mark.parametrize("pseudo", ["common", "organizations", "consumers", "{tenantid}"])
def test_3_no_token_is_issued_by_common(pseudo: str) -> None:
    """It is a ConfigError, since no token could ever pass."""
    with pytest.raises(ConfigError, match="no token is ever issued by") as refused:
        Issuer(f"https://login.microsoftonline.com/{pseudo}/v2.0", audience=API)
    assert "use a tenant id" in str(refused.value)


@pytest.mark.parametrize("preset", [providers.entra, providers.entra_v1])
def test_3_nor_by_the_preset_for_one_tenant(preset: Any) -> None:
    """The preset says which one takes several."""
    with pytest.raises(ConfigError, match="entra_multitenant"):
        preset("common", audience=API)


@pytest.mark.parametrize("mark", ["nonce", "at_hash"])
def test_4_an_id_token_was_sent(mark: str) -> None:
    """Whether the audience is the client's, or the API's own (then the mark itself refuses)."""
    for audience in ("client-id", "api"):
        hint = hint_of(keyed(), token(KEY, {"typ": "JWT"}, aud=audience, **{mark: "x"}))
        assert "looks like an ID token" in hint
        assert 'token_type="id"' in hint


@pytest.mark.parametrize("claim", ["client_id", "azp"])
def test_5_no_aud_but_a_client(claim: str) -> None:
    """Cognito and Clerk are like that: the audience stands elsewhere, and the check stays on."""
    hint = hint_of(keyed(), token(KEY, aud=..., **{claim: "app-1"}))
    assert f"The token has no \"aud\" but {claim}='app-1'" in hint
    assert f'audience_from=("{claim}",)' in hint
    assert "Do not switch the audience check off" in hint


@pytest.mark.parametrize("audience", ["account", ["account"]])
def test_6_keycloak_without_an_audience_mapper(audience: Any) -> None:
    """The fresh realm."""
    realm = providers.keycloak("https://sso.example.com", "acme", audience="orders-api", keys={"keys": [KEY.jwk]})
    hint = hint_of(
        realm, token(KEY, {"typ": "JWT"}, iss="https://sso.example.com/realms/acme", aud=audience, typ="Bearer")
    )
    assert 'Keycloak put no API into "aud"' in hint
    assert "audience mapper" in hint
    assert "orders-api" in hint


@pytest.mark.parametrize("credential", ["ya29.a0AfExampleOpaque", "opaque-token", "a.b.c.d.e"])
def test_7_the_token_is_opaque_or_encrypted(credential: str) -> None:
    """What to switch on at the providers that hand these out by default."""
    hint = hint_of(keyed(), credential)
    assert "opaque or encrypted" in hint
    assert "Auth0: the client sent no audience" in hint
    assert "Zitadel, Hydra, Salesforce" in hint


def test_8_the_metadata_names_another_issuer() -> None:
    """Keycloak in Docker: the container's name against the browser's."""
    web = Web()
    url = "http://keycloak:8080/realms/acme/.well-known/openid-configuration"
    web[url] = {"issuer": "https://sso.example.com/realms/acme", "jwks_uri": "http://keycloak:8080/jwks"}
    issuer = Issuer("http://keycloak:8080/realms/acme", audience="api", network=Network(private=True, allow_http=True))
    hint = hint_of(issuer, token(KEY, iss="http://keycloak:8080/realms/acme"), web=web)
    assert f'Metadata from {url} names the issuer "https://sso.example.com/realms/acme"' in hint
    assert "metadata_url" in hint
    assert "fix the hostname" in hint


def test_9_the_keys_are_on_another_host() -> None:
    """Metadata may not choose what this machine connects to."""
    web = Web()
    web["https://id.example.test/.well-known/openid-configuration"] = {
        "issuer": "https://id.example.test",
        "jwks_uri": "https://172.20.0.3/keys",
    }
    hint = hint_of(Issuer("https://id.example.test", audience="api"), token(KEY), web=web)
    assert 'points to keys on "172.20.0.3"' in hint
    assert "set jwks_uri yourself, or add the host to hosts=" in hint
    assert "Network(private=True, ca_file=…)" in hint


def test_9_the_keys_are_on_a_private_address() -> None:
    """Where the address came from data; refused by the real client before it connects."""
    resolver = IssuerResolver(
        lambda iss: Issuer(iss, audience="api", tenants=["t"], jwks_uri="https://127.0.0.1:9/keys")
    )
    with pytest.raises(BearerkitError) as refused:
        Auth(resolver, clock=FrozenClock(NOW)).verify(token(KEY, iss="https://t.example.test", tenant_id="t"))
    assert "127.0.0.1, which is not a public address" in str(refused.value.detail)
    assert "Network(private=True" in str(refused.value.hint)


def test_10_the_key_is_not_in_the_set() -> None:
    """How many keys there are, where, how old the answer is, and whose tokens usually look like this."""
    web = Web()
    web["https://id.example.test/jwks"] = {"keys": [KEY.jwk]}
    issuer = Issuer("https://id.example.test", audience="api", jwks_uri="https://id.example.test/jwks")
    hint = hint_of(issuer, token(SigningKey.generate("RS256", kid="k2")), web=web)
    assert 'Key "k2" is not among the 1 key of https://id.example.test/jwks (fetched' in hint
    for cause in ("Okta org against custom", "WorkOS client id", "?appid=", "B2C policy", "a proxy caches the old set"):
        assert cause in hint


def test_11_a_shared_secret_where_public_keys_are_configured() -> None:
    """The algorithm says so before any key is looked at."""
    hint = hint_of(keyed(), mint({"alg": "HS256", "typ": "JWT"}, claims()))
    assert "The token is signed with HS256 but this issuer uses public keys" in hint
    assert "authentik: choose a signing key" in hint
    assert 'keys=SharedSecret(...), algorithms=["HS256"]' in hint


def test_11_an_empty_key_set() -> None:
    """authentik without a signing key, Supabase before the move: a hint, not an outage."""
    for empty in ({"keys": []}, {}):
        web = Web()
        web["https://id.example.test/jwks"] = empty
        issuer = Issuer("https://id.example.test", audience="api", jwks_uri="https://id.example.test/jwks")
        hint = hint_of(issuer, token(KEY), web=web)
        assert "The key set is empty. authentik: choose a signing key. Supabase:" in hint


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("permissions", ["orders:read"]),
        ("cognito:groups", ["readers"]),
        ("resource_access", {"orders-api": {"roles": ["reader"]}}),
        ("roles", ["reader"]),
    ],
)
def test_12_the_scope_stands_in_another_claim(claim: str, value: Any) -> None:
    """The claims that may hold it are named; nothing is granted."""
    hint = hint_of(keyed(), token(KEY, **{claim: value}), need=scope("orders:read"))
    assert f'scopes=() but the token has "{claim}"' in hint
    assert "bearerkit.providers, or say claims=" in hint


def test_12_the_scope_carries_a_prefix() -> None:
    """XSUAA and Cognito put the application in front."""
    for granted in ("orders!t1234.Read", "orders-api/Read"):
        hint = hint_of(keyed(), token(KEY, scope=f"openid {granted}"), need=scope("Read"))
        assert granted in hint
        assert "strip_prefix" in hint


@pytest.mark.parametrize("need", [role("admin"), any_role("admin", "owner")])
def test_12_the_role_stands_in_another_claim(need: Any) -> None:
    """The same for roles."""
    hint = hint_of(keyed(), token(KEY, groups=["admin"], scp="read"), need=need)
    assert 'roles=() but the token has "groups".' in hint


def test_12_groups_that_did_not_fit_into_the_token() -> None:
    """Above 200 groups Entra sends a reference instead: fail closed, and say so."""
    hint = hint_of(keyed(), token(KEY, _claim_names={"groups": "src1"}), need=role("admin"))
    assert "groups overage" in hint


def test_a_graph_token() -> None:
    """A nonce in the header: Microsoft hashes it before signing, so that nobody else can verify."""
    said = f"https://login.microsoftonline.com/{TENANT}/v2.0"
    altered = token(KEY, {"nonce": "n"}, iss=said)[:-4] + "AAAA"
    assert "Microsoft Graph" in hint_of(keyed(said), altered)


def test_a_token_whose_signature_cloud_run_removed() -> None:
    """It decodes, and fails as a bad signature: never accepted, but explained."""
    head, body, _ = token(KEY).split(".")
    hint = hint_of(keyed(), f"{head}.{body}.SIGNATURE_REMOVED_BY_GOOGLE")
    assert "Cloud Run" in hint
    assert "X-Serverless-Authorization" in hint


def test_a_token_with_padding() -> None:
    """An ALB token in a place where only canonical base64url is taken."""
    with pytest.raises(BearerkitError) as refused:
        auth(keyed()).verify(mint({"alg": "RS256", "kid": "k1"}, claims(sub="u"), padding=True))
    assert "AWS ALB" in str(refused.value.hint)


def test_an_empty_audience() -> None:
    """Hydra: the client did not ask for one."""
    assert "did not request an audience" in hint_of(keyed(), token(KEY, aud=[]))


def test_a_machine_without_a_subject() -> None:
    """PingOne and others leave `sub` out for client credentials."""
    assert 'subject="optional"' in hint_of(keyed(), token(KEY, sub=None))


def test_a_token_that_expired_seconds_ago() -> None:
    """Clerk and Keycloak tokens are short: a clock, not a configuration."""
    assert "clocks differ" in hint_of(keyed(), token(KEY, exp=int(NOW) - 40))
