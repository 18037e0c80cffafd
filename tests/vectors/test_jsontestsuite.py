"""JSONTestSuite: every document that is no JSON is refused, and every other one unless we say why."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable, Iterator
from typing import Any

from bearerkit.errors import Malformed
from bearerkit.jose import strict_json
from bearerkit.jose.base64url import encode
from bearerkit.jose.compact import parse, parse_claims

REFUSED_ON_PURPOSE = {
    "y_object_duplicated_key.json": "duplicate members have two readings",
    "y_object_duplicated_key_and_value.json": "duplicate members have two readings",
}
ACCEPTED_BY_CHOICE = {
    # implementation-defined: a number that underflows is 0.0, one that overflows is refused
    "i_number_double_huge_neg_exp.json",
}


def documents(load: Callable[[str], Any]) -> Iterator[tuple[str, str, bytes]]:
    for case in load("jsontestsuite/test_parsing.json"):
        data = base64.b64decode(case["b64"]) if "b64" in case else zlib.decompress(base64.b64decode(case["zlib_b64"]))
        assert len(data) == case["bytes"]
        yield case["name"], case["expect"], data


def outcome(data: bytes) -> str:
    try:
        value = strict_json.loads(data)
    except strict_json.JsonInvalid:
        return "reject"
    assert value == json.loads(data)
    return "accept"


def test_verdicts(load_vectors):
    """One list of departures, each with its reason; any other disagreement fails."""
    wrong: list[str] = []
    seen: set[str] = set()
    for name, expect, data in documents(load_vectors):
        seen.add(name)
        if expect == "implementation-defined":
            wanted = "accept" if name in ACCEPTED_BY_CHOICE else "reject"
        else:
            wanted = "reject" if name in REFUSED_ON_PURPOSE else expect
        if outcome(data) != wanted:
            wrong.append(f"{name}: {outcome(data)} instead of {wanted}")
    assert wrong == []
    assert len(seen) >= 200


def is_malformed(read: Callable[[Any], object], text: Any) -> bool:
    try:
        read(text)
    except Malformed:
        return True
    return False


def test_as_header_and_payload(load_vectors):
    """In a token, a document that is not strict JSON is Malformed in either place, and nothing else is raised."""
    rejected = [(name, data) for name, expect, data in documents(load_vectors) if expect == "reject"]
    tokens = [(name, f"{encode(data)}.AAAA.AAAA") for name, data in rejected]
    assert [name for name, token in tokens if not is_malformed(parse, token)] == []
    assert [name for name, data in rejected if not is_malformed(parse_claims, data)] == []
    assert len(rejected) > 100
