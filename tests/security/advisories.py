"""What tests of advisories share: issuers in the configurations that the attacks need, and how a refusal is checked."""

from __future__ import annotations

from typing import Any

import pytest

from auth_doubles import ISSUER, auth, jwks
from bearerkit import Auth, ConfigError, Issuer, SharedSecret
from bearerkit.errors import SignatureInvalid, TokenInvalid
from security.forgery import EC, ED, RSA, keyed, public_forms

FORMS = {title: form for (_, title), form in public_forms().items()}
ALG = "algorithm_not_allowed"


def known(**settings: Any) -> Auth:
    """An issuer whose keys are at hand."""
    return auth(Issuer(ISSUER, audience="api", keys=jwks(RSA, EC, ED), **settings))


def mixed() -> Auth:
    """The configuration that confusion needs: a secret beside public keys, both algorithms accepted."""
    return auth(
        Issuer(ISSUER, audience="api", keys=SharedSecret("s" * 32)),
        Issuer(ISSUER, audience="api", keys=jwks(RSA, EC, ED)),
    )


def refused(where: Auth, text: str, error: type[TokenInvalid], reason: str = "") -> None:
    with pytest.raises(error) as caught:
        where.verify(text)
    assert caught.value.reason == (reason or error.reason)


def confusion(*forms: str) -> None:
    """None of these forms is a secret: not for a token, not for a mixed issuer, not at configuration."""
    for form in forms:
        refused(known(), keyed(FORMS[form]), SignatureInvalid, ALG)
        refused(mixed(), keyed(FORMS[form]), SignatureInvalid)
        with pytest.raises(ConfigError):
            SharedSecret(FORMS[form])
