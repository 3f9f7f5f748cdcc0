"""DRIVER. HTTP by Django, WebSockets by Channels; both only for the hosts we answer to."""

from __future__ import annotations

import os
import sys
from typing import Any

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")


SWITCH_S = 0.001
"""How long a thread may keep the interpreter while others wait: a page asks for it often, and each
time would wait Python's 5 ms while another request computes."""


def _application() -> Any:
    http = get_asgi_application()
    # Only now are there models, which these need.
    from channels.auth import AuthMiddlewareStack
    from channels.routing import ProtocolTypeRouter, URLRouter
    from channels.security.websocket import AllowedHostsOriginValidator
    from django.conf import settings

    from webapp.common import workers
    from webapp.common.bodies import limited
    from webapp.live.consumers import websocket_urlpatterns

    sys.setswitchinterval(SWITCH_S)
    workers.warm()
    live = AuthMiddlewareStack(URLRouter(websocket_urlpatterns))
    return ProtocolTypeRouter(
        {
            "http": limited(http, settings.BODY_BYTES_MAX, settings.FORM_BYTES_MAX),
            "websocket": AllowedHostsOriginValidator(live),
        }
    )


application = _application()
