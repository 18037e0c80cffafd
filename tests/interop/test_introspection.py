"""oidc-provider's introspection endpoint: opaque tokens, each way to say who we are, revocation, outage, its JWTs."""

from __future__ import annotations

import pytest

from bearerkit import Auth, Introspection, Issuer
from bearerkit.errors import AudienceMismatch, IntrospectionUnavailable, KeysUnavailable, TokenInvalid
from bearerkit.jose.client_auth import ClientAuth, client_auth
from interop.oidc_peer import API, SECRET, OidcPeer

pytestmark = pytest.mark.interop


def introspection(peer: OidcPeer, **settings: object) -> Introspection:
    given: dict[str, object] = {"client_id": "orders-api", "client_secret": SECRET, "audience": API, **settings}
    return Introspection(issuer=peer.issuer, **given)  # type: ignore[arg-type]


def ways(peer: OidcPeer) -> dict[str, ClientAuth]:
    return {
        "client_secret_basic": client_auth(client_id="orders-api", client_secret=SECRET),
        "client_secret_post": client_auth(
            method="client_secret_post", client_id="orders-api-post", client_secret=SECRET
        ),
        "private_key_jwt": client_auth(client_id="orders-api-key", private_key=peer.client_key, audience=peer.issuer),
    }


@pytest.mark.parametrize("way", ["client_secret_basic", "client_secret_post", "private_key_jwt"])
def test_an_opaque_token_gives_the_context_that_its_jwt_would(peer: OidcPeer, way: str) -> None:
    """The endpoint is found in the metadata; the same people, tenants, scopes and audience."""
    auth = Auth(introspection(peer, client=ways(peer)[way], client_id=None, client_secret=None))
    opaque = auth.verify(peer.opaque_token(api=API))
    jwt = Auth(Issuer(peer.issuer, audience=API)).verify(peer.token("ES256"))
    for name in ("tenant_id", "scopes", "client_id", "issuer", "audience", "principal_type"):
        assert getattr(opaque, name) == getattr(jwt, name), name
    assert (opaque.credential_kind, jwt.credential_kind) == ("opaque", "jwt")
    assert opaque.subject is None  # of a machine the provider tells the client only


def test_a_mapping_may_name_machines_by_their_client(peer: OidcPeer) -> None:
    """Where both are wanted under one name."""
    auth = Auth(introspection(peer, claims={"subject": ["sub", "client_id"]}))
    context = auth.verify(peer.opaque_token(api=API))
    assert (context.subject, context.principal_type) == ("acme-machine", "service")


def test_an_inactive_token_and_one_for_somebody_else(peer: OidcPeer) -> None:
    """Unknown to the provider; and active, but for no API."""
    auth = Auth(introspection(peer))
    with pytest.raises(TokenInvalid) as refused:
        auth.verify("of-nobody")
    assert refused.value.reason == "token_inactive"
    with pytest.raises(AudienceMismatch):
        auth.verify(peer.opaque_token())


def test_a_revoked_token_dies_when_it_is_forgotten_or_its_time_is_over(peer: OidcPeer) -> None:
    """Remembered it lives on for as long as was configured, and not longer."""
    auth, fresh = Auth(introspection(peer)), Auth(introspection(peer, cache_seconds=0))
    token = peer.opaque_token(api=API)
    assert auth.verify(token) == fresh.verify(token)
    peer.revoke(token)
    with pytest.raises(TokenInvalid):
        fresh.verify(token)
    assert auth.verify(token).client_id == "acme-machine"
    auth.forget(token=token)
    with pytest.raises(TokenInvalid):
        auth.verify(token)


def test_a_wrong_secret_is_an_outage_with_a_hint(peer: OidcPeer) -> None:
    """Of ours, not of the caller."""
    auth = Auth(introspection(peer, client_secret="wrong"))
    with pytest.raises(IntrospectionUnavailable) as outage:
        auth.verify(peer.opaque_token(api=API))
    assert "401" in outage.value.detail
    assert "client_id" in (outage.value.hint or "")


@pytest.mark.anyio
async def test_an_outage_is_503_and_ends_by_itself(own_peer: OidcPeer) -> None:
    """Remembered tokens go on meanwhile."""
    auth = Auth(introspection(own_peer))
    known, other = own_peer.opaque_token(api=API), own_peer.opaque_token(api=API)
    assert (await auth.averify(known)).client_id == "acme-machine"
    own_peer.stop()
    assert (await auth.averify(known)).client_id == "acme-machine"
    with pytest.raises(IntrospectionUnavailable):
        await auth.averify(other)
    own_peer.start()
    assert (await auth.averify(own_peer.opaque_token(api=API))).client_id == "acme-machine"


def test_jwts_are_verified_here_and_asked_about_nowhere(own_peer: OidcPeer) -> None:
    """Beside an `Issuer` each credential goes to its own verifier."""
    auth = Auth(Issuer(own_peer.issuer, audience=API), introspection(own_peer))
    jwt, opaque = own_peer.token("RS256"), own_peer.opaque_token(api=API)
    assert [auth.verify(token).credential_kind for token in (jwt, opaque)] == ["jwt", "opaque"]
    own_peer.stop()
    assert auth.verify(jwt).credential_kind == "jwt"
    with pytest.raises(KeysUnavailable):
        Auth(Issuer(own_peer.issuer, audience=API), introspection(own_peer)).verify(jwt)
