"""Host names and their addresses: resolved once, within a deadline, and judged where the name is not trusted."""

from __future__ import annotations

import encodings.idna  # noqa: F401 - or a fork while a thread first resolves a name leaves half of it in the child
import socket
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Final, Protocol, TypeAlias

from bearerkit.http import FetchFailed
from bearerkit.transport.addresses import is_public

__all__ = ["Resolve", "TimeLeft", "addresses", "public_addresses", "resolve"]

Resolve: TypeAlias = Callable[[str, int], Sequence[str]]
"""Host and port to addresses, in the order in which to try them. Raises OSError."""

_MAX_ADDRESSES: Final = 8
_NO_SUCH_HOST: Final = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)})
_QUOTED_LENGTH: Final = 200
_PRIVATE_HINT: Final = (
    "If this host is meant to be on a private network, say so with network=Network(private=True, ca_file=…)."
)


class TimeLeft(Protocol):
    """What is left of a deadline."""

    def left(self) -> float:
        """Seconds that remain. Raises TimeoutError when none do."""
        ...


def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses of a host name by the resolver of the system."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def addresses(resolve: Resolve, host: str, port: int, deadline: TimeLeft) -> Sequence[str]:
    """Resolve once. The resolver of the C library knows no deadline, so it is left behind if it takes too long."""
    outcome: Future[Sequence[str]] = Future()

    def look_up() -> None:
        try:
            outcome.set_result(resolve(host, port))
        except Exception as error:
            outcome.set_exception(error)

    try:
        threading.Thread(target=look_up, name="bearerkit-dns", daemon=True).start()
    except RuntimeError:  # no thread to be had
        look_up()
    try:
        found = outcome.result(deadline.left())
    except TimeoutError:
        raise
    except (OSError, UnicodeError) as error:
        detail = f"the host {host[:_QUOTED_LENGTH]!r} cannot be resolved: {type(error).__name__}"
        unknown = getattr(error, "errno", None) in _NO_SUCH_HOST
        raise FetchFailed(detail, no_such_host=unknown) from None
    if not found:
        raise FetchFailed(f"the host {host[:_QUOTED_LENGTH]!r} has no address", no_such_host=True)
    return found[:_MAX_ADDRESSES]


def public_addresses(resolve: Resolve, host: str, port: int, deadline: TimeLeft) -> Sequence[str]:
    """The same, refused unless every one of them is public."""
    found = addresses(resolve, host, port, deadline)
    refused = [address for address in found if not is_public(address)]
    if refused:
        detail = f"the host {host[:_QUOTED_LENGTH]!r} leads to {refused[0]}, which is not a public address"
        raise FetchFailed(detail, hint=_PRIVATE_HINT)
    return found
