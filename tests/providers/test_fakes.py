"""A fake of each preset: what `FakeIssuer.for_issuer` mints it takes, and its keys are where they really are."""

from __future__ import annotations

import pytest

from bearerkit import Auth, Issuer, SharedSecret, providers
from bearerkit.errors import KeysUnavailable, TokenInvalid
from bearerkit.testing import FakeIssuer
from providers.made import API, MADE, TENANT, made


@pytest.mark.parametrize("file", [file for file in MADE if file != "aws-alb"])
def test_a_fake_of_a_preset(file: str) -> None:
    """Its token passes; without one of the required claims, or for another API, it does not."""
    issuer = made(file)
    auth, fake = Auth(issuer), FakeIssuer.for_issuer(issuer)
    with fake.connect(auth):
        context = auth.verify(fake.token())
        assert context.subject
        assert context.issuer == fake.issuer
        with pytest.raises(TokenInvalid):
            auth.verify(fake.token(iss="https://other.example.test"))
        for path, values in issuer.rules.require:
            if None not in values and not path.path.startswith(("header.", "/")):
                with pytest.raises(TokenInvalid):
                    auth.verify(fake.token({path.path: None}))


def test_claims_of_a_test_go_over_the_made_up_ones() -> None:
    """A tenant of the allow-list, a role, a subject."""
    issuer = providers.entra_multitenant(audience=API, tenants=[TENANT])
    auth, fake = Auth(issuer), FakeIssuer.for_issuer(issuer)
    with fake.connect(auth):
        context = auth.verify(fake.token(oid="ada", roles=["Orders.Admin"]))
        assert (context.subject, context.tenant_id, context.roles) == ("ada", TENANT, ("Orders.Admin",))


def test_a_fake_of_a_plain_issuer() -> None:
    """The name and the audience are enough."""
    issuer = Issuer("https://id.example.test", audience=["b", "a"], algorithms=["ES256"], clients=["c"])
    auth, fake = Auth(issuer), FakeIssuer.for_issuer(issuer)
    assert fake.alg == "ES256"
    with fake.connect(auth):
        assert auth.verify(fake.token()).client_id == "c"
        with fake.go_down(), pytest.raises(KeysUnavailable):
            Auth(issuer, http=fake.http).verify(fake.token())


@pytest.mark.parametrize(
    ("issuer", "why"),
    [
        (Issuer("https://id.example.test", audience="a", keys=SharedSecret("s" * 32)), "at hand"),
        (made("aws-alb"), "by its id"),
    ],
)
def test_what_no_fake_can_publish(issuer: Issuer, why: str) -> None:
    """A sentence that says why."""
    with pytest.raises(ValueError, match=why):
        FakeIssuer.for_issuer(issuer)
