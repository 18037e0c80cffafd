"""What is no requirement is refused when the app is built, in every framework: it would otherwise guard nothing."""

from __future__ import annotations

import pytest

from bearerkit import Auth, ConfigError, asgi, fastapi, flask, scope, starlette, wsgi

FRAMEWORKS = {"asgi": asgi, "starlette": starlette, "fastapi": fastapi, "wsgi": wsgi, "flask": flask}
everywhere = pytest.mark.parametrize("framework", FRAMEWORKS.values(), ids=FRAMEWORKS)


@everywhere
@pytest.mark.parametrize("need", [None, "orders:read", scope, ("orders:read",), type(scope("a"))], ids=repr)
def test_require_takes_a_requirement(auth: Auth, framework, need: object):
    """None is what a dict miss gives, and `scope` is `scope("…")` forgotten half-way."""
    with pytest.raises(ConfigError, match=r'such as scope\("orders:read"\)'):
        framework.RequireBearer(auth).require(need)


@everywhere
@pytest.mark.parametrize("need", ["orders:read", scope, ()], ids=repr)
def test_the_middleware_takes_a_requirement_or_none(auth: Auth, framework, need: object):
    """None, its default, stands for any valid credential."""
    with pytest.raises(ConfigError, match=r'such as scope\("orders:read"\)'):
        framework.BearerMiddleware(None, auth, need=need)
    assert framework.BearerMiddleware(None, auth, need=None).need is None


def test_plain_asgi_offers_what_users_need_and_nothing_of_its_frame():
    """The frame for adapters is `bearerkit.asgi_kit`."""
    assert sorted(asgi.__all__) == ["BearerMiddleware", "RequireBearer", "auth_from", "current_auth"]
