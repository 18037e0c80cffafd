"""From a caller to a user of this project: looked up by the subject, and made when somebody is new."""

from __future__ import annotations

from bearerkit.django import model_user

load_user = model_user("username", create=True)
