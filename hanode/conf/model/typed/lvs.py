"""virtual_server, real_server and virtual_server_group by attributes.

PURE.
"""

from __future__ import annotations

from typing import ClassVar

from hanode.conf.model.attributes import Named, Said, Switch
from hanode.conf.model.typed.line_values import (
    Command,
    Forwarding,
    GroupLine,
    command,
    forwarding,
    group_line,
)


class VirtualServerWords:
    """The keywords of virtual_server that are no fields of `VirtualServer`."""

    __slots__ = ()
    BLOCK: ClassVar[str] = "virtual_server"

    tunnel = Said[Forwarding]("lb_kind", made=forwarding)
    """lb_kind with a tunnel's options, which the field cannot say."""
    hashed = Switch()
    ops = Switch()
    flag_1 = Switch()
    flag_2 = Switch()
    flag_3 = Switch()
    sh_port = Switch()
    sh_fallback = Switch()
    mh_port = Switch()
    mh_fallback = Switch()
    persistence_timeout = Said[int]()
    persistence_granularity = Said[str]()
    persistence_engine = Said[str]()
    ip_family = Said[str]()
    retry = Said[int]()
    delay_before_retry_us = Said[int]()
    warmup_us = Said[int]()
    connect_timeout_us = Said[int]()
    inhibit_on_failure = Switch()
    ha_suspend = Switch()
    smtp_alert = Said[bool]()
    virtualhost = Said[str]()
    snmp_name = Said[str]()
    alpha = Switch()
    omega = Switch()
    quorum = Said[int]()
    hysteresis = Said[int]()
    quorum_up = Said[Command](made=command)
    quorum_down = Said[Command](made=command)
    weight = Said[int]()
    sorry_server = Said[tuple[str, int | None]]()
    sorry_server_inhibit = Switch()
    sorry_server_lvs_method = Said[Forwarding](made=forwarding)


class RealServerWords:
    """The keywords of real_server that are no fields of `RealServer`."""

    __slots__ = ()
    BLOCK: ClassVar[str] = "real_server"

    lvs_method = Said[Forwarding](made=forwarding)
    inhibit_on_failure = Said[bool]()
    uthreshold = Said[int]()
    lthreshold = Said[int]()
    notify_up = Said[Command](made=command)
    notify_down = Said[Command](made=command)
    alpha = Said[bool]()
    retry = Said[int]()
    delay_before_retry_us = Said[int]()
    warmup_us = Said[int]()
    connect_timeout_us = Said[int]()
    delay_loop_us = Said[int]()
    smtp_alert = Said[bool]()
    virtualhost = Said[str]()
    snmp_name = Said[str]()


class VirtualServerGroup(Named):
    """Addresses and marks that are one virtual server."""

    __slots__ = ()
    BLOCK: ClassVar[str] = "virtual_server_group"

    @property
    def lines(self) -> tuple[GroupLine, ...]:
        """Its lines."""
        return tuple(line for s in self.other if s.words and (line := group_line(s)) is not None)
