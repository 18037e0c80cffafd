"""Project Wycheproof, json_web_signature. The errata are those of the README beside the file."""

from __future__ import annotations

from vectors.tally import Deviation, Source
from vectors.wycheproof import outcomes

__all__ = ["SOURCE"]

_ES521 = Deviation("reject: key", 'the key says alg "ES521", which does not exist (erratum)', elsewhere=True)
_PS384 = Deviation("reject: algorithm", "the key says alg PS256, the header PS384 (erratum)", elsewhere=True)
_SAME = Deviation("accept", "byte for byte the token and key of tcId 357, which is valid (erratum)")
_FOREIGN = Deviation("reject: malformed", 'a segment holds "?", which is not base64url (RFC 7515 section 2, erratum)')

SOURCE = Source(
    "Wycheproof JWS",
    "wycheproof/json_web_signature_test.json",
    lambda folder: outcomes(folder / "wycheproof" / "json_web_signature_test.json"),
    {
        "tcId 346": _PS384,
        "tcId 347": _ES521,
        "tcId 350": _PS384,
        "tcId 351": _ES521,
        "tcId 367": _SAME,
        "tcId 370": _SAME,
        "tcId 372": _FOREIGN,
        "tcId 373": _FOREIGN,
    },
)
