"""Workers of gunicorn (forked) and of uvicorn (started anew) that share answers and evictions through Redis."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

import pytest

from bearerkit.testing import FakeIssuer
from concurrency.test_gunicorn_preload import PATIENCE, gunicorn, statuses, with_gunicorn, with_uvicorn
from stores.redis_servers import SECRET, own_namespace

pytestmark = [pytest.mark.skipif(not hasattr(os, "fork"), reason="nothing forks here"), pytest.mark.slow]


@pytest.mark.parametrize("command", [with_gunicorn, with_uvicorn])
def test_workers_ask_once_for_all_and_forget_together(command: Any, needs: Callable[[str], str]) -> None:
    """What one worker was told the others know; what one is told to forget, all forget."""
    url, issuer = needs("redis"), FakeIssuer(audience="orders-api")
    with own_namespace(url) as namespace, issuer.serve():
        environment = {
            "OPAQUE_ENDPOINT": issuer.introspection_endpoint,
            "OPAQUE_REDIS": url,
            "OPAQUE_NAMESPACE": namespace,
            "OPAQUE_SECRET": SECRET,
        }
        with gunicorn("concurrency.opaque_app:app", command, **environment) as server:
            token = issuer.opaque_token(sub="ada")
            assert statuses(server.ask_every_worker("/me", lambda: issuer.opaque_token(sub="warm"))) == {200}
            # A worker that has just connected may have missed a message, and believes nothing older, or nearly so.
            time.sleep(5.5)
            before = len(issuer.fetches)
            assert statuses(server.ask_every_worker("/me", lambda: token)) == {200}
            assert len(issuer.fetches) == before + 1
            issuer.revoke(token)
            assert statuses(server.ask_every_worker("/me", lambda: token)) == {200}
            assert server.get("/forget/ada", token).status == 200
            deadline = time.monotonic() + PATIENCE
            while statuses(server.ask_every_worker("/me", lambda: token)) != {401}:
                assert time.monotonic() < deadline
