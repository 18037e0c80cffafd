"""bearerkit: who is calling, for which tenant, and may they do this?

The public names, loaded when they are first used: importing this module loads no framework, no HTTP client and no
asyncio. Adapters are imported by their own name: `bearerkit.fastapi`, `bearerkit.starlette`, `bearerkit.asgi`.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bearerkit.api_keys import ApiKeys
    from bearerkit.auth import Auth
    from bearerkit.context import AuthContext
    from bearerkit.errors import BearerkitError, ConfigError, Refused, Unavailable
    from bearerkit.guards import (
        Requirement,
        access_valid,
        any_role,
        any_scope,
        authenticated,
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
    from bearerkit.http import Network, Request, Response
    from bearerkit.issuer import Issuer
    from bearerkit.jose.claims import ANY, NO_ISSUER, PRESENT
    from bearerkit.jose.client_auth import client_auth
    from bearerkit.jose.compact import Limits
    from bearerkit.jose.key_cache import KeyCache
    from bearerkit.jose.keys import SharedSecret
    from bearerkit.jose.mapping import Claim, ClaimMapping
    from bearerkit.logs import RedactTokens
    from bearerkit.stores.memory import MemoryRevocations
    from bearerkit.verify.credentials import Places
    from bearerkit.verify.internal_secret import InternalSecret
    from bearerkit.verify.introspection import Introspection
    from bearerkit.verify.resolver import IssuerResolver
    from bearerkit.verify.sessions import Sessions

_HOME = {
    "ANY": "jose.claims",
    "ApiKeys": "api_keys",
    "Auth": "auth",
    "AuthContext": "context",
    "BearerkitError": "errors",
    "Claim": "jose.mapping",
    "ClaimMapping": "jose.mapping",
    "ConfigError": "errors",
    "InternalSecret": "verify.internal_secret",
    "Introspection": "verify.introspection",
    "Issuer": "issuer",
    "IssuerResolver": "verify.resolver",
    "KeyCache": "jose.key_cache",
    "Limits": "jose.compact",
    "MemoryRevocations": "stores.memory",
    "NO_ISSUER": "jose.claims",
    "Network": "http",
    "PRESENT": "jose.claims",
    "Places": "verify.credentials",
    "RedactTokens": "logs",
    "Refused": "errors",
    "Request": "http",
    "Requirement": "guards",
    "Response": "http",
    "Sessions": "verify.sessions",
    "SharedSecret": "jose.keys",
    "Unavailable": "errors",
    "access_valid": "guards",
    "any_role": "guards",
    "any_scope": "guards",
    "authenticated": "guards",
    "can": "guards",
    "client_auth": "jose.client_auth",
    "custom": "guards",
    "email_verified": "guards",
    "fresh": "guards",
    "live": "guards",
    "permission": "guards",
    "principal": "guards",
    "role": "guards",
    "scope": "guards",
    "service": "guards",
    "tenant": "guards",
    "tier": "guards",
}

__all__ = [  # noqa: RUF022 - sorted as the table above, which a test compares
    "ANY",
    "ApiKeys",
    "Auth",
    "AuthContext",
    "BearerkitError",
    "Claim",
    "ClaimMapping",
    "ConfigError",
    "InternalSecret",
    "Introspection",
    "Issuer",
    "IssuerResolver",
    "KeyCache",
    "Limits",
    "MemoryRevocations",
    "NO_ISSUER",
    "Network",
    "PRESENT",
    "Places",
    "RedactTokens",
    "Refused",
    "Request",
    "Requirement",
    "Response",
    "Sessions",
    "SharedSecret",
    "Unavailable",
    "access_valid",
    "any_role",
    "any_scope",
    "authenticated",
    "can",
    "client_auth",
    "custom",
    "email_verified",
    "fresh",
    "live",
    "permission",
    "principal",
    "role",
    "scope",
    "service",
    "tenant",
    "tier",
]

try:
    __version__ = version("bearerkit")
except PackageNotFoundError:  # pragma: no cover - only in a tree that was never installed
    __version__ = "0.0.0"


def __getattr__(name: str) -> Any:
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module 'bearerkit' has no attribute {name!r}")
    value = getattr(import_module(f"bearerkit.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
