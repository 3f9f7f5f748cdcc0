"""virtual_server, real_server and virtual_server_group by attributes.

PURE.
"""

from __future__ import annotations

from typing import ClassVar

from hanode.conf.model.attributes import LastValue, Named, Switch
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

    tunnel = LastValue[Forwarding]("lb_kind", parse=forwarding)
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
    persistence_timeout = LastValue[int]()
    persistence_granularity = LastValue[str]()
    persistence_engine = LastValue[str]()
    ip_family = LastValue[str]()
    retry = LastValue[int]()
    delay_before_retry_us = LastValue[int]()
    warmup_us = LastValue[int]()
    connect_timeout_us = LastValue[int]()
    inhibit_on_failure = Switch()
    ha_suspend = Switch()
    smtp_alert = LastValue[bool]()
    virtualhost = LastValue[str]()
    snmp_name = LastValue[str]()
    alpha = Switch()
    omega = Switch()
    quorum = LastValue[int]()
    hysteresis = LastValue[int]()
    quorum_up = LastValue[Command](parse=command)
    quorum_down = LastValue[Command](parse=command)
    weight = LastValue[int]()
    sorry_server = LastValue[tuple[str, int | None]]()
    sorry_server_inhibit = Switch()
    sorry_server_lvs_method = LastValue[Forwarding](parse=forwarding)


class RealServerWords:
    """The keywords of real_server that are no fields of `RealServer`."""

    __slots__ = ()
    BLOCK: ClassVar[str] = "real_server"

    lvs_method = LastValue[Forwarding](parse=forwarding)
    inhibit_on_failure = LastValue[bool]()
    uthreshold = LastValue[int]()
    lthreshold = LastValue[int]()
    notify_up = LastValue[Command](parse=command)
    notify_down = LastValue[Command](parse=command)
    alpha = LastValue[bool]()
    retry = LastValue[int]()
    delay_before_retry_us = LastValue[int]()
    warmup_us = LastValue[int]()
    connect_timeout_us = LastValue[int]()
    delay_loop_us = LastValue[int]()
    smtp_alert = LastValue[bool]()
    virtualhost = LastValue[str]()
    snmp_name = LastValue[str]()


class VirtualServerGroup(Named):
    """Addresses and marks that are one virtual server."""

    __slots__ = ()
    BLOCK: ClassVar[str] = "virtual_server_group"

    @property
    def lines(self) -> tuple[GroupLine, ...]:
        """Its lines."""
        return tuple(line for s in self.other if s.words and (line := group_line(s)) is not None)
