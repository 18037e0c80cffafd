"""@rudderjs/passport issues, ours judges: no key set, `iss` only on request, the client as audience, a null `sub`.

Its framework is not on the registry, so tables and configuration are the stand-ins of rudder_stand_ins/; grants,
models and tokens are its own code.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from pathlib import Path
from typing import Any

import pytest

from bearerkit import NO_ISSUER, PRESENT, Auth, AuthContext, Issuer, scope
from bearerkit.errors import InsufficientScope, TokenInvalid
from bearerkit.http import Headers, Request
from interop.foreign_code import Minters

pytestmark = pytest.mark.interop

APP = "https://app.example.com"


@pytest.fixture(scope="module")
def settings(shared: Path) -> dict[str, Any]:
    """What the provider collection says (idps/rudderjs-passport.json), as arguments of `Issuer`."""
    settings: dict[str, Any] = json.loads((shared / "idps" / "rudderjs-passport.json").read_text())["verifier"]
    assert settings.pop("keys") == "PEM"
    assert settings.pop("issuer") == [None]
    assert settings.pop("audience") == ["client_example_0001"]  # theirs makes client ids as it goes
    settings["require"] = {path: PRESENT if value == "*" else value for path, value in settings["require"].items()}
    return settings


def verifier(minters: Minters, settings: dict[str, Any], issuer: Any = NO_ISSUER, **changes: Any) -> Auth:
    given = {**settings, "audience": minters.machine, "keys": minters.pems["RS256"], **changes}
    return Auth(Issuer(issuer, **given))


def audience_of(token: str) -> str:
    return str(json.loads(urlsafe_b64decode(token.split(".")[1] + "=="))["aud"])


def test_a_machine_has_no_subject(minters: Minters, settings: dict[str, Any]) -> None:
    """The client credentials grant gives `sub: null`, which is no error; scopes are an array."""
    ctx = verifier(minters, settings).verify(minters.mint("rudder-machine", scope="posts:read posts:write"))
    assert ctx.subject is None
    assert ctx.client_id == minters.machine
    assert ctx.has_scope("posts:read", "posts:write")
    assert ctx.claims["sub"] is None


def test_a_personal_token_is_the_users(minters: Minters, settings: dict[str, Any]) -> None:
    """Its audience is the client that Passport keeps for personal tokens."""
    token = minters.mint("rudder-user", user="42", scopes=["posts:read"])
    audience = audience_of(token)
    ctx = verifier(minters, settings, audience=audience).verify(token)
    assert ctx.subject == "42"
    assert ctx.has_scope("posts:read")
    with pytest.raises(TokenInvalid) as refusal:
        verifier(minters, settings).verify(token)
    assert refusal.value.reason == "audience_mismatch"


def test_with_an_issuer_it_needs_an_entry_of_that_name(minters: Minters, settings: dict[str, Any]) -> None:
    """An entry for tokens without `iss` never takes one that has it, nor the other way round."""
    named = minters.mint("rudder-machine", scope="posts:read", issuer=APP)
    unnamed = minters.mint("rudder-machine", scope="posts:read")
    assert verifier(minters, settings, APP).verify(named).issuer == APP
    for auth, token in [(verifier(minters, settings), named), (verifier(minters, settings, APP), unnamed)]:
        with pytest.raises(TokenInvalid) as refusal:
            auth.verify(token)
        assert refusal.value.reason == "issuer_mismatch"


def test_its_star_covers_everything_only_where_the_issuer_says_so(minters: Minters, settings: dict[str, Any]) -> None:
    """`*` is Passport's default for personal tokens."""
    token = minters.mint("rudder-user", user="42", scopes=["*"])
    audience = audience_of(token)

    def asked(**changes: Any) -> AuthContext:
        request = Request("GET", "/", Headers([("Authorization", f"Bearer {token}")]))
        return verifier(minters, settings, audience=audience, **changes).authorize(request, scope("posts:write"))

    assert asked(wildcard_scopes=True).subject == "42"
    with pytest.raises(InsufficientScope):
        asked()


@pytest.mark.parametrize("part", [0, 1, 2])
def test_a_tampered_one_is_refused(minters: Minters, settings: dict[str, Any], part: int) -> None:
    """One part of a token of another key or of other claims."""
    parts = minters.mint("rudder-machine", scope="posts:read").split(".")
    others = minters.mint("heimdall", claims={"sub": "admin"}, header={}).split(".")
    parts[part] = others[part]
    with pytest.raises(TokenInvalid):
        verifier(minters, settings).verify(".".join(parts))
