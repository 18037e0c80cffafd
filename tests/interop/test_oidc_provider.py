"""oidc-provider issues the tokens, nine frameworks behind uvicorn or werkzeug refuse or admit them, over real HTTP."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from bearerkit import Auth, Issuer
from bearerkit.errors import WrongTokenType
from bearerkit.testing import SigningKey
from interop.oidc_peer import API, OTHER_API, OidcPeer
from interop.orders_api import FRAMEWORKS as ALL_FRAMEWORKS
from interop.orders_api import OrdersApi, running_apis

pytestmark = pytest.mark.interop

FRAMEWORKS = pytest.mark.parametrize("framework", ALL_FRAMEWORKS)
ALGORITHMS = pytest.mark.parametrize("alg", ["RS256", "ES256"])
PATIENCE = 20

MISSING = "Authentication is required."
MALFORMED = "The access token is malformed."
EXPIRED = "The access token has expired."
INVALID = "The access token is invalid."
SCOPE = "The access token does not carry the required scope."
DOWN = "The service cannot check credentials at the moment."
TITLES = {401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 503: "Service Unavailable"}
MACHINE = {"subject": "acme-machine", "tenant": "acme", "kind": "service", "scopes": ["orders:read", "orders:write"]}


def ask(http: httpx2.Client, api: OrdersApi, path: str, token: str | None) -> httpx2.Response:
    """GET with this bearer token."""
    return http.get(api.url + path, headers={} if token is None else {"Authorization": f"Bearer {token}"})


def assert_refused(answer: httpx2.Response, status: int, public: str, challenge: str | None) -> None:
    """Status, challenge and problem body are exactly these."""
    assert answer.status_code == status
    assert answer.headers.get("www-authenticate") == challenge
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json() == {"type": "about:blank", "title": TITLES[status], "status": status, "detail": public}


def invalid_token(public: str) -> str:
    """The challenge for a token that is no good."""
    return f'Bearer realm="api", error="invalid_token", error_description="{public}"'


# Tokens, good and bad


def encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def parts(token: str) -> tuple[dict[str, Any], dict[str, Any], str]:
    """Header, claims and signature of a JWT, not judged."""
    header, claims, signature = token.split(".")
    read = [json.loads(urlsafe_b64decode(part + "==")) for part in (header, claims)]
    return read[0], read[1], signature


def signing_input(header: dict[str, Any], claims: dict[str, Any]) -> str:
    return ".".join(encoded(json.dumps(part).encode()) for part in (header, claims))


def changed(peer: OidcPeer, alg: str, **claims: Any) -> str:
    """A token of the provider with other claims, signed by the provider's own key."""
    return peer.mint(alg, parts(peer.token(alg))[1] | claims)


def expired(peer: OidcPeer, alg: str) -> str:
    now = int(time.time())
    return changed(peer, alg, iat=now - 900, exp=now - 300)


def id_token_named_like_the_api(peer: OidcPeer, alg: str) -> str:
    """Its audience is ours, so that only its nonce gives it away."""
    return peer.sign_in("ada", client=API, nonce=secrets.token_urlsafe())["id_token"]


def logout_token(peer: OidcPeer, alg: str) -> str:
    return peer.mint(alg, parts(peer.token(alg))[1] | {"events": {}}, typ="logout+jwt")


def other_claims_under_the_signature(peer: OidcPeer, alg: str) -> str:
    header, claims, signature = parts(peer.token(alg))
    return f"{signing_input(header, claims | {'tenant_id': 'globex'})}.{signature}"


def strangers_key(peer: OidcPeer, alg: str, kid: str | None = None) -> str:
    """Signed by somebody else, under the kid of the provider unless another is given."""
    header, claims, _ = parts(peer.token(alg))
    text = signing_input(header | ({} if kid is None else {"kid": kid}), claims)
    return f"{text}.{encoded(SigningKey.generate(alg).sign(text.encode()))}"


def random_kid(peer: OidcPeer, alg: str) -> str:
    return strangers_key(peer, alg, secrets.token_urlsafe(16))


def kid_of_another_key(peer: OidcPeer, alg: str) -> str:
    """The kid names the provider's Ed25519 key."""
    kid = parts(peer.token("Ed25519"))[0]["kid"]
    return peer.mint(alg, parts(peer.token(alg))[1], kid=kid)


def unsigned(peer: OidcPeer, alg: str) -> str:
    header, claims, _ = parts(peer.token(alg))
    return signing_input(header | {"alg": "none"}, claims) + "."


def public_key_as_secret(peer: OidcPeer, alg: str) -> str:
    """The published key, byte for byte, used as the secret of an HMAC (CVE-2015-9235)."""
    header, claims, _ = parts(peer.token(alg))
    document = httpx2.get(f"{peer.issuer}/jwks", trust_env=False).content
    text = signing_input(header | {"alg": "HS256"}, claims)
    return f"{text}.{encoded(hmac.digest(document, text.encode(), hashlib.sha256))}"


@dataclass(frozen=True)
class Bad:
    """A token that no route may accept, and the reason that the operator must read."""

    name: str
    reason: str
    make: Callable[[OidcPeer, str], str | None]
    public: str = INVALID


BAD = [
    Bad("no token", "credentials_missing", lambda peer, alg: None, MISSING),
    Bad("garbage", "opaque", lambda peer, alg: "garbage", MALFORMED),
    Bad("an opaque token of the provider", "opaque", lambda peer, alg: peer.opaque_token(), MALFORMED),
    Bad("expired", "expired", expired, EXPIRED),
    Bad("for another API", "audience_mismatch", lambda peer, alg: peer.token(alg, api=OTHER_API)),
    Bad("an ID token", "audience_mismatch", lambda peer, alg: peer.sign_in("ada", alg)["id_token"]),
    Bad("an ID token with our audience", "claim_forbidden", id_token_named_like_the_api),
    Bad("a logout token", "typ_not_accepted", logout_token),
    Bad("of another issuer", "issuer_mismatch", lambda peer, alg: changed(peer, alg, iss="https://id.example.test")),
    Bad("a slash behind the issuer", "issuer_mismatch", lambda peer, alg: changed(peer, alg, iss=peer.issuer + "/")),
    Bad("other claims under the signature", "signature_invalid", other_claims_under_the_signature),
    Bad("a stranger's key", "signature_invalid", strangers_key),
    Bad("a random kid", "key_not_found", random_kid),
    Bad("the kid of another key", "key_not_found", kid_of_another_key),
    Bad("alg none", "malformed", unsigned, MALFORMED),
    Bad("alg none, with a signature", "algorithm_not_allowed", lambda peer, alg: unsigned(peer, alg) + "AAAA"),
    Bad("the public key as a secret", "algorithm_not_allowed", public_key_as_secret),
]


@FRAMEWORKS
@ALGORITHMS
@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.name)
def test_a_bad_token_is_401_for_its_own_reason(
    framework: str, alg: str, bad: Bad, peer: OidcPeer, apis: dict[str, OrdersApi], http: httpx2.Client
) -> None:
    api = apis[framework]
    answer = ask(http, api, "/me", bad.make(peer, alg))
    challenge = 'Bearer realm="api"' if bad.reason == "credentials_missing" else invalid_token(bad.public)
    assert_refused(answer, 401, bad.public, challenge)
    assert api.reason == bad.reason


@FRAMEWORKS
@ALGORITHMS
@pytest.mark.parametrize("path", ["/me", "/orders", "/t/acme/orders"])
def test_a_machine_passes(
    framework: str, alg: str, path: str, peer: OidcPeer, apis: dict[str, OrdersApi], http: httpx2.Client
) -> None:
    """Client credentials grant, RFC 9068 token, keys found through the provider's metadata."""
    answer = ask(http, apis[framework], path, peer.token(alg))
    assert (answer.status_code, answer.json()) == (200, MACHINE)


@FRAMEWORKS
@ALGORITHMS
@pytest.mark.parametrize("path", ["/me", "/orders", "/t/globex/orders"])
def test_a_user_passes(
    framework: str, alg: str, path: str, peer: OidcPeer, apis: dict[str, OrdersApi], http: httpx2.Client
) -> None:
    """Authorization code flow with PKCE: the access token that came with the ID token."""
    answer = ask(http, apis[framework], path, peer.sign_in("grace", alg)["access_token"])
    assert answer.status_code == 200
    assert answer.json() == MACHINE | {"subject": "grace", "tenant": "globex", "kind": "user"}


@FRAMEWORKS
@pytest.mark.parametrize("alg", ["PS256", "Ed25519"])
def test_further_algorithms_pass(
    framework: str, alg: str, peer: OidcPeer, apis: dict[str, OrdersApi], http: httpx2.Client
) -> None:
    """PS256 with a key that names no alg; Ed25519 by its name of RFC 9864."""
    assert ask(http, apis[framework], "/orders", peer.token(alg)).json() == MACHINE


@FRAMEWORKS
def test_the_old_name_of_ed25519_passes(
    framework: str, peer: OidcPeer, apis: dict[str, OrdersApi], http: httpx2.Client
) -> None:
    """jose signs as EdDSA with a key that is published as Ed25519."""
    token = peer.mint("EdDSA", parts(peer.token("Ed25519"))[1])
    assert parts(token)[0]["alg"] == "EdDSA"
    assert ask(http, apis[framework], "/orders", token).json() == MACHINE


@FRAMEWORKS
@ALGORITHMS
@pytest.mark.parametrize("path", ["/orders", "/t/acme/orders"])
def test_a_missing_scope_is_403_and_named(
    framework: str, alg: str, path: str, peer: OidcPeer, apis: dict[str, OrdersApi], http: httpx2.Client
) -> None:
    api = apis[framework]
    answer = ask(http, api, path, peer.token(alg, scope="orders:write"))
    challenge = f'Bearer realm="api", error="insufficient_scope", error_description="{SCOPE}", scope="orders:read"'
    assert_refused(answer, 403, SCOPE, challenge)
    assert api.reason == "insufficient_scope"


@FRAMEWORKS
@ALGORITHMS
@pytest.mark.parametrize("client", ["acme-machine", "homeless-machine"])
def test_another_tenant_is_404_whether_it_exists_or_not(
    framework: str, alg: str, client: str, peer: OidcPeer, apis: dict[str, OrdersApi], http: httpx2.Client
) -> None:
    """The two answers do not differ in a byte."""
    api, token = apis[framework], peer.token(alg, client=client)
    answers = [ask(http, api, f"/t/{tenant}/orders", token) for tenant in ("globex", "no-such-tenant")]
    for answer in answers:
        assert_refused(answer, 404, "Not found.", None)
    assert answers[0].content == answers[1].content
    assert api.reason == "tenant_unknown"


def test_an_id_token_without_marks_is_told_apart_by_typ(peer: OidcPeer) -> None:
    """No typ, no nonce, our audience: only an API that insists on RFC 9068's typ can refuse it."""
    strict = Auth(Issuer(peer.issuer, audience=API, typ="at+jwt"))
    tokens = peer.sign_in("ada", client=API)
    assert "typ" not in parts(tokens["id_token"])[0]
    assert strict.verify(tokens["access_token"]).subject == "ada"
    with pytest.raises(WrongTokenType):
        strict.verify(tokens["id_token"])


# Rotation and outage: each of these has a provider of its own


@ALGORITHMS
def test_after_a_restart_with_new_keys_the_first_new_token_passes(
    alg: str, own_peer: OidcPeer, http: httpx2.Client
) -> None:
    """And what the removed keys signed is 401 from then on."""
    with running_apis(own_peer.issuer) as apis:
        old = own_peer.token(alg)
        assert [ask(http, api, "/orders", old).status_code for api in apis.values()] == [200] * len(apis)
        own_peer.restart()
        new = own_peer.token(alg)
        assert parts(new)[0]["kid"] != parts(old)[0]["kid"]
        for api in apis.values():
            answer = ask(http, api, "/orders", new)
            assert (answer.status_code, answer.json()) == (200, MACHINE)
            assert_refused(ask(http, api, "/orders", old), 401, INVALID, invalid_token(INVALID))
            assert api.reason == "key_not_found"
            assert api.fetches == 2


def test_a_restart_with_the_same_keys_goes_unnoticed(
    peer_at: Callable[..., OidcPeer], tmp_path: Path, http: httpx2.Client
) -> None:
    with peer_at(keys=tmp_path / "keys.json").running() as peer, running_apis(peer.issuer) as apis:
        old = peer.token()
        for api in apis.values():
            assert ask(http, api, "/orders", old).status_code == 200
        peer.restart()
        for api in apis.values():
            assert ask(http, api, "/orders", peer.token()).status_code == 200
            assert ask(http, api, "/orders", old).status_code == 200
            assert api.fetches == 1


@ALGORITHMS
def test_warm_keys_outlive_the_provider(alg: str, own_peer: OidcPeer, http: httpx2.Client) -> None:
    """Known keys keep passing, for tokens never seen before too; an invented kid is 401, never 503."""
    first, second, third = (own_peer.token(alg) for _ in range(3))
    invented = [random_kid(own_peer, alg) for _ in range(5)]
    poor = own_peer.token(alg, scope="orders:write")
    with running_apis(own_peer.issuer) as apis:
        for api in apis.values():
            assert ask(http, api, "/orders", first).status_code == 200
        own_peer.stop()
        for api in apis.values():
            assert [ask(http, api, "/orders", token).status_code for token in (first, second)] == [200, 200]
            for token in invented:
                assert_refused(ask(http, api, "/orders", token), 401, INVALID, invalid_token(INVALID))
                assert api.reason == "key_not_found"
            assert ask(http, api, "/orders", third).json() == MACHINE
            assert ask(http, api, "/orders", poor).status_code == 403
            assert api.fetches <= 2


def test_a_cold_api_answers_503_until_the_provider_is_back(
    peer_at: Callable[..., OidcPeer], tmp_path: Path, http: httpx2.Client
) -> None:
    """What can be refused without keys is 401 all the while."""
    with peer_at(keys=tmp_path / "keys.json").running() as peer, running_apis(peer.issuer) as apis:
        good, late = peer.token(), expired(peer, "RS256")
        peer.stop()
        for api in apis.values():
            answer = ask(http, api, "/orders", good)
            assert_refused(answer, 503, DOWN, None)
            assert api.reason == "keys_unavailable"
            assert 1 <= int(answer.headers["retry-after"]) <= 60
            assert_refused(ask(http, api, "/orders", late), 401, EXPIRED, invalid_token(EXPIRED))
        peer.start()
        for api in apis.values():
            assert statuses_until_200(lambda api=api: ask(http, api, "/orders", good)) <= {503}


def statuses_until_200(request: Callable[[], httpx2.Response]) -> set[int]:
    """Every other status on the way."""
    seen = set()
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if (status := request().status_code) == 200:
            return seen
        seen.add(status)
        time.sleep(0.02)
    raise AssertionError(f"no 200 in {PATIENCE} s, only {seen}")
