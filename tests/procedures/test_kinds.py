"""Which kind a credential is of: exactly one is asked, by place, prefix or shape, and none after it."""

from __future__ import annotations

from base64 import b64encode, urlsafe_b64encode
from typing import Any

import pytest

from auth_doubles import ISSUER, NOW, auth, token
from bearerkit import ApiKeys, Auth, AuthContext, ConfigError, InternalSecret, Issuer, Request, Sessions, live
from bearerkit.errors import (
    CredentialsMissing,
    InvalidRequest,
    IssuerMismatch,
    Malformed,
    PermissionDenied,
    Revoked,
    TokenInvalid,
)
from bearerkit.http import Headers
from bearerkit.ports import Waits
from bearerkit.testing import FrozenClock, SigningKey
from bearerkit.verify.kind import Kind, KindSettings
from bearerkit.verify.world import World

KEY = SigningKey.generate("ES256", kid="k1")
OURS = Issuer(ISSUER, audience="api", keys={"keys": [KEY.jwk]})


class Asked(Kind):
    """Takes everything, and remembers what it was asked."""

    def __init__(self, name: str, cross_site: bool) -> None:
        self.name, self.cross_site, self.asked, self.closed = name, cross_site, [], False

    def at_once(self, credential: str) -> AuthContext | None:
        return None

    async def verify(self, credential: str, waits: Waits) -> AuthContext:
        self.asked.append(credential)
        if credential.endswith("bad"):
            raise TokenInvalid("bad")
        return AuthContext({"sub": self.name}, credential_kind=self.name)

    def check(self, request: Request) -> None:
        if self.cross_site:
            raise PermissionDenied("another site")

    def describe(self) -> str:
        return f"{self.name}: here"

    def close(self) -> None:
        self.closed = True


class Settings(KindSettings):
    """A kind as configured; `kind` is what `Auth` made of it last."""

    def __init__(self, name: str, *, cross_site: bool = False, **places: Any) -> None:
        self.name, self.cross_site = name, cross_site
        for place, value in places.items():
            setattr(self, place, value)

    def enter(self, world: World) -> Kind:
        self.kind = Asked(self.name, self.cross_site)
        return self.kind

    def warnings(self) -> tuple[str, ...]:
        return (f"mind {self.name}",)


def asking(*verifiers: Any, **headers: str) -> AuthContext:
    fields = Headers([(name.replace("_", "-"), value) for name, value in headers.items()])
    return auth(*verifiers).authorize(Request("GET", "/", fields))


def test_a_prefix_names_the_kind_and_the_longest_wins() -> None:
    """Whatever else would take tokens without a prefix, or JWTs."""
    short, long, rest = (
        Settings("a", prefixes=("k_",)),
        Settings("b", prefixes=("k_live_",)),
        Settings("c", unprefixed=True),
    )
    for presented, name in (("k_1", "a"), ("k_live_1", "b"), ("K_1", "c"), ("opaque", "c"), ("a.b.c", "c")):
        assert asking(OURS, short, long, rest, authorization=f"Bearer {presented}").subject == name
    assert rest.kind.asked == ["a.b.c"]


def test_nothing_is_tried_twice() -> None:
    """A refusal by its kind is the answer, though another would have taken it."""
    one, other = Settings("a", prefixes=("k_",)), Settings("b", unprefixed=True)
    with pytest.raises(TokenInvalid):
        asking(one, other, authorization="Bearer k_bad")
    assert (one.kind.asked, other.kind.asked) == (["k_bad"], [])


@pytest.mark.parametrize("issuer", ["https://elsewhere.test", None, 5, "https://id.example.test/"])
def test_a_jwt_of_an_unknown_issuer_is_sent_nowhere(issuer: Any) -> None:
    """Not to the kind for tokens without a prefix either."""
    rest = Settings("c", unprefixed=True)
    with pytest.raises(IssuerMismatch):
        asking(OURS, rest, authorization=f"Bearer {token(KEY, iss=issuer)}")
    with pytest.raises(TokenInvalid):
        asking(rest, authorization=f"Bearer {token(KEY, iss=issuer)}")
    assert rest.kind.asked == []


@pytest.mark.parametrize(
    "header",
    [
        b'{ "alg":"ES256"}',
        b'{\n"alg":"ES256"}',
        b' \n{"alg":"ES256"}',
        b'{\t"alg":"ES256"}',
        b'{"alg":"\xff\xbe"}',
        b"{}",
    ],
)
@pytest.mark.parametrize("parts", [3, 4, 5])
def test_what_means_to_be_a_jwt_is_sent_nowhere_however_it_is_written(header: bytes, parts: int) -> None:
    """White space in its header, the other alphabet, padding: it is somebody's token, and refused here."""
    rest = Settings("c", unprefixed=True)
    for encode in (urlsafe_b64encode, b64encode):
        for first in (encode(header).decode(), encode(header).decode().rstrip("=")):
            presented = ".".join([first, token(KEY).split(".")[1], *["c2ln"] * (parts - 2)])
            with pytest.raises((TokenInvalid, InvalidRequest)):
                asking(OURS, rest, authorization=f"Bearer {presented}")
    assert rest.kind.asked == []


def test_opaque_tokens_with_dots_are_opaque() -> None:
    """What is no encoded object before its first dot."""
    for presented in ("a.b.c", "v1.local.abc", "9f.aa.bb.cc.dd", "e30", "eyJhbGciOiJIUzI1NiJ9", "eyJ.x", ".."):
        rest = Settings("c", unprefixed=True)
        assert asking(OURS, rest, authorization=f"Bearer {presented}").subject == "c"


def test_jwts_of_an_issuer_may_be_of_a_kind() -> None:
    """By the exact issuer, and only where no `Issuer` verifies them."""
    kind = Settings("c", issuer=ISSUER)
    assert asking(kind, authorization=f"Bearer {token(KEY)}").subject == "c"
    assert asking(OURS, kind, authorization=f"Bearer {token(KEY)}").subject == "u1"
    for broken in ("eyJ.a.b", f"{token(KEY)[:30]}.e30.e30", token(KEY).replace(".", ".@", 1)):
        with pytest.raises((TokenInvalid, InvalidRequest)):
            asking(kind, authorization=f"Bearer {broken}")
    assert kind.kind.asked == []


def test_what_nobody_takes_is_malformed() -> None:
    """As ever."""
    with pytest.raises(Malformed):
        asking(OURS, Settings("a", prefixes=("k_",)), authorization="Bearer opaque")


def test_a_cookie_is_read_where_there_is_no_bearer_token() -> None:
    """The header wins; a cookie that is there twice is refused, and one that another site sent."""
    kind = Settings("s", cookie="sid")
    assert asking(OURS, kind, cookie="a=1; sid=abc; b=2").subject == "s"
    assert kind.kind.asked == ["abc"]
    assert asking(OURS, kind, cookie="sid=abc", authorization=f"Bearer {token(KEY)}").subject == "u1"
    with pytest.raises(InvalidRequest):
        asking(OURS, kind, cookie="sid=abc; sid=def")
    with pytest.raises(PermissionDenied):
        asking(Settings("s", cookie="sid", cross_site=True), cookie="sid=abc")
    for cookies in ("sid2=abc", "sid", "xsid=1"):
        with pytest.raises(CredentialsMissing):
            asking(OURS, kind, cookie=cookies)
    assert Auth(kind).authorize(Request("GET", "/", Headers([])), optional=True).is_anonymous


def test_a_header_of_its_own_goes_with_nothing_else() -> None:
    """Two credentials are one too many."""
    kind, session = Settings("i", header="x-internal-secret"), Settings("s", cookie="sid")
    assert asking(OURS, kind, session, x_internal_secret="abc").subject == "i"
    for other in ({"authorization": f"Bearer {token(KEY)}"}, {"cookie": "sid=abc"}):
        with pytest.raises(InvalidRequest):
            asking(OURS, kind, session, x_internal_secret="abc", **other)
    assert asking(OURS, kind, session, authorization=f"Bearer {token(KEY)}").subject == "u1"


def test_kinds_that_cannot_stand_beside_each_other() -> None:
    """All problems at once."""
    with pytest.raises(ConfigError) as raised:
        Auth(
            Settings("a", unprefixed=True, prefixes=("k_",), cookie="sid"),
            Settings("b", unprefixed=True, prefixes=("k_",), cookie="sid"),
        )
    assert len(raised.value.problems) == 3
    for prefix in ("e", "ey", "eyJ", "eyJhbGciOi"):
        with pytest.raises(ConfigError, match="would take JWTs"):
            Auth(OURS, Settings("a", prefixes=(prefix,)))
    Auth(OURS, Settings("a", prefixes=("eyes_", "E", "k_")))
    with pytest.raises(ConfigError):
        Auth(object())  # type: ignore[arg-type]


def test_what_an_operator_sees(caplog: pytest.LogCaptureFixture) -> None:
    """Warnings at the start, a line in `describe`, and the end."""
    kind = Settings("a", unprefixed=True)
    whole = auth(OURS, kind)
    assert "mind a" in caplog.text
    assert "a: here" in whole.describe()
    whole.close()
    assert kind.kind.closed
    whole.forget(token="opaque")
    whole.forget(identity_id="i1")


def test_every_kind_of_ours_can_be_asked_live() -> None:
    """Past what is remembered; what is gone is Revoked."""
    sessions = {"0123456789abcdef": {"sub": "ada"}}
    clock = FrozenClock(NOW)
    session = auth(Sessions(sessions.get, cookie="sid", cache_ttl=60), clock=clock)
    keys = {"k_0123456789abcdef0123456789abcdef": {"sub": "bob"}}
    key = auth(ApiKeys(prefix="k_", resolver=keys.get, cache_seconds=60), clock=clock)
    secret = auth(InternalSecret("of-the-tests-0123456789-abcdefghij"))
    cookie = Request("GET", "/", Headers([("cookie", "sid=0123456789abcdef")]))
    bearer = Request("GET", "/", Headers([("authorization", "Bearer k_0123456789abcdef0123456789abcdef")]))
    inside = Request("GET", "/", Headers([("x-internal-secret", "of-the-tests-0123456789-abcdefghij")]))
    for whole, request in ((session, cookie), (key, bearer), (secret, inside)):
        assert whole.authorize(request, live()).is_authenticated
    sessions.clear(), keys.clear()
    for whole, request in ((session, cookie), (key, bearer)):
        fresh = Request("GET", "/", request.headers)
        assert whole.authorize(fresh).is_authenticated
        with pytest.raises(Revoked):
            whole.authorize(Request("GET", "/", request.headers), live())
        with pytest.raises(TokenInvalid):  # what was remembered is gone with it
            whole.authorize(Request("GET", "/", request.headers))
