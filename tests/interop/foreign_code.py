"""Asking the scripts of this folder: `Consumers` judge a token, `Minters` make one.

Nothing here knows which answer is right.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import httpx2

__all__ = ["Consumers", "Minters", "Verdict"]


class Verdict(NamedTuple):
    """What a verifier of other people said: the claims, or why not."""

    accepted: bool
    claims: dict[str, Any]
    why: str


class Consumers:
    """The verifiers of consumers.mjs."""

    def __init__(self, told: dict[str, Any], http: httpx2.Client) -> None:
        self.names: list[str] = told["names"]
        self._url = told["url"]
        self._http = http

    def judge(self, name: str, token: str, **settings: Any) -> Verdict:
        """What `name` says of this token when it is set up like that."""
        url = f"{self._url}/{name}"
        answer = self._http.post(url, json=settings, headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 200, answer.text
        said = answer.json()
        return Verdict(said["accepted"], said.get("claims", {}), said.get("why", ""))


class Minters:
    """The issuers of minters.mjs. `url` is where Heimdall's documents are; `pems` are public keys by algorithm."""

    def __init__(self, told: dict[str, Any], http: httpx2.Client) -> None:
        self.url: str = told["url"]
        self.slug: str = told["slug"]
        self.pems: dict[str, str] = told["pems"]
        self.secret: str = told["secret"]
        self.machine: str = told["machine"]
        self._http = http

    def mint(self, name: str, **wanted: Any) -> str:
        """A token of `name`."""
        answer = self._http.post(f"{self.url}/{name}", json=wanted)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["token"])
