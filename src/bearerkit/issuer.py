"""`Issuer`: the settings of one token issuer, wired to the network when asked.

The settings and their checks are in `verify/issuer.py`; verification reads nothing else. What is added here is the
wiring: `entry_of` joins settings to a key source over given ports, and `Issuer.keys` offers the same well-behaved
key source to JWT code that a team already has.
"""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlsplit

from bearerkit.issuer_keys import IssuerKeys
from bearerkit.ports import Clock, Entropy, HttpClient, Observer, Threads
from bearerkit.system import DaemonThreads, SilentObserver, SystemClock, SystemEntropy
from bearerkit.transport.blocking import BlockingClient
from bearerkit.verify.issuer import IssuerSettings
from bearerkit.verify.key_pool import SourcePerUrl
from bearerkit.verify.key_location import KeyLocation
from bearerkit.verify.key_source import KeySource, StaticKeys
from bearerkit.verify.keys import RemoteKeys
from bearerkit.verify.routing import Entry

__all__ = ["Issuer", "entry_of"]


class Issuer(IssuerSettings):
    __doc__ = IssuerSettings.__doc__
    __slots__ = ("_keys",)
    _keys: IssuerKeys

    @property
    def keys(self) -> IssuerKeys:
        """This issuer's keys for code that verifies with PyJWT, joserfc or Authlib (see `IssuerKeys`).

        Cached, refreshed and rate-limited as `Auth` does it, over ports of its own.
        """
        try:
            return self._keys
        except AttributeError:
            entry = entry_of(
                self,
                http=BlockingClient(),
                clock=SystemClock(),
                entropy=SystemEntropy(),
                threads=DaemonThreads(),
                observer=SilentObserver(),
            )
            object.__setattr__(self, "_keys", IssuerKeys(entry, SystemClock()))
            return self._keys


def entry_of(
    issuer: IssuerSettings,
    *,
    http: HttpClient,
    clock: Clock,
    entropy: Entropy,
    threads: Threads,
    observer: Observer,
    untrusted: bool = False,
) -> Entry:
    """The issuer beside a key source over these ports. `untrusted`: its addresses came from data at run time."""

    def remote(location: KeyLocation) -> KeySource:
        return RemoteKeys(
            location,
            http=http,
            clock=clock,
            entropy=entropy,
            threads=threads,
            settings=issuer.key_cache,
            observer=observer,
        )

    location = replace(issuer.location, untrusted=untrusted)
    if issuer.static_keys is not None:
        return Entry(issuer, StaticKeys(issuer.static_keys))
    if not issuer.key_template:
        return Entry(issuer, remote(location))
    template = issuer.key_template[0]
    # A placeholder in the host lets an unverified token choose where we connect to; one in the path does not.
    chosen = untrusted or "{" in urlsplit(template.text).netloc
    return Entry(
        issuer,
        None,
        SourcePerUrl(template, lambda url: remote(replace(location, jwks_uri=url, untrusted=chosen, filled=True))),
    )
