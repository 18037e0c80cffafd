"""ClaimMapping: which claims feed which field, in which shape, and what a wrong mapping says."""

from __future__ import annotations

import copy
import json
import pickle
import re
from pathlib import Path
from typing import Any

import pytest

from bearerkit.context import AuthContext
from bearerkit.errors import ConfigError
from bearerkit.jose.mapping import Claim, ClaimMapping, principal_type


def read(spelling: Any, field: str, claims: dict[str, Any], header: dict[str, Any] | None = None) -> Any:
    return ClaimMapping.parse(spelling).read(field, claims, header or {})


def problems(spelling: Any) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        ClaimMapping.parse(spelling)
    return caught.value.problems


# --- the defaults


@pytest.mark.parametrize(
    ("field", "claims", "value"),
    [
        ("subject", {"sub": "u1"}, "u1"),
        ("client", {"cid": "d", "appid": "c", "azp": "b", "client_id": "a"}, "a"),
        ("client", {"cid": "d", "appid": "c", "azp": "b"}, "b"),
        ("client", {"cid": "d", "appid": "c"}, "c"),
        ("client", {"cid": "d"}, "d"),
        ("tenant", {"tenant_id": "a", "tid": "b"}, "a"),
        ("tenant", {"tid": "b", "org_id": "c"}, "b"),
        ("tenant", {"org_id": "c", "tenantId": "d"}, "c"),
        ("tenant", {"tenantId": "d", "namespaceId": "e"}, "d"),
        ("tenant", {"namespaceId": "e", "workspace_id": "f"}, "e"),
        ("tenant", {"workspace_id": "f"}, "f"),
        ("memberships", {"memberships": ["t1", "t2"]}, ("t1", "t2")),
        ("identity", {"identity_id": "i", "identityId": "j"}, "i"),
        ("identity", {"identityId": "j"}, "j"),
        ("scopes", {"scope": "a b", "scopes": ["c"], "scp": "d"}, ("a", "b")),
        ("scopes", {"scopes": ["c"], "scp": "d"}, ("c",)),
        ("scopes", {"scp": "d e"}, ("d", "e")),
        ("scopes", {"scp": ["d", "e"]}, ("d", "e")),
        ("roles", {"roles": ["a"], "role": "b", "realm_access": {"roles": ["c"]}}, ("a",)),
        ("roles", {"role": "b", "realm_access": {"roles": ["c"]}}, ("b",)),
        ("roles", {"realm_access": {"roles": ["c"]}}, ("c",)),
        ("groups", {"groups": ["g"]}, ("g",)),
        ("permissions", {"permissions": ["p"]}, ("p",)),
        ("services", {"services": ["s"]}, ("s",)),
        ("tier", {"tier": "pro"}, "pro"),
        ("email", {"email": "a@example.com"}, "a@example.com"),
        ("email_verified", {"email_verified": True}, True),
        ("session", {"sid": "s", "session_id": "t"}, "s"),
        ("session", {"session_id": "t"}, "t"),
        ("token_id", {"jti": "j", "uti": "u"}, "j"),
        ("token_id", {"uti": "u"}, "u"),
        ("acr", {"acr": "mfa"}, "mfa"),
        ("amr", {"amr": ["pwd", "otp"]}, ("pwd", "otp")),
        ("auth_time", {"auth_time": 1790000000}, 1790000000),
        ("actor", {"act": {"sub": "admin"}}, "admin"),
    ],
)
def test_the_defaults_read_the_common_spellings(field: str, claims: dict[str, Any], value: Any) -> None:
    """Without settings the usual claim names feed each field, in a fixed order."""
    assert read(None, field, claims) == value


def test_an_empty_token_has_empty_fields() -> None:
    """Fields that nothing feeds are None, (), or False; the principal is a service, having no subject."""
    names = {"memberships", "scopes", "roles", "groups", "permissions", "services", "amr"}
    for field in ClaimMapping.__dataclass_fields__:
        if field not in ("machine", "_readers"):
            wanted = () if field in names else {"email_verified": False, "principal_type": "service"}.get(field)
            assert read(None, field, {}) == wanted, field


def test_null_counts_as_absent() -> None:
    """A null alternative is passed over, also as the subject of a machine."""
    assert read(None, "scopes", {"scope": None, "scp": "a"}) == ("a",)
    assert read(None, "tenant", {"tenant_id": None, "tid": "t"}) == "t"
    assert read(None, "subject", {"sub": None}) is None


@pytest.mark.parametrize("first", ["", [], {}, 5, False, {"a": 1}])
def test_the_first_alternative_that_is_present_wins_even_when_it_is_worthless(first: Any) -> None:
    """scp and scope in conflict (attack 86): an empty or malformed first claim does not fall through."""
    assert read(None, "scopes", {"scope": first, "scp": "admin"}) == ()


# --- shapes


@pytest.mark.parametrize(
    ("shape", "value", "names"),
    [
        ("auto", "a  b ", ("a", "b")),
        ("auto", ["a b", "c"], ("a b", "c")),
        ("auto", ["a", 5, None, True, ["x"], {"y": 1}, "", "a"], ("a",)),
        ("auto", "a\tb\u00a0c\u2003d\ne", ("a\tb\u00a0c\u2003d\ne",)),
        ("auto", "a,b", ("a,b",)),
        ("auto", {"a": 1}, ()),
        ("auto", 5, ()),
        ("auto", True, ()),
        ("space-separated", "a b a", ("a", "b")),
        ("space-separated", ["a"], ()),
        ("comma-separated", "a, b ,,c d", ("a", "b", "c d")),
        ("comma-separated", ["a"], ()),
        ("array", ["a", "b", "a"], ("a", "b")),
        ("array", ("a", "b"), ("a", "b")),
        ("array", "a b", ()),
        ("array", {"a": 1}, ()),
        ("object-keys", {"a": {}, "b": None, "": 1}, ("a", "b")),
        ("object-keys", ["a"], ()),
        ("object-keys", "a", ()),
        ("array-or-keys", ["a", "b", 5], ("a", "b")),
        ("array-or-keys", {"a": {"id": 1}, "b": None}, ("a", "b")),
        ("array-or-keys", "a", ()),
    ],
)
def test_scopes_by_shape(shape: str, value: Any, names: tuple[str, ...]) -> None:
    """Only U+0020 separates, array elements are never split, and an explicit shape is binding (attacks 86 and 87)."""
    assert read({"scopes": {"claim": "s", "shape": shape}}, "scopes", {"s": value}) == names


@pytest.mark.parametrize(
    ("granted", "member", "names"),
    [
        ({"a": {"org": 1}, "b": {"other": 1}, "c": {"org": None}}, "org", ("a", "c")),
        ({"a": ["org"], "b": "org", "c": None}, "org", ()),
        ({"a": {"org": 1}}, None, ()),
        ({"a": {"org": 1}}, 5, ()),
        ({"a": {"org": 1}}, ["org"], ()),
        (["org"], "org", ()),
    ],
)
def test_object_keys_beside_another_claim(granted: Any, member: Any, names: tuple[str, ...]) -> None:
    """Only keys whose object has the member that the second claim names; without that claim there is none."""
    spelling = {"roles": {"claim": "r", "shape": "object-keys", "beside": "owner"}}
    assert read(spelling, "roles", {"r": granted, "owner": member}) == names
    assert read(spelling, "roles", {"owner": member}) == ()


@pytest.mark.parametrize(
    ("per", "fpm", "fea", "names"),
    [
        ("read,manage", "3,2", "o:a,o:b", ("org:a:read", "org:a:manage", "org:b:manage")),
        ("read,manage", "1", "u:mine,o:a", ("org:a:read",)),
        ("read", "1,1", "uo:a,ou:b", ("org:a:read", "org:b:read")),
        ("read, manage", " 2 , 1", "o:a, o:b", ("org:a:manage", "org:b:read")),
        ("read", "0", "o:a", ()),
        ("read", "4", "o:a", ()),
        ("read", "-1", "o:a", ()),
        ("read", "+1", "o:a", ()),
        ("read", "\u0661", "o:a", ()),
        ("read", "9" * 30, "o:a", ()),
        ("read", "x,1", "o:a,o:b", ("org:b:read",)),
        ("", "1", "o:a", ()),
        (",read", "3", "o:a", ("org:a:read",)),
        ("read", "1", "a", ()),
        ("read", "1", None, ()),
        ("read", 1, "o:a", ()),
        (["read"], "1", "o:a", ()),
        ("read", "1", ["o:a"], ()),
        (None, None, "o:a", ()),
    ],
)
def test_permission_bits(per: Any, fpm: Any, fea: Any, names: tuple[str, ...]) -> None:
    """Clerk: a number for each of the organization's features, whose lowest bit is the first permission."""
    spelling = {"scopes": {"claim": "o", "shape": "permission-bits", "beside": "fea"}}
    assert read(spelling, "scopes", {"o": {"per": per, "fpm": fpm}, "fea": fea}) == names
    assert read(spelling, "scopes", {"o": [per], "fea": fea}) == ()


def test_an_alternative_for_tokens_that_lack_another_claim() -> None:
    """`unless`: roles without a tenant count only in tokens that name none."""
    spelling = {"roles": [{"claim": "tenants.{t}.roles"}, {"claim": "roles", "unless": "t"}]}
    claims = {"roles": ["top"], "tenants": {"a": {"roles": ["inner"]}}}
    assert read(spelling, "roles", claims) == ("top",)
    assert read(spelling, "roles", {**claims, "t": "a"}) == ("inner",)
    assert read(spelling, "roles", {**claims, "t": "b"}) == ()


@pytest.mark.parametrize(
    ("asked", "granted", "words"),
    [("a b c", ["c", "a"], ("a", "c")), ("a", None, ()), ("a", "a", ()), (["a"], ["a"], ()), ("a a", ["a"], ("a",))],
)
def test_words_that_stand_in_a_second_claim_too(asked: Any, granted: Any, words: tuple[str, ...]) -> None:
    """What was asked for and granted; without the second claim nothing was."""
    spelling = {"scopes": {"claim": "scope", "shape": "space-separated", "beside": "permissions"}}
    assert read(spelling, "scopes", {"scope": asked, "permissions": granted}) == words


@pytest.mark.parametrize(
    ("mark", "claims", "kind"),
    [
        ({"scp": None}, {"sub": "u"}, "service"),
        ({"scp": None}, {"sub": "u", "scp": "x"}, "user"),
        ({"sub": re.compile(r".+@clients")}, {"sub": "c@clients"}, "service"),
        ({"sub": re.compile(r".+@clients")}, {"sub": "c@clients.example"}, "user"),
        ({"sub": re.compile(r".+")}, {"sub": "u"}, "service"),
        ({"n": re.compile(r".+")}, {"sub": "u", "n": 5}, "user"),
    ],
)
def test_marks_of_machines(mark: Any, claims: dict[str, Any], kind: str) -> None:
    """An absent claim, and text that matches as a whole."""
    assert read({"machine": mark}, "principal_type", claims) == kind


def test_a_second_claim_where_none_is_looked_at() -> None:
    """`beside` only fits shapes that read it, and one shape cannot do without it."""
    assert problems({"scopes": {"claim": "s", "shape": "array", "beside": "x"}}) == (
        "claims.scopes: shape 'array' does not fit with beside; "
        "this field takes space-separated, object-keys, permission-bits",
    )
    (said,) = problems({"scopes": {"claim": "s", "shape": "permission-bits"}})
    assert said.startswith("claims.scopes: shape 'permission-bits' does not fit; this field takes auto,")
    assert problems({"tier": {"claim": "s", "beside": "x"}}) == (
        "claims.tier: shape 'auto' does not fit with beside; this field takes none",
    )
    (said,) = problems({"roles": {"claim": "s", "shape": "object-keys", "beside": ".."}})
    assert "empty segment" in said


@pytest.mark.parametrize("field", ["roles", "groups", "permissions", "services", "amr"])
def test_a_string_is_one_name_outside_scopes(field: str) -> None:
    """A role given as a string is neither split at spaces nor iterated by character (attack 87)."""
    assert read(None, field, {field: "super admin"}) == ("super admin",)
    assert read(None, field, {field: "admin"}) == ("admin",)
    assert read(None, field, {field: ""}) == ()


@pytest.mark.parametrize(
    ("value", "ids"),
    [
        (["t1", "t2", "t1"], ("t1", "t2")),
        ([{"id": "t1", "role": "x"}, {"id": 7}, {"name": "t3"}, {"id": None}, {"id": True}], ("t1", "7")),
        ("t1", ("t1",)),
        (7, ("7",)),
        ({"id": "t1"}, ()),
        ([None, 1.5, True, ["t"]], ()),
    ],
)
def test_memberships_are_ids_or_objects_with_an_id(value: Any, ids: tuple[str, ...]) -> None:
    """Strings, whole numbers and objects with an `id` count; everything else is ignored."""
    assert read(None, "memberships", {"memberships": value}) == ids


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("u1", "u1"),
        (42, "42"),
        (-1, "-1"),
        ("", None),
        (True, None),
        (1.5, None),
        (["u1"], None),
        ({}, None),
        pytest.param(10**5000, None, id="enormous"),
    ],
)
def test_text_is_a_string_or_a_whole_number(value: Any, text: str | None) -> None:
    """Ids are written both ways; no other type, and no boolean, becomes text."""
    assert read(None, "tenant", {"tid": value}) == text


@pytest.mark.parametrize("value", ["true", "false", "", 1, [True], {"a": 1}, None, False])
def test_only_json_true_is_true(value: Any) -> None:
    """A truthy value is not a flag: the string "false" would be one."""
    assert read(None, "email_verified", {"email_verified": value}) is False


@pytest.mark.parametrize(
    ("value", "flag"), [(True, True), ("true", True), ("false", False), ("TRUE", False), (1, False)]
)
def test_bool_or_string_takes_the_string_true_as_well(value: Any, flag: bool) -> None:
    """Apple, AWS ALB and GitLab write booleans as strings."""
    spelling = {"email_verified": {"claim": "email_verified", "shape": "bool-or-string"}}
    assert read(spelling, "email_verified", {"email_verified": value}) is flag


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (5, 5),
        (5.5, 5.5),
        (-3, -3),
        (True, None),
        ("5", None),
        ([5], None),
        (float("nan"), None),
        (float("inf"), None),
        (float("-inf"), None),
        pytest.param(10**5000, None, id="enormous"),
    ],
)
def test_times_are_finite_numbers(value: Any, seconds: float | None) -> None:
    """A NumericDate is a finite JSON number, never a string or boolean (RFC 7519 section 2)."""
    assert read(None, "auth_time", {"auth_time": value}) == seconds


def test_strip_prefix_takes_values_of_that_prefix_only() -> None:
    """A scope without the prefix is another API's, and must not pass for one of ours once ours are stripped."""
    spelling = {
        "scopes": {"claim": "scope", "strip_prefix": "orders!t1."},
        "subject": {"claim": "sub", "strip_prefix": "uid:"},
    }
    assert read(spelling, "scopes", {"scope": ["orders!t1.Read", "Write", "bill!t2.Pay", "orders!t1."]}) == ("Read",)
    assert read(spelling, "scopes", {"scope": "orders!t1.Read openid"}) == ("Read",)
    assert read(spelling, "subject", {"sub": "uid:5"}) == "5"
    assert read(spelling, "subject", {"sub": "5"}) is None
    assert read(spelling, "subject", {"sub": ["uid:5"]}) is None


# --- principals


@pytest.mark.parametrize(
    ("claims", "kind"),
    [
        ({"sub": "u"}, "user"),
        ({"sub": "u", "azp": "app"}, "user"),
        ({"sub": "u", "idtyp": "app"}, "service"),
        ({"sub": "u", "idtyp": "user"}, "user"),
        ({"sub": "u", "gty": "client-credentials"}, "service"),
        ({"sub": "u", "grant_type": "client_credentials"}, "service"),
        ({"sub": "u", "grant_type": "authorization_code"}, "user"),
        ({"sub": "u", "type": "m2m"}, "service"),
        ({"sub": "u", "type": "machine"}, "service"),
        ({"sub": "u", "type": "end_user"}, "user"),
        ({"sub": "u", "type": ["m2m"]}, "user"),
        ({"sub": "app", "client_id": "app"}, "service"),
        ({"client_id": "app"}, "service"),
        ({"sub": None}, "service"),
        ({"sub": ["u"]}, "user"),
        ({"sub": ""}, "user"),
    ],
)
def test_a_machine_is_told_from_a_user(claims: dict[str, Any], kind: str) -> None:
    """By the usual marks, an absent subject, or a subject that is the client; a malformed subject marks nothing."""
    assert read(None, "principal_type", claims) == kind


def test_an_explicit_principal_claim_wins() -> None:
    """Its values are brought to one spelling; where the claim is absent or no text, the marks decide."""
    spelling = {"principal_type": "kind"}
    for value, kind in {"m2m": "service", "machine": "service", "service": "service", "end_user": "user"}.items():
        assert read(spelling, "principal_type", {"sub": "u", "kind": value}) == kind
    assert read(spelling, "principal_type", {"sub": "u", "kind": "user", "idtyp": "app"}) == "user"
    assert read(spelling, "principal_type", {"sub": "u", "kind": "cli"}) == "cli"
    assert read(spelling, "principal_type", {"sub": "u", "idtyp": "app"}) == "service"
    assert read(spelling, "principal_type", {"sub": "u", "kind": ["m2m"]}) == "user"
    assert principal_type("m2m") == "service"
    assert principal_type("robot") == "robot"


def test_a_machine_mark_may_be_configured() -> None:
    """One matching claim value marks a machine, and true is not 1."""
    spelling = {"machine": {"robot": True, "grant": ["cc", "jwt"], "header.kind": 1}}
    assert read(spelling, "principal_type", {"sub": "u", "robot": True}) == "service"
    assert read(spelling, "principal_type", {"sub": "u", "robot": 1}) == "user"
    assert read(spelling, "principal_type", {"sub": "u", "grant": "jwt"}) == "service"
    assert read(spelling, "principal_type", {"sub": "u", "grant": "code"}) == "user"
    assert read(spelling, "principal_type", {"sub": "u"}, {"kind": 1}) == "service"
    assert read(spelling, "principal_type", {"sub": "u"}, {"kind": True}) == "user"


def test_the_subject_of_a_mapping_decides_about_its_absence() -> None:
    """Where the client stands in for an absent subject (PingOne), the principal is a service."""
    spelling = {"subject": ["sub", "client_id"], "client": "client_id"}
    assert read(spelling, "subject", {"client_id": "c"}) == "c"
    assert read(spelling, "principal_type", {"client_id": "c"}) == "service"
    assert read(spelling, "principal_type", {"client_id": "c", "sub": "u"}) == "user"


# --- the spelling of settings


def test_the_short_spelling_takes_paths_lists_and_objects() -> None:
    """A path, a list of alternatives, an object, and Claim values mean the same thing."""
    spelled = ClaimMapping.parse(
        {
            "subject": "oid",
            "tenant": ["o.id", {"claim": "org_id"}],
            "scopes": [{"claim": "scp", "shape": "array", "strip_prefix": "x."}, Claim("scope")],
            "roles": (),
            "machine": {"gty": ["a", "b"]},
        }
    )
    assert spelled == ClaimMapping(
        subject=(Claim("oid"),),
        tenant=(Claim("o.id"), Claim("org_id")),
        scopes=(Claim("scp", "array", "x."), Claim("scope")),
        roles=(),
        machine=(("gty", ("a", "b")),),
    )
    assert spelled.groups == ClaimMapping().groups
    assert spelled.read("roles", {"roles": ["admin"]}) == ()


def test_none_and_a_ready_mapping_are_taken_as_they_are() -> None:
    """`claims=None` means the defaults; a ClaimMapping is not rebuilt."""
    ready = ClaimMapping(subject=(Claim("uid"),))
    assert ClaimMapping.parse(ready) is ready
    assert ClaimMapping.parse(None) == ClaimMapping() == ClaimMapping.parse({})


def test_every_problem_is_listed_at_once_with_nearest_names() -> None:
    """A settings error is read once and fixed once."""
    found = problems(
        {
            "scope": "scope",
            "zzz": "x",
            5: "x",
            "subject": "a..b",
            "roles": {"claim": "r", "shape": "arrays"},
            "groups": {"clam": "g"},
            "tenant": [5, None],
            "email_verified": {"claim": "e", "shape": "array"},
            "tier": {"claim": "t", "shape": "array"},
            "permissions": {"claim": "p", "shape": "bool-or-string"},
            "services": {"claim": "s", "shape": ["array"]},
            "auth_time": {"claim": "a", "strip_prefix": "x"},
            "acr": {"claim": "a", "strip_prefix": ""},
            "session": {"claim": None},
            "machine": "m2m",
        }
    )
    text = "\n".join(found)
    for part in (
        "unknown field 'scope'; did you mean 'scopes'",
        "unknown field 'zzz'; known are subject, client,",
        "unknown field 5; known are",
        "claims.subject: claim path 'a..b' has an empty segment",
        "claims.roles: unknown shape 'arrays'; did you mean 'array' or 'array-or-keys'?",
        "claims.groups: unknown member 'clam'; did you mean 'claim'?",
        "claims.groups: the member 'claim' is missing",
        "claims.tenant: a path, or an object with 'claim', is needed, not int",
        "claims.tenant: a path, or an object with 'claim', is needed, not NoneType",
        "claims.email_verified: shape 'array' does not fit; this field takes auto, bool-or-string",
        "claims.tier: shape 'array' does not fit; this field takes auto",
        "claims.permissions: shape 'bool-or-string' does not fit",
        "claims.services: unknown shape ['array']",
        "claims.auth_time: strip_prefix does not fit this field",
        "claims.acr: strip_prefix must be a non-empty string",
        "claims.session: a claim path is a non-empty string",
        "claims.machine must be an object of claim values, not str",
    ):
        assert part in text, part
    assert len(found) == 17


def test_one_problem_is_a_problem() -> None:
    """Also when everything that could be understood would make a good mapping."""
    assert problems({"scope": "scp", "subject": "oid"}) == ("claims: unknown field 'scope'; did you mean 'scopes'?",)


@pytest.mark.parametrize(
    ("machine", "part"),
    [
        ({"gty": [["x"]]}, "the value of 'gty' must be a string, number or boolean, or a list"),
        ({"gty": []}, "the value of 'gty' must be"),
        ({"gty": {"a": 1}}, "the value of 'gty' must be"),
        ({"a..b": "x"}, "claims.machine: claim path 'a..b' has an empty segment"),
    ],
)
def test_a_machine_mark_that_cannot_work_is_a_problem(machine: Any, part: str) -> None:
    """A mark without a value, or with a malformed path, would silently mark nobody."""
    assert part in "; ".join(problems({"machine": machine}))


def test_what_is_no_mapping_at_all_is_refused() -> None:
    """A list or string in place of the fields is named, not iterated."""
    assert problems(["sub"]) == ("claims must be an object of fields, not list",)
    assert problems("sub") == ("claims must be an object of fields, not str",)


def test_only_parse_takes_the_short_spelling() -> None:
    """A string given to the class itself would be iterated by character."""
    with pytest.raises(ConfigError, match=r"claims\.subject must be a tuple of Claim; ClaimMapping\.parse"):
        ClaimMapping(subject="sub")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=r"claims\.machine must be pairs"):
        ClaimMapping(machine={"gty": "x"})  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=r"claims\.machine must be pairs"):
        ClaimMapping(machine=(("gty",),))  # type: ignore[arg-type]


def test_a_mapping_needs_a_subject() -> None:
    """With no subject claim at all every caller would count as a service."""
    assert problems({"subject": []}) == ("claims.subject needs at least one claim",)


def test_mappings_are_values() -> None:
    """Equal, hashable, unchangeable, and sound through copy and pickle although they hold compiled readers."""
    mapping = ClaimMapping.parse({"subject": ["uid", "sub"], "machine": {"gty": ["x"]}})
    twin = pickle.loads(pickle.dumps(mapping))
    assert twin == mapping == copy.deepcopy(mapping)
    assert hash(twin) == hash(mapping)
    assert twin != ClaimMapping()
    assert twin.read("subject", {"uid": "u"}) == "u"
    with pytest.raises(AttributeError):
        mapping.subject = ()  # type: ignore[misc]


# --- real providers

EXPECTED: dict[str, dict[str, Any]] = {
    "auth0/access_token": {
        "scopes": ("openid", "profile", "email", "orders:read"),
        "tenant_id": "org_AbCdEfGh12345678",
    },
    "auth0/m2m": {"principal_type": "service", "client_id": "BatchClientId00000000000000000B2"},
    "authentik/access_token": {"groups": ("authentik Admins", "orders")},
    "clerk/access_token": {
        "tenant_id": "org_2example00000000000001",
        "scopes": ("read", "manage"),
        "roles": ("admin",),
    },
    "clerk/v1": {"tenant_id": "org_2example00000000000001", "scopes": ("org:orders:read",), "roles": ("org:admin",)},
    "clerk/impersonation": {"actor": "user_2admin0000000000000001"},
    "cognito/access_token": {"groups": ("admins",), "scopes": ("openid", "orders-api/read"), "principal_type": "user"},
    "cognito/m2m": {"principal_type": "service"},
    "descope/access_token": {
        "roles": ("Admin",),
        "scopes": ("orders.read",),
        "tenant_id": "T2exampletenant0000000000001",
    },
    "descope/access_key": {"roles": ("Batch",), "scopes": ("orders.read",), "tenant_id": None},
    "entra-b2c/access_token": {"scopes": ("orders.read",), "email": "ada@example.com"},
    "entra-v2/access_token": {"roles": ("Orders.Admin",), "subject": "cccccccc-3333-4ddd-8eee-ffffffffffff"},
    "entra-v2/m2m": {"principal_type": "service", "scopes": (), "roles": ("Orders.Read.All",)},
    "firebase/access_token": {"tenant_id": "orders-tenant-1a2b3"},
    "gitlab-ci/access_token": {"tenant_id": "72"},
    "heimdall/m2m": {"principal_type": "service", "scopes": ("order.read", "order.write")},
    "hydra/access_token": {"scopes": ("openid", "orders.read"), "tenant_id": "acme"},
    "hydra/scope_string": {"scopes": ("openid", "orders.read")},
    "kb-labs/access_token": {"principal_type": "service", "tier": "pro", "issuer": None},
    "keycloak/access_token": {"roles": ("offline_access", "default-roles-acme", "uma_authorization")},
    "kubernetes/access_token": {"tenant_id": "shop"},
    "okta-custom/access_token": {"subject": "00uexample1user00000", "scopes": ("openid", "profile", "orders.read")},
    "pingone/m2m": {"principal_type": "service", "subject": "11111111-9999-4888-8777-000000000002"},
    "rudderjs-passport/m2m": {"principal_type": "service", "subject": None, "scopes": ("posts:read", "posts:write")},
    "rudderjs-passport/access_token": {"principal_type": "user", "subject": "42", "client_id": "client_example_0001"},
    "sap-ias/technical_user": {"principal_type": "service", "scopes": ("read-orders",)},
    "sap-xsuaa/access_token": {"scopes": ("Read", "Write"), "subject": "22222222-aaaa-4bbb-8ccc-00000000000a"},
    "sap-xsuaa/m2m": {"principal_type": "service", "scopes": ("Read",)},
    "supabase/access_token": {"roles": ("admin",), "tenant_id": "acme"},
    "workos/impersonation": {"actor": "admin@example.com", "roles": ("member",), "scopes": ("orders:read",)},
    "zitadel/access_token": {"roles": ("admin",), "tenant_id": "260000000000000001"},
}


@pytest.mark.shared_files("idps/*.json")
def test_accepted_tokens_of_real_providers_read_well(shared_file: Path) -> None:
    """Through the provider's own mapping every accepted sample has a subject, clean names, and the values we know."""
    provider = json.loads(shared_file.read_text(encoding="utf-8"))
    spelling = provider["verifier"].get("claims")
    mapping = ClaimMapping.parse(spelling)
    for name, sample in {"access_token": provider["access_token"], **provider["samples"]}.items():
        if sample.get("expect") != "accept":
            continue
        ctx = AuthContext(sample["claims"], mapping, header=sample["header"])
        where = f"{shared_file.stem}/{name}"
        if provider["verifier"].get("subject") == "optional" and sample["claims"].get("sub") is None:
            assert ctx.principal_type == "service", where
        else:
            assert ctx.subject, where
        for scope in ctx.scopes:
            assert len(scope) > 1 or scope == "*", where
            assert not set(scope) & set(" ,\t[]{}"), where
        assert all(len(role) > 1 for role in ctx.roles), where
        if spelling and "tenant" in spelling and "tid" in sample["claims"]:
            assert ctx.tenant_id == sample["claims"]["tid"], where
        assert ctx.expires_at == sample["claims"]["exp"], where
        for field, value in EXPECTED.get(where, {}).items():
            assert getattr(ctx, field) == value, f"{where}: {field}"


def test_the_expected_values_belong_to_samples_that_exist(shared: Path) -> None:
    """A renamed sample must not silently take its expectations along."""
    for where in EXPECTED:
        stem, name = where.split("/")
        provider = json.loads((shared / "idps" / f"{stem}.json").read_text(encoding="utf-8"))
        sample = provider["access_token"] if name == "access_token" else provider["samples"][name]
        assert sample["expect"] == "accept", where
