"""What we accept, PyJWT, joserfc and jose accept too, but for the exceptions that `explained.py` lists.

`BEARERKIT_FUZZ_SECONDS=600 uv run pytest -s tests/differential` goes on for that long from a seed of its own, or from
BEARERKIT_FUZZ_SEED; `nox -s long` does so. Without it a fixed seed adds a few hundred cases to the sweep.
"""

from __future__ import annotations

import os
import time
from itertools import islice

import pytest

from differential.bases import BASES
from differential.campaign import Campaign
from differential.draft import Recipe
from differential.explained import EXPLAINED
from differential.mutations import STEPS, bake, random_recipes, sweep
from differential.opinions import Jose

pytestmark = pytest.mark.interop

RANDOM_CASES = 250
AT_ONCE = 200
SECONDS = float(os.environ.get("BEARERKIT_FUZZ_SECONDS", "0"))
SEED = os.environ.get("BEARERKIT_FUZZ_SEED") or (str(time.time_ns()) if SECONDS else "1")
UNSUPPORTED = {("Ed25519", "PyJWT")}


@pytest.fixture(scope="module")
def campaign(jose: Jose) -> Campaign:
    """The whole comparison, which the tests of this module look at."""
    campaign = Campaign(jose)
    campaign.run([recipe for row in EXPLAINED for recipe in row.examples])
    campaign.run(sweep())
    campaign.run(islice(random_recipes(SEED, campaign.harmless), RANDOM_CASES))
    further, until = random_recipes(f"{SEED} long", campaign.harmless), time.monotonic() + SECONDS
    while SECONDS and time.monotonic() < until and not campaign.unexplained:
        campaign.run(islice(further, AT_ONCE))
    print(f"\nseed {SEED}\n{campaign.report()}")
    return campaign


@pytest.mark.parametrize("base", BASES)
def test_an_honest_token_is_accepted_by_all(jose, base):
    """Every algorithm, with a key set as issuers publish it; PyJWT does not know the name Ed25519."""
    (opinions,) = Campaign(jose).opinions([bake(Recipe(base))])
    refused = {name: opinion.why for name, opinion in opinions.items() if not opinion.accepted}
    assert {(base, name) for name in refused} <= UNSUPPORTED, refused


def test_what_we_accept_everybody_accepts(campaign):
    """No case, swept or random, is accepted by us alone or read otherwise by a peer, unless that is explained."""
    assert not campaign.unexplained, f"seed {SEED}\n" + "\n".join(campaign.unexplained)


def test_the_comparison_compares_something(campaign):
    """Every variant of every mutation took part, many tokens get past our checks, and each peer takes many."""
    assert campaign.cases > sum(step.count for step in STEPS.values()) + RANDOM_CASES
    assert all(campaign.accepted[name] > campaign.cases / 5 for name in ("ours", "PyJWT", "joserfc", "jose"))


@pytest.mark.parametrize(
    ("row", "peer"), [(row.name, peer) for row in EXPLAINED for peer in row.peers], ids=lambda value: value
)
def test_an_explanation_is_still_needed(campaign, row, peer):
    """A peer that has changed its mind, or a mutation that is gone, takes its exception along."""
    assert campaign.seen[row, peer]
