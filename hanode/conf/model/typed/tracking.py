"""What can be tracked: scripts, processes, files, BFD sessions.

PURE.
"""

from __future__ import annotations

from typing import ClassVar

from hanode.conf.model.attributes import LastValue, Named, Switch
from hanode.conf.model.typed.line_values import Command, arguments, command

Weighted = tuple[int, bool]
"""The number that is added to the priority, and whether `reverse` is written."""


class VrrpScript(Named):
    """A command whose success or failure changes priorities."""

    __slots__ = ()
    BLOCK: ClassVar[str] = "vrrp_script"
    script = LastValue[Command](parse=command)
    interval_us = LastValue[int]()
    timeout_us = LastValue[int]()
    weight = LastValue[Weighted]()
    rise = LastValue[int]()
    fall = LastValue[int]()
    user = LastValue[tuple[str, ...]]()
    init_fail = Switch()


class TrackProcess(Named):
    """A process whose presence changes priorities."""

    __slots__ = ()
    BLOCK: ClassVar[str] = "vrrp_track_process"
    process = LastValue[tuple[str, ...]](parse=arguments)
    param_match = LastValue[str]()
    weight = LastValue[Weighted]()
    quorum = LastValue[int]()
    quorum_max = LastValue[int]()
    delay_us = LastValue[int]()
    fork_delay_us = LastValue[int]()
    terminate_delay_us = LastValue[int]()
    full_command = Switch()


class TrackFile(Named):
    """A file whose number changes priorities."""

    __slots__ = ()
    BLOCK: ClassVar[str] = "track_file_block"
    file = LastValue[str]()
    weight = LastValue[Weighted]()
    init_file = LastValue[tuple[int, bool]]()


class BfdInstance(Named):
    """A BFD session with a neighbour."""

    __slots__ = ()
    BLOCK: ClassVar[str] = "bfd_instance"
    neighbor_ip = LastValue[str]()
    source_ip = LastValue[str]()
    min_rx_ms = LastValue[int]()
    min_tx_ms = LastValue[int]()
    idle_tx_ms = LastValue[int]()
    multiplier = LastValue[int]()
    passive = Switch()
    ttl = LastValue[int]()
    max_hops = LastValue[int]()
    multihop = Switch()
    weight = LastValue[Weighted]()
    vrrp = Switch()
    checker = Switch()
