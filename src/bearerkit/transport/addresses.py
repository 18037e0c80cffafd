"""Which addresses a URL may lead to when it was made from somebody else's data. Pure: nothing is resolved here.

The rule is an allow-list, public unicast, and looks through every form that carries an IPv4 address inside an IPv6
one: a gateway or the kernel unpacks those after we have looked.
"""

from __future__ import annotations

import ipaddress
from typing import Final

__all__ = ["is_public"]

_GLOBAL_UNICAST: Final = ipaddress.IPv6Network("2000::/3")
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
_LOW_32_BITS: Final = 0xFFFF_FFFF


_NOT_PUBLIC_4: Final = tuple(map(ipaddress.IPv4Network, ("192.0.0.0/24", "192.88.99.0/24")))
_NOT_PUBLIC_6: Final = tuple(map(ipaddress.IPv6Network, ("2001::/23", "2002::/16", "3fff::/20", "2620:4f:8000::/48")))
"""What only newer Pythons know not to be global: 6to4 and Teredo, which carry an IPv4 address, among them; and
192.0.0.192, the metadata service of a cloud."""
_ISATAP: Final = (0x0000_5EFE, 0x0200_5EFE)
"""Upper half of the interface ids that carry an IPv4 address (RFC 5214 section 6.1)."""


def is_public(address: str) -> bool:
    """True for a public unicast address: not loopback, private, link-local, shared, reserved, multicast or mapped.

    False for text that is not an IP address at all.
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv4Address):
        return _is_public_4(parsed)
    if parsed in _NAT64:
        return _is_public_4(ipaddress.IPv4Address(int(parsed) & _LOW_32_BITS))
    # What remains outside 2000::/3 is loopback, link-local, unique local, IPv4-mapped and -compatible, multicast.
    if parsed not in _GLOBAL_UNICAST or not parsed.is_global or any(parsed in network for network in _NOT_PUBLIC_6):
        return False
    return int(parsed) >> 32 & _LOW_32_BITS not in _ISATAP


def _is_public_4(address: ipaddress.IPv4Address) -> bool:
    return (
        address.is_global
        and not (address.is_multicast or address.is_reserved)
        and not any(address in network for network in _NOT_PUBLIC_4)
    )
