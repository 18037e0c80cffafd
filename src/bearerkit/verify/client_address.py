"""Which address a request really came from, behind proxies that were configured. A rule: nothing is resolved.

`X-Forwarded-For` can be written by anybody, so it is read from the right, and only as far as each hop before was a
proxy of ours. What cannot be read gives no address: a condition about it is then indeterminate, which never allows.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from typing import Final, final

from bearerkit.http import Request

__all__ = ["TrustedProxies"]

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Block = ipaddress.IPv4Network | ipaddress.IPv6Network

_FORWARDED_FOR: Final = "x-forwarded-for"
_HOPS_MAX: Final = 32
_WITH_PORT: Final = re.compile(r"\[(?P<six>[^\]]+)\](?::\d{1,5})?|(?P<four>[0-9.]+):\d{1,5}", re.ASCII)


@final
class TrustedProxies:
    """The proxies in front of this service: addresses or blocks. None at all: callers connect directly.

    Raises ValueError with a sentence for what is no address and no block.
    """

    def __init__(self, blocks: Iterable[str]) -> None:
        self._blocks: tuple[Block, ...] = tuple(_block(text) for text in blocks)

    def client_of(self, request: Request) -> str | None:
        """The address of the caller, None if it cannot be told."""
        address = _address(request.client or "")
        if address is None or not self._is_ours(address):
            return None if address is None else str(address)
        hops = [hop.strip() for hop in (request.headers.get(_FORWARDED_FOR) or "").split(",")]
        for hop in reversed(hops[-_HOPS_MAX:]):
            address = _address(hop)
            if address is None:
                return None
            if not self._is_ours(address):
                return str(address)
        return None if len(hops) > _HOPS_MAX else str(address)

    def _is_ours(self, address: Address) -> bool:
        return any(address.version == block.version and address in block for block in self._blocks)


def _block(text: object) -> Block:
    try:
        if not isinstance(text, str):
            raise ValueError("it is no text")
        return ipaddress.ip_network(text)
    except ValueError as error:
        raise ValueError(f"trusted_proxies: {text!r} is no address and no block of addresses: {error}") from None


def _address(text: str) -> Address | None:
    """The address, without its port; an IPv4 address inside an IPv6 one is the IPv4 one."""
    found = _WITH_PORT.fullmatch(text)
    bare = text if found is None else found["six"] or found["four"]
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
