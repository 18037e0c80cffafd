"""Which address a request really came from, behind proxies that were configured. A rule: nothing is resolved.

`X-Forwarded-For` can be written by anybody, so it is read from the right, and only as far as each hop before was a
proxy of ours. What cannot be read gives no address: a condition about it is then indeterminate, which never allows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, final

from bearerkit.http import Request
from bearerkit.policy.addresses import Address, Block, address_of

__all__ = ["TrustedProxies"]

_FORWARDED_FOR: Final = "x-forwarded-for"
_HOPS_MAX: Final = 32
_WITH_PORT: Final = re.compile(r"\[(?P<six>[^\]]+)\](?::\d{1,5})?|(?P<four>[0-9.]+):\d{1,5}", re.ASCII)


@final
class TrustedProxies:
    """The proxies in front of this service. None at all: callers connect directly."""

    def __init__(self, blocks: Iterable[Block]) -> None:
        self._blocks = tuple(blocks)

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
        return any(address in block for block in self._blocks)


def _address(text: str) -> Address | None:
    """The address, without its port."""
    found = _WITH_PORT.fullmatch(text)
    return address_of(text if found is None else found["six"] or found["four"])
