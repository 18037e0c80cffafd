"""The vectors of latchset/jose: RFC 7515, 7516, 7517, 7520 and 7638 by file, and CVE-2023-50967.

The extension says what a file is. A `.jwk` that holds only a file name names another key; plaintexts and passwords
belong to a JWE and are no vectors of their own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bearerkit.jose.thumbprint import thumbprint
from vectors.json_form import DETACHED, JSON_FORM, NO_CONTENT, NOT_COMPACT, compact_forms, is_detached, refused_as_json
from vectors.tally import ACCEPT, REJECT, Outcome, Source
from vectors.verifier import KEY_POLICIES, key_set_verdict, key_verdict, public_half, verdict
from vectors.wycheproof import JWE, NO_DECRYPTION, encrypted

__all__ = ["SOURCE"]

Jwk = Mapping[str, Any]

ENCRYPTION, LINK, MATERIAL = "key of a JWE", "link", "plaintext or password"
_ELSEWHERE = {
    # Links to keys that are not in every copy of the folder; the same keys stand in these files.
    "rfc7515_A.3.jwk": ("rfc7515_A.6.jwkset", 1),
    "rfc7520_3.5.jwk": ("rfc7520_4.8.jwkset", 2),
    "rfc7638_3.1.jwk": ("rfc7517_A.1.jwkset", 1),
}
_UNSECURED = "rfc7515_A.5.jwsc"


def outcomes(folder: Path) -> Iterator[Outcome]:
    """Every file, in order."""
    root = folder / "latchset-jose"
    for path in sorted(root.iterdir()):
        name, text = path.name, path.read_text(encoding="utf-8").strip()
        match path.suffix:
            case ".jwk":
                yield from _key(name, text)
            case ".jwkset":
                yield from _key_set(name, json.loads(text)["keys"])
            case ".jwsc":
                outside = DETACHED if is_detached(text) else ""
                wanted = REJECT if outside or name == _UNSECURED else ACCEPT
                yield Outcome(name, wanted, verdict(text, _keys_for(root, path.stem)), outside, text)
            case ".jwsf" | ".jwsg":
                yield Outcome(name, f"{REJECT}: malformed", refused_as_json(text), JSON_FORM, text)
                yield from _signatures(root, path, json.loads(text))
            case ".jwec":
                yield Outcome(name, f"{REJECT}: encrypted", encrypted(text), JWE, text)
            case ".jwef" | ".jweg" | ".jwe":
                yield Outcome(name, f"{REJECT}: encrypted", refused_as_json(text), JWE, text)
            case ".thp":
                (key,) = _keys_of(root, f"{path.stem}.jwk")
                yield Outcome(name, text, thumbprint(key))
            case ".pt" | ".pwd" | ".prt" | ".payl":
                yield Outcome(name, "", "", MATERIAL)
            case _:
                if path.name not in ("README.md", "COPYING"):
                    yield Outcome(name, "to be known", "an unknown kind of file")


def _key(name: str, text: str) -> Iterator[Outcome]:
    if not text.startswith("{"):
        yield Outcome(name, "", "", LINK)
        return
    jwk = json.loads(text)
    if _is_for_encryption(jwk):
        yield Outcome(name, REJECT, key_verdict([public_half(jwk)]), ENCRYPTION)
        return
    yield Outcome(name, ACCEPT, key_verdict([jwk]))
    if "d" in jwk:
        yield Outcome(f"{name}, public half", ACCEPT, key_verdict([public_half(jwk)]))


def _key_set(name: str, keys: Sequence[Jwk]) -> Iterator[Outcome]:
    yield Outcome(name, ACCEPT, key_set_verdict(keys))
    for number, jwk in enumerate(keys, 1):
        outside = ENCRYPTION if _is_for_encryption(jwk) else ""
        yield Outcome(
            f"{name}, public half {number}", REJECT if outside else ACCEPT, key_verdict([public_half(jwk)]), outside
        )


def _is_for_encryption(jwk: Jwk) -> bool:
    return jwk.get("use") == "enc" or str(jwk.get("alg", "")).endswith("KW")


def _signatures(root: Path, path: Path, document: Mapping[str, Any]) -> Iterator[Outcome]:
    keys = _keys_for(root, path.stem)
    for number, compact in compact_forms(document):
        key = keys[number if len(keys) > 1 else 0]
        # The key id of these examples is not protected, so it is not there to choose among keys.
        yield Outcome(f"{path.name}, signature {number + 1}", ACCEPT, verdict(compact, [key]), token=compact)


def _keys_for(root: Path, stem: str) -> list[dict[str, Any]]:
    if stem == "rfc7515_A.5":
        return _keys_of(root, "rfc7515_A.6.jwkset")[:1]
    name = f"{stem}.jwkset" if (root / f"{stem}.jwkset").exists() else f"{stem}.jwk"
    return _keys_of(root, name)


def _keys_of(root: Path, name: str) -> list[dict[str, Any]]:
    if not (root / name).exists():
        other, position = _ELSEWHERE[name]
        return _keys_of(root, other)[position : position + 1]
    text = (root / name).read_text(encoding="utf-8").strip()
    if not text.startswith("{"):
        return _keys_of(root, text)
    document = json.loads(text)
    return [public_half(jwk) for jwk in document.get("keys", [document])]


SOURCE = Source(
    "latchset/jose",
    "latchset-jose/*",
    outcomes,
    {},
    KEY_POLICIES,
    {
        JSON_FORM: NOT_COMPACT,
        DETACHED: NO_CONTENT,
        JWE: NO_DECRYPTION,
        ENCRYPTION: "a key for encryption, which verifies nothing and is refused",
        LINK: "the file only names the file of another key",
        MATERIAL: "what belongs to a JWE and is never looked at",
    },
)
