"""Project Wycheproof, json_web_encryption: refused one and all, those that decrypt included."""

from __future__ import annotations

from vectors.tally import Source
from vectors.wycheproof import JWE, NO_DECRYPTION, outcomes

__all__ = ["SOURCE"]

SOURCE = Source(
    "Wycheproof JWE",
    "wycheproof/json_web_encryption_test.json",
    lambda folder: outcomes(folder / "wycheproof" / "json_web_encryption_test.json"),
    outside={JWE: NO_DECRYPTION},
)
