"""IP addresses and blocks of them, as conditions and trusted proxies compare them. Nothing is resolved.

An IPv4 address inside an IPv6 one is the IPv4 one, and so is a block: what a socket calls `::ffff:10.0.0.1` must not
get past a rule about `10.0.0.0/8`. The zone of an IPv6 address (`fe80::1%eth0`) is free text and no part of it.
"""

from __future__ import annotations

import ipaddress
from typing import Final

__all__ = ["Address", "Block", "address_of", "block_of"]

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Block = ipaddress.IPv4Network | ipaddress.IPv6Network

_MAPPED: Final = ipaddress.IPv6Network("::ffff:0:0/96")


def address_of(value: object) -> Address | None:
    """The address that a text spells, or that this is already; None for anything else."""
    if isinstance(value, str):
        try:
            value = ipaddress.ip_address(value)
        except ValueError:
            return None
    if isinstance(value, ipaddress.IPv6Address):
        return value.ipv4_mapped or ipaddress.IPv6Address(int(value))
    return value if isinstance(value, ipaddress.IPv4Address) else None


def block_of(text: object) -> Block:
    """The address or CIDR block that a text spells. Raises ValueError with the reason, host bits among them."""
    if not isinstance(text, str):
        raise ValueError("it is no text")
    block = ipaddress.ip_network(text)
    if isinstance(block, ipaddress.IPv6Network) and block.subnet_of(_MAPPED):
        first = int(block.network_address) & 0xFFFF_FFFF
        return ipaddress.IPv4Network((first, block.prefixlen - _MAPPED.prefixlen))
    return block
