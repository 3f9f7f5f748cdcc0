"""What can be tracked: scripts, processes, files, BFD sessions.

PURE.
"""

from __future__ import annotations

from typing import ClassVar

from hanode.conf.model.attributes import KeptValue, Named, Switch
from hanode.conf.model.typed.line_values import Command, arguments, program

Weighted = tuple[int, bool]
"""The number that is added to the priority, and whether `reverse` is written."""


class VrrpScript(Named):
    """A command whose success or failure changes priorities."""

    __slots__ = ()
    BLOCK: ClassVar[str] = "vrrp_script"
    script = KeptValue[Command](parse=program)
    interval_us = KeptValue[int]()
    timeout_us = KeptValue[int]()
    weight = KeptValue[Weighted]()
    rise = KeptValue[int]()
    fall = KeptValue[int]()
    user = KeptValue[tuple[str, ...]]()
    init_fail = Switch()


class TrackProcess(Named):
    """A process whose presence changes priorities."""

    __slots__ = ()
    BLOCK: ClassVar[str] = "vrrp_track_process"
    process = KeptValue[tuple[str, ...]](parse=arguments)
    param_match = KeptValue[str]()
    weight = KeptValue[Weighted]()
    quorum = KeptValue[int]()
    quorum_max = KeptValue[int]()
    delay_us = KeptValue[int]()
    fork_delay_us = KeptValue[int]()
    terminate_delay_us = KeptValue[int]()
    full_command = Switch()


class TrackFile(Named):
    """A file whose number changes priorities."""

    __slots__ = ()
    BLOCK: ClassVar[str] = "track_file_block"
    file = KeptValue[str]()
    weight = KeptValue[Weighted]()
    init_file = KeptValue[tuple[int, bool]]()


class BfdInstance(Named):
    """A BFD session with a neighbour."""

    __slots__ = ()
    BLOCK: ClassVar[str] = "bfd_instance"
    neighbor_ip = KeptValue[str]()
    source_ip = KeptValue[str]()
    min_rx_ms = KeptValue[int]()
    min_tx_ms = KeptValue[int]()
    idle_tx_ms = KeptValue[int]()
    multiplier = KeptValue[int]()
    passive = Switch()
    ttl = KeptValue[int]()
    max_hops = KeptValue[int]()
    multihop = Switch()
    weight = KeptValue[Weighted]()
    vrrp = Switch()
    checker = Switch()
