"""Keys at hand whose key ids do not tell them apart."""

from __future__ import annotations

from typing import Any

import pytest

from bearerkit import ConfigError, Issuer, SharedSecret
from bearerkit.testing import SigningKey

URL = "https://id.example.com"
RSA = SigningKey.generate("RS256", kid="k1").jwk
OTHER = SigningKey.generate("RS256", kid="k1").jwk
EC = SigningKey.generate("ES256", kid="k1").jwk


def bare(jwk: dict[str, Any], **members: Any) -> dict[str, Any]:
    """The key without the members that restrict it."""
    return {name: value for name, value in jwk.items() if name not in ("alg", "use")} | members


@pytest.mark.parametrize(
    "keys",
    [
        {"keys": [RSA, OTHER]},
        [RSA, OTHER],
        {"keys": [bare(RSA), OTHER]},
        [SharedSecret("a" * 32, kid="k1"), SharedSecret("b" * 48, kid="k1")],
    ],
    ids=["set", "list", "one-of-them-restricted", "secrets"],
)
def test_a_kid_that_names_two_keys_is_a_mistake(keys: Any) -> None:
    """Wycheproof json_web_key tcId 4: whoever writes keys down can give each a name of its own."""
    with pytest.raises(ConfigError) as caught:
        Issuer(URL, audience="api", keys=keys)
    assert caught.value.problems == (
        f"Issuer('{URL}'): keys: the kid 'k1' names several keys; give each its own (or none)",
    )


@pytest.mark.parametrize(
    "keys",
    [
        {"keys": [RSA, dict(RSA)]},
        {"keys": [RSA, EC]},
        {"keys": [RSA, bare(OTHER, alg="PS256")]},
        [SharedSecret("a" * 32), SharedSecret("b" * 32)],
    ],
    ids=["same-key-twice", "two-types", "two-algorithms", "no-kid"],
)
def test_a_kid_that_leaves_no_doubt_is_fine(keys: Any) -> None:
    """RFC 7517 section 4.5 allows one kid for keys of different types; the algorithm tells them apart."""
    assert Issuer(URL, audience="api", keys=keys).static_keys
