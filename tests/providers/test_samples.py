"""Every token sample of the identity-provider collection through the preset of its provider.

The signature is checked with test keys: once at hand, and once fetched from where the provider really publishes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from auth_doubles import Web, auth
from bearerkit import Auth, SharedSecret
from bearerkit.errors import KeyNotFound, KeysUnavailable, TokenInvalid
from bearerkit.testing import FrozenClock
from providers.made import MADE, NO_PRESET, NOT_YET, made
from providers.samples import EC_PEM, ISSUED_AT, SECRET, Sample, departure, keys_for, read, verify

DIFFERENT: Mapping[str, tuple[str, str]] = {
    "okta-org/id_token": ("issuer", "the preset for Okta trusts a custom server; the org server's issuer is not it"),
}
"""Sample → the rule that refuses it here, and why that is another than its file says."""


@pytest.fixture(scope="module")
def collected(shared: Path) -> list[Sample]:
    return [sample for sample in read(shared / "idps") if sample.file not in NOT_YET]


def test_every_file_has_a_preset(shared: Path) -> None:
    """A provider that joins the collection needs a preset, or a reason to have none."""
    files = {path.stem for path in (shared / "idps").glob("*.json")}
    assert files == MADE.keys() | NO_PRESET.keys() | NOT_YET


def test_every_sample_comes_out_as_its_file_expects(collected: list[Sample]) -> None:
    """Accepted, or refused by exactly the rule that the file names, with the keys at hand."""
    assert len(collected) >= 140
    wrong = [
        departure(sample, made(sample.file, keys=keys_for(sample)), rule=DIFFERENT.get(sample.id, (None,))[0])
        for sample in collected
    ]
    assert not any(wrong), "\n".join(filter(None, wrong))


def published(sample: Sample) -> Web:
    """The provider's metadata and keys, each at the address at which they really are."""
    web = Web()
    document = sample.document
    members = {"issuer": sample.claims["iss"], "jwks_uri": document["jwks_uri"], **(document.get("metadata") or {})}
    for url in filter(None, (document["metadata_url"], sample.verifier.get("metadata_url"))):
        web[url] = members
    kid = str(sample.header.get("kid"))
    keys: Any = EC_PEM if "{kid}" in document["jwks_uri"] else sample.key_set
    web[document["jwks_uri"].replace("{kid}", kid).replace("{zid}", str(sample.claims.get("zid")))] = keys
    return web


def accepted(collected: list[Sample]) -> list[Sample]:
    return [sample for sample in collected if sample.expect == "accept"]


def test_a_cold_service_finds_the_keys_where_they_are(collected: list[Sample]) -> None:
    """No setting is missing, such as a key host: nothing but the provider's published addresses is asked."""
    wrong = []
    for sample in accepted(collected):
        web = published(sample)
        try:
            auth(made(sample.file), web=web, clock=FrozenClock(ISSUED_AT)).verify(sample.token)
        except Exception as error:
            wrong.append(f"{sample.id}: {error!r}, asked {web.urls}")
        else:
            wrong += [f"{sample.id}: asked {url}" for url in web.urls if url not in web.pages]
    assert not wrong, "\n".join(wrong)


def test_another_providers_token_is_refused_by_every_preset(collected: list[Sample]) -> None:
    """Each provider's token meets the presets of all others, with its key at hand: only its own takes it."""
    tokens = {sample.file: sample for sample in accepted(collected) if sample.name == "access_token"}
    taken = set()
    for file in tokens:
        for other, sample in tokens.items():
            if other != file:
                try:
                    verify(made(file, keys=keys_for(sample)), sample.token)
                except TokenInvalid:
                    continue
                taken.add((file, other))
    assert taken == SAME_TOKENS


SAME_TOKENS = {("entra-v2", "entra-multitenant"), ("entra-multitenant", "entra-v2")}
"""One tenant that the preset for one and the preset for several both let in."""

FIELDS: Mapping[str, Mapping[str, Any]] = {
    # What a handler reads of the file's access_token: subject, tenant, client, scopes, roles and groups.
    "apple": {"tenant_id": None, "scopes": (), "email_verified": True},
    "auth0": {"tenant_id": "org_AbCdEfGh12345678", "client_id": "WebAppClientId0000000000000000A1"},
    "authentik": {"tenant_id": None, "client_id": "ExampleClientId0000000000000000000000001"},
    "clerk": {
        "subject": "user_2example00000000000001",
        "tenant_id": "org_2example00000000000001",
        "roles": ("admin",),
        "scopes": ("org:dashboard:read", "org:dashboard:manage", "org:orders:manage"),
        "session_id": "sess_2example00000000000001",
        "client_id": None,
    },
    "descope": {
        "tenant_id": "T2exampletenant0000000000001",
        "memberships": (),
        "roles": ("Admin",),
        "scopes": ("orders.read",),
    },
    "entra-v2": {
        "subject": "cccccccc-3333-4ddd-8eee-ffffffffffff",
        "tenant_id": "11111111-2222-4333-8444-555555555555",
        "client_id": "bbbbbbbb-2222-4ccc-8ddd-eeeeeeeeeeee",
        "scopes": ("orders.read", "orders.write"),
        "roles": ("Orders.Admin",),
        "token_id": "uTiExample00000000000AA",
    },
    "entra-b2c": {
        "subject": "cccccccc-3333-4ddd-8eee-ffffffffffff",
        "scopes": ("orders.read",),
        "email": "ada@example.com",
    },
    "github-actions": {"tenant_id": "3000003", "principal_type": "service", "scopes": ()},
    "gitlab-ci": {"tenant_id": "72", "principal_type": "service"},
    "hydra": {"subject": "ada", "tenant_id": "acme", "scopes": ("openid", "orders.read")},
    "kubernetes": {"principal_type": "service"},
    "sap-ias": {
        "subject": "77777777-aaaa-4bbb-8ccc-00000000000a",
        "tenant_id": "66666666-aaaa-4bbb-8ccc-00000000000a",
        "scopes": ("read-orders",),
    },
    "zitadel": {"tenant_id": "260000000000000001", "roles": ("admin",), "scopes": ()},
}


@pytest.mark.parametrize("file", FIELDS)
def test_what_a_handler_reads(collected: list[Sample], file: str) -> None:
    """Tenant, roles and scopes come from where this provider writes them."""
    (sample,) = (sample for sample in collected if sample.id == f"{file}/access_token")
    context = verify(made(file, keys=keys_for(sample)), sample.token)
    assert {name: getattr(context, name) for name in FIELDS[file]} == FIELDS[file]


@pytest.mark.parametrize("file", ["supabase", "authentik"])
def test_a_project_that_still_signs_with_a_shared_secret(collected: list[Sample], file: str) -> None:
    """`keys=SharedSecret(…)` turns the preset into the entry for HS256, beside or in place of the other."""
    name = {"supabase": "legacy_hs256", "authentik": "hs256"}[file]
    (sample,) = (sample for sample in collected if sample.id == f"{file}/{name}")
    context = verify(made(file, keys=SharedSecret(SECRET)), sample.token)
    assert context.subject == sample.claims["sub"]
    (ordinary,) = (sample for sample in collected if sample.id == f"{file}/access_token")
    both = Auth(
        made(file, keys=keys_for(ordinary)), made(file, keys=SharedSecret(SECRET)), clock=FrozenClock(ISSUED_AT)
    )
    assert [both.verify(token).subject for token in (sample.token, ordinary.token)] == [
        sample.claims["sub"],
        ordinary.claims["sub"],
    ]


@pytest.mark.parametrize("name", ["anon_api_key", "service_role_key"])
def test_supabase_api_keys_are_no_users(collected: list[Sample], name: str) -> None:
    """They are JWTs of the same legacy secret, and must not pass as users where that secret is configured."""
    (sample,) = (sample for sample in collected if sample.id == f"supabase/{name}")
    with pytest.raises(TokenInvalid):
        verify(made("supabase", keys=SharedSecret(SECRET)), sample.token)


def test_keys_of_a_load_balancer_are_fetched_for_uuids_only(collected: list[Sample]) -> None:
    """The kid goes into a URL: one with a slash, a query or a host in it is never asked for."""
    (sample,) = (sample for sample in collected if sample.id == "aws-alb/access_token")
    for kid in ("../x", "a?b", "@evil.example", "https://evil.example/", ""):
        web = published(sample)
        forged = Sample(**{**vars(sample), "header": {**sample.header, "kid": kid}})
        with pytest.raises(KeyNotFound):
            auth(made("aws-alb"), web=web, clock=FrozenClock(ISSUED_AT)).verify(forged.token)
        assert web.urls == []


def test_only_the_key_hosts_of_a_preset_are_followed(collected: list[Sample]) -> None:
    """Metadata that sends us elsewhere is not followed, however right its issuer is."""
    moved = 0
    for sample in accepted(collected):
        if sample.name != "access_token" or not sample.document["metadata_url"]:
            continue
        web = published(sample)
        for url, page in list(web.pages.items()):
            if isinstance(page, dict) and "jwks_uri" in page:
                web[url] = {**page, "jwks_uri": "https://keys.evil.example/jwks"}
        web["https://keys.evil.example/jwks"] = sample.key_set
        verifier = auth(made(sample.file), web=web, clock=FrozenClock(ISSUED_AT))
        if "jwks_uri" in sample.verifier:  # these presets ask for the keys without looking at metadata
            verifier.verify(sample.token)
        else:
            with pytest.raises(KeysUnavailable):
                verifier.verify(sample.token)
            moved += 1
        assert all(urlsplit(url).hostname != "keys.evil.example" for url in web.urls), sample.id
    assert moved >= 10
