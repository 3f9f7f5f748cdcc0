"""virtual_server, real_server and virtual_server_group by attributes.

PURE.
"""

from __future__ import annotations

from typing import ClassVar

from hanode.conf.model.attributes import KeptValue, Named, Switch
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

    tunnel = KeptValue[Forwarding]("lb_kind", parse=forwarding)
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
    persistence_timeout = KeptValue[int]()
    persistence_granularity = KeptValue[str]()
    persistence_engine = KeptValue[str]()
    ip_family = KeptValue[str]()
    retry = KeptValue[int]()
    delay_before_retry_us = KeptValue[int]()
    warmup_us = KeptValue[int]()
    connect_timeout_us = KeptValue[int]()
    inhibit_on_failure = Switch()
    ha_suspend = Switch()
    smtp_alert = KeptValue[bool]()
    virtualhost = KeptValue[str]()
    snmp_name = KeptValue[str]()
    alpha = Switch()
    omega = Switch()
    quorum = KeptValue[int]()
    hysteresis = KeptValue[int]()
    quorum_up = KeptValue[Command](parse=command)
    quorum_down = KeptValue[Command](parse=command)
    weight = KeptValue[int]()
    sorry_server = KeptValue[tuple[str, int | None]]()
    sorry_server_inhibit = Switch()
    sorry_server_lvs_method = KeptValue[Forwarding](parse=forwarding)


class RealServerWords:
    """The keywords of real_server that are no fields of `RealServer`."""

    __slots__ = ()
    BLOCK: ClassVar[str] = "real_server"

    lvs_method = KeptValue[Forwarding](parse=forwarding)
    inhibit_on_failure = KeptValue[bool]()
    uthreshold = KeptValue[int]()
    lthreshold = KeptValue[int]()
    notify_up = KeptValue[Command](parse=command)
    notify_down = KeptValue[Command](parse=command)
    alpha = KeptValue[bool]()
    retry = KeptValue[int]()
    delay_before_retry_us = KeptValue[int]()
    warmup_us = KeptValue[int]()
    connect_timeout_us = KeptValue[int]()
    delay_loop_us = KeptValue[int]()
    smtp_alert = KeptValue[bool]()
    virtualhost = KeptValue[str]()
    snmp_name = KeptValue[str]()


class VirtualServerGroup(Named):
    """Addresses and marks that are one virtual server."""

    __slots__ = ()
    BLOCK: ClassVar[str] = "virtual_server_group"

    @property
    def lines(self) -> tuple[GroupLine, ...]:
        """Its lines."""
        return tuple(line for s in self.other if s.words and (line := group_line(s)) is not None)
