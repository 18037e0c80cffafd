"""The application of test_gunicorn_preload.py, imported in gunicorn's master; the workers are forked from it.

At the fork the master holds the keys of one issuer, and a thread of it is waiting for those of the other.
"""

from __future__ import annotations

import os
import threading

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from bearerkit import Auth, Issuer, Network
from bearerkit.http import Fetch, Fetched
from bearerkit.starlette import RequireBearer, auth_from
from bearerkit.transport.blocking import BlockingClient
from concurrency.signed_answers import signed

PATIENCE = 20
MASTER = os.getpid()


class Telling:
    """The ordinary HTTP client, which says when it has been asked."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self._client = BlockingClient()

    async def fetch(self, fetch: Fetch) -> Fetched:
        self.asked.set()
        return await self._client.fetch(fetch)


http = Telling()
warm = Auth(Issuer(os.environ["PRELOAD_WARM_ISSUER"], audience="orders-api"))
busy = Auth(Issuer(os.environ["PRELOAD_BUSY_ISSUER"], audience="orders-api", network=Network(timeout=60)), http=http)

warm.warm_up()
threading.Thread(target=busy.warm_up, daemon=True).start()
assert http.asked.wait(PATIENCE), "the master has not begun to fetch"


async def who(request: Request) -> JSONResponse:
    return JSONResponse({"subject": auth_from(request).subject, "master": MASTER})


app = signed(Starlette(routes=[Route("/warm", RequireBearer(warm)(who)), Route("/busy", RequireBearer(busy)(who))]))
