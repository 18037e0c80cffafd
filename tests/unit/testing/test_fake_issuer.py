"""FakeIssuer: its tokens are real (other libraries verify them), and it breaks only where a test asks for it."""

from __future__ import annotations

import base64
import gc
import hashlib
import hmac
import http.client
import json
import pickle
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwk as joserfc_jwk
from joserfc import jwt as joserfc_jwt

import bearerkit.testing
from bearerkit import Auth, Introspection
from bearerkit._drive import run
from bearerkit.errors import TokenInvalid
from bearerkit.http import Fetch, Fetched, FetchFailed
from bearerkit.testing import FakeIssuer, FrozenClock, MemoryHttp, SigningKey
from bearerkit.testing.server import LoopbackServer
from bearerkit.testing.signing import SIGNING_ALGORITHMS, thumbprint

ISSUER = "https://id.example.test"
PUBLIC = [name for name in SIGNING_ALGORITHMS if not name.startswith("HS")]
SECRET = [name for name in SIGNING_ALGORITHMS if name.startswith("HS")]


def parts(token: str) -> tuple[dict[str, Any], dict[str, Any], bytes]:
    header, payload, signature = (base64.urlsafe_b64decode(part + "===") for part in token.split("."))
    return json.loads(header), json.loads(payload), signature


def fetch(issuer: FakeIssuer | MemoryHttp, url: str) -> Fetched:
    http = issuer.http if isinstance(issuer, FakeIssuer) else issuer
    return run(http.fetch(Fetch(url)))


def get(url: str) -> tuple[int, dict[str, str], bytes]:
    where = urlsplit(url)
    connection = http.client.HTTPConnection(where.netloc, timeout=5)
    try:
        connection.request("GET", where.path)
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


# Tokens verify elsewhere


@pytest.mark.parametrize("alg", PUBLIC)
def test_pyjwt_verifies_the_token_with_the_published_key(alg: str) -> None:
    issuer = FakeIssuer(alg=alg, audience="api")
    [jwk] = issuer.jwks["keys"]
    family = "EdDSA" if alg == "Ed25519" else alg  # PyJWT does not know the RFC 9864 name
    key = jwt.PyJWK({**jwk, "alg": family}, algorithm=family)
    token = issuer.token(headers={"alg": family})
    assert jwt.decode(token, key, algorithms=[family], audience="api")["iss"] == ISSUER


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated via RFC 9864")
@pytest.mark.parametrize("alg", PUBLIC)
def test_joserfc_verifies_the_token_with_the_published_key(alg: str) -> None:
    issuer = FakeIssuer(alg=alg)
    key = joserfc_jwk.import_key(issuer.jwks["keys"][0])
    assert joserfc_jwt.decode(issuer.token(sub="u1"), key, algorithms=[alg]).claims["sub"] == "u1"


@pytest.mark.parametrize("alg", SECRET)
def test_shared_secret_tokens_verify_and_the_secret_is_not_published(alg: str) -> None:
    issuer = FakeIssuer(alg=alg)
    secret = issuer.key.private
    assert isinstance(secret, bytes)
    assert jwt.decode(issuer.token(), secret, algorithms=[alg])["sub"] == "user"
    assert issuer.jwks == {"keys": []}


def test_the_shared_secret_fits_the_key_rules_of_the_core() -> None:
    from bearerkit.jose.keys import SharedSecret, from_secret

    issuer = FakeIssuer(alg="HS512")
    key = from_secret(issuer.secret)
    signing_input, _, signature = issuer.token().rpartition(".")
    assert isinstance(issuer.secret, SharedSecret)
    assert key.verify("HS512", signing_input.encode(), base64.urlsafe_b64decode(signature + "==="))


@pytest.mark.parametrize("alg", PUBLIC)
def test_the_core_takes_the_published_key(alg: str) -> None:
    from bearerkit.jose.key_set import parse_jwks

    issuer = FakeIssuer(alg=alg)
    keys = parse_jwks(issuer.jwks)
    signing_input, _, signature = issuer.token().rpartition(".")
    [key] = keys.candidates(issuer.key.kid, alg)
    assert keys.skipped == ()
    assert key.verify(alg, signing_input.encode(), base64.urlsafe_b64decode(signature + "==="))


# What a token holds


def test_what_is_filled_in() -> None:
    clock = FrozenClock(1_790_000_000.9)
    header, claims, _ = parts(FakeIssuer(clock=clock, audience=["a", "b"]).token())
    kid, jti = header.pop("kid"), claims.pop("jti")
    assert header == {"alg": "RS256", "typ": "at+jwt"}
    assert claims == {
        "iss": ISSUER,
        "aud": ["a", "b"],
        "sub": "user",
        "iat": 1_790_000_000,
        "exp": 1_790_000_300,
    }
    assert kid
    assert len(jti) >= 16


def test_without_an_audience_there_is_no_aud() -> None:
    assert "aud" not in parts(FakeIssuer().token())[1]


def test_given_claims_win_and_none_leaves_one_out() -> None:
    token = FakeIssuer(audience="api").token(
        {"cognito:groups": ["g"], "key": "k", "empty": "", "aud": "lost"},
        iss="https://other.test",
        exp=None,
        jti=None,
        aud=["x"],
        sub=None,
    )
    claims = parts(token)[1]
    assert set(claims) == {"iss", "iat", "aud", "cognito:groups", "key", "empty"}
    assert claims["iss"] == "https://other.test"
    assert claims["aud"] == ["x"]


def test_every_token_has_its_own_jti() -> None:
    issuer = FakeIssuer()
    assert len({parts(issuer.token())[1]["jti"] for _ in range(5)}) == 5


def test_the_clock_moves_the_times() -> None:
    clock = FrozenClock()
    issuer = FakeIssuer(clock=clock)
    clock.advance(60)
    assert parts(issuer.token())[1]["iat"] == 1_790_000_060
    assert issuer.now() == 1_790_000_060.0


def test_without_a_clock_the_times_are_real(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: 2_000_000_000.5)
    assert parts(FakeIssuer().token())[1]["exp"] == 2_000_000_300


# Headers that lie


def test_headers_can_be_changed_added_and_left_out() -> None:
    issuer = FakeIssuer()
    header = parts(issuer.token(headers={"typ": "JWT", "kid": None, "x": 1}))[0]
    assert header == {"alg": "RS256", "typ": "JWT", "x": 1}


def test_another_algorithm_of_the_same_key_type_signs_for_real() -> None:
    issuer = FakeIssuer(alg="RS256")
    token = issuer.token(headers={"alg": "PS512"})
    assert jwt.decode(token, issuer.key.public_key, algorithms=["PS512"])["sub"] == "user"


@pytest.mark.parametrize("lie", ["ES256", "ES384", "EdDSA", "RS257"])
def test_an_algorithm_that_the_key_cannot_do_is_only_claimed(lie: str) -> None:
    issuer = FakeIssuer(alg="RS256")
    header, _, signature = parts(issuer.token(headers={"alg": lie}))
    assert header["alg"] == lie
    assert len(signature) == 256


@pytest.mark.parametrize("none", ["none", "None", "nOnE"])
def test_alg_none_has_no_signature(none: str) -> None:
    token = FakeIssuer().token(headers={"alg": none})
    assert token.endswith(".")
    assert parts(token)[0]["alg"] == none


def test_hs256_of_a_public_key_issuer_is_the_key_confusion_attack() -> None:
    issuer = FakeIssuer(alg="ES256")
    token = issuer.token(headers={"alg": "HS256"})
    signing_input = token.rpartition(".")[0].encode()
    pem = issuer.key.public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    assert parts(token)[2] == hmac.digest(pem, signing_input, hashlib.sha256)


def test_raw_bytes_reach_the_token_unchanged() -> None:
    issuer = FakeIssuer(alg="EdDSA")
    header, payload = b'{"alg":"EdDSA","alg":"none"}', b'{"sub":"a","sub":"b"} \xff'
    token = issuer.sign(header, payload)
    raw = [base64.urlsafe_b64decode(part + "===") for part in token.split(".")]
    assert raw[:2] == [header, payload]
    assert raw[2] == b"", "the last alg member names the algorithm, as a lenient parser would read it"


@pytest.mark.parametrize("header", [b"not json", b"[1]", b'{"alg":7}', b"\xff"])
def test_a_header_without_a_readable_alg_is_signed_by_the_keys_own(header: bytes) -> None:
    issuer = FakeIssuer(alg="EdDSA")
    token = issuer.sign(header, {"a": 1})
    signing_input, _, signature = token.rpartition(".")
    issuer.key.public_key.verify(base64.urlsafe_b64decode(signature + "==="), signing_input.encode())  # type: ignore[call-arg, arg-type]


def test_sign_fills_in_nothing() -> None:
    header, claims, _ = parts(FakeIssuer().sign({"alg": "RS256"}, {}))
    assert (header, claims) == ({"alg": "RS256"}, {})


# Keys


def test_a_wrong_key_without_a_kid_hides_behind_the_known_kid() -> None:
    issuer = FakeIssuer(alg="ES256")
    token = issuer.token(key=SigningKey.generate("ES256"))
    assert parts(token)[0]["kid"] == issuer.key.kid
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(token, jwt.PyJWK(issuer.jwks["keys"][0]), algorithms=["ES256"])


def test_another_key_brings_its_kid_and_algorithm() -> None:
    other = SigningKey.generate("EdDSA", kid="other")
    assert parts(FakeIssuer(alg="ES256").token(key=other))[0] == {"alg": "EdDSA", "typ": "at+jwt", "kid": "other"}


@pytest.mark.parametrize("alg", ["RS256", "HS256"])
def test_rotate_signs_with_a_new_key_and_takes_the_old_one_down(alg: str) -> None:
    issuer = FakeIssuer(alg=alg)
    first = issuer.key
    assert issuer.rotate() is first
    assert issuer.key.kid != first.kid
    assert issuer.key.private != first.private
    assert [key.get("kid") for key in issuer.jwks["keys"]] == ([issuer.key.kid] if alg == "RS256" else [])
    assert parts(issuer.token())[0]["kid"] == issuer.key.kid


def test_rotate_can_keep_the_old_key_published() -> None:
    issuer = FakeIssuer(alg="ES256")
    first = issuer.rotate(keep_old=True)
    second = issuer.rotate(keep_old=True)
    assert [key["kid"] for key in issuer.jwks["keys"]] == [issuer.key.kid, second.kid, first.kid]
    assert parts(issuer.token(key=first))[0]["kid"] == first.kid


def test_issuers_that_live_at_the_same_time_never_share_a_key() -> None:
    issuers = [FakeIssuer(alg="RS256") for _ in range(3)]
    issuers[0].rotate()
    published = {key["n"] for issuer in issuers for key in issuer.jwks["keys"]}
    kids = {key["kid"] for issuer in issuers for key in issuer.jwks["keys"]}
    assert len(published) == len(kids) == 3


def test_rsa_keys_that_nobody_holds_are_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise a suite of a thousand tests would spend its time making RSA keys."""
    from cryptography.hazmat.primitives.asymmetric import rsa

    made = []
    real = rsa.generate_private_key
    monkeypatch.setattr(rsa, "generate_private_key", lambda **arguments: made.append(1) or real(**arguments))
    for _ in range(12):
        SigningKey.generate("RS256")
        gc.collect()
    assert len(made) <= 4


def test_a_key_says_nothing_about_its_material() -> None:
    key = SigningKey.generate("HS256", kid="k")
    assert repr(key) == "<SigningKey HS256 kid='k'>"
    with pytest.raises(TypeError, match="pickled"):
        pickle.dumps(key)


def test_a_shared_secret_has_no_public_half_and_a_public_key_no_secret() -> None:
    with pytest.raises(TypeError, match="shared secret"):
        _ = SigningKey.generate("HS256").jwk
    with pytest.raises(TypeError, match="public key"):
        _ = FakeIssuer(alg="ES256").secret


def test_coordinates_have_the_full_length_even_if_they_begin_with_zeros() -> None:
    """RFC 7518 section 6.2.1.2; every other P-521 coordinate begins with a zero byte."""
    published = [SigningKey.generate("ES512").jwk for _ in range(20)]
    assert {len(key[name]) for key in published for name in "xy"} == {88}


@pytest.mark.parametrize("alg", ["none", "ES256K", "RS1", ""])
def test_other_algorithms_are_refused(alg: str) -> None:
    with pytest.raises(ValueError, match="cannot sign"):
        FakeIssuer(alg=alg)
    with pytest.raises(ValueError, match="cannot sign"):
        SigningKey(alg, b"x" * 64)


def test_a_key_of_another_type_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot sign ES384"):
        SigningKey("ES384", SigningKey.generate("ES256").private)


def test_the_thumbprint_is_that_of_rfc_7638() -> None:
    key = SigningKey.generate("RS256")
    assert thumbprint(key) == joserfc_jwk.import_key(key.jwk).thumbprint()


def test_a_given_key_decides_the_algorithm() -> None:
    key = SigningKey.generate("ES384", kid="mine")
    issuer = FakeIssuer(key=key)
    assert (issuer.alg, issuer.key) == ("ES384", key)


# Documents from memory


@pytest.mark.parametrize(
    ("issuer", "places"),
    [
        (
            "https://id.example.test",
            ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"],
        ),
        (
            "https://id.example.test/",
            ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"],
        ),
        (
            "https://id.example.test/realms/acme",
            [
                "/realms/acme/.well-known/openid-configuration",
                "/.well-known/oauth-authorization-server/realms/acme",
                "/.well-known/openid-configuration/realms/acme",
            ],
        ),
    ],
)
def test_metadata_is_where_openid_and_rfc_8414_put_it(issuer: str, places: list[str]) -> None:
    fake = FakeIssuer(issuer, alg="ES256")
    for place in places:
        answer = fetch(fake, "https://id.example.test" + place)
        assert answer.status == 200
        assert json.loads(answer.body) == fake.metadata
        assert fake.metadata["issuer"] == issuer
    assert json.loads(fetch(fake, fake.metadata["jwks_uri"]).body) == fake.jwks


def test_fetches_are_counted_in_order_whatever_the_answer() -> None:
    issuer = FakeIssuer(alg="ES256")
    urls = [f"{ISSUER}/.well-known/openid-configuration", f"{ISSUER}/nowhere", issuer.jwks_uri]
    assert [fetch(issuer, url).status for url in urls] == [200, 404, 200]
    assert issuer.fetches == urls


def test_urls_that_an_application_spells_out_are_answered_too() -> None:
    issuer = FakeIssuer(
        alg="ES256", jwks_uri="https://keys.example.test/v1", metadata_url="https://internal.example.test/meta"
    )
    assert json.loads(fetch(issuer, "https://keys.example.test/v1").body) == issuer.jwks
    assert json.loads(fetch(issuer, "https://internal.example.test/meta").body)["jwks_uri"].startswith("https://keys.")


@pytest.mark.parametrize("url", ["https://elsewhere.test/jwks.json", "http://id.example.test/jwks.json"])
def test_there_is_no_network_behind_it(url: str) -> None:
    issuer = FakeIssuer(alg="ES256")
    with pytest.raises(FetchFailed, match="no network in this test"):
        fetch(issuer, url)
    assert issuer.fetches == []


def test_several_issuers_answer_side_by_side() -> None:
    one, two = FakeIssuer("https://one.test", alg="ES256"), FakeIssuer("https://two.test", alg="ES256")
    both = MemoryHttp(one, two)
    assert json.loads(fetch(both, two.jwks_uri).body) == two.jwks
    with one.go_down(), pytest.raises(FetchFailed, match=r"one\.test is down"):
        fetch(both, one.jwks_uri)
    assert (one.fetches, two.fetches) == ([one.jwks_uri], [two.jwks_uri])


# Outages


def test_an_outage_lasts_until_it_comes_up() -> None:
    issuer = FakeIssuer(alg="ES256")
    issuer.go_down()
    assert repr(issuer) == f"<FakeIssuer {ISSUER} ES256 down>"
    with pytest.raises(FetchFailed):
        fetch(issuer, issuer.jwks_uri)
    issuer.come_up()
    assert fetch(issuer, issuer.jwks_uri).status == 200
    assert len(issuer.fetches) == 2


def test_an_outage_can_be_a_block_and_ends_with_an_error_in_it_too() -> None:
    issuer = FakeIssuer(alg="ES256")
    during = []

    def fail_during_an_outage() -> None:
        with issuer.go_down() as same:
            during.append((same is issuer, issuer.is_down))
            raise KeyError

    with pytest.raises(KeyError):
        fail_during_an_outage()
    assert during == [(True, True)]
    assert not issuer.is_down


# Real HTTP


@pytest.fixture
def served() -> Iterator[tuple[FakeIssuer, str]]:
    issuer = FakeIssuer("https://id.example.test/realm", alg="ES256", jwks_uri="https://id.example.test/keys")
    with issuer.serve() as base_url:
        yield issuer, base_url


def test_serving_makes_the_address_the_issuer(served: tuple[FakeIssuer, str]) -> None:
    issuer, base_url = served
    assert issuer.issuer == base_url
    assert parts(issuer.token())[1]["iss"] == base_url
    status, headers, body = get(f"{base_url}/.well-known/openid-configuration")
    assert (status, headers["content-type"], json.loads(body)) == (200, "application/json", issuer.metadata)
    assert json.loads(get(issuer.metadata["jwks_uri"])[2]) == issuer.jwks
    origin = base_url.removesuffix("/realm")
    assert issuer.fetches == [f"{base_url}/.well-known/openid-configuration", f"{origin}/keys"]


def test_after_serving_the_issuer_is_what_it_was() -> None:
    issuer = FakeIssuer("https://id.example.test/realm", alg="ES256", jwks_uri="https://id.example.test/keys")
    with issuer.serve() as base_url:
        pass
    assert (issuer.issuer, issuer.jwks_uri) == ("https://id.example.test/realm", "https://id.example.test/keys")
    with pytest.raises(ConnectionRefusedError):
        get(base_url)


def test_an_outage_is_503_over_http_and_an_unknown_path_404(served: tuple[FakeIssuer, str]) -> None:
    issuer, base_url = served
    with issuer.go_down():
        assert get(issuer.jwks_uri)[0] == 503
    assert get(issuer.jwks_uri)[0] == 200
    assert get(f"{base_url}/nowhere")[0] == 404


def test_head_has_the_length_and_no_body(served: tuple[FakeIssuer, str]) -> None:
    """Over a bare socket: http.client would hide a body."""
    where = urlsplit(served[1])
    with socket.create_connection((where.hostname, where.port), timeout=5) as connection:
        connection.sendall(b"HEAD /keys HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK")
    assert f"Content-Length: {len(json.dumps(served[0].jwks))}".encode() in head
    assert body == b""


def test_nothing_is_written_to_stderr(served: tuple[FakeIssuer, str], capfd: pytest.CaptureFixture[str]) -> None:
    get(served[0].jwks_uri)
    assert capfd.readouterr() == ("", "")


def test_a_taken_port_is_an_error_and_leaves_the_issuer_alone() -> None:
    issuer = FakeIssuer(alg="ES256")
    with (
        LoopbackServer(issuer.answer) as base_url,
        pytest.raises(OSError, match="in use"),
        issuer.serve(urlsplit(base_url).port or 0),
    ):
        pytest.fail("two servers on one port")  # pragma: no cover
    assert issuer.issuer == ISSUER


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "example.com", ""])
def test_it_listens_on_loopback_only(host: str) -> None:
    with pytest.raises(ValueError, match="not a loopback address"), FakeIssuer(alg="ES256").serve(host=host):
        pytest.fail("listening beyond loopback")  # pragma: no cover


def test_localhost_is_the_name_in_the_url() -> None:
    with FakeIssuer(alg="ES256").serve(host="localhost") as base_url:
        assert base_url.startswith("http://localhost:")
        assert get(f"{base_url}/jwks.json")[0] == 200


def test_ipv6_loopback_is_loopback() -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    with FakeIssuer(alg="ES256").serve(host="::1") as base_url:
        assert base_url.startswith("http://[::1]:")
        assert get(f"{base_url}/jwks.json")[0] == 200


def test_a_client_that_hangs_up_is_not_reported_but_a_bug_is(capfd: pytest.CaptureFixture[str]) -> None:
    def broken(url: str) -> Fetched:
        raise ConnectionResetError if url.endswith("/gone") else LookupError("a bug")

    with LoopbackServer(broken) as base_url:
        for path, reported in (("/gone", False), ("/bug", True)):
            with pytest.raises(http.client.RemoteDisconnected):
                get(base_url + path)
            assert ("LookupError" in capfd.readouterr().err) is reported


# Opaque tokens


def introspect(url: str, token: str) -> Any:
    """What the endpoint says, over HTTP."""
    where = urlsplit(url)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=5)
    connection.request("POST", where.path, urlencode({"token": token}))
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read() or "null")


def test_opaque_tokens_are_resolved_until_they_end_or_are_revoked() -> None:
    clock = FrozenClock(1_790_000_000)
    issuer = FakeIssuer(alg="ES256", audience="api", clock=clock)
    token, other = issuer.opaque_token(sub="ada", scope="a"), issuer.opaque_token({"x:y": 1}, exp=None)
    auth = Auth(
        Introspection(issuer=issuer.issuer, client_id="api", client_secret="s", audience="api", cache_seconds=0)
    )
    with issuer.connect(auth):
        assert (auth.verify(token).subject, auth.verify(token).scopes) == ("ada", ("a",))
        assert auth.verify(other).claims["x:y"] == 1
        for unknown in ("x", issuer.token()[:20]):
            with pytest.raises(TokenInvalid):
                auth.verify(unknown)
        clock.advance(300)
        issuer.revoke(other)
        for gone in (token, other):
            with pytest.raises(TokenInvalid):
                auth.verify(gone)


def test_they_are_resolved_over_http_too(served: tuple[FakeIssuer, str]) -> None:
    issuer, base_url = served
    token = issuer.opaque_token(sub="ada")
    status, said = introspect(issuer.introspection_endpoint, token)
    assert (status, said["active"], said["sub"]) == (200, True, "ada")
    assert introspect(issuer.introspection_endpoint, "x") == (200, {"active": False})
    assert introspect(f"{base_url}/nowhere", token) == (404, None)
    with issuer.go_down():
        assert introspect(issuer.introspection_endpoint, token) == (503, None)


# The package


def test_every_public_name_is_there_and_others_are_not() -> None:
    for name in bearerkit.testing.__all__:
        assert getattr(bearerkit.testing, name).__name__ == name
    assert dir(bearerkit.testing) == sorted(bearerkit.testing.__all__)
    with pytest.raises(AttributeError, match="FakeIsuer"):
        _ = bearerkit.testing.FakeIsuer  # type: ignore[attr-defined]
