"""The URLs of the Django application in logged_app.py."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import re_path

__all__ = ["urlpatterns"]


def _view(request: HttpRequest) -> HttpResponse:
    if request.path == "/fail":
        raise ValueError(f"cannot read {request.META['QUERY_STRING']}")
    return HttpResponse("ok")


urlpatterns = [re_path("", _view)]
