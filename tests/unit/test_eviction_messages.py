"""What messages on the channels mean, ours and those of Platform-Auth. No Redis is needed."""

from __future__ import annotations

import json
import os

import pytest

pytest.importorskip("redis")

from bearerkit.jose.sealing import RANDOM_BYTES, NotSealed, Seals
from bearerkit.stores.redis.messages import EVERYTHING, of_platform_auth, opened, sealed

SEALS = Seals("s" * 32, "evictions v1")


def said(message: object) -> bytes:
    return SEALS.seal(json.dumps(message).encode(), b"channel", os.urandom(RANDOM_BYTES))


@pytest.mark.parametrize("message", [{}, {"subject": "u"}, {"credential": "sk_1", "issuer": "i", "tenant_id": "ä"}])
def test_a_message_arrives_as_it_was_sent(message):
    data = sealed(message, SEALS, "channel", os.urandom(RANDOM_BYTES))
    assert b"sk_1" not in data
    assert opened(data, SEALS, "channel") == message
    with pytest.raises(NotSealed):
        opened(data, SEALS, "another")


def test_a_field_that_nobody_knows_is_not_sent():
    with pytest.raises(ValueError, match="colour"):
        sealed({"colour": "red"}, SEALS, "channel", os.urandom(RANDOM_BYTES))


@pytest.mark.parametrize(
    "message",
    [
        *({"v": 2, "forget": {"subject": "u"}}, {"v": 1}, [], 7),
        *({"v": 1, "forget": {"colour": "red"}}, {"v": 1, "forget": {"subject": 7}}),
    ],
)
def test_a_message_of_another_version_means_everything(message):
    """It says more than we know, so that less than everything could be too little."""
    assert opened(said(message), SEALS, "channel") == EVERYTHING


@pytest.mark.parametrize("data", [b"", b"{}", b'{"v": 1, "forget": {}}', b"\x01" + bytes(60)])
def test_what_is_not_sealed_means_nothing(data):
    with pytest.raises(NotSealed):
        opened(data, SEALS, "channel")


@pytest.mark.parametrize(
    "data",
    [b"k-1", b'"k-1"', b" k-1\n", b'{"api_key_id": "k-1", "workspace_id": "w"}', b'{"id": "k-1"}', b'{"pak_id":"k-1"}'],
)
def test_platform_auth_names_a_key(data):
    assert of_platform_auth(data) == {"token_id": "k-1"}


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"\xff", b"{", b"[]", b"7", b"null", b"a b", b"x" * 300, b"[" * 60_000),
        *(b'{"workspace_id": "w"}', b'{"id": 7}'),
    ],
)
def test_platform_auth_that_names_no_key_means_everything(data):
    assert of_platform_auth(data) == EVERYTHING
