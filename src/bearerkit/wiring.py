"""How an `Auth` is put together: settings joined to ports. Nothing is judged and nothing fetched here."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from bearerkit.issuer import entry_of
from bearerkit.ports import Clock, Entropy, HttpClient, Observer, Revocations, Threads
from bearerkit.system import DaemonThreads, SilentObserver, SystemClock, SystemEntropy
from bearerkit.transport.blocking import BlockingClient
from bearerkit.transport.pooled import PooledClient
from bearerkit.verify.authenticator import Authenticator
from bearerkit.verify.credentials import Places
from bearerkit.verify.issuer import IssuerSettings
from bearerkit.verify.kind import KindSettings
from bearerkit.verify.kinds import Kinds
from bearerkit.verify.resolver import IssuerResolver
from bearerkit.verify.world import World

__all__ = ["authenticator_of", "world_of"]

_NOBODY_LISTENS: Final = SilentObserver()


def world_of(
    http: HttpClient | None,
    clock: Clock | None,
    entropy: Entropy | None,
    threads: Threads | None,
    observer: Observer | None,
) -> World:
    """The given ports, and the real world for the others. A given `http` does everything."""
    pooled = PooledClient()
    return World(
        http=BlockingClient() if http is None else http,
        clock=SystemClock() if clock is None else clock,
        entropy=SystemEntropy() if entropy is None else entropy,
        threads=DaemonThreads() if threads is None else threads,
        observer=_NOBODY_LISTENS if observer is None else observer,
        pooled=pooled if http is None else http,
        release=pooled.close,
    )


def authenticator_of(
    verifiers: Sequence[object],
    world: World,
    *,
    places: Places,
    revocations: Revocations | None,
    cache_size: int,
) -> Authenticator:
    """What says who is calling, by these verifiers over these ports."""
    enter = partial(
        entry_of,
        http=world.http,
        clock=world.clock,
        entropy=world.entropy,
        threads=world.threads,
        observer=world.observer,
    )
    issuers = [item for item in verifiers if isinstance(item, IssuerSettings)]
    kinds = [(item, item.enter(world)) for item in verifiers if isinstance(item, KindSettings)]
    return Authenticator(
        [enter(issuer) for issuer in issuers],
        [item for item in verifiers if isinstance(item, IssuerResolver)],
        Kinds(kinds, [issuer.name for issuer in issuers]),
        enter=partial(enter, untrusted=True),
        places=places,
        revocations=revocations,
        clock=world.clock,
        cache_size=cache_size,
    )
