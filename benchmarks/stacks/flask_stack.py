"""One Flask route, bare and behind each way of asking who is calling."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from authlib.integrations.flask_oauth2 import ResourceProtector
from authlib.oauth2.rfc9068 import JWTBearerTokenValidator
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from flask import Flask, abort, g, request
from flask_jwt_extended import JWTManager, get_jwt, jwt_required
from joserfc.jwk import KeySet, RSAKey

from bearerkit import scope
from bearerkit.flask import RequireBearer

from .tokens import AUDIENCE, ISSUER, PUBLIC, auth, claims_of

PEM = PUBLIC.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def behind(decorate: Callable[[Any], Any] = lambda view: view, **config: Any) -> Any:
    app = Flask("bench", static_folder=None)
    app.config.update(config)

    @app.get("/orders")
    @decorate
    def orders() -> str:
        return "ok"

    return app


def bearerkit(*, cache: int = 10_000) -> Any:
    return behind(RequireBearer(auth(cache=cache)).require(scope("orders:read")))


def pyjwt() -> Any:
    def decorate(view: Any) -> Any:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            g.claims = claims_of(request.headers.get("Authorization"))
            if g.claims is None:
                abort(401)
            return view(*args, **kwargs)

        return guarded

    return behind(decorate)


def authlib() -> Any:
    """ResourceProtector with the RFC 9068 validator over a prepared key set."""
    keys = KeySet([RSAKey.import_key(PEM, {"kid": "key-1", "use": "sig"})])

    class Validator(JWTBearerTokenValidator):
        def get_jwks(self) -> Any:
            return keys

    protect = ResourceProtector()
    protect.register_token_validator(Validator(issuer=ISSUER, resource_server=AUDIENCE))
    return behind(protect("orders:read"))


def flask_jwt_extended() -> Any:
    def decorate(view: Any) -> Any:
        @wraps(view)
        @jwt_required()
        def guarded(*args: Any, **kwargs: Any) -> Any:
            if "orders:read" not in get_jwt()["scope"].split():
                abort(403)
            return view(*args, **kwargs)

        return guarded

    app = behind(
        decorate,
        JWT_ALGORITHM="RS256",
        JWT_PUBLIC_KEY=PEM.decode(),
        JWT_DECODE_AUDIENCE=AUDIENCE,
        JWT_DECODE_ISSUER=ISSUER,
    )
    JWTManager(app)
    return app
