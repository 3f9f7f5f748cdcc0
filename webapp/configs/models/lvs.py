"""virtual_server as rows; what one node says differently is in `extra`."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from webapp.inventory.models import Cluster


class VirtualServer(models.Model):
    """One virtual_server with an address."""

    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="virtual_servers")
    position = models.PositiveIntegerField()
    ip = models.CharField(max_length=255)
    port = models.PositiveIntegerField(null=True, blank=True)
    protocol = models.CharField(max_length=255, null=True, blank=True)  # noqa: DJ001 (null: not written)
    lb_algo = models.CharField(max_length=255, null=True, blank=True)  # noqa: DJ001 (null: not written)
    lb_kind = models.CharField(max_length=255, null=True, blank=True)  # noqa: DJ001 (null: not written)
    delay_loop_us = models.BigIntegerField(null=True, blank=True)
    extra = models.JSONField(default=dict)

    class Meta:
        ordering: ClassVar = ["cluster", "position"]

    def __str__(self) -> str:
        host = f"[{self.ip}]" if ":" in self.ip else self.ip
        where = host if self.port is None else f"{host}:{self.port}"
        return f"{where}/{self.protocol or 'UDP'}"


class RealServer(models.Model):
    """One real_server."""

    virtual_server = models.ForeignKey(
        VirtualServer, on_delete=models.CASCADE, related_name="real_servers"
    )
    position = models.PositiveIntegerField()
    ip = models.CharField(max_length=255)
    port = models.PositiveIntegerField(null=True, blank=True)
    weight = models.IntegerField(null=True, blank=True)
    check_json = models.JSONField(null=True, blank=True, default=None)
    """conf.TcpCheck, encoded; null: unchecked."""
    extra = models.JSONField(default=dict)

    class Meta:
        ordering: ClassVar = ["virtual_server", "position"]

    def __str__(self) -> str:
        host = f"[{self.ip}]" if ":" in self.ip else self.ip
        return host if self.port is None else f"{host}:{self.port}"

    @property
    def other_checks(self) -> list[str]:
        """The names of its checks that have no form."""
        kept = self.extra.get("fields", {}).get("other", ())
        names = (str(statement["words"][0]) for statement in kept)
        return [name for name in names if name.endswith(("_CHECK", "_GET"))]
