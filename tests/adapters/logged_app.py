"""What child processes of test_access_logs.py serve: applications that log what they were asked."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from copy import deepcopy
from typing import Any

from bearerkit import RedactTokens

_log = logging.getLogger("bearerkit.test.requests")


def is_filtered() -> bool:
    """Whether the recipe of the docs is in place; without it the test must see the token."""
    return os.environ.get("BEARERKIT_TEST_REDACTS") == "1"


def wsgi_app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"ok"]


async def asgi_app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})


def uvicorn_main() -> None:
    """The recipe for uvicorn."""
    import uvicorn
    from uvicorn.config import LOGGING_CONFIG

    config = deepcopy(LOGGING_CONFIG)
    if is_filtered():
        config["filters"] = {"credentials": {"()": "bearerkit.RedactTokens"}}
        for handler in config["handlers"].values():
            handler["filters"] = ["credentials"]
    uvicorn.run(asgi_app, port=int(os.environ["PORT"]), log_config=config, ws="none")


def werkzeug_main() -> None:
    """The recipe for Flask's development server."""
    from werkzeug.serving import run_simple

    handler = logging.StreamHandler()
    logging.getLogger("werkzeug").addHandler(handler)
    logging.getLogger("werkzeug").setLevel(logging.INFO)
    if is_filtered():
        RedactTokens().install(handler)
    run_simple("127.0.0.1", int(os.environ["PORT"]), wsgi_app)


def gunicorn_worker(worker: Any) -> None:
    """The recipe for gunicorn: `post_worker_init`."""
    if is_filtered():
        RedactTokens().install()
