"""What the four services share: whom they trust, and one store of policies.

`python envoi.py` puts `ci-deploy.json` into the store, bound to the role `ci` of the tenant `acme`. Run it again when
that file was changed: the services need no restart.
"""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine

from bearerkit import Auth, Issuer
from bearerkit.policy import Catalog
from bearerkit.stores.sqlalchemy import SqlPolicies

HERE = Path(__file__).parent

logging.basicConfig()
logging.getLogger("bearerkit").setLevel(logging.INFO)  # why a request was refused


def content(name: str) -> Any:
    """The JSON values in a file of this folder."""
    return json.loads((HERE / name).read_text(encoding="utf-8"))


# Behind PostgreSQL, async services would have an AsyncEngine over the same tables.
engine = create_engine(os.environ.get("ENVOI_STORE", f"sqlite:///{HERE / 'policies.sqlite3'}"))
store = SqlPolicies(engine, catalog=Catalog.of(content("catalog.json")))
store.create_all()

auth = Auth(
    Issuer(os.environ.get("ENVOI_ISSUER", "http://127.0.0.1:9400"), audience="envoi"),
    policies=store,
    trusted_proxies=["127.0.0.1"],  # whose X-Forwarded-For is believed, so that policies know request.ip
)


def publish() -> None:
    """Put the policy into force as this folder has it now."""
    store.put("acme", "ci-deploy", content("ci-deploy.json"))
    store.bind("acme", "ci-deploy", role="ci")


if __name__ == "__main__":
    publish()
