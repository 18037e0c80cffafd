"""Project Wycheproof, json_web_crypto: the older file, of signed and encrypted tokens together."""

from __future__ import annotations

from vectors.tally import Source
from vectors.wycheproof import JWE, NO_DECRYPTION, outcomes

__all__ = ["SOURCE"]

SOURCE = Source(
    "Wycheproof crypto",
    "wycheproof/json_web_crypto_test.json",
    lambda folder: outcomes(folder / "wycheproof" / "json_web_crypto_test.json"),
    outside={JWE: NO_DECRYPTION},
)
