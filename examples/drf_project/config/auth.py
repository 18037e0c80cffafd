"""Whom this service trusts. `BEARERKIT_AUTH` in the settings names `auth`."""

from __future__ import annotations

import os

from bearerkit import Auth, Issuer

auth = Auth(Issuer(os.environ.get("ORDERS_ISSUER", "http://127.0.0.1:9400"), audience="orders-api"))
