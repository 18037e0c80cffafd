"""Envoi in Django, in one file: `python django_app.py runserver`, or `gunicorn django_app:app`."""

from __future__ import annotations

import sys

from django.conf import settings
from django.core.management import execute_from_command_line
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.http import require_POST
from envoi import auth

from bearerkit import can
from bearerkit.django import RequireBearer, auth_from

bearer = RequireBearer(auth)


@bearer.require(can("envoi.template.send", "pcft:envoi:template/{template_id}"))
@require_POST
def send(request: HttpRequest, template_id: str) -> JsonResponse:
    """Send mail made from a template."""
    return JsonResponse({"sent": template_id, "by": auth_from(request).subject})


urlpatterns = [path("templates/<template_id>/send", send)]
settings.configure(
    ROOT_URLCONF=__name__, SECRET_KEY="of an example: make one of your own", ALLOWED_HOSTS=["127.0.0.1", "localhost"]
)
app = get_wsgi_application()

if __name__ == "__main__":
    execute_from_command_line(sys.argv)
