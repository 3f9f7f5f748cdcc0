"""virtual_server as rows; `extra` has what single nodes have instead, and what has no column."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from hanode import conf
from webapp.configs.models import columns
from webapp.configs.models.columns import Column
from webapp.configs.models.row import Row
from webapp.configs.models.shapes import Json
from webapp.inventory.models import Cluster


def _named(ip: str, port: int | None) -> str:
    host = f"[{ip}]" if ":" in ip else ip
    return host if port is None else f"{host}:{port}"


class VirtualServer(Row):
    """One virtual_server with an address."""

    LANGUAGE = conf.VirtualServer
    ELSEWHERE = frozenset({"real_servers"})

    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="virtual_servers")
    position = models.PositiveIntegerField()
    ip = columns.ip("Address")
    port = columns.port("Port")
    protocol = columns.word("virtual_server", "protocol", "Protocol")
    lb_algo = columns.word("virtual_server", "lb_algo", "Scheduler")
    lb_kind = columns.word("virtual_server", "lb_kind", "Forwarding")
    delay_loop_us = columns.seconds("virtual_server", "delay_loop", "Check every (s)")

    class Meta:
        ordering: ClassVar = ["cluster", "position"]

    def __str__(self) -> str:
        return f"{_named(self.ip, self.port)}/{self.protocol or 'UDP'}"


class RealServer(Row):
    """One real_server."""

    LANGUAGE = conf.RealServer

    virtual_server = models.ForeignKey(
        VirtualServer, on_delete=models.CASCADE, related_name="real_servers"
    )
    position = models.PositiveIntegerField()
    ip = columns.ip("Address")
    port = columns.port("Port")
    weight = columns.whole("real_server", "weight", "Weight")
    check_json = columns.check("TCP_CHECK", field="check")

    class Meta:
        ordering: ClassVar = ["virtual_server", "position"]

    def __str__(self) -> str:
        return _named(self.ip, self.port)

    @property
    def called(self) -> str:
        """The name of the row in a sentence."""
        return f"real server {self} of {self.virtual_server}"

    @property
    def tcp_check(self) -> Json | None:
        """conf.TcpCheck, encoded; None: it has none. Raises UnreadableRow."""
        check: Json | None = self.read().columns["check"]
        return check

    @property
    def other_checks(self) -> list[str]:
        """The names of its checks that have no form. Raises UnreadableRow."""
        kept = self.read().fields
        words = (each["words"] for each in kept.get("other", ()))
        names = [str(each[0]) for each in words if each]
        names += ["TCP_CHECK"] * len(kept.get("further_checks", ()))
        return [name for name in names if name.endswith(("_CHECK", "_GET"))]


CHECK: tuple[Column, ...] = (
    Column("connect_port", "whole", "TCP_CHECK", "connect_port", "Check port"),
    Column("connect_timeout_us", "seconds", "TCP_CHECK", "connect_timeout", "Connect timeout (s)"),
    Column("retry", "whole", "TCP_CHECK", "retry", "Retries"),
    Column(
        "delay_before_retry_us",
        "seconds",
        "TCP_CHECK",
        "delay_before_retry",
        "Wait before a retry (s)",
    ),
)
"""What of `RealServer.check_json` the form shows; a new one needs a line here and no migration."""
