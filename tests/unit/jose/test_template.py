"""Templates: a value that does not match its declared format never gets into a string."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bearerkit.jose.template import FORMATS, Template, has_placeholders

ENTRA = Template("https://login.example.com/{tid}/v2.0", {"tid": "uuid"})
TENANT = "0f0e0d0c-0b0a-0908-0706-050403020100"


@pytest.mark.parametrize(
    ("text", "answer"),
    [("https://a/{tid}", True), ("https://a/b", False), ("{}", True), ("{", False), ("}{", False), ("{a", False)],
)
def test_what_is_a_template(text, answer):
    """A closed pair of braces makes one."""
    assert has_placeholders(text) is answer


def test_filling():
    """The value of the claim goes into its place, and only there."""
    assert ENTRA.fill({"tid": TENANT}, {}) == f"https://login.example.com/{TENANT}/v2.0"


def test_kid_is_the_header_s():
    """`{kid}` reads the header; a claim named kid is no substitute."""
    template = Template("https://keys.example.com/{kid}", {"kid": "word"})
    assert template.fill({}, {"kid": "k-1_A"}) == "https://keys.example.com/k-1_A"
    assert template.fill({"kid": "k1"}, {}) is None


def test_several_placeholders_and_dotted_paths():
    """One format per name; a name may occur twice."""
    template = Template("https://{ext_attr.zdn}.example.com/{zid}/{zid}", {"ext_attr.zdn": "dns-label", "zid": "word"})
    assert template.names == ("ext_attr.zdn", "zid")
    assert template.fill({"ext_attr": {"zdn": "acme"}, "zid": "z1"}, {}) == "https://acme.example.com/z1/z1"
    assert template.fill({"ext_attr": {"zdn": "acme"}}, {}) is None


def test_repr_is_the_text():
    """For settings errors and logs."""
    assert repr(ENTRA) == "Template('https://login.example.com/{tid}/v2.0')"


@pytest.mark.parametrize(
    ("text", "formats", "words"),
    [
        ("https://a/{tid}", {}, "{tid}"),
        ("https://a/{tid}", {"tid": "guid"}, "uuid, dns-label, word"),
        ("https://{a}/{b}", {}, "{b}"),
        ("https://a/{}", {"": "word"}, "claim path"),
        ("https://a/{a..b}", {"a..b": "word"}, "empty segment"),
    ],
)
def test_bad_templates(text, formats, words):
    """Every placeholder needs a format, and a path that can be read."""
    with pytest.raises(ValueError, match=re.escape(words)):
        Template(text, formats)


def test_all_placeholders_without_a_format_are_named_at_once():
    """Not one per attempt."""
    with pytest.raises(ValueError, match=r"\{a\}.*\{b\}"):
        Template("https://{a}/{b}", {})


@pytest.mark.parametrize(
    "value",
    [
        None, 1, True, [], [TENANT], {}, "", TENANT + "\n", "\n" + TENANT, TENANT + "/", "x/../" + TENANT, TENANT[:-1],
        TENANT + "0", TENANT.replace("-", ""), "{" + TENANT + "}", TENANT + "\0", TENANT.replace("0f", "０f"),
        f" {TENANT}",
        f"{TENANT}#", f"{TENANT}?x", f"{TENANT}@evil.example",
    ],
    ids=repr,
)  # fmt: skip
def test_a_value_that_is_no_uuid(value):
    """Trap 2 of the provider collection: tid = "x/../", longer paths, other types, look-alikes."""
    assert ENTRA.fill({"tid": value}, {}) is None


@pytest.mark.parametrize(
    ("shape", "good", "bad"),
    [
        ("uuid", [TENANT, TENANT.upper()], ["x"]),
        (
            "dns-label",
            ["a", "a-1", "x" * 63],
            ["", "-a", "a-", "x" * 64, "A", "a.b", "a_b", "ä", "a\n", "evil.example/"],
        ),
        (
            "word",
            ["a", "A_b-9", "x" * 128],
            ["", "x" * 129, "a.b", "a/b", "..", "a b", "ä", "a\n", "a%2f", "a:b", "a@b"],
        ),
    ],
)
def test_formats(shape, good, bad):
    """What each format admits, at its edges."""
    template = Template("{v}", {"v": shape})
    assert [template.fill({"v": value}, {}) for value in good] == good
    assert [template.fill({"v": value}, {}) for value in bad] == [None] * len(bad)


@given(st.sampled_from(sorted(FORMATS)), st.text(max_size=140) | st.from_regex(r"\A[a-zA-Z0-9_.-]{1,70}\Z"))
def test_no_value_changes_the_shape_of_a_url(shape, value):
    """Whatever the token says, host, path depth, query, port and user of the URL are those of the template."""
    template = Template("https://{v}.ids.example.com/a/{v}/keys", {"v": shape})
    filled = template.fill({"v": value}, {})
    if filled is None:
        return
    parts = urlsplit(filled)
    assert (parts.hostname or "").endswith(".ids.example.com")
    assert parts.path.count("/") == 3
    assert (parts.query, parts.fragment, parts.username, parts.port) == ("", "", None, None)
