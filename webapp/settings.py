"""Settings of the control plane, all from the environment (KEEPSIGHT_…); a bare import works.

Without any variable: SQLite and keys under var/ of a checkout, or where `env.state_dir` says of an
installed program, and an embedded Valkey's socket in there too.
"""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path
from typing import Any

import django_stubs_ext

from webapp.common import assets, env

django_stubs_ext.monkeypatch()

PACKAGE = Path(__file__).resolve().parent
INSTALLED = (PACKAGE / "templates").is_dir()
"""From a wheel, which has templates/ and static/ in this package; a checkout has them beside it."""
BASE_DIR = PACKAGE if INSTALLED else PACKAGE.parent
DATA_DIR = env.data_dir(env.state_dir() if INSTALLED else BASE_DIR / "var")

DEBUG = env.flag("DEBUG", False)
LAB_SOCKET = env.text("LAB_SOCKET")
"""Control socket of the namespace lab; empty outside the demo."""
HTTPS = env.flag("HTTPS", not (DEBUG or LAB_SOCKET))
"""Cookies only over HTTPS; off in the lab, which is plain HTTP on this machine."""
SECRET_KEY = env.secret_key(DATA_DIR)
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = env.words("TRUSTED_ORIGINS", "")

BROKER_URL = env.url("BROKER", f"redis+socket://{DATA_DIR}/valkey.sock")
NODE_BROKER_URL = env.url("NODE_BROKER", BROKER_URL)
"""How a node reaches the broker, without user and password: those come with its enrolment."""
HEARTBEAT_S = env.number("HEARTBEAT_S", 1.0)

KEEP_EVENTS_DAYS = env.number("KEEP_EVENTS_DAYS", 90)
KEEP_AUDIT_DAYS = env.number("KEEP_AUDIT_DAYS", 400)
"""How long what happened, and who did what, is remembered; 0: for ever."""

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "channels",
    "ninja",  # its command writes docs/openapi.json
    "webapp.common",
    "webapp.vault",
    "webapp.accounts",
    "webapp.inventory",
    "webapp.live",
    "webapp.configs",
    "webapp.rollout",
    "webapp.api",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "webapp.common.middleware.SecurityHeaders",
    "webapp.common.middleware.Readers",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",  # pads each page by chance, against BREACH
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "webapp.common.middleware.SignInRequired",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "webapp.configs.middleware.UnreadableRows",
]

ROOT_URLCONF = "webapp.urls"
ASGI_APPLICATION = "webapp.asgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

BODY_BYTES_MAX = 16_000_000
"""Of one request: a text of the longest document takes two thirds of it, as a form writes it."""
FORM_BYTES_MAX = 1_000_000
"""Of a form in the percent spelling (webapp.common.bodies)."""
DATA_UPLOAD_MAX_MEMORY_SIZE = BODY_BYTES_MAX

WORKER_IMPORTS = ["webapp.configs.rows.foreign", "webapp.configs.editor.checking"]
"""What the processes that read configurations need (webapp.common.workers)."""
WORKER_SECONDS = env.number("READ_SECONDS", 20)
WORKER_MEMORY_MB = env.number("READ_MEMORY_MB", 1_000)
WORKERS_MAX = int(env.number("READERS", 4))
"""Users whose configurations are read at the same time, each in a process of its own."""

DATABASES = {
    "default": env.private_sqlite(
        env.database(env.url("DATABASE", f"sqlite:///{DATA_DIR / 'keepsight.sqlite3'}"))
    )
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [{"address": env.redis_url(BROKER_URL)}], "prefix": "live"},
    }
}

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "sesame.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "sign-in"
SESAME_MAX_AGE = 15 * 60
SESAME_ONE_TIME = True

SESSION_COOKIE_SECURE = HTTPS
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_HTTPONLY = False  # htmx sends it back as a header
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https") if env.flag("BEHIND_PROXY", False) else None
)
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if HTTPS else 0
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"] if (BASE_DIR / "static").is_dir() else []
STATIC_ROOT = (DATA_DIR if INSTALLED else BASE_DIR) / "staticfiles"
STATIC_COLLECTED = not DEBUG and assets.are_collected(STATIC_ROOT, STATICFILES_DIRS)
COLLECTING = "collectstatic" in sys.argv
WHITENOISE_USE_FINDERS = not STATIC_COLLECTED
WHITENOISE_KEEP_ONLY_HASHED_FILES = False  # pages of the last release still ask for theirs
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": assets.HASHED if STATIC_COLLECTED or COLLECTING else assets.PLAIN},
}
warnings.filterwarnings("ignore", message="No directory at")  # of WhiteNoise

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": os.environ.get("KEEPSIGHT_LOG_LEVEL", "INFO")},
}
