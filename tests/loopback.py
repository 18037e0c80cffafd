"""Servers on loopback that say exactly the bytes a test wants, honest or hostile. Each is bounded and shut down."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

PATIENCE = 20

Say = Callable[[socket.socket, threading.Event], None]


def reply(body: bytes, status: str = "200 OK", **headers: str) -> Say:
    """An ordinary answer with Content-Length."""
    fields = {"Content-Length": str(len(body))} | {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return raw(f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body)


def raw(data: bytes) -> Say:
    """These bytes, then the connection is closed."""
    return lambda connection, _: connection.sendall(data)


def drip(start: bytes, piece: bytes) -> Say:
    """`start` at once, then `piece` every few milliseconds, until the client or the test has gone."""

    def say(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(start)
        while not over.wait(0.01):
            connection.sendall(piece)

    return say


def silence(connection: socket.socket, over: threading.Event) -> None:
    """Nothing at all."""
    over.wait(PATIENCE)


class Server:
    """What a running server saw: how many connections, and the head of each request."""

    def __init__(self, port: int, scheme: str) -> None:
        self.port = port
        self.scheme = scheme
        self.connections = 0
        self.heads: list[str] = []

    def url(self, path: str = "/jwks", host: str = "127.0.0.1") -> str:
        return f"{self.scheme}://{host}:{self.port}{path}"

    def header(self, name: str) -> str | None:
        """A header field of the last request."""
        for line in self.heads[-1].split("\r\n")[1:]:
            key, _, value = line.partition(": ")
            if key.lower() == name:
                return value
        return None


@contextmanager
def serve(say: Say, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """A server that reads the head of each request and then says what it is told."""
    over = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.01)
    server = Server(listener.getsockname()[1], "https" if tls else "http")
    threads: list[threading.Thread] = []

    def answer(connection: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            piece = connection.recv(65_536)
            if not piece:
                return
            head += piece
        server.heads.append(head.partition(b"\r\n\r\n")[0].decode("latin-1"))
        say(connection, over)
        connection.shutdown(socket.SHUT_WR)

    def handle(connection: socket.socket) -> None:
        connection.settimeout(PATIENCE)
        with suppress(OSError), connection:
            if tls is None:
                answer(connection)
            else:
                with tls.wrap_socket(connection, server_side=True) as wrapped:
                    answer(wrapped)

    def accept() -> None:
        while not over.is_set():
            with suppress(TimeoutError):
                connection, _ = listener.accept()
                server.connections += 1
                threads.append(threading.Thread(target=handle, args=(connection,), daemon=True))
                threads[-1].start()

    acceptor = threading.Thread(target=accept, daemon=True)
    acceptor.start()
    try:
        yield server
    finally:
        over.set()
        acceptor.join(PATIENCE)
        listener.close()
        for thread in threads:
            thread.join(PATIENCE)


@dataclass(frozen=True)
class Asked:
    """One request to a server that keeps its connections: on which of them, and as the how many of it (from 0)."""

    connection: int
    turn: int
    head: str
    body: bytes


Turn = Callable[[Asked, socket.socket, threading.Event], bool]
"""Answers one request; False closes the connection."""


def kept(body: bytes, **headers: str) -> Turn:
    """An ordinary answer to every request, on a connection that stays open."""
    say = reply(body, **headers)

    def turn(_: Asked, connection: socket.socket, over: threading.Event) -> bool:
        say(connection, over)
        return True

    return turn


class KeptServer(Server):
    """What a server that keeps connections saw."""

    def __init__(self, port: int, scheme: str) -> None:
        super().__init__(port, scheme)
        self.asked: list[Asked] = []
        self.open = 0
        """Connections that are open now."""
        self.most_open = 0
        self.changed = threading.Condition()

    def wait_until_closed(self) -> None:
        """Until no connection is open."""
        with self.changed:
            assert self.changed.wait_for(lambda: self.open == 0, PATIENCE), f"{self.open} connections are open"


@contextmanager
def converse(turn: Turn, tls: ssl.SSLContext | None = None) -> Iterator[KeptServer]:
    """A server that answers one request after another on each connection."""
    over = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0), backlog=256)
    listener.settimeout(0.01)
    server = KeptServer(listener.getsockname()[1], "https" if tls else "http")
    threads: list[threading.Thread] = []
    sockets: list[socket.socket] = []

    def requests(connection: socket.socket, number: int) -> Iterator[Asked]:
        data, position = b"", 0
        while True:
            while b"\r\n\r\n" not in data:
                if not (piece := connection.recv(65_536)):
                    return
                data += piece
            head, _, data = data.partition(b"\r\n\r\n")
            text = head.decode("latin-1")
            size = next((int(line[15:]) for line in text.lower().split("\r\n") if line[:15] == "content-length:"), 0)
            while len(data) < size:
                if not (piece := connection.recv(65_536)):
                    return
                data += piece
            yield Asked(number, position, text, data[:size])
            data, position = data[size:], position + 1

    def handle(connection: socket.socket, number: int) -> None:
        connection.settimeout(PATIENCE)
        try:
            with (
                suppress(OSError),
                connection if tls is None else tls.wrap_socket(connection, server_side=True) as ours,
            ):
                sockets.append(ours)
                for asked in requests(ours, number):
                    server.asked.append(asked)
                    server.heads.append(asked.head)
                    if not turn(asked, ours, over):
                        break
        finally:
            connection.close()
            with server.changed:
                server.open -= 1
                server.changed.notify_all()

    def accept() -> None:
        while not over.is_set():
            with suppress(TimeoutError):
                connection, _ = listener.accept()
                sockets.append(connection)
                with server.changed:
                    server.connections += 1
                    server.open += 1
                    server.most_open = max(server.most_open, server.open)
                threads.append(threading.Thread(target=handle, args=(connection, server.connections - 1), daemon=True))
                threads[-1].start()

    acceptor = threading.Thread(target=accept, daemon=True)
    acceptor.start()
    try:
        yield server
    finally:
        over.set()
        acceptor.join(PATIENCE)
        listener.close()
        for connection in sockets:
            with suppress(OSError):  # most are closed already; a client may keep the rest as long as it likes
                connection.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join(PATIENCE)


def relay_to(port: int) -> Say:
    """What an HTTP proxy does with CONNECT: a tunnel to a port of this machine."""

    def say(connection: socket.socket, over: threading.Event) -> None:
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as upstream:
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")

            def pump(source: socket.socket, sink: socket.socket) -> None:
                with suppress(OSError):
                    while data := source.recv(65_536):
                        sink.sendall(data)
                    sink.shutdown(socket.SHUT_WR)

            back = threading.Thread(target=pump, args=(upstream, connection), daemon=True)
            back.start()
            pump(connection, upstream)
            back.join(PATIENCE)

    return say


def certificate_authority(
    folder: Path, *names: str, expired: bool = False, self_signed: bool = False
) -> tuple[Path, ssl.SSLContext]:
    """A CA file, and a server context with a certificate of that CA for `names` (host names or addresses).

    `expired`: it ended an hour ago. `self_signed`: it is signed by its own key, and the CA file knows nothing of it.
    """
    now = datetime.datetime.now(datetime.UTC)
    hour = datetime.timedelta(hours=1)
    ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])

    def builder(
        subject: x509.Name,
        public: ec.EllipticCurvePublicKey,
        issuer: x509.Name = ca_name,
        issuer_public: ec.EllipticCurvePublicKey = ca_key.public_key(),
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - 2 * hour)
            .not_valid_after(now - hour if expired and subject != issuer else now + hour)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_public), critical=False)
        )

    usage = x509.KeyUsage(
        digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    ca = (
        builder(ca_name, ca_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .sign(ca_key, hashes.SHA256())
    )

    def general(name: str) -> x509.GeneralName:
        try:
            return x509.IPAddress(ipaddress.ip_address(name))
        except ValueError:
            return x509.DNSName(name)

    name, public = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])]), key.public_key()
    leaf = (
        (builder(name, public, name, public) if self_signed else builder(name, public))
        .add_extension(x509.SubjectAlternativeName([general(name) for name in names]), critical=False)
        .sign(key if self_signed else ca_key, hashes.SHA256())
    )
    ca_file, leaf_file = folder / "ca.pem", folder / "leaf.pem"
    ca_file.write_bytes(ca.public_bytes(Encoding.PEM))
    leaf_file.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + leaf.public_bytes(Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(leaf_file)
    return ca_file, context
