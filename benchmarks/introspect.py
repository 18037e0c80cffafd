"""What a remembered opaque token costs beside a repeated JWT, in one process, interleaved. CPU time; ratios count.

uv run python benchmarks/introspect.py [--rounds 60] [--check]
"""

from __future__ import annotations

import argparse
import statistics

from interleaved import Candidate, ratio, samples

from bearerkit import Auth, Introspection, Issuer
from bearerkit.testing import FakeIssuer

LIMIT = 1.6
"""A repeated opaque token may cost so many times a repeated JWT."""


def main() -> int:
    """Run, print, and say whether the aim is met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--check", action="store_true", help="exit with 1 if the aim is missed")
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
    return 1 if options.check and found > LIMIT else 0


def asking(auth: Auth, token: str) -> Candidate:
    """Verify one token again and again, and look at who it is."""
    _ = auth.verify(token).subject

    def run(times: int) -> None:
        for _ in range(times):
            auth.verify(token).subject  # noqa: B018 - reading it is the work

    return run


if __name__ == "__main__":
    raise SystemExit(main())
