"""The requirement that a request stays inside the caller's tenants.

Not a member, no such tenant and no tenant named at all are one and the same answer (404): which tenants exist is
none of a stranger's business. Where a header or query parameter names the tenant, it must do so exactly once,
because the handler might read another occurrence than the guard.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, final
from urllib.parse import parse_qsl

from bearerkit.context import AuthContext
from bearerkit.errors import ConfigError, TenantUnknown
from bearerkit.guards.requirement import Facts, Requirement, Stage
from bearerkit.http import Request
from bearerkit.jose.claims import shown

__all__ = ["tenant"]

_FIELD_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_PLACES: Final = {"path": "path parameter", "header": "header", "query": "query parameter"}
_QUERY_FIELDS: Final = 1_000


@final
@dataclass(frozen=True)
class _Tenant(Requirement):
    source: str
    name: str
    stage = Stage.TENANT

    def check(self, ctx: AuthContext, request: Request, facts: Facts, now: float) -> None:
        wanted = self._wanted(request)
        if wanted == ctx.tenant_id or wanted in ctx.memberships:
            return
        known = ctx.tenant_id is not None or ctx.memberships
        raise TenantUnknown(
            f"the caller is no member of tenant {shown(wanted)}",
            hint=None if known else "The token names no tenant, or the claim mapping of its issuer does not read it.",
        )

    def describe(self) -> str:
        where = "" if self.source == "value" else f"the tenant in {_PLACES[self.source]} "
        return f'member of {where or "tenant "}"{self.name}"'

    def _wanted(self, request: Request) -> str:
        match self.source:
            case "value":
                return self.name
            case "path":
                found = [str(value) for value in (request.path_params.get(self.name),) if value is not None]
            case "header":
                found = request.headers.get_all(self.name)
            case _:
                found = _query_values(request.query, self.name)
        place = f'{_PLACES[self.source]} "{self.name}"'
        if not found or found == [""]:
            hint = f"The route needs a parameter {{{self.name}}} in its path." if self.source == "path" else None
            raise TenantUnknown(f"the request names no tenant in {place}", reason="tenant_missing", hint=hint)
        if len(found) > 1:
            raise TenantUnknown(f"the request has {place} {len(found)} times", reason="tenant_ambiguous")
        return found[0]


def _query_values(query: str, name: str) -> list[str]:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=_QUERY_FIELDS)
    except ValueError:
        raise TenantUnknown("the query string does not parse", reason="tenant_missing") from None
    return [value for key, value in pairs if key == name]


def _usable(source: str, name: object) -> bool:
    if not isinstance(name, str) or not name:
        return False
    return source != "header" or _FIELD_NAME.fullmatch(name) is not None


def tenant(
    *, path: str | None = None, header: str | None = None, query: str | None = None, value: str | None = None
) -> Requirement:
    """The caller must belong to the tenant that the request names, by `tenant_id` or `memberships`.

    Exactly one source: the name of a `path` parameter (its value is compared as text), of a `header`, of a `query`
    parameter, or a fixed tenant id as `value`. Otherwise TenantUnknown (404). ConfigError for any other number of
    sources, and for a name that cannot be one.
    """
    given = {"path": path, "header": header, "query": query, "value": value}
    named = {source: name for source, name in given.items() if name is not None}
    if len(named) != 1:
        raise ConfigError(f"tenant(): exactly one of {', '.join(given)} is needed, given are {len(named)}")
    [(source, name)] = named.items()
    if not _usable(source, name):
        raise ConfigError(f"tenant(): {source}={name!r} is no usable {'tenant id' if source == 'value' else 'name'}")
    return _Tenant(source, name)
