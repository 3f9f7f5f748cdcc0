"""DRIVER. The control plane's Celery app: queue `control`, under its own key prefix.

Messages are only nudges: every task reads rows and may run twice, late or never.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable
from typing import Any, ParamSpec, cast

from celery import Celery
from celery.signals import beat_embedded_init, worker_init
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from kombu.connection import Connection

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")

P = ParamSpec("P")


PREFIX = "control:"
"""Before every key of this app, so that no node's broker user can reach one."""

HOUR_S = 3600.0
PAUSES_S = {"interval_start": 0.2, "interval_step": 0.2, "interval_max": 2.0}
"""Between tries to reach a broker that is away."""


class PatientConnection(Connection):
    """Kombu's connection with short pauses: its own grow to 30 s, and a push would wait so long."""

    def _ensure_connection(self, *args: Any, **options: Any) -> Any:
        if len(args) < 3:  # the third and later are pauses that the caller chose
            options = {**PAUSES_S, **options}
        return super()._ensure_connection(*args, **options)  # type: ignore[no-untyped-call] # kombu has no types


try:
    BROKER_URL = settings.BROKER_URL  # the first look at the settings
except ImproperlyConfigured as wrong:
    raise SystemExit(f"keepsight: {wrong}") from None

app = Celery("webapp")
app.amqp.Connection = PatientConnection
app.conf.update(
    broker_url=BROKER_URL,
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
    worker_cancel_long_running_tasks_on_connection_loss=True,
    worker_prefetch_multiplier=1,
    beat_schedule_filename=str(settings.DATA_DIR / "celerybeat-schedule"),
    beat_schedule={
        "reconcile": {"task": "rollout.reconcile", "schedule": 5.0, "options": {"expires": 5}},
        "prune live": {"task": "live.prune", "schedule": HOUR_S, "options": {"expires": HOUR_S}},
        "prune audit": {
            "task": "accounts.prune",
            "schedule": HOUR_S,
            "options": {"expires": HOUR_S},
        },
    },
)
app.autodiscover_tasks(["webapp.accounts", "webapp.live", "webapp.rollout"])


_LOADED_IN = os.getpid()
_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def _end_with_the_worker(**_sent: Any) -> None:
    """A worker that is killed, or stopped while it starts, leaves its embedded beat behind.

    Celery stops only what has wholly started; the kernel forgets nobody.
    """
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != _LOADED_IN:
        sys.exit()  # it died before the kernel had been told


beat_embedded_init.connect(_end_with_the_worker)


def _check_the_data_key(**_sent: Any) -> None:
    from webapp.vault.start import ready_or_exit  # models are ready only now

    ready_or_exit()


worker_init.connect(_check_the_data_key)


def task(name: str) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """`@app.task(name=…)` that keeps the function's type; Celery itself is not typed."""

    def decorate(function: Callable[P, None]) -> Callable[P, None]:
        return cast(Callable[P, None], app.task(name=name)(function))

    return decorate
