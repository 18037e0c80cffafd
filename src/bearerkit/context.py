"""Who is calling: `AuthContext`, an immutable view of verified claims.

Building one stores references and nothing else, because most requests read two or three of its fields: each field is
computed from the claims through the issuer's `ClaimMapping` on first read, and kept. A context never holds a token,
never verifies anything, and is never changed: cached contexts are shared between requests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NoReturn, Self, final

from bearerkit.jose.claim_shape import moment
from bearerkit.jose.json_view import plain, read_only
from bearerkit.jose.mapping import ClaimMapping
from bearerkit.jose.wildcards import covered
from bearerkit.policy.asking import AsksPolicy

__all__ = ["AuthContext"]

_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})
_DEFAULT: Final = ClaimMapping()
_ANONYMOUS: Final = "anonymous"
_IDENTIFYING: Final = ("iss", "sub", "jti")

if TYPE_CHECKING:
    # To type checkers the fields are what they look like: read-only properties.
    from builtins import property as _computed
else:

    class _computed:  # noqa: N801  (it reads as a decorator)
        """A field computed on first read. It has no `__set__`, so the kept value then shadows it."""

        def __init__(self, compute: Callable[[Any], Any]) -> None:
            self._compute = compute
            self.__doc__ = compute.__doc__

        def __set_name__(self, owner: type, name: str) -> None:
            self._name = name

        def __get__(self, instance: Any, owner: type) -> Any:
            if instance is None:
                return self
            # setdefault is one step: whichever thread comes second gets the object that the first one kept.
            return instance.__dict__.setdefault(self._name, self._compute(instance))


@final
class AuthContext(AsksPolicy):
    """The identity behind a request, as an immutable view of verified claims.

    Args:
        claims: The verified claims. Taken over, not copied: the caller must not change them afterwards.
        mapping: Which claims feed which field; the default reads the common spellings.
        header: The members of the JOSE header, for mappings with `header.…` paths.
        credential_kind: What was presented: `jwt`, `opaque`, `api_key`, `session`, `internal_secret`, or `anonymous`.
        wildcard_scopes: Let a granted `orders:*` cover `orders:read`, and a granted `*` cover everything.

    Contexts made from equal inputs are equal, copies are the same object, and a pickle holds the claims only.
    """

    credential_kind: str
    """What was presented: `jwt`, `opaque`, `api_key`, `session`, `internal_secret`, or `anonymous` for nothing."""

    _claims: Mapping[str, Any]
    _mapping: ClaimMapping
    _header: Mapping[str, Any]
    _wildcards: bool

    def __init__(
        self,
        claims: Mapping[str, Any],
        mapping: ClaimMapping = _DEFAULT,
        *,
        header: Mapping[str, Any] = _NOTHING,
        credential_kind: str = "jwt",
        wildcard_scopes: bool = False,
    ) -> None:
        kept = self.__dict__
        kept["_claims"] = claims
        kept["_mapping"] = mapping
        kept["_header"] = header
        kept["credential_kind"] = credential_kind
        kept["_wildcards"] = wildcard_scopes

    @classmethod
    def anonymous(cls) -> AuthContext:
        """The context of a request that presented no credential (`optional=True`)."""
        return _NOBODY

    @classmethod
    def of(
        cls,
        *,
        subject: str | None = "user",
        scopes: str | Iterable[str] = (),
        roles: str | Iterable[str] = (),
        tenant_id: str | None = None,
        **claims: Any,
    ) -> AuthContext:
        """A context from plain values, for tests. `claims` are further claims; None leaves a claim out.

        `scopes` is an iterable of names, or the space-separated string of a token.
        """
        given = {
            "sub": subject,
            "scope": scopes if isinstance(scopes, str) else " ".join(scopes),
            "roles": [roles] if isinstance(roles, str) else list(roles),
            "tenant_id": tenant_id,
        }
        held = {name: value for name, value in given.items() if value is not None and value not in ("", [])}
        held.update((name, value) for name, value in claims.items() if value is not None)
        return cls(held)

    @property
    def is_anonymous(self) -> bool:
        """True when no credential was presented."""
        return self.credential_kind == _ANONYMOUS

    @property
    def is_authenticated(self) -> bool:
        """True when a credential was presented and verified."""
        return self.credential_kind != _ANONYMOUS

    def has_scope(self, *names: str) -> bool:
        """True when every one of `names` is granted, wildcards included where the issuer allows them.

        RFC 6749 section 3.3: scopes are case-sensitive and without order. No names at all ask for nothing: True.
        """
        granted = self._granted
        if granted.issuperset(names):
            return True
        return self._wildcards and all(name in granted or covered(name, granted) for name in names)

    @_computed
    def subject(self) -> str | None:
        """Who this is, unique within the issuer: `sub`."""
        return self._text("subject")

    @_computed
    def principal_type(self) -> str:
        """`user`, `service`, `anonymous`, or what a mapped claim says.

        `service` when the mapping's machine mark matches, `idtyp` is `app`, `gty` or `grant_type` says client
        credentials, `type` is `m2m` or `machine`, or the subject is absent or the client itself.
        """
        return _ANONYMOUS if self.is_anonymous else str(self._read("principal_type"))

    @_computed
    def tenant_id(self) -> str | None:
        """The tenant the credential was issued for.

        First of `tenant_id`, `tid`, `org_id`, `tenantId`, `namespaceId`, `workspace_id`.
        """
        return self._text("tenant")

    @_computed
    def memberships(self) -> tuple[str, ...]:
        """Ids of further tenants of the caller: `memberships`, an array of ids or of objects with an `id`."""
        return self._names("memberships")

    @_computed
    def identity_id(self) -> str | None:
        """The person behind several accounts: `identity_id` or `identityId`."""
        return self._text("identity")

    @_computed
    def client_id(self) -> str | None:
        """The OAuth client that got the token: first of `client_id`, `azp`, `appid`, `cid`."""
        return self._text("client")

    @_computed
    def issuer(self) -> str | None:
        """Who issued the credential: `iss` (RFC 7519 section 4.1.1)."""
        value = self._claims.get("iss")
        return value if isinstance(value, str) else None

    @_computed
    def audience(self) -> tuple[str, ...]:
        """Whom the token is meant for: `aud`, a string or an array (RFC 7519 section 4.1.3)."""
        value = self._claims.get("aud")
        items = value if isinstance(value, list | tuple) else (value,)
        return tuple(item for item in items if isinstance(item, str))

    @_computed
    def scopes(self) -> tuple[str, ...]:
        """What the client was granted, in token order, each once: first of `scope`, `scopes`, `scp`."""
        return self._names("scopes")

    @_computed
    def roles(self) -> tuple[str, ...]:
        """First of `roles`, `role`, `realm_access.roles`; a string is one role."""
        return self._names("roles")

    @_computed
    def groups(self) -> tuple[str, ...]:
        """Groups of the caller: `groups`."""
        return self._names("groups")

    @_computed
    def permissions(self) -> tuple[str, ...]:
        """Permissions that stand in the token: `permissions`."""
        return self._names("permissions")

    @_computed
    def services(self) -> tuple[str, ...]:
        """Services that the tenant has switched on: `services`."""
        return self._names("services")

    @_computed
    def tier(self) -> str | None:
        """The plan of the tenant: `tier`."""
        return self._text("tier")

    @_computed
    def email(self) -> str | None:
        """The address of the caller: `email`. Never a key for accounts, and look at `email_verified`."""
        return self._text("email")

    @_computed
    def email_verified(self) -> bool:
        """True only when `email_verified` is JSON true (or "true" where the mapping says bool-or-string)."""
        return self._read("email_verified") is True

    @_computed
    def access_expires_at(self) -> float | None:
        """Epoch seconds at which the access of the account ends: `access_expires_at`. 0 if it says so unreadably."""
        return self._read("access_expires_at")  # type: ignore[no-any-return]

    @_computed
    def session_id(self) -> str | None:
        """The sign-in session: `sid` or `session_id`."""
        return self._text("session")

    @_computed
    def token_id(self) -> str | None:
        """The id of this very token: `jti` (RFC 7519 section 4.1.7) or `uti`."""
        return self._text("token_id")

    @_computed
    def issued_at(self) -> float | None:
        """Epoch seconds: `iat` (RFC 7519 section 4.1.6)."""
        return moment(self._claims.get("iat"))

    @_computed
    def expires_at(self) -> float | None:
        """Epoch seconds: `exp` (RFC 7519 section 4.1.4)."""
        return moment(self._claims.get("exp"))

    @_computed
    def auth_time(self) -> float | None:
        """Epoch seconds of the last sign-in: `auth_time` (RFC 9068 section 2.2.1)."""
        return moment(self._read("auth_time"))

    @_computed
    def acr(self) -> str | None:
        """How strong the sign-in was, as a class: `acr` (RFC 9068 section 2.2.1)."""
        return self._text("acr")

    @_computed
    def amr(self) -> tuple[str, ...]:
        """By which methods the caller signed in: `amr` (RFC 8176)."""
        return self._names("amr")

    @_computed
    def actor(self) -> str | None:
        """Who acts on behalf of the subject: `act.sub` (RFC 8693 section 4.1)."""
        return self._text("actor")

    @_computed
    def confirmation(self) -> Mapping[str, Any] | None:
        """The key that the token is bound to: `cnf` (RFC 7800), read-only, None for a plain bearer token."""
        value = read_only(self._claims.get("cnf"))
        return value if isinstance(value, Mapping) else None

    @property
    def is_bound(self) -> bool:
        """True when the token is bound to a key by a `cnf` claim, of whatever form (RFC 7800)."""
        return self._claims.get("cnf") is not None

    @_computed
    def claims(self) -> Mapping[str, Any]:
        """All claims, deeply read-only: objects are mapping proxies, arrays are tuples."""
        view: Mapping[str, Any] = read_only(dict(self._claims))
        return view

    @_computed
    def _granted(self) -> frozenset[str]:
        return frozenset(self.scopes)

    def unread(self, field: str, names: Iterable[str]) -> list[str]:
        """Those of these claims that the token has and the mapping does not read for `field`. For hints only."""
        return [name for name in names if name in self._claims and not self._mapping.reads(field, name)]

    def _read(self, name: str) -> Any:
        return self._mapping.read(name, self._claims, self._header)

    def _text(self, name: str) -> str | None:
        return self._mapping.read(name, self._claims, self._header)  # type: ignore[no-any-return]

    def _names(self, name: str) -> tuple[str, ...]:
        return self._mapping.read(name, self._claims, self._header)  # type: ignore[no-any-return]

    def _inputs(self) -> tuple[object, ...]:
        return self.credential_kind, self._wildcards, self._claims, self._mapping, self._header

    def __eq__(self, other: object) -> bool:
        return self._inputs() == other._inputs() if isinstance(other, AuthContext) else NotImplemented

    def __hash__(self) -> int:
        values = (self._claims.get(name) for name in _IDENTIFYING)
        return hash((self.credential_kind, *(value for value in values if isinstance(value, str))))

    def __repr__(self) -> str:
        return (
            f"<AuthContext subject={self.subject!r} tenant={self.tenant_id!r} "
            f"issuer={self.issuer!r} kind={self.credential_kind!r}>"
        )

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"an AuthContext does not change: {name} cannot be set")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"an AuthContext does not change: {name} cannot be deleted")

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def __reduce__(self) -> tuple[Callable[..., AuthContext], tuple[Any, ...]]:
        inputs = (plain(self._claims), self._mapping, plain(self._header), self.credential_kind, self._wildcards)
        return _rebuilt, inputs


def _rebuilt(
    claims: dict[str, Any], mapping: ClaimMapping, header: dict[str, Any], kind: str, wildcards: bool
) -> AuthContext:
    return AuthContext(claims, mapping, header=header, credential_kind=kind, wildcard_scopes=wildcards)


_NOBODY: Final = AuthContext({}, credential_kind=_ANONYMOUS)
