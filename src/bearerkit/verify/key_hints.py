"""What operators are told when no key fits a token, or none of those that fit has signed it.

Texts only. They go into `detail` and `hint`, which are logged and never sent, and may name kids and URLs (cut to a
bounded length), never a token or key material.
"""

from __future__ import annotations

import json
from typing import Final

from bearerkit.errors import KeyNotFound, SignatureInvalid
from bearerkit.jose.base64url import decode
from bearerkit.jose.compact import Jws
from bearerkit.jose.key_set import KeySet

__all__ = ["count", "key_not_found", "signature_invalid"]

_QUOTED_LENGTH: Final = 200
_CAUSES: Final = (
    "Usual causes: the token comes from another tenant, realm, client or authorization server (Okta org against "
    "custom, WorkOS client id, Entra claims mapping ?appid=, B2C policy), or keys rotated and a proxy caches the old "
    "set."
)
_EMPTY: Final = (
    "The key set is empty. authentik: choose a signing key. Supabase: the project still uses the legacy secret. A "
    'shared secret needs its own entry: keys=SharedSecret(...), algorithms=["HS256"].'
)
_REMOVED: Final = decode(b"SIGNATURE_REMOVED_BY_GOOGLE")


def count(keys: KeySet) -> str:
    """`1 key`, `3 keys`."""
    number = len(keys.keys)
    return f"{number} key" if number == 1 else f"{number} keys"


def key_not_found(keys: KeySet, kid: str | None, alg: str, where: str) -> KeyNotFound:
    """The refusal for a token whose kid and algorithm no key of `keys` fits. `where` names the set and its age."""
    shown = "no kid" if kid is None else f"kid {kid[:_QUOTED_LENGTH]!r}"
    # Quoted and escaped: the kid is a stranger's text, and must not write lines of its own into a log.
    named = "(no kid)" if kid is None else json.dumps(kid[:_QUOTED_LENGTH])
    if not keys.keys:
        hint = f"Key {named} is not among the 0 keys of {where}. {_EMPTY}"
    elif kid is not None and keys.has_kid(kid):
        hint = f"Key {named} is among the {count(keys)} of {where}, but it is not a key for {alg[:_QUOTED_LENGTH]!r}."
    else:
        hint = f"Key {named} is not among the {count(keys)} of {where}. {_CAUSES}"
    if keys.skipped:
        skipped = "; ".join(keys.skipped)[:_QUOTED_LENGTH]
        hint = f"{hint} Keys that could not be used: {skipped}"
    return KeyNotFound(f"no key fits {shown} and alg {alg[:_QUOTED_LENGTH]!r}", hint=hint)


def signature_invalid(jws: Jws) -> SignatureInvalid:
    """The refusal for a token that none of the keys with its kid and algorithm has signed."""
    kid = jws.header.kid
    return SignatureInvalid(
        f"the signature does not verify with {'no kid' if kid is None else f'kid {kid[:_QUOTED_LENGTH]!r}'}",
        hint=_signature_hint(jws),
    )


def _signature_hint(jws: Jws) -> str:
    if jws.signature == _REMOVED:
        return (
            "Cloud Run checked this token and took its signature away, so it proves nothing here. Have the caller send "
            "it as X-Serverless-Authorization: then Cloud Run checks that header and leaves Authorization as it is."
        )
    if "nonce" in jws.header.members:
        return "A Microsoft Graph token (header nonce) never verifies outside Graph: request a token for your own API."
    return "The token was altered, or signed by a key that only shares this key id."
