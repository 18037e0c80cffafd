"""Presets for Google: accounts and service accounts, Cloud Run, Identity-Aware Proxy, Firebase.

Their bearers are ID tokens; Google's own access tokens are opaque. Google signs for everybody: where the caller chooses
the audience, an audience says nothing about who calls, and the preset demands to be told.
"""

from __future__ import annotations

from typing import Final, Unpack

from bearerkit.issuer import Issuer
from bearerkit.jose.claims import PRESENT
from bearerkit.providers.options import IssuerOptions
from bearerkit.providers.preset import Preset, Strings, one_or_more

__all__ = ["cloud_run", "firebase", "google", "google_iap"]

_ISSUERS: Final = ("https://accounts.google.com", "accounts.google.com")
_METADATA: Final = "https://accounts.google.com/.well-known/openid-configuration"
_KEY_HOST: Final = "www.googleapis.com"
_WHO: Final = ("email", "sub", "hd")


def google(*, audience: Strings, **options: Unpack[IssuerOptions]) -> Issuer:
    """ID tokens of Google accounts and service accounts.

    Anybody can get a token with your address as its audience, so `require` must say who is meant by `email`, `sub` or
    `hd` (the Workspace domain), or `clients` which apps. Where it names an e-mail address or a domain, the address must
    also be verified.

    Args:
        audience: Your client id (user tokens), or the address that callers ask for (service accounts).
        options: Settings of `Issuer` (see `IssuerOptions`); `require` or `clients` is needed.

    Raises:
        ConfigError: listing every problem.
    """
    return _accounts(Preset("google", options), audience)


def cloud_run(*, audience: Strings, callers: Strings, **options: Unpack[IssuerOptions]) -> Issuer:
    """ID tokens of service accounts that call a Cloud Run service or a Cloud Function.

    Args:
        audience: The address of the service without a path, or a custom audience.
        callers: The e-mail addresses of the service accounts that may call.
        options: Settings of `Issuer` (see `IssuerOptions`).

    Raises:
        ConfigError: listing every problem.
    """
    names = one_or_more(callers)
    options["require"] = {**(options.get("require") or {}), "email": names}
    preset = Preset("cloud_run", options)
    if not names or not all("@" in str(name) for name in names):
        preset.problem("callers must name the service accounts that may call, by their addresses")
    return _accounts(preset, audience)


def _accounts(preset: Preset, audience: Strings) -> Issuer:
    preset.must_say_who(_WHO, "everybody can ask Google for a token with this audience.")
    preset.named_audience(audience, "name your client id, or the address that callers ask for")
    require = preset.options.get("require") or {}
    verified = {"email_verified": (True, "true")} if {"email", "hd"} & set(require) else {}
    return preset.issuer(
        _ISSUERS,
        audience=audience,
        metadata_url=_METADATA,
        hosts=(_KEY_HOST,),
        algorithms="RS256",
        typ="JWT",
        token_type="id",
        require=verified,
        claims={"tenant": "hd", "client": "azp"},
    )


def google_iap(*, audience: Strings, **options: Unpack[IssuerOptions]) -> Issuer:
    """The header `x-goog-iap-jwt-assertion` of Google's Identity-Aware Proxy.

    All its customers share the keys: the audience, which has your project number in it, is the protection. Take the
    token from its header: `Auth(google_iap(…), places=Places("x-goog-iap-jwt-assertion"))`.

    Args:
        audience: `/projects/<number>/global/backendServices/<id>` or `/projects/<number>/apps/<project>`.
        options: Settings of `Issuer` (see `IssuerOptions`).

    Raises:
        ConfigError: listing every problem.
    """
    preset = Preset("google_iap", options)
    preset.named_audience(audience, "the keys are those of every customer of IAP")
    for name in one_or_more(audience) if isinstance(audience, str | list | tuple) else ():
        if not name.startswith("/projects/"):
            preset.problem(f'audience must be a path such as "/projects/123/global/backendServices/456", not {name!r}')
    return preset.issuer(
        "https://cloud.google.com/iap",
        audience=audience,
        jwks_uri="https://www.gstatic.com/iap/verify/public_key-jwk",
        algorithms="ES256",
        typ="JWT",
        lifetime_max=660,
        claims={"tenant": "hd"},
    )


def firebase(project_id: str, **options: Unpack[IssuerOptions]) -> Issuer:
    """ID tokens of Firebase Authentication and Identity Platform.

    Args:
        project_id: The project. It is the audience, and the end of the issuer: the keys are those of all projects.
        options: Settings of `Issuer` (see `IssuerOptions`); `tenants` for Identity Platform's tenants.

    Raises:
        ConfigError: listing every problem.
    """
    preset = Preset("firebase", options)
    project = preset.word(project_id, "project_id", "dns-label")
    return preset.issuer(
        f"https://securetoken.google.com/{project}",
        audience=project,
        hosts=(_KEY_HOST,),
        algorithms="RS256",
        typ="JWT",
        token_type="id",
        require={"firebase.sign_in_provider": PRESENT},
        claims={"tenant": "firebase.tenant"},
    )
