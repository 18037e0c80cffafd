"""One issuer that can go wrong, and one application whose route it guards: the stage on which a fault is played.

The issuer is a real server on loopback, reached by the real HTTP client; only names and clocks are ours. `World` holds
what a fault may change, and `heal` puts all of it back. Which faults there are is `faults.py`; what callers are made
to do is `lifecycle.py`.
"""

from __future__ import annotations

import json
import socket
import ssl
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

from auth_doubles import Events
from bearerkit import ANY, Auth, Issuer, IssuerResolver, Network
from bearerkit.http import Fetch, Fetched
from bearerkit.testing import SigningKey
from bearerkit.transport.blocking import BlockingClient
from loopback import PATIENCE, Say, certificate_authority, reply, serve

__all__ = ["DEADLINE", "KEY", "PUBLIC", "Names", "World", "json_reply"]

KEY = SigningKey.generate("ES256", kid="k1")
ISSUER = "https://id.example.test"
METADATA = "/.well-known/openid-configuration"
DEADLINE = 0.1
"""Seconds for a fetch while a fault lasts that never ends by itself: so all of them fit into one test run."""
PUBLIC = "93.184.216.34"
"""A public address. Connections to it arrive at our server, as if that stood in the internet."""

Names = Callable[[str], Sequence[str]]


def json_reply(document: Any, **headers: str) -> Say:
    """A JSON document, sent as it should be."""
    return reply(json.dumps(document).encode(), Content_Type="application/json", **headers)


class JumpingClock:
    """Both clocks of a machine. They run together when told to, and either may be set wrong."""

    def __init__(self) -> None:
        self.passed = 0.0
        self.wall_error = 0.0
        self.monotonic_error = 0.0

    @property
    def true_now(self) -> float:
        """What the rest of the world takes for the time."""
        return 1_790_000_000.0 + self.passed

    def now(self) -> float:
        return self.true_now + self.wall_error

    def monotonic(self) -> float:
        return 100_000.0 + self.passed + self.monotonic_error


class CountedClient:
    """The real client. It counts fetches, and hurries while a fault without end lasts."""

    def __init__(self, resolve: Callable[[str, int], Sequence[str]]) -> None:
        self.count = 0
        self.hurry = False
        self._client = BlockingClient(resolve=resolve)

    async def fetch(self, fetch: Fetch) -> Fetched:
        self.count += 1
        network = replace(fetch.network, timeout=DEADLINE if self.hurry else PATIENCE)
        return await self._client.fetch(replace(fetch, network=network))


class AwaitedThreads:
    """Real threads. Callers have their answer before a fetch has told the log; the test waits for that too."""

    def __init__(self) -> None:
        self._started: list[threading.Thread] = []

    def start(self, work: Callable[[], None]) -> bool:
        self._started.append(threading.Thread(target=work, daemon=True))
        self._started[-1].start()
        return True

    def join(self) -> None:
        while self._started:
            self._started.pop().join(PATIENCE)


class World:
    """An issuer of one kind, its server, names and clocks, and an `Auth` that trusts it.

    `kind`: "jwks" and "metadata" over http to loopback, "tls" over https, "resolver" for an issuer that an
    `IssuerResolver` names. What a fault may change: `pages` (path → what is said there), `tls` (the certificate),
    `names` (what the DNS answers) and `clock`.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.clock = JumpingClock()
        self.events = Events()
        self.over = threading.Event()
        self.asked: list[str] = []
        self._stack = ExitStack()
        secure = kind in ("tls", "resolver")
        self.host = {"tls": "keys.internal", "resolver": "keys.acme.example"}.get(kind, "localhost")
        self._true_address = PUBLIC if kind == "resolver" else "127.0.0.1"
        self.folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        ca_file, self._good_tls = certificate_authority(self._sub("good"), self.host) if secure else (None, None)
        self._network = Network(ca_file=str(ca_file) if ca_file else None)
        entrance = None
        if secure:
            assert self._good_tls is not None
            entrance = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            entrance.sni_callback = self._choose_certificate
        self.server = self._stack.enter_context(serve(self._say, entrance))
        self._stack.callback(self.over.set)
        self.http = CountedClient(self._resolve)
        self.threads = AwaitedThreads()
        self.auth = Auth(self._verifier(), http=self.http, clock=self.clock, observer=self.events, threads=self.threads)
        if kind == "resolver":
            self._stack.enter_context(mock.patch.object(socket, "create_connection", self._route))
        self.heal()

    def __enter__(self) -> World:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def heal(self) -> None:
        """Everything is as it should be."""
        keys = json_reply({"keys": [KEY.jwk]})
        self.pages: dict[str, Say] = {"/keys": keys, "/moved": keys, METADATA: json_reply(self.metadata())}
        self.tls = self._good_tls
        self.names: Names = lambda host: [self._true_address]
        self.clock.wall_error = self.clock.monotonic_error = 0.0
        self.http.hurry = False

    @property
    def issuer(self) -> str:
        """The `iss` of its tokens."""
        return self.server.url("", "localhost") if self.kind == "metadata" else ISSUER

    @property
    def keys_url(self) -> str:
        return self.server.url("/keys", self.host)

    def metadata(self, **changes: Any) -> Mapping[str, Any]:
        """The metadata document, but for `changes`."""
        return {"issuer": self.issuer, "jwks_uri": self.keys_url, **changes}

    def certificate(self, name: str, **how: bool) -> ssl.SSLContext:
        """A server context whose certificate nobody here trusts, or only for another name."""
        return certificate_authority(self._sub("bad"), name, **how)[1]

    def certificate_of_ours(self, name: str, **how: bool) -> ssl.SSLContext:
        """A certificate from the authority that is trusted from now on, for `name`."""
        ca_file, context = certificate_authority(self._sub("ours"), name, **how)
        assert self._network.ca_file is not None
        trusted = Path(self._network.ca_file)
        trusted.write_bytes(trusted.read_bytes() + ca_file.read_bytes())
        return context

    def _verifier(self) -> Any:
        if self.kind == "metadata":
            return Issuer(self.issuer, audience="api", network=self._network)
        if self.kind == "resolver":
            return IssuerResolver(
                lambda iss: Issuer(iss, audience="api", tenants=ANY, jwks_uri=self.keys_url, network=self._network)
            )
        return Issuer(ISSUER, audience="api", jwks_uri=self.keys_url, network=self._network)

    def _sub(self, name: str) -> Path:
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        return folder

    def _say(self, connection: socket.socket, over: threading.Event) -> None:
        path = self.server.heads[-1].split(" ")[1]
        self.pages.get(path, reply(b"", "404 Not Found"))(connection, over)

    def _choose_certificate(self, connection: Any, name: str | None, context: Any) -> None:
        if self.tls is None:
            self.over.wait(PATIENCE)
        else:
            connection.context = self.tls

    def _resolve(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        return self.names(host)

    _connect = staticmethod(socket.create_connection)

    def _route(self, address: tuple[str, int], *more: Any, **named: Any) -> socket.socket:
        """The internet: what goes to the public address arrives here; everything else stays what it is."""
        host, port = address
        return self._connect(("127.0.0.1" if host == PUBLIC else host, port), *more, **named)
