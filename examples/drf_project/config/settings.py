"""Settings of the example: an API without sessions and templates."""

from __future__ import annotations

SECRET_KEY = "of an example: make one of your own"
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
ROOT_URLCONF = "config.urls"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "rest_framework",
    "drf_spectacular",
    "bearerkit.django",  # system checks, and what drf-spectacular says about our classes
    "orders",
]
MIDDLEWARE = ["django.middleware.security.SecurityMiddleware", "django.middleware.common.CommonMiddleware"]

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "loggers": {"bearerkit": {"handlers": ["console"], "level": "INFO"}},  # why a request was refused
}

BEARERKIT_AUTH = "config.auth.auth"
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["bearerkit.drf.BearerAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "bearerkit.drf.drf_exception_handler",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Orders",
    "VERSION": "1",
    "POSTPROCESSING_HOOKS": ["bearerkit.drf_spectacular.add_answers"],
}
