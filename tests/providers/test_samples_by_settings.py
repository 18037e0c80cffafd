"""Every token sample of the identity-provider collection, judged through `Issuer` as its file's `verifier` says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bearerkit import ANY, NO_ISSUER, PRESENT, Issuer
from bearerkit.errors import TokenInvalid
from providers.samples import RSA, departure, keys_for, read, verify

SAME_NAME = (
    *("algorithms", "audience_from", "typ", "forbid", "clients", "client_claims"),
    *("subject", "lifetime_max", "leeway", "claims", "padding"),
)
"""Settings that a `verifier` block spells as `Issuer` does."""


def issuer_of(verifier: Mapping[str, Any], keys: Any) -> Issuer:
    """The `Issuer` that a file's `verifier` block describes, with test keys in place of fetched ones."""
    options = {name: verifier[name] for name in SAME_NAME if name in verifier}
    if "tfp" in verifier.get("require", {}):
        options["forbid"] = ()  # Azure AD B2C puts a nonce into access tokens; its file tells them apart by tfp
    if verifier.get("accept_id_tokens"):
        options["token_type"] = "id"
    if "require" in verifier:
        options["require"] = {path: PRESENT if value == "*" else value for path, value in verifier["require"].items()}
    names = [NO_ISSUER if name is None else name for name in verifier["issuer"]]
    if any("{" in str(name) for name in names):
        tenants = verifier.get("tenants", "ANY")
        options |= {"placeholders": verifier["issuer_formats"], "tenants": ANY if tenants == "ANY" else tenants}
    return Issuer(
        names[0] if len(names) == 1 else names,
        audience=ANY if verifier["audience"] == "ANY" else verifier["audience"],
        keys=keys,
        **options,
    )


def test_every_sample_comes_out_as_its_file_expects(shared: Path) -> None:
    """156 samples of 34 providers: accepted, or refused by exactly the rule that the file names."""
    samples = read(shared / "idps")
    assert len(samples) >= 156
    wrong = [departure(sample, issuer_of(sample.verifier, keys_for(sample))) for sample in samples]
    assert not any(wrong), "\n".join(filter(None, wrong))


@pytest.mark.parametrize("provider", ["keycloak", "entra-v2", "zitadel"])
def test_a_token_of_one_provider_means_nothing_to_another(shared: Path, provider: str) -> None:
    """Signed by a good key, but its issuer was never configured: refused by issuer, whatever else fits."""
    other = Issuer("https://id.example.test", audience=ANY, keys=RSA.public_key())
    (sample,) = (sample for sample in read(shared / "idps") if sample.id == f"{provider}/access_token")
    with pytest.raises(TokenInvalid) as refusal:
        verify(other, sample.token)
    assert refusal.value.reason == "issuer_mismatch"
