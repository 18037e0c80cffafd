"""What a remembered opaque token costs beside a repeated JWT, in one process, interleaved. CPU time; ratios count.

uv run python benchmarks/introspect.py [--rounds 60] [--check]
"""

from __future__ import annotations

import argparse
import statistics
import time

from interleaved import Candidate, ratio, samples

from bearerkit import Auth, Introspection, Issuer
from bearerkit.testing import FakeIssuer

LIMIT = 1.6
"""A repeated opaque token may cost so many times a repeated JWT."""
REDIS_LIMIT = 1.3
"""A token that another process asked about may take so many times a GET."""


def main() -> int:
    """Run, print, and say whether the aim is met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--check", action="store_true", help="exit with 1 if the aim is missed")
    parser.add_argument("--redis", default="redis://127.0.0.1:6379", help="skipped if it does not answer")
    options = parser.parse_args()
    fake = FakeIssuer(audience="api")
    ours = {"client_id": "api", "client_secret": "s", "audience": "api"}
    auth = Auth(Issuer(fake.issuer, audience="api"), Introspection(fake.introspection_endpoint, **ours), http=fake.http)
    jwt, opaque = fake.token(scope="a b"), fake.opaque_token(scope="a b")
    taken = samples({"repeated JWT": asking(auth, jwt), "repeated opaque token": asking(auth, opaque)}, options.rounds)
    for name, seconds in taken.items():
        print(f"{name:24}{statistics.median(seconds) * 1e6:8.2f} us")
    found = ratio(taken["repeated opaque token"], taken["repeated JWT"])
    print(f"{'met' if found <= LIMIT else 'MISSED'}: {found:.2f}x of a repeated JWT, aim at most {LIMIT}x")
    in_redis = beside_a_get(fake, opaque, options.redis, options.rounds)
    return 1 if options.check and (found > LIMIT or (in_redis or 0) > REDIS_LIMIT) else 0


def beside_a_get(fake: FakeIssuer, token: str, url: str, rounds: int) -> float | None:
    """A token that is remembered in Redis only, beside a GET of its entry. None without Redis."""
    import redis

    from bearerkit.stores.redis import RedisCache

    client = redis.Redis.from_url(url, socket_timeout=1)
    try:
        client.ping()
    except redis.RedisError as error:
        print(f"no Redis: {error}")
        return None
    cache = RedisCache(client, secret="of the benchmark, and of nothing else", namespace="bk-benchmark")
    settings = {"client_id": "api", "client_secret": "s", "audience": "api"}
    auth = Auth(
        Introspection(fake.introspection_endpoint, **settings, cache_size=0, cache_seconds=3_600, shared=cache),
        http=fake.http,
    )
    auth.verify(token)
    (place,) = client.scan_iter("bk-benchmark:cache:*")
    taken: dict[str, list[float]] = {"GET": [], "in Redis": []}
    for _ in range(rounds):
        for name, work in (("GET", lambda: client.get(place)), ("in Redis", lambda: auth.verify(token))):
            begin = time.perf_counter()
            for _ in range(100):
                work()
            taken[name].append((time.perf_counter() - begin) / 100)
    client.delete(place)
    for name, seconds in taken.items():
        print(f"{name:24}{statistics.median(seconds) * 1e6:8.2f} us")
    found = ratio(taken["in Redis"], taken["GET"])
    print(f"{'met' if found <= REDIS_LIMIT else 'MISSED'}: {found:.2f}x of a GET, aim at most {REDIS_LIMIT}x")
    return found


def asking(auth: Auth, token: str) -> Candidate:
    """Verify one token again and again, and look at who it is."""
    _ = auth.verify(token).subject

    def run(times: int) -> None:
        for _ in range(times):
            auth.verify(token).subject  # noqa: B018 - reading it is the work

    return run


if __name__ == "__main__":
    raise SystemExit(main())
