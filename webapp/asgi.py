"""DRIVER. HTTP by Django, WebSockets by Channels; both only for the hosts we answer to."""

from __future__ import annotations

import os
import sys
from typing import Any, cast

from django.core.asgi import get_asgi_application
from django.core.exceptions import ImproperlyConfigured

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")


SWITCH_S = 0.001
"""How long a thread may keep the interpreter while others wait: a page asks for it often, and each
time would wait Python's 5 ms while another request computes."""


async def nowhere(_scope: Any, _receive: Any, send: Any) -> None:
    """A WebSocket's path that is none: refused, which browsers see as 403, without a traceback."""
    await send({"type": "websocket.close", "code": 4404})


def _application() -> Any:
    try:
        http = get_asgi_application()
    except ImproperlyConfigured as error:
        raise SystemExit(f"keepsight: {error}") from None
    # Only now are there models, which these need.
    from channels.auth import AuthMiddlewareStack
    from channels.routing import ProtocolTypeRouter, URLRouter
    from channels.security.websocket import AllowedHostsOriginValidator
    from django.conf import settings
    from django.urls import re_path

    from webapp.common import workers
    from webapp.common.bodies import limited
    from webapp.inventory.keys import warn_where_it_can_be_read
    from webapp.live.consumers import websocket_urlpatterns
    from webapp.vault.start import ready_or_exit

    ready_or_exit()
    warn_where_it_can_be_read()
    sys.setswitchinterval(SWITCH_S)
    workers.warm()
    everywhere: Any = re_path("", cast(Any, nowhere))
    live = AuthMiddlewareStack(URLRouter([*websocket_urlpatterns, everywhere]))
    return ProtocolTypeRouter(
        {
            "http": limited(http, settings.BODY_BYTES_MAX, settings.FORM_BYTES_MAX),
            "websocket": AllowedHostsOriginValidator(live),
        }
    )


application = _application()
