"""The algorithm table is closed."""

from __future__ import annotations

import pytest

from bearerkit.jose.algorithms import ALGORITHMS, DEFAULT_ALGORITHMS, canonical


def test_table_is_exactly_this():
    """Nothing is added by PyJWT's own registry: no none, no ES256K, no Ed448."""
    assert set(ALGORITHMS) == {f"{kind}{bits}" for kind in ("RS", "PS", "ES", "HS") for bits in (256, 384, 512)} | {
        "EdDSA",
        "Ed25519",
    }
    assert set(DEFAULT_ALGORITHMS) <= set(ALGORITHMS)
    assert not [name for name in DEFAULT_ALGORITHMS if ALGORITHMS[name].family == "oct"]


def test_table_cannot_be_changed():
    """Neither the table nor a row takes an assignment."""
    with pytest.raises(TypeError):
        ALGORITHMS["none"] = ALGORITHMS["RS256"]  # type: ignore[index]
    with pytest.raises(AttributeError):
        ALGORITHMS["RS256"].family = "oct"  # type: ignore[misc]


def test_hash_lengths_belong_to_the_names():
    """RS/PS/ES/HS carry their hash length in bits in the name; EdDSA uses SHA-512."""
    for name, row in ALGORITHMS.items():
        assert row.name == name
        assert row.hash_bytes == (64 if row.family == "OKP" else int(name[2:]) // 8)


def test_canonical_joins_the_two_names_of_ed25519():
    """EdDSA and Ed25519 are one algorithm to an allow-list; nothing else is renamed or folded."""
    assert canonical("Ed25519") == canonical("EdDSA") == "EdDSA"
    for name in ("RS256", "rs256", "eddsa", "ed25519", "none", ""):
        assert canonical(name) == name
