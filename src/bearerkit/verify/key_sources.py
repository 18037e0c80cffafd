"""Who is asked about an API key: a store of ours, or a resolver of the team's. Both answer with a value, yes or no.

An error of theirs is an outage (503), never a refusal. What a key must look like was checked before; how long an answer
is kept is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import isawaitable
from traceback import format_exception
from typing import Any, Final, Protocol, final

from bearerkit._drive import PortNeedsLoop, port
from bearerkit.api_key.form import OwnForm
from bearerkit.api_key.peppers import Peppers
from bearerkit.api_key.record import ApiKeyRecord, context_of, ended
from bearerkit.context import AuthContext
from bearerkit.errors import BearerkitError, Expired, NotYetValid, StoreUnavailable, TokenInvalid
from bearerkit.jose.claim_shape import moment
from bearerkit.jose.mapping import ClaimMapping
from bearerkit.ports import ApiKeyStore, Clock
from bearerkit.verify.answer_cache import Outcome
from bearerkit.verify.shared_call import must_be_awaited

__all__ = ["KeySource", "ResolvedKeys", "Resolver", "StoredKeys"]

Resolver = Callable[[str], Any]
"""Called with a whole key; returns claims or None, or awaits to do so."""
_TEXTS: Final = ("sub", "jti")


class KeySource(Protocol):
    """Knows keys."""

    async def ask(self, text: str) -> Outcome:
        """Who this key is of, or why it does not count. Raises Unavailable."""
        ...

    def describe(self) -> str:
        """For operators."""
        ...


@final
class StoredKeys:
    """Keys of our own form, by id in a store."""

    def __init__(self, form: OwnForm, store: ApiKeyStore, peppers: Peppers, clock: Clock) -> None:
        self._form = form
        self._store = store
        self._peppers = peppers
        self._clock = clock

    async def ask(self, text: str) -> Outcome:
        """One look-up and one hash, whether or not there is such a key."""
        key = self._form.id_in(text)
        try:
            record: ApiKeyRecord | None = await port("api_keys", self._store.find(key))
        except (BearerkitError, PortNeedsLoop):
            raise
        except Exception as error:
            raise StoreUnavailable(f"the store of API keys failed: {type(error).__name__}") from error
        fits = self._peppers.fits(text, None if record is None else record.hashed)
        if record is None or not fits:
            return TokenInvalid(self._why(key, record), reason="api_key_unknown")
        over = ended(record, self._clock.now())
        return context_of(record) if over is None else over

    def _why(self, key: str, record: ApiKeyRecord | None) -> str:
        if record is None:
            return f"there is no API key {key}"
        if record.hashed.pepper not in self._peppers.versions:
            return f"the API key {key} was made with pepper {record.hashed.pepper}, which is not configured"
        return f"the API key {key} came with another secret"

    def describe(self) -> str:
        """The store, and the peppers by version."""
        return f"{type(self._store).__name__}, peppers {', '.join(map(str, self._peppers.versions))}"


@final
class ResolvedKeys:
    """Keys that somebody else made and knows."""

    def __init__(self, resolver: Resolver, mapping: ClaimMapping, clock: Clock) -> None:
        self._resolver = resolver
        self._mapping = mapping
        self._clock = clock

    async def ask(self, text: str) -> Outcome:
        """What the resolver says. Its times count as those of tokens do, without leeway."""
        claims: object = None
        outage: StoreUnavailable | None = None
        try:
            answer = self._resolver(text)
            claims = await port("resolver", answer) if isawaitable(answer) else answer
        except (BearerkitError, PortNeedsLoop):
            raise
        except Exception as error:
            outage = StoreUnavailable(f"the resolver of API keys failed: {type(error).__name__}")
            # Errors of HTTP clients tell the URL that they asked, and the key may be part of it.
            if text not in "".join(format_exception(error)):
                raise outage from error
        if outage is not None:  # here, so that not even its context is the error that told
            raise outage
        if claims is None:
            return TokenInvalid("the resolver knows no such API key", reason="api_key_unknown")
        if not isinstance(claims, Mapping):
            raise _unusable(f"{type(claims).__name__} instead of claims or None")
        return self._judged(dict(claims))

    def _judged(self, claims: dict[str, Any]) -> Outcome:
        if claims.get("active", True) is not True:
            return TokenInvalid("the resolver says that the API key is not active", reason="api_key_unknown")
        for name in _TEXTS:
            if name in claims and (not isinstance(claims[name], str) or not claims[name]):
                raise _unusable(f"a claim {name} that is no text")
        for name in ("exp", "nbf"):
            if claims.get(name) is not None and moment(claims[name]) is None:
                raise _unusable(f"a claim {name} that is no time")
        ends, starts = moment(claims.get("exp")), moment(claims.get("nbf"))
        now = self._clock.now()
        if ends is not None and now >= ends:
            return Expired("the API key has ended, says the resolver")
        if starts is not None and now < starts:
            return NotYetValid("the API key does not count yet, says the resolver")
        return AuthContext(claims, self._mapping, credential_kind="api_key")

    @property
    def waits(self) -> bool:
        """True for a resolver that is `async def`, which must be asked on its caller's event loop."""
        return must_be_awaited(self._resolver)

    def describe(self) -> str:
        """That there is one."""
        return "a resolver"


def _unusable(what: str) -> StoreUnavailable:
    return StoreUnavailable(
        f"the resolver of API keys answered with {what}",
        hint="It returns an object of claims, such as {'sub': …, 'scope': …}, or None for a key that it does not know.",
    )
