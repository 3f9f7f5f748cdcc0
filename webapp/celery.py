"""DRIVER. The control plane's Celery app: queue `control`, under its own key prefix.

Messages are only nudges: every task reads rows and may run twice, late or never.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, ParamSpec, Protocol, cast

from celery import Celery
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")

P = ParamSpec("P")


class Task(Protocol[P]):
    """What a decorated function offers; Celery itself is not typed."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> None: ...

    def apply_async(self, args: tuple[Any, ...] = (), **options: Any) -> Any: ...


PREFIX = "control:"
"""Before every key of this app, so that no node's broker user can reach one."""

app = Celery("webapp")
app.conf.update(
    broker_url=settings.BROKER_URL,
    broker_transport_options={
        "global_keyprefix": PREFIX,
        "socket_connect_timeout": 2,
        "socket_timeout": 5,
    },
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    task_default_queue="control",
    task_ignore_result=True,
    task_serializer="json",
    accept_content=["json"],
    task_publish_retry=False,  # a click answers at once; the reconciler makes up for what is lost
    worker_hijack_root_logger=False,
    worker_prefetch_multiplier=1,
    beat_schedule_filename=str(settings.DATA_DIR / "celerybeat-schedule"),
    beat_schedule={
        "reconcile": {"task": "rollout.reconcile", "schedule": 5.0, "options": {"expires": 5}}
    },
)
app.autodiscover_tasks(["webapp.rollout"])


def task(name: str) -> Callable[[Callable[P, None]], Task[P]]:
    """`@app.task(name=…)` with the function's own type."""

    def decorate(function: Callable[P, None]) -> Task[P]:
        return cast(Task[P], app.task(name=name)(function))

    return decorate
