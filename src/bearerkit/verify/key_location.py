"""Where an issuer's keys are, and which URLs may be followed on the way there. Rules only: nothing is fetched here.

Metadata is found by RFC 8414 section 3 and OpenID Connect Discovery 1.0 section 4. A document is believed only if it
names the configured issuer character by character (RFC 8414 section 3.3), and may send us only to its own host or
one that was configured: a metadata document must never choose freely what this machine connects to.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from urllib.parse import SplitResult, urlsplit

from bearerkit.http import Network

__all__ = [
    "KeyLocation",
    "LocationRefused",
    "check_metadata",
    "is_loopback_host",
    "is_odd_address",
    "metadata_candidates",
    "url_problem",
]

OIDC: Final = "/.well-known/openid-configuration"
OAUTH: Final = "/.well-known/oauth-authorization-server"

_NOUNS: Final = {
    "jwks_uri": ("keys", "jwks_uri"),
    "introspection_endpoint": ("an introspection endpoint", "endpoint"),
}
"""Member of the metadata → what it leads to, and the option that says so without metadata."""
_QUOTED_LENGTH: Final = 200
_NOT_IN_URLS: Final = re.compile(r"[^\x21-\x7e]|\\")
_NUMERIC_LABEL: Final = re.compile(r"0[xX][0-9a-fA-F]*|[0-9]+", re.ASCII)


class LocationRefused(ValueError):
    """A metadata document or URL must not be followed. `detail` and `hint` are for the operator."""

    detail: str
    hint: str | None

    def __init__(self, detail: str, *, hint: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.hint = hint


@dataclass(frozen=True, slots=True)
class KeyLocation:
    """Where one issuer's keys come from.

    `issuers`: the exact issuer strings; the first that is a URL is where discovery starts. `metadata_url` and
    `metadata_issuer`: where the metadata is and what it must call itself, if not the issuer. `jwks_uri`: the keys
    themselves, without discovery. `hosts`: further hosts that metadata may send key fetches to. `untrusted`: the URLs
    were made from data that arrived at run time. `key_format`: a JWKS (RFC 7517 section 5), or PEM text, or a JSON
    object of PEM texts by kid. `filled`: `jwks_uri` holds a kid or tenant of a token that is not verified yet, so
    "404" says that there is no such key, not that the issuer is down.
    """

    issuers: tuple[str, ...] = ()
    metadata_url: str | None = None
    metadata_issuer: str | None = None
    jwks_uri: str | None = None
    hosts: tuple[str, ...] = ()
    network: Network = field(default_factory=Network)
    untrusted: bool = False
    key_format: Literal["jwks", "pem-per-kid"] = "jwks"
    filled: bool = False

    @property
    def name(self) -> str:
        """What operators know this place by."""
        return self.jwks_uri or self.metadata_url or (self.issuers[0] if self.issuers else "(no issuer)")


def metadata_candidates(location: KeyLocation) -> tuple[str, ...]:
    """The URLs at which metadata may be, in the order in which to try them; () when no issuer is a URL.

    The OpenID Connect form appends its path to the issuer; the RFC 8414 form stands between host and path.
    """
    if location.metadata_url is not None:
        return (location.metadata_url,)
    for issuer in location.issuers:
        parts = _split(issuer)
        if parts is not None and parts.scheme in {"https", "http"} and not (parts.query or parts.fragment):
            path = parts.path.rstrip("/")
            origin = f"{parts.scheme}://{parts.netloc}"
            return (f"{origin}{path}{OIDC}", f"{origin}{OAUTH}{path}")
    return ()


def check_metadata(location: KeyLocation, url: str, document: Any, member: str = "jwks_uri") -> str:
    """The URL at `member` of the metadata that was fetched from `url`.

    Raises LocationRefused when the document names another issuer, or sends us to a host or scheme that is not allowed.
    """
    if not isinstance(document, Mapping):
        raise LocationRefused(f"metadata from {url} is not a JSON object")
    _check_issuer(location, url, document.get("issuer"))
    target = document.get(member)
    what, option = _NOUNS[member]
    if not isinstance(target, str) or not target:
        raise LocationRefused(
            f"metadata from {url} has no {member}",
            hint=f"If the {what} are published elsewhere, set {option} yourself."
            if what == "keys"
            else f"If there is {what}, set {option} yourself.",
        )
    if problem := url_problem(target, location.network):
        raise LocationRefused(f"metadata from {url} points to {what} that may not be fetched: {problem}")
    if _origin(target) != _origin(url) and not any(_covers(entry, target) for entry in location.hosts):
        raise LocationRefused(
            f"metadata from {url} points to {what} on another host or port, {_quoted(urlsplit(target).netloc)}",
            hint=f"The metadata points to {what} on {json.dumps(_host(target)[:_QUOTED_LENGTH])}, which is not the "
            f"metadata host. If this is intended, set {option} yourself, or add the host to hosts=; a private address "
            "also needs network=Network(private=True, ca_file=…).",
        )
    return target


def _check_issuer(location: KeyLocation, url: str, named: Any) -> None:
    allowed = (location.metadata_issuer,) if location.metadata_issuer is not None else location.issuers
    if isinstance(named, str) and named in allowed:
        return
    if not isinstance(named, str):
        raise LocationRefused(f"metadata from {url} does not name its issuer", hint=f"{url} is not issuer metadata.")
    wanted = " or ".join(f'"{issuer}"' for issuer in allowed) or "(none)"
    shown = json.dumps(named[:_QUOTED_LENGTH])
    if any(named.rstrip("/") == issuer.rstrip("/") for issuer in allowed):
        hint = (
            f"The metadata says {shown}, configured is {wanted}. They differ only in the trailing slash. Copy the "
            "issuer from the token or the metadata, character by character."
        )
    else:
        hint = (
            f"Metadata from {url} names the issuer {shown}. If both are right, set issuer to the second and "
            "metadata_url to the first; in Keycloak fix the hostname so that every client sees one issuer."
        )
    raise LocationRefused(f"metadata from {url} names the issuer {_quoted(named)}, configured is {wanted}", hint=hint)


def url_problem(url: str, network: Network) -> str | None:
    """Why `url` may not be fetched, None if it may: https only, or http to loopback or with `network.allow_http`.

    The text never repeats user information, which would be a password.
    """
    parts = _split(url)
    if parts is None or not parts.hostname:
        return "it is not an absolute URL of plain ASCII characters"
    if "@" in parts.netloc:
        return f"it has user information before the host {_quoted(parts.hostname)}"
    if parts.scheme not in {"https", "http"}:
        return f"the scheme {_quoted(parts.scheme)} is not https"
    if parts.fragment:
        return f"it has a fragment: {_quoted(url)}"
    if is_odd_address(parts.hostname):
        return f"the host {_quoted(parts.hostname)} is an IP address in an unusual spelling"
    if parts.scheme == "http" and not (network.allow_http or is_loopback_host(parts.hostname)):
        return (
            f"http:// to {_quoted(parts.hostname)}, which is not loopback; use https, or Network(allow_http=True) "
            "inside a network that you trust"
        )
    return None


def is_loopback_host(host: str) -> bool:
    """True for `localhost` and for literal addresses of this machine: 127.0.0.0/8 and ::1. Nothing is resolved."""
    if host.lower() == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return address in _LOOPBACK_4 if isinstance(address, ipaddress.IPv4Address) else address == _LOOPBACK_6


def is_odd_address(host: str) -> bool:
    """True for what C libraries read as an IPv4 address although it is not four plain decimal numbers.

    `2130706433`, `0x7f.1` and `0177.0.0.1` are all 127.0.0.1 to them; no honest document spells an address so.
    """
    last = host.removesuffix(".").rpartition(".")[2]
    if ":" in host or _NUMERIC_LABEL.fullmatch(last) is None:
        return False
    try:
        ipaddress.IPv4Address(host)
    except ValueError:
        return True
    return False


_LOOPBACK_4: Final = ipaddress.IPv4Network("127.0.0.0/8")
_LOOPBACK_6: Final = ipaddress.IPv6Address("::1")


def _split(url: str) -> SplitResult | None:
    """The parts of a URL whose port is a number too; None if it does not parse or holds what no URL may."""
    if _NOT_IN_URLS.search(url):
        return None
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts if parts.netloc else None


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""


def _origin(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


def _covers(entry: str, url: str) -> bool:
    """True if an entry of `hosts`, `host` or `host:port`, names the host of `url`."""
    parts = _split(f"//{entry}")
    target = urlsplit(url)
    if parts is None or parts.hostname != target.hostname:
        return False
    return parts.port is None or parts.port == (target.port or (443 if target.scheme == "https" else 80))


def _quoted(text: str) -> str:
    return repr(text[:_QUOTED_LENGTH])
