"""Hypothesis strategies for policy documents and for the questions asked of them.

Few names and few values, so that statements and questions meet often: wildcards, templates, both wire forms, every
operator, principals with loops among their roles. Everything made here is a valid document or a possible question.
"""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

SCHEMED = ["service:s", "service:s2", "service:s/package:p", "service:s/package:p2", "service:s/package:p/table:t"]
OPAQUE = ["d", "d/x", "d/x/y", "d/xy", "d/*", "d:x", "d/t", "pcft:app/t", "D/x", "[d]", "d\nx", "d/é"]
ACTIONS = ["a", "a.r", "a.w", "ab.r", "a.r.x", "getA", "b.r"]
ROLES = ["r1", "r2", "r3", "r4"]
TENANTS = ["t", "p", "s", "x", "*", "?", "t/x", "a:b", "", "é", "t\x07", "t\xa0u", 5, None, ["t"]]
VARIABLES = ["${principal.tenant}", "${principal.team}", "${request.tenant}", "${principal.roles}"]
PRINCIPALS = ["*", "user:u1", "user:u2", "key:k1", "group:g1", "group:g2", *(f"role:{role}" for role in ROLES)]
STRINGS = ["", "t", "T", "x", "d/x", "*", "t*", "é", "ß", "SS"]
MOMENTS = ["2030-01-01T00:00:00Z", "2030-01-01T02:00:00+02:00", "2031-06-01T12:00:00+00:00", 1893456000]
ADDRESSES = ["10.0.0.1", "10.1.0.0", "192.168.0.1", "2001:db8::1"]
BLOCKS = ["10.0.0.0/8", "10.0.0.1", "10.1.0.0/16", "0.0.0.0/0", "2001:db8::/32", "::1"]
WRONG = [None, True, 5, "40", "", "2030-01-01T00:00:00", "999.bad", [], {}, float("inf"), float("nan"), object()]

KEYS = [
    *("request.s", "request.n", "request.t", "request.b", "request.ip", "request.tenant", "request.deep.s"),
    *("session.n", "resource.s", "s", "principal.tenant", "principal.team", "principal.roles", "principal.id"),
]


def patterns(names: list[str], *, variables: bool = False) -> st.SearchStrategy[str]:
    """Patterns that often match one of the names: parts of it replaced by a star, a mark or a variable."""
    holes = ["*", "?", "**"] + (["${*}", *VARIABLES] if variables else [])
    whole = [name for name in names if name.isprintable() and "*" not in name]
    starred = [f"{name[:end]}*{name[start:]}" for name in whole for end in range(len(name) + 1) for start in (end, 99)]
    cut = [
        name[:at] + hole + name[at + length :]
        for name in whole
        for hole in holes
        for at in range(len(name) + 1)
        for length in (0, 1, 3)
    ]
    twice = [f"*{text[1:]}" for text in cut if "$" not in text] + [f"{text[:-1]}?" for text in cut if "$" not in text]
    return st.one_of(*map(st.sampled_from, (whole, starred, cut, twice)))


def _is_action(text: str) -> bool:
    return all(text.split(".")) and bool(text)


_TEMPLATED = st.one_of(
    st.sampled_from([*STRINGS, *VARIABLES, "x${principal.tenant}", "${$}t"]), st.sampled_from(["d/${principal.team}"])
)
_LIKE = st.one_of(patterns(["t", "tx", "d/x", "d/t"], variables=True), st.just("*"))
_NUMBERS = st.sampled_from([0, 1, 2.5, -3, 40])
_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "String": _TEMPLATED,
    "StringLike": _LIKE,
    "Numeric": _NUMBERS,
    "Date": st.sampled_from(MOMENTS),
    "Bool": st.booleans(),
    "IpAddress": st.sampled_from(BLOCKS),
}
_ENDINGS = ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals")
OPERATORS = {
    **dict.fromkeys(("StringEquals", "StringNotEquals", "StringEqualsIgnoreCase"), "String"),
    **dict.fromkeys(("StringLike", "StringNotLike"), "StringLike"),
    **{f"{family}{ending}": family for family in ("Numeric", "Date") for ending in _ENDINGS},
    "Bool": "Bool",
    **dict.fromkeys(("IpAddress", "NotIpAddress"), "IpAddress"),
}
_GOOD: dict[str, list[Any]] = {
    "String": STRINGS,
    "StringLike": STRINGS,
    "Numeric": [0, 1, 2.5, 41],
    "Date": MOMENTS,
    "Bool": [True, False],
    "IpAddress": ADDRESSES,
}


@st.composite
def conditions(draw: st.DrawFn, *, total: bool = True) -> dict[str, Any]:
    """One condition of the list form; without `Exists` and `IfExists` unless `total`."""
    key = draw(st.sampled_from(KEYS))
    if total and draw(st.integers(0, 9)) == 0:
        return {"op": "Exists", "key": key, "values": [draw(st.booleans())]}
    op = draw(st.sampled_from(sorted(OPERATORS)))
    values = draw(st.lists(_VALUES[OPERATORS[op]], min_size=1, max_size=3))
    prefix = draw(st.sampled_from(["", "", "", "ForAnyValue:", "ForAllValues:"]))
    suffix = draw(st.sampled_from(["", "", "IfExists"])) if total else ""
    return {"op": f"{prefix}{op}{suffix}", "key": key, "values": values}


def _nested(listed: list[dict[str, Any]]) -> dict[str, Any]:
    """AWS's form; of two conditions with the same operator and key the later one stays."""
    whole: dict[str, dict[str, Any]] = {}
    for item in listed:
        values = item["values"]
        whole.setdefault(item["op"], {})[item["key"]] = values[0] if len(values) == 1 else values
    return whole


_ACTION_LISTS = st.lists(st.just("*") | patterns(ACTIONS).filter(_is_action), min_size=1, max_size=2)
_RESOURCE_LISTS = st.lists(st.just("*") | patterns(SCHEMED + OPAQUE, variables=True), min_size=1, max_size=3)
_PRINCIPAL_LISTS = st.lists(st.sampled_from(PRINCIPALS), min_size=1, max_size=3)


@st.composite
def statements(draw: st.DrawFn, *, form: str, total: bool = True, conditional: bool = True) -> dict[str, Any]:
    """One statement of a flat or a versioned document."""
    effect = draw(st.sampled_from(["allow", "Allow", "allow", "deny", "Deny"]))
    statement: dict[str, Any] = {
        "effect": effect,
        "actions": draw(_ACTION_LISTS),
        "resources": draw(_RESOURCE_LISTS),
    }
    if form == "document" or draw(st.booleans()):
        statement["principals"] = draw(_PRINCIPAL_LISTS)
    if conditional and draw(st.booleans()):
        listed = draw(st.lists(conditions(total=total), min_size=1, max_size=3))
        statement["conditions"] = listed if draw(st.booleans()) else _nested(listed)
    return statement


@st.composite
def documents(draw: st.DrawFn, *, total: bool = True, conditional: bool = True, most: int = 5) -> Any:
    """A whole document in one of the two forms."""
    form = draw(st.sampled_from(["flat", "document"]))
    listed = draw(st.lists(statements(form=form, total=total, conditional=conditional), min_size=1, max_size=most))
    for index, statement in enumerate(listed):
        if draw(st.booleans()):
            statement["sid"] = f"s{index}"
    return {"version": "1.0", "statements": listed} if form == "document" else listed


_SOME_ROLES = st.sampled_from([[], [], ["r1"], ["r2"], ["r3", "r1"], ["r4"]])
_PARENTS = _SOME_ROLES | st.sampled_from(ROLES)
_SOMEBODY = st.fixed_dictionaries(
    {
        "id": st.sampled_from(["u1", "u2", "t", None]),
        "roles": _SOME_ROLES,
        "groups": st.sampled_from([[], ["g1"], ["g2", "g1"]]),
        "role_parents": st.fixed_dictionaries({}, optional=dict.fromkeys(ROLES, _PARENTS)),
        "group_roles": st.fixed_dictionaries({}, optional={"g1": _SOME_ROLES, "g2": _SOME_ROLES}),
        "tenant": st.sampled_from(TENANTS),
    },
    optional={"key": st.just("k1"), "team": st.sampled_from(TENANTS)},
)


@st.composite
def principals(draw: st.DrawFn) -> dict[str, Any] | None:
    """Nobody in particular, nobody at all, or somebody with roles, groups and loops."""
    if draw(st.integers(0, 5)) == 0:
        return draw(st.sampled_from([None, {"anonymous": True, "id": "u1", "roles": ["r1"]}]))
    return draw(_SOMEBODY)


def _values_for(family: str) -> st.SearchStrategy[Any]:
    """Mostly good values, sometimes several in a list, sometimes something else altogether."""
    good = _GOOD[family]
    lists = [[], good[:1], good[1:3], [good[0], WRONG[2]], [good[-1], good[0]]]
    return st.sampled_from([*good, *good, *lists, *WRONG, *(other[0] for other in _GOOD.values())])


_FAMILIES = {"s": "String", "n": "Numeric", "t": "Date", "b": "Bool", "ip": "IpAddress", "tenant": "String"}
_DEEP = st.fixed_dictionaries({}, optional={"s": _values_for("String")})
_REQUEST = st.fixed_dictionaries(
    {}, optional={"deep": _DEEP, **{name: _values_for(family) for name, family in _FAMILIES.items()}}
)
_CONTEXTS = st.fixed_dictionaries(
    {},
    optional={
        "request": _REQUEST | _REQUEST | _REQUEST | st.sampled_from(WRONG),
        "session": st.fixed_dictionaries({}, optional={"n": _values_for("Numeric")}),
        "resource": st.fixed_dictionaries({}, optional={"s": _values_for("String")}),
        "s": _values_for("String"),
    },
)
_NAMES = [f"{name}{below}" for name in SCHEMED + OPAQUE for below in ("", "", "", "/x", "/table:u", "/package:q")]
_QUESTIONS = st.tuples(st.sampled_from(ACTIONS), st.sampled_from(_NAMES), principals(), _CONTEXTS)


def contexts() -> st.SearchStrategy[dict[str, Any]]:
    """Values for the keys of conditions: of the right type, of a wrong one, lists of them, or none at all."""
    return _CONTEXTS


def questions() -> st.SearchStrategy[tuple[str, str, dict[str, Any] | None, dict[str, Any]]]:
    """Action, resource, principal and context."""
    return _QUESTIONS
