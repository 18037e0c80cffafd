"""Project Wycheproof, json_web_key: keys and key sets that must not verify anything. We agree with all of it."""

from __future__ import annotations

from vectors.tally import Source
from vectors.wycheproof import outcomes

__all__ = ["SOURCE"]

SOURCE = Source(
    "Wycheproof JWK",
    "wycheproof/json_web_key_test.json",
    lambda folder: outcomes(folder / "wycheproof" / "json_web_key_test.json"),
)
