"""The checks behind the `Auth` constructor, one sentence per problem, so that a team sees them all at once.

Nothing here is consulted while a request is judged.
"""

from __future__ import annotations

from collections.abc import Iterable

from bearerkit.policy.addresses import Block, block_of
from bearerkit.verify.client_address import TrustedProxies
from bearerkit.verify.credentials import Places
from bearerkit.verify.issuer import IssuerSettings
from bearerkit.verify.kind import KindSettings
from bearerkit.verify.kinds import kind_problems
from bearerkit.verify.resolver import IssuerResolver
from bearerkit.verify.routing import crowded_issuers

__all__ = ["auth_problems", "proxies_from"]


def auth_problems(
    verifiers: tuple[object, ...],
    token_cache: object,
    realm: object,
    resource_metadata: object,
    places: object,
    policies: object,
) -> list[str]:
    """One sentence per argument of `Auth` that cannot work."""
    problems = [
        f"Auth takes Issuer, IssuerResolver, Introspection, ApiKeys, Sessions and InternalSecret values, "
        f"not {type(item).__name__}"
        for item in verifiers
        if not isinstance(item, IssuerSettings | IssuerResolver | KindSettings)
    ]
    if not verifiers:
        problems.append("Auth needs at least one Issuer, or another verifier")
    problems += kind_problems(item for item in verifiers if isinstance(item, KindSettings))
    if not isinstance(token_cache, int) or isinstance(token_cache, bool) or token_cache < 0:
        problems.append(f"token_cache must be 0 or a positive number of tokens, not {token_cache!r}")
    if not isinstance(realm, str):
        problems.append(f"realm must be text, not {realm!r}")
    elif not realm.isascii() or not realm.isprintable():
        problems.append(f"realm must be printable ASCII, not {realm!r}")
    if not isinstance(places, Places):
        problems.append(f"places must be Places(...), not {places!r}")
    if resource_metadata is not None and not str(resource_metadata).startswith(("https://", "http://")):
        problems.append(f"resource_metadata must be an absolute URL, not {resource_metadata!r}")
    if policies is not None and (isinstance(policies, type) or not callable(getattr(policies, "policies_for", None))):
        given = f"the class {policies.__name__}" if isinstance(policies, type) else f"a {type(policies).__name__}"
        wanted = "a store of bearerkit.stores or an object with `async def policies_for(context)`"
        problems.append(f"policies must be {wanted}, not {given}")
    crowded = crowded_issuers(item for item in verifiers if isinstance(item, IssuerSettings))
    problems += [f'too many entries share the issuer "{name}": a token is checked against few' for name in crowded]
    return problems


def proxies_from(blocks: Iterable[str] | None, problems: list[str]) -> TrustedProxies | None:
    """The proxies of `trusted_proxies=`; a problem for each thing that is no address and no block."""
    if blocks is None:
        return None
    if isinstance(blocks, str) or not isinstance(blocks, Iterable):
        problems.append(f"trusted_proxies must be a list of addresses or blocks, not {blocks!r}")
        return None
    found: list[Block] = []
    for text in blocks:
        try:
            found.append(block_of(text))
        except ValueError as error:
            problems.append(f"trusted_proxies: {text!r} is no address and no block of addresses: {error}")
    return TrustedProxies(found)
