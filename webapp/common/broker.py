"""SYSTEM. The control plane's own connection to the broker; short timeouts, no retries."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import redis
from django.conf import settings

from webapp.common.env import redis_url

CONNECT_TIMEOUT_S = 2.0


def client(**options: Any) -> redis.Redis:
    """A broker client with administrator rights; it returns bytes."""
    return redis.Redis.from_url(
        redis_url(settings.BROKER_URL),
        socket_connect_timeout=CONNECT_TIMEOUT_S,
        **{"socket_timeout": 5.0, **options},
    )


def with_credentials(url: str, user: str, password: str) -> str:
    """The broker's URL with user and password; for a Unix socket too."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    where = f"{quote(user, safe='')}:{quote(password, safe='')}@{host}"
    return urlunsplit((parts.scheme, where, parts.path, parts.query, ""))
