"""What can be tracked: scripts, processes, files, BFD sessions.

PURE.
"""

from __future__ import annotations

from typing import ClassVar

from hanode.conf.model.attributes import Named, Said, Switch
from hanode.conf.model.typed.line_values import Command, arguments, command

Weighted = tuple[int, bool]
"""What is added to the priority, and whether it counts the other way round."""


class VrrpScript(Named):
    """A command whose success or failure changes priorities."""

    __slots__ = ()
    BLOCK: ClassVar[str] = "vrrp_script"
    script = Said[Command](made=command)
    interval_us = Said[int]()
    timeout_us = Said[int]()
    weight = Said[Weighted]()
    rise = Said[int]()
    fall = Said[int]()
    user = Said[tuple[str, ...]]()
    init_fail = Switch()


class TrackProcess(Named):
    """A process whose presence changes priorities."""

    __slots__ = ()
    BLOCK: ClassVar[str] = "vrrp_track_process"
    process = Said[tuple[str, ...]](made=arguments)
    param_match = Said[str]()
    weight = Said[Weighted]()
    quorum = Said[int]()
    quorum_max = Said[int]()
    delay_us = Said[int]()
    fork_delay_us = Said[int]()
    terminate_delay_us = Said[int]()
    full_command = Switch()


class TrackFile(Named):
    """A file whose number changes priorities."""

    __slots__ = ()
    BLOCK: ClassVar[str] = "track_file_block"
    file = Said[str]()
    weight = Said[Weighted]()
    init_file = Said[tuple[str, ...]]()


class BfdInstance(Named):
    """A BFD session with a neighbour."""

    __slots__ = ()
    BLOCK: ClassVar[str] = "bfd_instance"
    neighbor_ip = Said[str]()
    source_ip = Said[str]()
    min_rx_ms = Said[int]()
    min_tx_ms = Said[int]()
    idle_tx_ms = Said[int]()
    multiplier = Said[int]()
    passive = Switch()
    ttl = Said[int]()
    max_hops = Said[int]()
    multihop = Switch()
    weight = Said[Weighted]()
    vrrp = Switch()
    checker = Switch()
