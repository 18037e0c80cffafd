"""The docs page in a real browser: the Authorize button signs in with PKCE, and the token then opens an operation."""

import hashlib
import json
import shutil
import socket
import subprocess
import threading
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qs

import pytest
import uvicorn
from fastapi import Depends, FastAPI, Request
from fastapi.responses import RedirectResponse

import prerequisites
from adapters.scenarios import AUDIENCE
from bearerkit import Auth, AuthContext, Issuer, scope
from bearerkit.fastapi import RequireBearer
from bearerkit.testing import FakeIssuer

HERE = Path(__file__).parent / "browser"


@pytest.fixture(scope="session")
def browser_folder(
    needs: Callable[[str], str], pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A folder with the packages of browser/package.json and the script beside them, kept in pytest's cache."""
    needs("node")
    npm = needs("npm")
    needs("chromium")
    name = f"docs-page-{hashlib.sha256((HERE / 'package.json').read_bytes()).hexdigest()[:16]}"
    cache = getattr(pytestconfig, "cache", None)
    folder: Path = tmp_path_factory.mktemp(name) if cache is None else cache.mkdir(name)
    for file in HERE.iterdir():
        shutil.copy(file, folder)
    if not (folder / "installed").exists():
        command = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--no-package-lock"]
        result = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
        if result.returncode != 0:
            reason = f"npm could not install browser/package.json: {result.stderr[-1_000:]}"
            (pytest.fail if prerequisites.is_strict() else pytest.skip)(reason)
        (folder / "installed").touch()
    return folder


@contextmanager
def serving(app: Any, listener: socket.socket) -> Iterator[None]:
    """Uvicorn in a thread, up when the block begins."""
    started = threading.Event()

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            started.set()

    server = Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        assert started.wait(20)
        yield
    finally:
        server.should_exit = True
        thread.join(10)


def shop(base: str, exchanges: list[dict[str, Any]]) -> FastAPI:
    """An API with three operations, and beside it the three endpoints of an identity provider for its docs page."""
    fake = FakeIssuer(f"{base}/id", alg="ES256", audience=AUDIENCE)
    bearer = RequireBearer(Auth(Issuer(fake.issuer, audience=AUDIENCE, keys=fake.jwks)))
    app = FastAPI(title="Orders")
    bearer.install(app, client_id="orders-docs", scopes=["orders:read"])

    @app.get("/health")
    async def health() -> str:
        """Anybody."""
        return "ok"

    @app.get("/me")
    async def me(ctx: Annotated[AuthContext, Depends(bearer)]) -> str:
        """Any credential."""
        return str(ctx.subject)

    @app.get("/orders")
    async def orders(ctx: Annotated[AuthContext, Depends(bearer.require(scope("orders:read")))]) -> list[str]:
        """The caller's orders."""
        return [f"an order of {ctx.subject}"]

    @app.get("/id/.well-known/openid-configuration", include_in_schema=False)
    async def metadata() -> dict[str, Any]:
        endpoints = {"authorization_endpoint": f"{base}/id/authorize", "token_endpoint": f"{base}/id/token"}
        grants = {"grant_types_supported": ["authorization_code"], "scopes_supported": ["openid", "orders:read"]}
        return {"issuer": fake.issuer, **endpoints, **grants}

    @app.get("/id/authorize", include_in_schema=False)
    async def authorize(
        redirect_uri: str, state: str, client_id: str, code_challenge: str, code_challenge_method: str, scope: str
    ) -> RedirectResponse:
        exchanges.append(
            {"client_id": client_id, "method": code_challenge_method, "scope": scope, "challenge": code_challenge}
        )
        return RedirectResponse(f"{redirect_uri}?code=c0de&state={state}")

    @app.post("/id/token", include_in_schema=False)
    async def token(request: Request) -> dict[str, Any]:
        form = parse_qs((await request.body()).decode())
        exchanges.append({"code": form["code"][0], "verifier": form["code_verifier"][0]})
        access_token = fake.token(sub="ada", scope=exchanges[0]["scope"])
        return {"access_token": access_token, "token_type": "Bearer", "expires_in": 300}

    return app


@pytest.mark.slow
def test_signing_in_from_the_docs_page(
    browser_folder: Path, needs: Callable[[str], str], tmp_path: Path, record_property: Callable[[str, object], None]
):
    """Authorize shows both ways, signs in with an S256 challenge that fits, and the operation answers 200."""
    exchanges: list[dict[str, Any]] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        base = f"http://127.0.0.1:{listener.getsockname()[1]}"
        command = [needs("node"), "docs_page.mjs", needs("chromium"), f"{base}/docs"]
        application = shop(base, exchanges)
        with serving(application, listener):
            result = subprocess.run(
                [*command, str(browser_folder / "node_modules" / "swagger-ui-dist"), str(tmp_path)],
                cwd=browser_folder,
                capture_output=True,
                text=True,
                timeout=180,
                check=False,
            )
    record_property("screenshots", str(tmp_path))
    assert result.returncode == 0, result.stderr
    seen = json.loads(result.stdout)
    assert seen["errors"] == []
    assert (seen["operations"], seen["locks"]) == (3, 2)
    assert [name.split()[0] for name in seen["schemes"]] == ["Bearer", "BearerSignIn"]
    assert (seen["client"], seen["ticked"]) == ("orders-docs", 1)
    assert {"200", "400", "401", "403", "404", "503"} <= set(seen["documented"])
    assert seen["status"] == "200"
    assert "an order of ada" in seen["body"]
    asked, taken = exchanges
    assert (asked["client_id"], asked["method"], asked["scope"]) == ("orders-docs", "S256", "orders:read")
    digest = hashlib.sha256(taken["verifier"].encode()).digest()
    assert asked["challenge"] == urlsafe_b64encode(digest).rstrip(b"=").decode()
