"""Properties of ClaimPath: it finds what is there, by own members only, and never raises on JSON."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from bearerkit.jose.claim_path import MISSING, ClaimPath
from bearerkit.jose.mapping import ClaimMapping

NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=6) | st.sampled_from(
    ["sub", "a", "0", "1", "__class__", "keys", "a.b", "a/b", "~", "header", "header.a", "https://x.example/roles"]
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | NAMES
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=20
)
OBJECTS = st.dictionaries(NAMES, JSON, max_size=6)
PATHS = st.text("ab01./~{}-_headr", min_size=1, max_size=16) | NAMES


def compiled(text: str) -> ClaimPath | None:
    try:
        return ClaimPath(text)
    except ValueError:
        return None


def pointer(*names: str) -> str:
    return "".join("/" + name.replace("~", "~0").replace("/", "~1") for name in names)


def values_of(node: Any) -> list[Any]:
    """Every value inside a JSON document, itself included."""
    inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return [node, *(found for item in inner for found in values_of(item))]


@given(PATHS, OBJECTS, OBJECTS)
def test_reading_never_raises_and_gives_a_value_of_the_token(path: str, claims: Any, header: Any) -> None:
    """Whatever the path, what comes out is a non-null value inside the claims or the header, or MISSING."""
    reader = compiled(path)
    assume(reader is not None)
    assert reader is not None
    found = reader.read(claims, header)
    if found is not MISSING:
        assert found is not None
        source = header if path.startswith("header.") else claims
        assert any(found is value for value in values_of(source))


@given(st.lists(NAMES, min_size=1, max_size=4), JSON)
def test_a_pointer_reaches_any_names(names: list[str], value: Any) -> None:
    """RFC 6901 escapes make every name addressable, except one with braces."""
    assume(not any(char in "{}" for name in names for char in name))
    claims: Any = value
    for name in reversed(names):
        claims = {name: claims}
    found = ClaimPath(pointer(*names)).read(claims)
    assert found is (MISSING if value is None else value)


@given(NAMES, SCALARS)
def test_a_literal_name_wins_over_its_dotted_reading(name: str, value: Any) -> None:
    """A claim that has the very name of the path is the one."""
    reader = compiled(name)
    assume(reader is not None and value is not None and name[0] != "/" and not name.startswith("header."))
    assume("{" not in name)
    assert reader is not None
    assert reader.read({name: value, **({} if "." not in name else {name.split(".")[0]: {"x": 1}})}) is value


@given(NAMES, st.dictionaries(NAMES, st.just("other")))
def test_a_filled_in_name_reaches_one_member_only(name: str, others: dict[str, Any]) -> None:
    """`{dct}` stands for exactly one member, whatever characters the token puts there."""
    assume(name)
    claims = {"dct": name, "tenants": {**others, name: {"roles": "own"}}, **{f"tenants.{name}.x": 1}}
    assert ClaimPath("tenants.{dct}.roles").read(claims) == "own"
    assert ClaimPath("/tenants/{dct}/roles").read(claims) == "own"


CLAIM_NAMES = st.sampled_from(
    ["sub", "scope", "scp", "roles", "role", "tid", "azp", "amr", "memberships", "type", "act"]
)


@given(st.dictionaries(CLAIM_NAMES | st.just("email_verified"), JSON))
def test_the_default_mapping_takes_any_claims(claims: dict[str, Any]) -> None:
    """Every field of every token has a value of its type; nothing raises, and names are never empty or doubled."""
    mapping = ClaimMapping()
    for field in ("subject", "client", "tenant", "actor"):
        assert isinstance(mapping.read(field, claims), str | None)
    assert mapping.read("principal_type", claims) in ("user", "service")
    for field in ("scopes", "roles", "amr", "memberships"):
        names = mapping.read(field, claims)
        assert all(isinstance(name, str) and name for name in names)
        assert len(set(names)) == len(names)
    assert mapping.read("email_verified", claims) is (claims.get("email_verified") is True)


@given(st.lists(st.text(min_size=1)))
def test_scopes_are_split_at_spaces_only(names: list[str]) -> None:
    """RFC 6749 section 3.3: U+0020 separates, and no other white space does (attack 86)."""
    text = json.loads(json.dumps(" ".join(names)))
    wanted = list(dict.fromkeys(part for part in text.split(" ") if part))
    assert list(ClaimMapping().read("scopes", {"scope": text})) == wanted
