"""What FastAPI documents: schemes, scopes and our answers on guarded operations, in a valid document, unfetched."""

import json
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Depends, FastAPI, Security
from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator

from adapters.asgi_calls import get
from adapters.scenarios import AUDIENCE, ISSUER
from bearerkit import NO_ISSUER, Auth, AuthContext, ConfigError, Issuer, any_scope, role, scope, tenant
from bearerkit.challenge import answers
from bearerkit.fastapi import RequireBearer
from bearerkit.http import Fetch, Fetched
from bearerkit.openapi import add_answers, add_sign_in

OURS = {str(status) for status in answers()}
METADATA = f"{ISSUER.issuer}/.well-known/openid-configuration"


class NoNetwork:
    """An HttpClient that must not be asked."""

    async def fetch(self, fetch: Fetch) -> Fetched:
        raise AssertionError(f"fetched {fetch.url}")


@pytest.fixture
def bearer() -> RequireBearer:
    return RequireBearer(Auth(Issuer(ISSUER.issuer, audience=AUDIENCE), http=NoNetwork()))


def shop(bearer: RequireBearer, **options: Any) -> FastAPI:
    """An app with every spelling."""
    app = FastAPI(**options)
    router = APIRouter(prefix="/admin", dependencies=[Depends(bearer.require(role("admin")))])

    @app.get("/public")
    async def public():
        """Open."""

    @app.get("/me")
    async def me(ctx: Annotated[AuthContext, Depends(bearer)]):
        """Any credential."""

    @app.get(
        "/t/{tenant_id}/orders", responses={404: {"description": "No orders here"}, 418: {"description": "Teapot"}}
    )
    async def orders(
        tenant_id: str, ctx: Annotated[AuthContext, Depends(bearer.require(scope("a", "b") & tenant(path="tenant_id")))]
    ):
        """Scopes in a requirement."""

    @app.get("/posts")
    async def posts(ctx: Annotated[AuthContext, Security(bearer, scopes=["posts:read"])]):
        """FastAPI's spelling."""

    @app.get("/either")
    async def either(ctx: Annotated[AuthContext, Depends(bearer.require(any_scope("a", "b")))]):
        """One of two."""

    @router.post("/users", dependencies=[Security(bearer, scopes=["users:write"])])
    async def users():
        """Stacked."""

    @app.websocket("/ws")
    async def ws(ctx: Annotated[AuthContext, Depends(bearer)]):
        """Not in OpenAPI."""

    app.include_router(router)
    return app


def security_of(document: dict[str, Any]) -> dict[str, Any]:
    return {
        path: operation.get("security") for path, methods in document["paths"].items() for operation in methods.values()
    }


def test_without_install_the_scheme_and_the_scopes_show(bearer: RequireBearer):
    """A paste-your-token button; `any_scope` names no scope, since OpenAPI would mean all of them."""
    document = shop(bearer).openapi()
    assert document["components"]["securitySchemes"] == {"Bearer": {"type": "http", "scheme": "bearer"}}
    assert security_of(document) == {
        "/public": None,
        "/me": [{"Bearer": []}],
        "/t/{tenant_id}/orders": [{"Bearer": ["a", "b"]}],
        "/posts": [{"Bearer": ["posts:read"]}],
        "/either": [{"Bearer": []}],
        "/admin/users": [{"Bearer": ["users:write"]}],
    }
    OpenAPIV31SpecValidator(document).validate()


def test_install_documents_our_answers_on_guarded_operations(bearer: RequireBearer):
    """And leaves alone what the team wrote, and every open operation."""
    app = shop(bearer)
    bearer.install(app)
    document = app.openapi()
    paths = document["paths"]
    assert not OURS & set(paths["/public"]["get"]["responses"])
    for path, method in [("/me", "get"), ("/posts", "get"), ("/either", "get"), ("/admin/users", "post")]:
        responses = paths[path][method]["responses"]
        assert set(responses) >= OURS >= {"401", "403", "404", "503"}
        assert "application/problem+json" in responses["401"]["content"]
    orders = paths["/t/{tenant_id}/orders"]["get"]["responses"]
    assert orders["404"] == {"description": "No orders here"}
    assert set(orders) >= {"200", "401", "403", "418", "422", "503"}
    OpenAPIV31SpecValidator(document).validate()


@pytest.mark.anyio
async def test_the_documented_body_is_the_body_that_comes(bearer: RequireBearer):
    """The schema names every member of a real answer, and the example is one."""
    app = shop(bearer)
    bearer.install(app)
    document = app.openapi()
    schema = document["components"]["schemas"]["BearerProblem"]
    example = document["paths"]["/me"]["get"]["responses"]["401"]["content"]["application/problem+json"]["example"]
    body = json.loads((await get(app, "/me")).body)
    assert example == body
    assert set(schema["properties"]) == set(schema["required"]) == set(body)


def test_sign_in_is_offered_beside_pasting_a_token(bearer: RequireBearer):
    """An openIdConnect scheme of the metadata URL, with the scopes, as an alternative; nothing was fetched."""
    app = shop(bearer)
    bearer.install(app, client_id="docs", scopes=["openid"])
    document = app.openapi()
    assert document["components"]["securitySchemes"]["BearerSignIn"] == {
        "type": "openIdConnect",
        "openIdConnectUrl": METADATA,
    }
    assert security_of(document)["/posts"] == [{"BearerSignIn": ["posts:read"]}, {"Bearer": ["posts:read"]}]
    assert security_of(document)["/public"] is None
    assert app.swagger_ui_init_oauth == {
        "clientId": "docs",
        "usePkceWithAuthorizationCodeGrant": True,
        "scopes": ["openid"],
    }
    OpenAPIV31SpecValidator(document).validate()


@pytest.mark.anyio
async def test_the_docs_page_carries_the_client(bearer: RequireBearer):
    """Also for an app that had settings of its own."""
    app = FastAPI(swagger_ui_init_oauth={"appName": "Shop", "scopes": "openid profile"})
    bearer.install(app, client_id="docs")
    page = (await get(app, "/docs")).body.decode()
    assert '"clientId": "docs"' in page
    assert '"appName": "Shop"' in page
    assert '"scopes": "openid profile"' in page
    assert '"usePkceWithAuthorizationCodeGrant": true' in page


def test_several_issuers_are_several_ways_to_sign_in():
    """Each may be chosen."""
    auth = Auth(Issuer("https://a.example.test/", audience="x"), Issuer("https://b.example.test/t", audience="x"))
    bearer = RequireBearer(auth)
    app = shop(bearer)
    bearer.install(app, client_id="docs")
    document = app.openapi()
    urls = {name: scheme.get("openIdConnectUrl") for name, scheme in document["components"]["securitySchemes"].items()}
    assert urls == {
        "Bearer": None,
        "BearerSignIn1": "https://a.example.test/.well-known/openid-configuration",
        "BearerSignIn2": "https://b.example.test/t/.well-known/openid-configuration",
    }
    assert security_of(document)["/me"] == [{"BearerSignIn1": []}, {"BearerSignIn2": []}, {"Bearer": []}]


def test_a_client_without_metadata_is_a_config_error():
    """There is nowhere to sign in."""
    bearer = RequireBearer(Auth(Issuer(NO_ISSUER, audience=AUDIENCE, keys=ISSUER.jwks)))
    bearer.install(FastAPI())
    with pytest.raises(ConfigError, match="metadata"):
        bearer.install(FastAPI(), client_id="docs")


def test_asking_twice_and_adding_routes_later(bearer: RequireBearer):
    """FastAPI keeps the document and makes it anew when routes change: ours is the same every time."""
    app = shop(bearer)
    bearer.install(app, client_id="docs")
    first = repr(app.openapi())
    assert repr(app.openapi()) == first

    @app.get("/late", dependencies=[Depends(bearer)])
    async def late():
        """Added after the document was made."""

    responses = app.openapi()["paths"]["/late"]["get"]["responses"]
    assert set(responses) >= OURS


def test_installing_twice_changes_nothing(bearer: RequireBearer):
    """A factory that runs twice does no harm."""
    once, twice = shop(bearer), shop(bearer)
    for app in (once, twice, twice):
        bearer.install(app, client_id="docs")
    assert once.openapi() == twice.openapi()


def test_two_auths_have_two_schemes(bearer: RequireBearer):
    """Each documents its own operations."""
    other = RequireBearer(Auth(Issuer("https://b.example.test", audience="b")), scheme_name="Partner")
    app = shop(bearer)

    @app.get("/partner", dependencies=[Depends(other)])
    async def partner():
        """For partners."""

    bearer.install(app, client_id="docs")
    other.install(app)
    document = app.openapi()
    assert security_of(document)["/partner"] == [{"Partner": []}]
    assert set(document["paths"]["/partner"]["get"]["responses"]) >= OURS
    OpenAPIV31SpecValidator(document).validate()


def test_a_document_of_the_teams_own_making_is_kept(bearer: RequireBearer):
    """`app.openapi` may have been replaced before; and an app may have nothing guarded."""
    app = FastAPI()
    app.openapi = lambda: {
        "openapi": "3.0.3",
        "info": {"title": "t", "version": "1"},
        "paths": {"/x": {"get": {"responses": {"200": {"description": "ok"}}}}},
    }  # type: ignore[method-assign]
    bearer.install(app, client_id="docs")
    document = app.openapi()
    assert "components" not in document
    OpenAPIV30SpecValidator(document).validate()


def test_what_is_no_operation_is_left_alone():
    """A path item holds parameters and texts beside its operations."""
    document = {
        "paths": {"/x": {"summary": "s", "parameters": [], "get": {"security": [{"B": [], "Key": []}, {}]}}},
        "components": {"securitySchemes": {"B": {}}},
    }
    add_answers(document, "B")
    add_sign_in(document, "B", {"BSignIn": {"type": "openIdConnect", "openIdConnectUrl": "https://a.test"}})
    operation = document["paths"]["/x"]["get"]
    assert operation["security"] == [{"BSignIn": [], "Key": []}, {"B": [], "Key": []}, {}]
    assert document["paths"]["/x"]["summary"] == "s"
