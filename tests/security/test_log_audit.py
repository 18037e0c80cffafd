"""The audit of logs and errors finds what is planted, and lets through what is meant to be there."""

from __future__ import annotations

from pathlib import Path

import pytest

import log_audit

PLANTED = """
    import logging
    import pytest
    from bearerkit.errors import Malformed
    from bearerkit.testing import FakeIssuer

    issuer = FakeIssuer("https://id.example.test")

    def test_in_a_message():
        logging.getLogger("bearerkit.auth").debug("refused %s", issuer.token())

    def test_in_an_extra_field():
        logging.getLogger("elsewhere").warning("x", extra={"credential": issuer.token()})

    def test_in_a_traceback():
        try:
            raise ValueError(issuer.token())
        except ValueError:
            logging.getLogger("bearerkit").exception("failed")

    def test_a_piece_of_a_signature():
        logging.getLogger("bearerkit").info("bad signature %s", issuer.token().rpartition(".")[2][:24])

    def test_in_an_error():
        with pytest.raises(Malformed):
            raise Malformed(f"not a token: {issuer.token()}")

    def test_in_what_an_error_came_from():
        with pytest.raises(Malformed):
            try:
                raise ValueError(issuer.token())
            except ValueError:
                raise Malformed("not a token") from None

    def test_a_private_key():
        logging.getLogger("bearerkit").warning("key %r", {"kty": "EC", "d": "A" * 43})

    @pytest.mark.logs_tokens("it shows what the filter removes")
    def test_on_purpose():
        logging.getLogger("bearerkit").info("token %s", issuer.token())

    def test_nothing():
        logging.getLogger("bearerkit").info("refused: %s %s", "expired", "https://id.example.test/a/long/path/jwks.json")
        issuer.token()
"""


def test_what_is_planted_is_found(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seven leaks of seven kinds; a marked test and an honest one pass."""
    monkeypatch.setenv("PYTHONPATH", str(Path(log_audit.__file__).parent))
    pytester.makepyfile(PLANTED)
    result = pytester.runpytest_subprocess("-p", "log_audit", "-p", "no:cacheprovider", "-q")
    result.assert_outcomes(passed=9, errors=7)
    result.stdout.fnmatch_lines(["log audit: * records and * exceptions searched, * leaks"])
