"""ClaimPath: which value of a token a setting names (idps/README section 1)."""

from __future__ import annotations

import copy
import pickle
from types import MappingProxyType
from typing import Any

import pytest

from bearerkit.jose.claim_path import MISSING, ClaimPath

CLAIMS: dict[str, Any] = {
    "sub": "u1",
    "cognito:groups": ["admins"],
    "urn:example:roles": {"admin": {}},
    "https://acme.example/roles": ["a"],
    "o": {"id": "org_1", "list": [["x"], {"deep": True}]},
    "o.id": None,
    "both.ways": "literal",
    "both": {"ways": "dotted"},
    "emails": ["first@example.com", "second@example.com"],
    "kubernetes.io": {
        "namespace": "shop",
        "": "empty name",
        "a/b": "slash",
        "c~d": "tilde",
        "~1": "an escaped tilde before a one",
    },
    "": "nameless",
    "nothing": None,
    "zero": 0,
    "no": False,
    "blank": "",
    "dct": "t.1/x",
    "index": "0",
    "tenants": {"t.1/x": {"roles": ["Admin"]}, "header.kid": "k"},
    "tenants.t.1/x.flat": "literal with a filled name",
    "urn:project:t.1/x:roles": ["filled in the middle"],
    "header.alg": "a claim, not the header",
    "numbers": {"0": "a member called 0"},
}
HEADER = {"alg": "RS256", "signer": "arn:1", "a.b": "literal", "a": {"b": "dotted", "c": "inner"}, "nothing": None}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("sub", "u1"),
        ("cognito:groups", ["admins"]),
        ("urn:example:roles", {"admin": {}}),
        ("https://acme.example/roles", ["a"]),
        ("o.id", "org_1"),
        ("o.list.0.0", "x"),
        ("o.list.1.deep", True),
        ("both.ways", "literal"),
        ("emails.0", "first@example.com"),
        ("emails.1", "second@example.com"),
        ("numbers.0", "a member called 0"),
        ("/kubernetes.io/namespace", "shop"),
        ("/kubernetes.io/", "empty name"),
        ("/kubernetes.io/a~1b", "slash"),
        ("/kubernetes.io/c~0d", "tilde"),
        ("/kubernetes.io/~01", "an escaped tilde before a one"),
        ("/emails/1", "second@example.com"),
        ("/", "nameless"),
        ("/both/ways", "dotted"),
        ("header.alg", "RS256"),
        ("header.signer", "arn:1"),
        ("header.a.b", "literal"),
        ("header.a.c", "inner"),
        ("header./a/b", "dotted"),
        ("/header.alg", "a claim, not the header"),
        ("zero", 0),
        ("no", False),
        ("blank", ""),
        ("tenants.{dct}.roles", ["Admin"]),
        ("tenants.{dct}.roles.0", "Admin"),
        ("/tenants/{dct}/roles", ["Admin"]),
        ("tenants.{dct}.flat", "literal with a filled name"),
        ("urn:project:{dct}:roles", ["filled in the middle"]),
        ("numbers.{index}", "a member called 0"),
        ("{o.list.0.0}", MISSING),
        ("{/emails/0}", MISSING),
    ],
)
def test_a_path_finds_its_value(path: str, value: Any) -> None:
    """Literal names, dotted paths, list indices, pointers, header members and filled-in names all resolve."""
    assert ClaimPath(path).read(CLAIMS, HEADER) == value


@pytest.mark.parametrize(
    "path",
    [
        "absent",
        "nothing",
        "o.absent",
        "sub.inner",
        "sub.0",
        "emails.2",
        "emails.-1",
        "emails.01",
        "emails.٠",
        "emails.first",
        "emails.9999999",
        "emails." + "9" * 5000,
        "/kubernetes.io/absent",
        "/emails/-",
        "header.nothing",
        "header.absent",
        "header.alg.x",
        "tenants.{absent}.roles",
        "tenants.{nothing}.roles",
        "tenants.{emails}.roles",
        "tenants.{zero}.roles",
        "tenants.{blank}.roles",
        "tenants.{sub}.roles",
        "emails.{index}",
        "{absent}",
    ],
)
def test_a_path_that_leads_nowhere_is_missing(path: str) -> None:
    """Absent, null, wrong container, and placeholders without a non-empty string all read as MISSING."""
    assert ClaimPath(path).read(CLAIMS, HEADER) is MISSING


@pytest.mark.parametrize(
    "name", ["__class__", "__dict__", "keys", "get", "items", "o.__class__", "o.keys", "emails.append", "sub.upper"]
)
def test_attribute_names_are_just_names(name: str) -> None:
    """A path never reaches an attribute of the Python object behind a claim (attack 87)."""
    assert ClaimPath(name).read(CLAIMS, HEADER) is MISSING


def test_dunder_names_are_read_as_members_where_a_token_has_them() -> None:
    """A claim may be called like an attribute; then that member is what the path finds."""
    claims = {"__class__": "x", "o": {"__class__": {"keys": 1}}}
    assert ClaimPath("__class__").read(claims) == "x"
    assert ClaimPath("o.__class__.keys").read(claims) == 1


def test_a_filled_in_name_is_never_parsed_again() -> None:
    """Dots, slashes and braces in the value of another claim stay inside one member name."""
    for value in ("other.roles", "other/roles", "{sub}", "header.alg", "..", "~1"):
        claims = {"dct": value, "tenants": {"other": {"roles": {"roles": "stolen"}}, value: {"roles": "own"}}}
        assert ClaimPath("tenants.{dct}.roles").read(claims, {"alg": "x"}) == "own"
        assert ClaimPath("/tenants/{dct}/roles").read(claims, {"alg": "x"}) == "own"


def test_an_empty_claim_fills_nothing() -> None:
    """A tenant of "" would otherwise select the member without a name."""
    assert ClaimPath("tenants.{dct}.roles").read({"dct": "", "tenants": {"": {"roles": ["x"]}}}) is MISSING


def test_only_json_objects_are_entered() -> None:
    """An object that merely has a `get` method is no JSON object (a context made by hand may hold anything)."""

    class Lookalike:
        def get(self, name: str) -> str:
            return "reached"

    assert ClaimPath("o.id").read({"o": Lookalike()}) is MISSING
    assert ClaimPath("/o/id").read({"o": Lookalike()}) is MISSING


def test_a_header_path_never_falls_back_to_the_claims() -> None:
    """A claim called `header.alg` cannot stand in for a header member that is absent."""
    assert ClaimPath("header.alg").read({"header.alg": "x", "header": {"alg": "x"}}) is MISSING


def test_the_plain_word_header_is_a_claim() -> None:
    """Only the prefix with its dot means the JOSE header."""
    assert ClaimPath("header").read({"header": "h"}, {"header": "no"}) == "h"


def test_a_header_value_may_fill_a_claim_path() -> None:
    """Placeholders are claim paths themselves, header members included."""
    assert ClaimPath("keys.{header.kid}").read({"keys": {"k1": "found"}}, {"kid": "k1"}) == "found"


def test_read_only_views_are_walked_like_dicts_and_lists() -> None:
    """The deep read-only view of an AuthContext reads the same as the claims it was made of."""
    claims = MappingProxyType({"o": MappingProxyType({"list": ({"id": "x"},)})})
    assert ClaimPath("o.list.0.id").read(claims) == "x"
    assert ClaimPath("/o/list/0/id").read(claims) == "x"


@pytest.mark.parametrize(
    "path",
    [
        *("", ".", "a.", ".a", "a..b", "header.", "header..a", None, 5, ["sub"]),
        *("{", "}", "a{", "{}", "a.{}", "{a{b}}", "{a}}", "/{", "{a..b}", "{header.}", "/~", "/a~2"),
    ],
)
def test_a_malformed_path_is_refused(path: Any) -> None:
    """Empty segments, stray braces and bad pointer escapes are settings errors, not paths that find nothing."""
    with pytest.raises(ValueError, match=r"claim path"):
        ClaimPath(path)


def test_a_plain_name_costs_one_lookup_and_never_touches_the_header() -> None:
    """Rules with `require` read plain names on every verification."""
    asked: list[str] = []

    class Spy(dict[str, Any]):
        def get(self, key: str, default: Any = None) -> Any:
            asked.append(key)
            return super().get(key, default)

    header = Spy()
    assert ClaimPath("sub").read(Spy(sub="u1"), header) == "u1"
    assert asked == ["sub"]


def test_paths_are_values() -> None:
    """Equal and hashed by their text, unchangeable, and sound through copy and pickle."""
    path = ClaimPath("a.{b}.c")
    assert path == ClaimPath("a.{b}.c")
    assert path != ClaimPath("a.b.c")
    assert path != "a.{b}.c"
    assert len({path, ClaimPath("a.{b}.c")}) == 1
    assert repr(path) == "ClaimPath('a.{b}.c')"
    for twin in (copy.copy(path), copy.deepcopy(path), pickle.loads(pickle.dumps(path))):
        assert twin == path
        assert twin.read({"b": "x", "a": {"x": {"c": 1}}}) == 1
    with pytest.raises(AttributeError):
        path.path = "sub"
    with pytest.raises(AttributeError):
        del path.path


def test_missing_is_one_falsy_object() -> None:
    """MISSING survives copy and pickle, so `is MISSING` always works."""
    assert not MISSING
    assert repr(MISSING) == "MISSING"
    assert copy.deepcopy(MISSING) is MISSING
    assert pickle.loads(pickle.dumps(MISSING)) is MISSING
