"""Which issuer entry judges a token: picked by the unverified `iss`, and only among those that were configured.

The `iss` of a token selects; it never introduces an issuer. Comparison is exact: no trimmed slashes, no folded
case. Several entries may share an issuer (a key migration, a second token template); the algorithm and the typ then
tell them apart. Pure: no key is touched here and nothing is fetched.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from bearerkit.errors import IssuerMismatch, SignatureInvalid
from bearerkit.jose.algorithms import ALGORITHMS, canonical
from bearerkit.jose.claims import few, shown
from bearerkit.jose.compact import Header
from bearerkit.jose.token_type import check_typ
from bearerkit.verify.issuer import IssuerSettings
from bearerkit.verify.key_pool import SourcePerUrl
from bearerkit.verify.key_source import KeySource

__all__ = ["Entry", "Routes", "crowded_issuers", "refuse_issuer"]

CANDIDATES_MAX: Final = 4
"""Entries that may share one issuer, so that a token is never checked against many keys."""


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One issuer's settings beside the place of its keys.

    `source` serves every token; where it is None there is a `pool` with a source per key URL. `fresh_until`
    (monotonic seconds) is when an entry that came from a resolver has to be looked up again.
    """

    settings: IssuerSettings
    source: KeySource | None
    pool: SourcePerUrl | None = None
    fresh_until: float = float("inf")

    def source_for(self, header: Header, claims: Mapping[str, Any], now: float) -> KeySource:
        """The key source for this token, made if it must be; `now` is monotonic. Raises KeyNotFound."""
        if self.pool is not None:
            return self.pool.create(header, claims, now)
        assert self.source is not None
        return self.source

    def sources(self) -> Iterable[KeySource]:
        """The key sources that exist now, for warming up and describing."""
        if self.pool is not None:
            return self.pool.sources()
        return () if self.source is None else (self.source,)

    def takes(self, header: Header) -> bool:
        """True if the token's algorithm and typ are accepted here."""
        return header.algorithm in self.settings.algorithms and header.kind in self.settings.typ


class Routes:
    """The configured entries, indexed by issuer."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._all = tuple(entries)
        self._nameless = tuple(entry for entry in entries if entry.settings.without_issuer)
        self._templated = tuple((template, entry) for entry in entries for template in entry.settings.templates)
        named: dict[str, tuple[Entry, ...]] = {}
        for entry in entries:
            for name in entry.settings.exact:
                named[name] = (*named.get(name, ()), entry)
        self._named = named

    def of_issuer(self, header: Header, claims: Mapping[str, Any]) -> tuple[Entry, ...]:
        """Every entry that this token's `iss` selects, in the order of configuration."""
        if "iss" not in claims:
            return self._nameless
        issuer = claims["iss"]
        if not isinstance(issuer, str):
            return ()
        named = self._named.get(issuer, ())
        if not self._templated:
            return named
        filled = tuple(entry for template, entry in self._templated if template.fill(claims, header.members) == issuer)
        return named + filled

    def refuse(self, header: Header, claims: Mapping[str, Any], selected: tuple[Entry, ...]) -> NoReturn:
        """Raise why no entry takes this token: its algorithm, else its typ, else its issuer."""
        pool = selected or self._all
        if not pool:
            refuse_issuer(claims, ())
        fitting = [entry for entry in pool if header.algorithm in entry.settings.algorithms]
        if not fitting:
            _refuse_algorithm(header.alg, pool)
        if not any(header.kind in entry.settings.typ for entry in fitting):
            check_typ(header.typ, frozenset[str | None]().union(*(entry.settings.typ for entry in fitting)))
        refuse_issuer(claims, [name for entry in self._all for name in entry.settings.exact])


def crowded_issuers(settings: Iterable[IssuerSettings]) -> list[str]:
    """Issuers that more entries share than one token may be checked against. All templates count as one issuer."""
    names = Counter(
        name
        for item in settings
        for name in (*item.exact, *["(a template)"][: len(item.templates)], *["NO_ISSUER"][: item.without_issuer])
    )
    return [name for name, count in names.items() if count > CANDIDATES_MAX]


def _refuse_algorithm(alg: str, entries: Iterable[Entry]) -> NoReturn:
    """Raise SignatureInvalid for an algorithm that none of these entries uses."""
    accepted = sorted({name for entry in entries for name in entry.settings.algorithms})
    hint = None
    family = ALGORITHMS[canonical(alg)].family if canonical(alg) in ALGORITHMS else None
    if family == "oct" and not any(ALGORITHMS[name].family == "oct" for name in accepted):
        hint = (
            f"The token is signed with {alg} but this issuer uses public keys. authentik: choose a signing key. "
            "Supabase: the project still uses the legacy secret. A shared secret needs its own entry: "
            f'keys=SharedSecret(...), algorithms=["{alg}"].'
        )
    if family not in (None, "oct") and all(ALGORITHMS[name].family == "oct" for name in accepted):
        hint = (
            f"The token is signed with {alg}, but this entry has a shared secret. Public keys are fetched: leave keys= "
            "out. A client secret is not what tokens are signed with."
        )
    raise SignatureInvalid(
        f"algorithm {shown(alg)} is not accepted, only {', '.join(accepted)}",
        reason="algorithm_not_allowed",
        hint=hint,
    )


def refuse_issuer(claims: Mapping[str, Any], configured: Sequence[str]) -> NoReturn:
    """Raise IssuerMismatch with the hint that fits the nearest mistake."""
    if "iss" not in claims:
        raise IssuerMismatch('the token has no "iss"', hint="Tokens without an issuer need an entry with NO_ISSUER.")
    said = claims["iss"]
    names = few(configured) or "no exact name"
    raise IssuerMismatch(f"the token says {shown(said)}, configured is {names}", hint=_issuer_hint(said, configured))


def _issuer_hint(said: object, configured: Sequence[str]) -> str | None:
    if not isinstance(said, str):
        return None
    for name in configured:
        for ending in ("/", "/v2.0", "/v2.0/"):
            if said + ending == name or name + ending == said:
                return (
                    f"Issuer mismatch: the token says {shown(said)}, configured is {shown(name)}. They differ only in "
                    f'the ending "{ending}". Copy the issuer from the token or the metadata, character by character.'
                )
    if said.startswith("https://sts.windows.net/"):
        return (
            "This is a Microsoft Entra v1.0 token. The version follows the API registration: set "
            "accessTokenAcceptedVersion (requestedAccessTokenVersion) to 2 in its manifest, or "
            "configure the v1 preset (bearerkit.providers.entra_v1)."
        )
    return None
