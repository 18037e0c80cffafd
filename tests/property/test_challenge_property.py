"""Any text in realm, public text and scopes gives a header that parses back, and a body that is RFC 9457."""

from __future__ import annotations

import json
import re

from hypothesis import given
from hypothesis import strategies as st

from bearerkit.challenge import Challenge, render
from bearerkit.errors import BearerkitError, Expired, InsufficientScope, InvalidRequest, KeysUnavailable, StepUpRequired

TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
QUOTED = r'"((?:[\t \x21\x23-\x5b\x5d-\x7e]|\\[\t \x21-\x7e])*)"'
PARAMETER = re.compile(rf"({TOKEN})={QUOTED}")


def parsed(field: str) -> tuple[str, dict[str, str]]:
    """Scheme and auth-params of one challenge, by RFC 9110 sections 5.6.4 and 11.2; anything else raises."""
    scheme, _, rest = field.partition(" ")
    assert re.fullmatch(TOKEN, scheme)
    found: dict[str, str] = {}
    place = 0
    while True:
        match = PARAMETER.match(rest, place)
        assert match is not None, rest[place:]
        assert match[1] not in found, "a parameter occurs twice"
        found[match[1]] = re.sub(r"\\(.)", r"\1", match[2])
        place = match.end()
        if place == len(rest):
            return scheme, found
        assert rest.startswith(", ", place), rest[place:]
        place += 2


def printable(text: str) -> str:
    return "".join(char if " " <= char <= "~" else "?" for char in text)


TEXT = st.text(max_size=40) | st.lists(
    st.sampled_from(['"', "\\", ",", "=", "\r", "\n", "é", "x", " ", '", error="']), max_size=12
).map("".join)


@st.composite
def refusals(draw: st.DrawFn) -> BearerkitError:
    public, detail, hint = draw(TEXT), "OPERATOR-ONLY-1", "OPERATOR-ONLY-2"
    names = draw(st.lists(TEXT, max_size=3))
    match draw(st.integers(0, 4)):
        case 0:
            return Expired(detail, public=public, hint=hint)
        case 1:
            return InvalidRequest(detail, public=public, hint=hint)
        case 2:
            return InsufficientScope(detail, public=public, hint=hint, required=names)
        case 3:
            return StepUpRequired(
                detail, public=public, hint=hint, acr_values=names, max_age=draw(st.none() | st.integers(0, 10**9))
            )
        case _:
            return KeysUnavailable(detail, public=public, hint=hint, retry_after=draw(st.integers(0, 10**6)))


@given(refusals(), TEXT, st.none() | TEXT)
def test_the_challenge_parses_back(refusal, realm, metadata):
    """What a client reads out of the header is what was put in, with `?` for what cannot stand there."""
    answer = render(refusal, Challenge(realm, metadata))
    for name, value in answer.headers:
        assert re.fullmatch(r"[ -~]*", value), name
    field = answer.header("www-authenticate")
    if isinstance(refusal, KeysUnavailable):
        assert field is None
    else:
        assert field is not None
        scheme, found = parsed(field)
        assert scheme == "Bearer"
        assert found["realm"] == printable(realm)
        assert found["error_description"] == printable(refusal.public)
        assert found.get("resource_metadata") == (None if metadata is None else printable(metadata))
        if isinstance(refusal, InsufficientScope):
            assert found.get("scope") == (printable(" ".join(refusal.required)) if refusal.required else None)
    problem = json.loads(answer.body.decode("ascii"))
    assert problem == {
        "type": "about:blank",
        "title": problem["title"],
        "status": answer.status,
        "detail": refusal.public,
    }
    assert b"OPERATOR-ONLY" not in answer.body
    assert not any("OPERATOR-ONLY" in value for _, value in answer.headers)
