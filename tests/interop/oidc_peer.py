"""oidc-provider as a child process: start, stop, restart on its port, and ask it for tokens as a client would.

What it is set up with stands in oidc_provider.mjs; nothing here knows how a token is judged.
"""

from __future__ import annotations

import re
import secrets
import subprocess
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2

from interop.node_process import PATIENCE, started, stopped

API = "https://orders.example.test"
OTHER_API = "https://billing.example.test"
SECRET = "the secret of every client: of no use to anybody else"
REDIRECT_URI = "https://app.example.test/callback"
_ALL_SCOPES = "orders:read orders:write"


class OidcPeer:
    """A running provider. `issuer` is its identifier; its keys are new at each start unless `keys` names a file."""

    def __init__(self, node: str, script: Path, keys: Path | None = None) -> None:
        self._node, self._script = node, script
        self._keys = keys
        self._process: subprocess.Popen[str] | None = None
        self._http = httpx2.Client(timeout=PATIENCE, trust_env=False)
        self._mint = ""
        self.issuer = ""
        self.client_key: dict[str, str] = {}
        """The private key of the client orders-api-key."""

    @contextmanager
    def running(self) -> Iterator[OidcPeer]:
        """Started, and stopped at the end of the block, however often it was restarted in between."""
        try:
            with self._http:
                self.start()
                yield self
        finally:
            self.stop()

    def start(self) -> None:
        """Start on the port of the first start. Returns when it answers."""
        settings = {"port": urlsplit(self.issuer).port or 0, "keys": self._keys and str(self._keys)}
        self._process, told = started(self._node, self._script, settings)
        assert self.issuer in ("", told["issuer"])
        self.issuer, self._mint, self.client_key = told["issuer"], told["mint"], told["client_key"]

    def stop(self) -> None:
        """Go away: connections are refused from now on."""
        process, self._process = self._process, None
        if process is not None:
            stopped(process)

    def restart(self) -> None:
        """Stop and start on the same port."""
        self.stop()
        self.start()

    # Tokens

    def token(
        self, alg: str = "RS256", *, client: str = "acme-machine", scope: str = _ALL_SCOPES, api: str = API
    ) -> str:
        """An access token of the client credentials grant, a JWT signed with `alg`, for the resource `api`."""
        return self._token_of(client, scope=scope, resource=f"{api}/{alg}")

    def opaque_token(self, *, api: str | None = None, scope: str = _ALL_SCOPES) -> str:
        """An access token that is no JWT: for `api`, or for nobody, which is what one gets without asking."""
        if api is None:
            return self._token_of("acme-machine")
        return self._token_of("acme-machine", scope=scope, resource=f"{api}/opaque")

    def revoke(self, token: str) -> None:
        """Revoke a token of acme-machine (RFC 7009)."""
        answer = self._http.post(
            f"{self.issuer}/token/revocation", data={"token": token}, auth=("acme-machine", _form_encoded(SECRET))
        )
        assert answer.status_code == 200, answer.text

    def mint(self, alg: str, claims: dict[str, Any], **header: Any) -> str:
        """A JWS over these claims by the provider's own key, made by jose."""
        answer = self._http.post(self._mint, json={"alg": alg, "header": header, "claims": claims})
        return answer.raise_for_status().text

    def sign_in(
        self, user: str, alg: str = "RS256", *, client: str | None = None, nonce: str | None = None
    ) -> dict[str, str]:
        """The authorization code flow with PKCE, in a browser's place: what the token endpoint answers in the end.

        The `access_token` is for `API`, the `id_token` for the client, which may be called `API` as well.
        """
        client = client or f"app-{alg}"
        verifier = secrets.token_urlsafe(48)
        resource = f"{API}/{alg}"
        with httpx2.Client(base_url=self.issuer, timeout=PATIENCE, trust_env=False) as browser:
            answer = browser.get(
                "/auth",
                params={
                    "client_id": client,
                    "response_type": "code",
                    "redirect_uri": REDIRECT_URI,
                    "scope": f"openid {_ALL_SCOPES}",
                    "resource": resource,
                    "code_challenge": _s256(verifier),
                    "code_challenge_method": "S256",
                    **({} if nonce is None else {"nonce": nonce}),
                },
            )
            for _ in range(10):
                if answer.status_code == 200:
                    prompt = re.search(r'name="prompt" value="(\w+)"', answer.text)
                    assert prompt is not None, answer.text
                    answer = browser.post(answer.url.path, data={"prompt": prompt[1], "login": user, "password": "any"})
                    continue
                assert answer.is_redirect, answer.text
                target = answer.headers["location"]
                if target.startswith(REDIRECT_URI):
                    break
                answer = browser.get(target)
        code = parse_qs(urlsplit(target).query)["code"][0]
        return self._ask_for_tokens(
            client,
            grant_type="authorization_code",
            code=code,
            redirect_uri=REDIRECT_URI,
            code_verifier=verifier,
            resource=resource,
        )

    def _token_of(self, client: str, **asked: str) -> str:
        return self._ask_for_tokens(client, grant_type="client_credentials", **asked)["access_token"]

    def _ask_for_tokens(self, client: str, **form: str) -> dict[str, str]:
        # RFC 6749 section 2.3.1: both halves are form-encoded before they go into Basic.
        answer = self._http.post(f"{self.issuer}/token", data=form, auth=(_form_encoded(client), _form_encoded(SECRET)))
        assert answer.status_code == 200, answer.text
        tokens: dict[str, str] = answer.json()
        return tokens


def _form_encoded(text: str) -> str:
    return str(httpx2.QueryParams({"": text}))[1:]


def _s256(verifier: str) -> str:
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
