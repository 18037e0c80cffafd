"""What every framework must answer, as data: one application, and requests with the answers they get.

The application is described by `ROUTES`; each framework builds it in a driver of its own (drivers.py). A row of
`SCENARIOS` says which token is sent how, and which status, header fields and body come back. No framework is named
here: a new one is held against the same rows.
"""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl

from bearerkit import (
    ApiKeys,
    Auth,
    AuthContext,
    InternalSecret,
    Introspection,
    Issuer,
    Requirement,
    Sessions,
    access_valid,
    any_role,
    any_scope,
    can,
    custom,
    email_verified,
    fresh,
    live,
    permission,
    principal,
    role,
    scope,
    service,
    tenant,
    tier,
)
from bearerkit._drive import run
from bearerkit.api_key.form import OwnForm
from bearerkit.api_key.peppers import Peppers
from bearerkit.errors import (
    AccessExpired,
    BearerkitError,
    InsufficientScope,
    KeysUnavailable,
    PermissionDenied,
    TenantUnknown,
)
from bearerkit.http import Fetch, Fetched, FetchFailed, Headers, Request, Response
from bearerkit.policy import Policy
from bearerkit.stores.memory import MemoryApiKeys
from bearerkit.testing import FakeIssuer
from bearerkit.testing.api_key_stores import record

AUDIENCE = "orders-api"
ISSUER = FakeIssuer("https://id.example.test", alg="ES256", audience=AUDIENCE)
STRANGER = FakeIssuer("https://id.example.test", alg="ES256", audience=AUDIENCE)
METADATA = "https://api.example.test/.well-known/oauth-protected-resource"


@dataclass(frozen=True)
class User:
    """A user of the team's own."""

    name: str
    is_active: bool = True


USERS = {"user": User("Ada"), "gone": User("Bob", is_active=False)}


def load_user(ctx: AuthContext) -> User | None:
    """The loader given as `user=`."""
    return USERS.get(ctx.subject or "")


def rendered(refusal: BearerkitError, response: Response) -> Response:
    """The renderer given as `render=`: another body, and an attempt at the status that must come to nothing."""
    return Response(200, (("WWW-Authenticate", "None"),)).with_body({"oops": refusal.reason})


def _is_weekday(ctx: AuthContext, request: Request) -> bool:
    return request.query == "day=monday"


def _explodes(ctx: AuthContext, request: Request) -> bool:
    raise KeyError("a bug of the team")


SERVICES = {"acme": ["envoi"], "blue": []}
"""Of each tenant; of another one the store of the team does not know."""


def _services_of(ctx: AuthContext, request: Request) -> list[str]:
    return SERVICES[request.path_params["tenant_id"]]


def _permissions_of(ctx: AuthContext, request: Request) -> set[str]:
    return {"billing.read"} if ctx.subject == "ada" else set()


def _tier_of(ctx: AuthContext, request: Request) -> str | None:
    return "pro" if ctx.subject == "ada" else None


def _access_of(ctx: AuthContext, request: Request) -> bool:
    if ctx.subject == "locked":
        raise AccessExpired("by an administrator", reason="account_locked")
    return ctx.subject == "ada"


class Policies:
    """A policy source: one document for everybody, or an outage."""

    def __init__(self, document: Any) -> None:
        self.policy = None if document is None else Policy.parse(document)

    async def policies_for(self, context: AuthContext) -> Policy:
        """The document in force."""
        if self.policy is None:
            raise OSError("the store of policies is down")
        return self.policy


class Introspected:
    """An introspection endpoint that knows four tokens by name."""

    async def fetch(self, fetch: Fetch) -> Fetched:
        """What it says."""
        token = dict(parse_qsl((fetch.body or b"").decode()))["token"]
        if token == "op-outage":
            raise FetchFailed("down")
        known = {"op-ada": AUDIENCE, "op-other": "another-api"}
        said: dict[str, Any] = {"active": False}
        if token in known:
            said = {"active": True, "sub": "ada", "aud": known[token], "scope": "orders:read", "tenant_id": "acme"}
        return Fetched(200, Headers([("content-type", "application/json")]), json.dumps(said).encode())


class Live:
    """An introspection endpoint that answers for the tokens of `ISSUER` by what stands in them."""

    async def fetch(self, fetch: Fetch) -> Fetched:
        """Which of them are still active."""
        payload = dict(parse_qsl((fetch.body or b"").decode()))["token"].split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        if claims["sub"] == "outage":
            raise FetchFailed("down")
        said = {"active": claims["sub"] != "revoked"} | {name: claims[name] for name in ("iss", "aud", "sub", "exp")}
        if claims["sub"] == "narrowed":
            said["scope"] = "orders:list"
        return Fetched(200, Headers([("content-type", "application/json")]), json.dumps(said).encode())


PEPPERS = {1: bytes(range(32))}
API_KEY = OwnForm("acme_live_").make(bytes(range(35)))
REVOKED_KEY = OwnForm("acme_live_").make(bytes(range(1, 36)))
UNKNOWN_KEY = OwnForm("acme_live_").make(bytes(range(2, 37)))
"""The same in every process."""


def _key_store() -> MemoryApiKeys:
    store = MemoryApiKeys()
    for made, revoked_at in ((API_KEY, None), (REVOKED_KEY, 1.0)):
        of = record(made.id, scopes=("orders:read",), expires_at=None, revoked_at=revoked_at)
        run(store.add(replace(of, hashed=Peppers(PEPPERS).hash(made.text))))
    return store


class _KeysDown(MemoryApiKeys):
    async def find(self, key: str) -> Any:
        raise OSError("the store of API keys is down")


DOCUMENT = {
    "version": "1.0",
    "statements": [
        {
            "effect": "Allow",
            "principals": ["role:reader"],
            "actions": ["documents.*"],
            "resources": ["document/a*"],
            "conditions": [{"op": "StringEquals", "key": "request.method", "values": ["GET"]}],
        },
        {"effect": "Deny", "principals": ["user:u9"], "actions": ["*"], "resources": ["*"]},
    ],
}


@dataclass(frozen=True)
class Route:
    """One route of the application. The handler answers with the caller's subject and tenant, or raises `raises`."""

    need: Requirement | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    auth: str = "main"
    raises: Callable[[], Exception] | None = None
    methods: tuple[str, ...] = ("GET",)
    own_page: bool = False
    """The guard has `not_found=`, which gives the framework's own 404: `OWN_PAGE` as JSON."""


OWN_PAGE = {"page": "of the team"}
SECRET = "of-the-scenarios-0123456789-abcdefg"
SESSION = "of-ada-0123456789"
SESSIONS: Mapping[str, Any] = {SESSION: {"sub": "ada", "tenant_id": "acme"}}
KEYS = "BEARERKIT_SCENARIO_KEYS"
"""Where a child process finds the keys of `ISSUER`, which are new in each process."""


def build_auths() -> dict[str, Auth]:
    """The `Auth` objects of the application, by the name that routes use."""
    issuer = Issuer(ISSUER.issuer, audience=AUDIENCE, keys=json.loads(os.environ.get(KEYS) or json.dumps(ISSUER.jwks)))
    down = FakeIssuer("https://id.example.test", alg="ES256")
    down.go_down()
    return {
        "main": Auth(issuer),
        "documented": Auth(issuer, realm='the "orders" API', resource_metadata=METADATA),
        "down": Auth(Issuer(down.issuer, audience=AUDIENCE), http=down.http),
        "cookies": Auth(Sessions(SESSIONS.get, cookie="sid")),
        "kinds": Auth(issuer, Sessions(SESSIONS.get, cookie="sid"), InternalSecret(SECRET)),
        "policies": Auth(issuer, policies=Policies(DOCUMENT)),
        "no policies": Auth(issuer, policies=Policies(None)),
        "opaque": Auth(
            issuer,
            Introspection(
                f"{ISSUER.issuer}/introspect", client_id="orders", client_secret="s", audience=AUDIENCE, prefixes="op-"
            ),
            http=Introspected(),
        ),
        "hybrid": Auth(
            issuer,
            Introspection(
                f"{ISSUER.issuer}/introspect",
                issuer=ISSUER.issuer,
                client_id="orders",
                client_secret="s",
                audience=AUDIENCE,
            ),
            http=Live(),
        ),
        "keys": Auth(issuer, ApiKeys(prefix="acme_live_", store=_key_store(), peppers=PEPPERS)),
        "keys down": Auth(ApiKeys(prefix="acme_live_", store=_KeysDown(), peppers=PEPPERS)),
    }


ROUTES: Mapping[str, Route] = {
    "/me": Route(methods=("GET", "POST")),
    "/orders": Route(scope("orders:read")),
    "/both": Route(scope("orders:read", "orders:write")),
    "/either": Route(any_scope("orders:read", "orders:write")),
    "/admin": Route(role("admin")),
    "/staff": Route(any_role("admin", "support")),
    "/alternatives": Route(scope("orders:read") | role("admin")),
    "/machines": Route(principal("service")),
    "/tenants/{tenant_id}/orders": Route(scope("orders:read") & tenant(path="tenant_id")),
    "/own-page/{tenant_id}": Route(tenant(path="tenant_id"), own_page=True),
    "/mine": Route(tenant(header="X-Tenant")),
    "/asked": Route(tenant(query="tenant")),
    "/recent": Route(fresh(300, acr="urn:mfa")),
    "/weekdays": Route(custom(_is_weekday, description="a weekday")),
    "/broken": Route(custom(_explodes, description="a check with a bug")),
    "/optional": Route(options={"optional": True}),
    "/optional/orders": Route(scope("orders:read"), {"optional": True}),
    "/user": Route(options={"user": load_user}),
    "/rendered": Route(scope("orders:read"), {"render": rendered}),
    "/documented": Route(scope("orders:read"), auth="documented"),
    "/down": Route(auth="down"),
    "/documents/{tenant_id}": Route(
        can("documents.read", "document/{tenant_id}"), auth="policies", methods=("GET", "POST")
    ),
    "/scoped/{tenant_id}": Route(scope("orders:read") & can("documents.read", "document/{tenant_id}"), auth="policies"),
    "/policies-down": Route(auth="no policies"),
    "/no-policies": Route(can("documents.read", "document/a1")),
    "/verified": Route(email_verified()),
    "/envoi": Route(service("envoi")),
    "/envoi/{tenant_id}": Route(service("envoi", load=_services_of) & tenant(path="tenant_id")),
    "/tenantless/{tenant_id}": Route(service("envoi", load=_services_of)),
    "/billing": Route(permission("billing.read")),
    "/billing/loaded": Route(permission("billing.read", load=_permissions_of)),
    "/plans": Route(tier("pro", "enterprise")),
    "/plans/loaded": Route(tier("pro", "enterprise", load=_tier_of)),
    "/access": Route(access_valid()),
    "/access/loaded": Route(access_valid(load=_access_of)),
    "/live": Route(live(), auth="hybrid"),
    "/live/orders": Route(scope("orders:read", live=True), auth="hybrid"),
    "/not-live": Route(scope("orders:read"), auth="hybrid"),
    "/opaque": Route(auth="opaque"),
    "/opaque/orders": Route(scope("orders:read"), auth="opaque"),
    "/opaque/write": Route(scope("orders:write"), auth="opaque"),
    "/keyed": Route(scope("orders:read"), auth="keys"),
    "/keyed/writing": Route(scope("orders:write"), auth="keys"),
    "/keyed/down": Route(auth="keys down"),
    "/cookies": Route(auth="cookies"),
    "/kinds": Route(auth="kinds", methods=("GET", "POST")),
    "/refusing": Route(raises=lambda: PermissionDenied("the handler says no")),
    "/refusing/scope": Route(raises=lambda: InsufficientScope("the handler says no", required=["orders:all"])),
    "/refusing/tenant": Route(raises=lambda: TenantUnknown("the handler says no")),
    "/refusing/now": Route(raises=lambda: KeysUnavailable("the handler cannot tell", retry_after=7)),
}

CLOSED_EXEMPT = ("/health", "/static/*", "/caf\xe9")
CLOSED_NEED = scope("orders:read")
CLOSED_ROUTES = ("/health", "/health/", "/static/{name}", "/caf\xe9", "/me")
"""A second application: no guard on any route, `BearerMiddleware` with `CLOSED_NEED` around all of them."""


@dataclass(frozen=True)
class Answer:
    """What came back. `headers` is the set of (lower-case name, value), without framing and server fields."""

    status: int
    headers: frozenset[tuple[str, str]]
    body: Any


@dataclass(frozen=True)
class Scenario:
    """One row. `{token}` in a header value becomes a token made of `claims`."""

    name: str
    path: str
    status: int
    claims: Mapping[str, Any] | None = None
    headers: tuple[tuple[str, str], ...] | None = None
    method: str = "GET"
    query: str = ""
    signer: FakeIssuer = ISSUER
    token: str | None = None
    challenge: str | None = None
    more: tuple[tuple[str, str], ...] = ()
    body: Any = None
    sends: bytes = b""
    closed: bool = False
    """Asked of the second application."""
    served: bool = False
    """Asked of real servers too."""

    @property
    def sent(self) -> tuple[tuple[str, str], ...]:
        """The header fields of the request."""
        if self.headers is None and self.claims is None and self.token is None:
            return ()
        token = self.signer.token(**(self.claims or {})) if self.token is None else self.token
        headers = (("Authorization", "Bearer {token}"),) if self.headers is None else self.headers
        return tuple((name, value.replace("{token}", token)) for name, value in headers)

    @property
    def expected(self) -> Answer:
        """The answer, in full."""
        if self.status == 200 or self.body == OWN_PAGE:
            return Answer(self.status, frozenset(), self.body)
        fields = {("cache-control", "no-store"), *self.more}
        fields.add(("content-type", "application/problem+json" if self.body is None else "application/json"))
        if self.challenge is not None:
            fields.add(("www-authenticate", self.challenge))
        title, detail = PROBLEMS[self.status] if self.body is None else ("", "")
        problem = {"type": "about:blank", "title": title, "status": self.status, "detail": self._public or detail}
        return Answer(self.status, frozenset(fields), problem if self.body is None else self.body)

    @property
    def _public(self) -> str | None:
        if self.challenge is None or "error_description=" not in self.challenge:
            return None
        return self.challenge.partition('error_description="')[2].partition('"')[0]


PROBLEMS = {
    400: ("Bad Request", ""),
    401: ("Unauthorized", "Authentication is required."),
    403: ("Forbidden", "You are not allowed to do this."),
    404: ("Not Found", "Not found."),
    503: ("Service Unavailable", "The service cannot check credentials at the moment."),
}

BARE = 'Bearer realm="api"'


def _error(code: str, description: str, more: str = "") -> str:
    return f'{BARE}, error="{code}", error_description="{description}"{more}'


INVALID = _error("invalid_token", "The access token is invalid.")
REVOKED = _error("invalid_token", "The access token was revoked.")
MALFORMED = _error("invalid_token", "The access token is malformed.")
NOT_YET = _error("invalid_token", "The access token is not valid yet.")
EXPIRED = _error("invalid_token", "The access token has expired.")
REVOKED = _error("invalid_token", "The access token was revoked.")
SEVERAL = _error("invalid_request", "The request carries a malformed or more than one credential.")
ENDED = _error("invalid_token", "The session is unknown or has ended.")
STEP_UP = _error(
    "insufficient_user_authentication",
    "A more recent or stronger authentication is required.",
    ', acr_values="urn:mfa", max_age="300"',
)


def _lacks(scopes: str) -> str:
    return _error("insufficient_scope", "The access token does not carry the required scope.", f', scope="{scopes}"')


def _is(subject: str | None = "user", tenant_id: str | None = None, **more: Any) -> dict[str, Any]:
    return {"subject": subject, "tenant": tenant_id, **more}


LOGOUT = "http://schemas.openid.net/event/backchannel-logout"
READER = {"scope": "orders:read"}
ACME = {"tenant_id": "acme"}
MEMBER = {"tenant_id": "home", "memberships": ["acme", "blue"]}
PREFLIGHT = (("Origin", "https://shop.example.test"), ("Access-Control-Request-Method", "GET"))
COOKIE = ("Cookie", f"theme=dark; sid={SESSION}")
BEARER = ("Authorization", "Bearer {token}")
INTERNAL = ("X-Internal-Secret", SECRET)
ELSEWHERE = (("Sec-Fetch-Site", "cross-site"), ("Origin", "https://evil.example.test"))
UNSIGNED = ISSUER.token().rpartition(".")[0] + "."
OLD = {"iat": 1_000_000_000, "exp": 1_000_000_300}

SCENARIOS: tuple[Scenario, ...] = (
    # Who is calling
    Scenario("nothing is sent", "/me", 401, challenge=BARE, served=True),
    Scenario("a good token", "/me", 200, {}, body=_is()),
    Scenario("tenant and subject", "/me", 200, {"sub": "u7", "tenant_id": "acme"}, body=_is("u7", "acme")),
    Scenario("POST is guarded as GET is", "/me", 401, method="POST", challenge=BARE),
    Scenario("a good POST", "/me", 200, {}, method="POST", body=_is(), served=True),
    Scenario(
        "the scheme ignores case", "/me", 200, {}, (("authorization", "bEARER {token}"),), body=_is(), served=True
    ),
    Scenario("another scheme is no credential", "/me", 401, {}, (("Authorization", "Basic dTpw"),), challenge=BARE),
    Scenario("no token after the scheme", "/me", 400, {}, (("Authorization", "Bearer"),), challenge=SEVERAL),
    Scenario("two spaces", "/me", 400, {}, (("Authorization", "Bearer  {token}"),), challenge=SEVERAL, served=True),
    Scenario("a quoted token", "/me", 400, {}, (("Authorization", 'Bearer "{token}"'),), challenge=SEVERAL),
    Scenario(
        "a second token behind a comma", "/me", 400, {}, (("Authorization", "Bearer {token},x"),), challenge=SEVERAL
    ),
    Scenario(
        "two Authorization headers",
        "/me",
        400,
        {},
        (("Authorization", "Bearer {token}"), ("Authorization", "Bearer {token}")),
        challenge=SEVERAL,
        served=True,
    ),
    Scenario(
        "a Basic and a Bearer header",
        "/me",
        400,
        {},
        (("Authorization", "Basic dTpw"), ("Authorization", "Bearer {token}")),
        challenge=SEVERAL,
        served=True,
    ),
    Scenario("a token in the query is not read", "/me", 401, query="access_token=x.y.z", challenge=BARE),
    Scenario("a cookie is not read", "/me", 401, {}, (("Cookie", "Authorization={token}"),), challenge=BARE),
    Scenario(
        "bytes beyond ASCII", "/me", 400, {}, (("Authorization", "Bearer t\xf6ken"),), challenge=SEVERAL, served=True
    ),
    Scenario(
        "an empty header is no credential", "/me", 401, headers=(("Authorization", ""),), challenge=BARE, served=True
    ),
    Scenario(
        "a scheme that only begins like ours", "/me", 401, {}, (("Authorization", "Bearers {token}"),), challenge=BARE
    ),
    Scenario(
        "a tab after the scheme",
        "/me",
        400,
        {},
        (("Authorization", "Bearer\t{token}"),),
        challenge=SEVERAL,
        served=True,
    ),
    Scenario("a comma and nothing", "/me", 400, {}, (("Authorization", "Bearer {token},"),), challenge=SEVERAL),
    Scenario(
        "a DPoP credential is another scheme", "/me", 401, {}, (("Authorization", "DPoP {token}"),), challenge=BARE
    ),
    Scenario(
        "a token in the body is not read",
        "/me",
        401,
        headers=(("Content-Type", "application/x-www-form-urlencoded"),),
        method="POST",
        sends=b"access_token=x.y.z",
        challenge=BARE,
        served=True,
    ),
    Scenario(
        "another field is no credential", "/me", 401, {}, (("X-Authorization", "Bearer {token}"),), challenge=BARE
    ),
    # Bad tokens
    Scenario("no JWT", "/me", 401, token="garbage", challenge=MALFORMED),
    Scenario("expired", "/me", 401, OLD, challenge=EXPIRED),
    Scenario("for another API", "/me", 401, {"aud": "billing-api"}, challenge=INVALID),
    Scenario("of another issuer", "/me", 401, {"iss": "https://evil.example.test"}, challenge=INVALID),
    Scenario("signed by a stranger", "/me", 401, {}, signer=STRANGER, challenge=INVALID),
    Scenario("a bad token goes before a missing scope", "/orders", 401, OLD, challenge=EXPIRED),
    Scenario("no signature", "/me", 401, token=UNSIGNED, challenge=MALFORMED),
    Scenario("of 20 kB", "/me", 401, token="x" * 20_000, challenge=MALFORMED, served=True),
    Scenario("not valid yet", "/me", 401, {"nbf": 4_000_000_000}, challenge=NOT_YET),
    Scenario("without an end", "/me", 401, {"exp": None}, challenge=INVALID),
    Scenario("for several APIs, ours among them", "/me", 200, {"aud": ["billing-api", AUDIENCE]}, body=_is()),
    Scenario("a logout token", "/me", 401, {"events": {LOGOUT: {}}}, challenge=INVALID),
    Scenario("bound to a key that nobody proved", "/me", 401, {"cnf": {"jkt": "k"}}, challenge=INVALID),
    # Sessions in cookies
    Scenario("a session", "/kinds", 200, headers=(COOKIE,), body=_is("ada", "acme"), served=True),
    Scenario("no session", "/kinds", 401, headers=(("Cookie", "theme=dark"),), challenge=BARE),
    Scenario("an unknown session", "/kinds", 401, headers=(("Cookie", f"sid={SESSION}x"),), challenge=ENDED),
    Scenario("what is no session id", "/kinds", 401, headers=(("Cookie", "sid="),), challenge=ENDED),
    Scenario("where nothing but cookies is read: none", "/cookies", 401, challenge=BARE),
    Scenario("where nothing but cookies is read: a token", "/cookies", 401, {}, challenge=INVALID),
    Scenario("a session cookie twice", "/kinds", 400, headers=(("Cookie", f"sid=x; {COOKIE[1]}"),), challenge=SEVERAL),
    Scenario("a link of another site", "/kinds", 200, headers=(COOKIE, *ELSEWHERE), body=_is("ada", "acme")),
    Scenario("a form of another site", "/kinds", 403, headers=(COOKIE, *ELSEWHERE), method="POST", served=True),
    Scenario("a form that does not say where it is", "/kinds", 403, headers=(COOKIE,), method="POST"),
    Scenario("a token beside a session", "/kinds", 200, {}, (COOKIE, BEARER), body=_is(), served=True),
    Scenario("a bad token beside a session", "/kinds", 401, OLD, (COOKIE, BEARER), challenge=EXPIRED),
    Scenario("a token of another site", "/kinds", 200, {}, (COOKIE, BEARER, ELSEWHERE[0]), "POST", body=_is()),
    # Secrets between services
    Scenario("a secret", "/kinds", 200, headers=(INTERNAL,), method="POST", body=_is("internal"), served=True),
    Scenario("a wrong secret", "/kinds", 401, headers=(("X-Internal-Secret", f"{SECRET}x"),), challenge=INVALID),
    Scenario("no secret in its field", "/kinds", 401, headers=(("X-Internal-Secret", ""),), challenge=INVALID),
    Scenario("a secret and a token", "/kinds", 400, {}, (INTERNAL, BEARER), challenge=SEVERAL, served=True),
    Scenario("a secret and a session", "/kinds", 400, headers=(INTERNAL, COOKIE), challenge=SEVERAL),
    Scenario("a secret where none is known", "/me", 401, headers=(INTERNAL,), challenge=BARE),
    # Policies
    Scenario("a policy allows", "/documents/a1", 200, {"roles": ["reader"]}, body=_is(), served=True),
    Scenario("on this resource and no other", "/documents/b1", 403, {"roles": ["reader"]}, served=True),
    Scenario("to this role and no other", "/documents/a1", 403, {"roles": ["writer"]}),
    Scenario("with this method and no other", "/documents/a1", 403, {"roles": ["reader"]}, method="POST"),
    Scenario("a deny goes first", "/documents/a1", 403, {"roles": ["reader"], "sub": "u9"}),
    Scenario("a policy allows nobody without a token", "/documents/a1", 401, challenge=BARE),
    Scenario("a star in the path is no name", "/documents/a*", 403, {"roles": ["reader"]}),
    Scenario("a scope is asked for before a policy", "/scoped/b1", 403, {}, challenge=_lacks("orders:read")),
    Scenario("and the policy after the scope", "/scoped/b1", 403, {**READER, "roles": ["reader"]}),
    Scenario("an outage of the policies", "/policies-down", 503, {}, more=(("retry-after", "*"),)),
    Scenario("no policies at all", "/no-policies", 403, {"roles": ["reader"]}),
    # Tokens that the issuer is asked about
    Scenario("an opaque token", "/opaque", 200, token="op-ada", body=_is("ada", "acme"), served=True),
    Scenario("an opaque token with the scope", "/opaque/orders", 200, token="op-ada", body=_is("ada", "acme")),
    Scenario("an opaque token without it", "/opaque/write", 403, token="op-ada", challenge=_lacks("orders:write")),
    Scenario("a JWT where opaque tokens pass too", "/opaque", 200, {}, body=_is()),
    Scenario("an opaque token that is not active", "/opaque", 401, token="op-nobody", challenge=INVALID, served=True),
    Scenario("an opaque token for another API", "/opaque", 401, token="op-other", challenge=INVALID),
    Scenario("an opaque token of another kind", "/opaque", 401, token="xx-ada", challenge=MALFORMED),
    Scenario("an opaque token where none passes", "/me", 401, token="op-ada", challenge=MALFORMED),
    Scenario(
        "the issuer does not answer", "/opaque", 503, token="op-outage", more=(("retry-after", "*"),), served=True
    ),
    # API keys
    Scenario("an API key", "/keyed", 200, token=API_KEY.text, body=_is("u1", "acme"), served=True),
    Scenario("a JWT where API keys may come too", "/keyed", 200, READER, body=_is()),
    Scenario(
        "an API key without the scope", "/keyed/writing", 403, token=API_KEY.text, challenge=_lacks("orders:write")
    ),
    Scenario("an API key that was cut off", "/keyed", 401, token=API_KEY.text[:-1], challenge=MALFORMED, served=True),
    Scenario("an API key that nobody gave out", "/keyed", 401, token=UNKNOWN_KEY.text, challenge=INVALID),
    Scenario("a revoked API key", "/keyed", 401, token=REVOKED_KEY.text, challenge=REVOKED),
    Scenario("an API key where none is taken", "/me", 401, token=API_KEY.text, challenge=MALFORMED),
    Scenario(
        "API keys in an outage", "/keyed/down", 503, token=API_KEY.text, more=(("retry-after", "*"),), served=True
    ),
    Scenario("a bad API key in an outage", "/keyed/down", 401, token=API_KEY.text[:-1], challenge=MALFORMED),
    # What else a credential says, and what is loaded
    Scenario("a verified address", "/verified", 200, {"email_verified": True}, body=_is()),
    Scenario("an address that nobody proved", "/verified", 403, {"email": "a@example.test"}),
    Scenario("an address that is proved by a text", "/verified", 403, {"email_verified": "true"}),
    Scenario("a service in the token", "/envoi", 200, {"services": ["envoi"]}, body=_is()),
    Scenario("another service in the token", "/envoi", 403, {"services": ["envois"]}),
    Scenario("no service in the token", "/envoi", 403, {}),
    Scenario("a service of the tenant", "/envoi/acme", 200, ACME, body=_is("user", "acme"), served=True),
    Scenario("a service that it switched off", "/envoi/blue", 403, MEMBER | {"services": ["envoi"]}),
    Scenario("a service of another tenant", "/envoi/acme", 404, {"tenant_id": "home"}, served=True),
    Scenario("a service of no tenant at all", "/envoi/nowhere", 404, {"tenant_id": "home"}, served=True),
    Scenario("a loader that fails", "/tenantless/nowhere", 503, {}, more=(("retry-after", "*"),), served=True),
    Scenario("services without a token", "/envoi/acme", 401, challenge=BARE),
    Scenario("a permission in the token", "/billing", 200, {"permissions": ["billing.read"]}, body=_is()),
    Scenario("a wildcard is a permission of that name", "/billing", 403, {"permissions": ["billing.*"]}),
    Scenario("a permission that is loaded", "/billing/loaded", 200, {"sub": "ada"}, body=_is("ada")),
    Scenario("a permission that only the token has", "/billing/loaded", 403, {"permissions": ["billing.read"]}),
    Scenario("a tier in the token", "/plans", 200, {"tier": "enterprise"}, body=_is()),
    Scenario("another tier", "/plans", 403, {"tier": "free"}),
    Scenario("a tier that is loaded", "/plans/loaded", 200, {"sub": "ada"}, body=_is("ada")),
    Scenario("no tier that is loaded", "/plans/loaded", 403, {"tier": "pro"}),
    Scenario("access until later", "/access", 200, {"access_expires_at": 4_000_000_000}, body=_is()),
    Scenario("access until a while ago", "/access", 403, {"access_expires_at": 1_000_000_000}),
    Scenario("access until nobody says when", "/access", 403, {}),
    Scenario("access by a loader", "/access/loaded", 200, {"sub": "ada"}, body=_is("ada")),
    Scenario("no access by a loader", "/access/loaded", 403, {"access_expires_at": 4_000_000_000}),
    Scenario("an account that is locked", "/access/loaded", 403, {"sub": "locked"}),
    # Tokens that verify, and that the issuer is asked about all the same
    Scenario("a live token", "/live", 200, {}, body=_is(), served=True),
    Scenario("a token that was revoked", "/live", 401, {"sub": "revoked"}, challenge=REVOKED, served=True),
    Scenario("a revoked token where nobody asks", "/not-live", 200, READER | {"sub": "revoked"}, body=_is("revoked")),
    Scenario("a live token with the scope", "/live/orders", 200, READER, body=_is()),
    Scenario("the scope before the issuer", "/live/orders", 403, {"sub": "revoked"}, challenge=_lacks("orders:read")),
    Scenario(
        "a scope that was taken back",
        "/live/orders",
        403,
        READER | {"sub": "narrowed"},
        challenge=_lacks("orders:read"),
    ),
    Scenario(
        "nobody says whether it is live", "/live", 503, {"sub": "outage"}, more=(("retry-after", "*"),), served=True
    ),
    Scenario("an expired token is not asked about", "/live", 401, OLD, challenge=EXPIRED),
    # Scopes
    Scenario("the scope is there", "/orders", 200, READER, body=_is()),
    Scenario(
        "the scope is missing", "/orders", 403, {"scope": "orders:write"}, challenge=_lacks("orders:read"), served=True
    ),
    Scenario("a prefix is no scope", "/orders", 403, {"scope": "orders"}, challenge=_lacks("orders:read")),
    Scenario("all scopes are named", "/both", 403, READER, challenge=_lacks("orders:read orders:write")),
    Scenario("one of two is enough", "/either", 200, READER, body=_is()),
    Scenario("none of two", "/either", 403, {}, challenge=_lacks("orders:read orders:write")),
    Scenario("scopes without a token", "/orders", 401, challenge=BARE),
    Scenario("scopes as an array", "/orders", 200, {"scope": None, "scp": ["orders:read"]}, body=_is()),
    Scenario(
        "a wildcard is a scope of that name", "/orders", 403, {"scope": "orders:*"}, challenge=_lacks("orders:read")
    ),
    Scenario("case counts", "/orders", 403, {"scope": "Orders:Read"}, challenge=_lacks("orders:read")),
    # Roles, principals, alternatives
    Scenario("the role is there", "/admin", 200, {"roles": ["admin"]}, body=_is()),
    Scenario("the role is missing", "/admin", 403, {"roles": ["support"]}),
    Scenario("one of two roles", "/staff", 200, {"roles": ["support"]}, body=_is()),
    Scenario("the first alternative", "/alternatives", 200, READER, body=_is()),
    Scenario("the second alternative", "/alternatives", 200, {"roles": ["admin"]}, body=_is()),
    Scenario("a user where machines may", "/machines", 403, {}),
    Scenario("a machine", "/machines", 200, {"sub": "c1", "client_id": "c1"}, body=_is("c1")),
    # Tenants
    Scenario("own tenant", "/tenants/acme/orders", 200, READER | {"tenant_id": "acme"}, body=_is("user", "acme")),
    Scenario("another tenant", "/tenants/evil/orders", 404, READER | {"tenant_id": "acme"}),
    Scenario("no tenant", "/tenants/acme/orders", 404, READER),
    Scenario("the tenant goes before the scope", "/tenants/evil/orders", 404, {"tenant_id": "acme"}),
    Scenario("then the scope", "/tenants/acme/orders", 403, {"tenant_id": "acme"}, challenge=_lacks("orders:read")),
    Scenario(
        "tenant in a header",
        "/mine",
        200,
        {"tenant_id": "acme"},
        (("Authorization", "Bearer {token}"), ("X-Tenant", "acme")),
        body=_is("user", "acme"),
    ),
    Scenario("tenant header missing", "/mine", 404, {"tenant_id": "acme"}),
    Scenario(
        "tenant header twice",
        "/mine",
        404,
        {"tenant_id": "acme"},
        (("Authorization", "Bearer {token}"), ("X-Tenant", "acme"), ("X-Tenant", "acme")),
        served=True,
    ),
    Scenario("a further tenant of the caller", "/tenants/acme/orders", 200, READER | MEMBER, body=_is("user", "home")),
    Scenario(
        "tenant with needless encoding",
        "/tenants/ac%6De/orders",
        200,
        READER | ACME,
        body=_is("user", "acme"),
        served=True,
    ),
    Scenario("tenant in the query", "/asked", 200, ACME, query="tenant=acme", body=_is("user", "acme")),
    Scenario("another tenant in the query", "/asked", 404, ACME, query="tenant=evil"),
    Scenario("tenant twice in the query", "/asked", 404, ACME, query="tenant=acme&tenant=acme", served=True),
    Scenario("tenants without a token", "/tenants/acme/orders", 401, challenge=BARE),
    Scenario("a page of the team", "/own-page/evil", 404, ACME, body=OWN_PAGE),
    Scenario("no page of the team without a token", "/own-page/evil", 401, challenge=BARE),
    Scenario("own tenant behind a page", "/own-page/acme", 200, ACME, body=_is("user", "acme")),
    # Step-up and the team's own rules
    Scenario("signed in long ago", "/recent", 401, {"auth_time": 1, "acr": "urn:mfa"}, challenge=STEP_UP),
    Scenario("the team's rule passes", "/weekdays", 200, {}, query="day=monday", body=_is()),
    Scenario("the team's rule refuses", "/weekdays", 403, {}, query="day=sunday"),
    Scenario("a rule that fails denies", "/broken", 403, {}),
    Scenario("the handler refuses", "/refusing", 403, {}),
    Scenario("the handler names a scope", "/refusing/scope", 403, {}, challenge=_lacks("orders:all")),
    Scenario("the handler knows no such tenant", "/refusing/tenant", 404, {}),
    Scenario("the handler cannot tell now", "/refusing/now", 503, {}, more=(("retry-after", "*"),)),
    # Options
    Scenario("optional without a token", "/optional", 200, body=_is(None)),
    Scenario("optional with a token", "/optional", 200, {}, body=_is()),
    Scenario("optional with a bad token", "/optional", 401, OLD, challenge=EXPIRED),
    Scenario("optional, but something is needed", "/optional/orders", 401, challenge=BARE),
    Scenario("a known user", "/user", 200, {}, body=_is(user="Ada")),
    Scenario("an unknown user", "/user", 401, {"sub": "nobody"}, challenge=INVALID),
    Scenario("a disabled user", "/user", 401, {"sub": "gone"}, challenge=INVALID),
    Scenario("another body, same challenge", "/rendered", 401, challenge=BARE, body={"oops": "credentials_missing"}),
    Scenario(
        "another body for a missing scope",
        "/rendered",
        403,
        {},
        challenge=_lacks("orders:read"),
        body={"oops": "insufficient_scope"},
    ),
    Scenario(
        "realm and metadata",
        "/documented",
        401,
        challenge=f'Bearer realm="the \\"orders\\" API", resource_metadata="{METADATA}"',
        served=True,
    ),
    # Outages
    Scenario("no keys to be had", "/down", 503, {}, more=(("retry-after", "*"),), served=True),
    Scenario("an outage does not hide a cheap refusal", "/down", 401, OLD, challenge=EXPIRED),
    # Closed by default
    Scenario("closed: nothing is sent", "/me", 401, challenge=BARE, closed=True),
    Scenario("closed: the need of all", "/me", 200, READER, body=_is(), closed=True),
    Scenario("closed: without it", "/me", 403, {}, challenge=_lacks("orders:read"), closed=True),
    Scenario("closed: what is not routed", "/nowhere", 401, challenge=BARE, closed=True),
    Scenario("closed: an exempt path", "/health", 200, body=_is(None), closed=True),
    Scenario("closed: an exempt path ignores tokens", "/health", 200, token="garbage", body=_is(None), closed=True),
    Scenario("closed: an exempt tree", "/static/app.js", 200, body=_is(None), closed=True),
    Scenario("closed: beyond ASCII", "/caf%C3%A9", 200, body=_is(None), closed=True, served=True),
    Scenario("closed: two slashes", "//health", 401, challenge=BARE, closed=True, served=True),
    Scenario("closed: a slash behind", "/health/", 401, challenge=BARE, closed=True),
    Scenario("closed: an encoded slash", "/health%2F", 401, challenge=BARE, closed=True, served=True),
    Scenario("closed: needless encoding", "/%68ealth", 401, challenge=BARE, closed=True, served=True),
    Scenario("closed: a parameter", "/health;v=1", 401, challenge=BARE, closed=True, served=True),
    Scenario("closed: out of the tree", "/static/..%2fme", 401, challenge=BARE, closed=True, served=True),
    Scenario("closed: other letters", "/HEALTH", 401, challenge=BARE, closed=True),
    Scenario(
        "closed: a preflight", "/me", 200, headers=PREFLIGHT, method="OPTIONS", body=_is(None), closed=True, served=True
    ),
    Scenario(
        "closed: OPTIONS that is none", "/me", 401, headers=PREFLIGHT[:1], method="OPTIONS", challenge=BARE, closed=True
    ),
    Scenario(
        "closed: a preflight with a cookie",
        "/me",
        401,
        headers=(*PREFLIGHT, ("Cookie", "a=b")),
        method="OPTIONS",
        challenge=BARE,
        closed=True,
        served=True,
    ),
)


def handler_body(ctx: AuthContext, route: Route, user: Any) -> dict[str, Any]:
    """What the handler of a route answers."""
    if route.raises is not None:
        raise route.raises()
    body: dict[str, Any] = {"subject": ctx.subject, "tenant": ctx.tenant_id}
    if "user" in route.options:
        body["user"] = user.name
    return body


def closed_body(ctx: AuthContext) -> dict[str, Any]:
    """What every handler of the second application answers."""
    return {"subject": ctx.subject, "tenant": ctx.tenant_id}


def pattern_of(path: str) -> str:
    """A path of `ROUTES` as a regular expression, for frameworks without a router."""
    return re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path)


FRAMING = {"content-length", "date", "server"}


def answer_of(status: int, headers: list[tuple[str, str]], body: bytes) -> Answer:
    """A comparable answer. Fields that frameworks set on a handler's own answer do not count; the seconds of
    Retry-After depend on the back-off, so only their form does.
    """
    fields = {(name.lower(), value) for name, value in headers if name.lower() not in FRAMING}
    fields = {(name, "*") if name == "retry-after" and value.isdigit() else (name, value) for name, value in fields}
    content = json.loads(body) if body else None
    return Answer(status, frozenset() if status == 200 or content == OWN_PAGE else frozenset(fields), content)
