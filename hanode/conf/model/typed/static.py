"""The root of the file, and what this node always has.

PURE.
"""

from __future__ import annotations

from typing import ClassVar

from hanode.conf.model.attributes import (
    AllBlocks,
    AllLines,
    AllValues,
    AllWords,
    KeptBlock,
    KeptValue,
    Named,
    Part,
    Switch,
)
from hanode.conf.model.statements import Places
from hanode.conf.model.typed.line_values import address, linkbeat, up_down_delay
from hanode.conf.model.typed.lvs import VirtualServerGroup
from hanode.conf.model.typed.routes import route, rule
from hanode.conf.model.typed.tracking import BfdInstance, TrackFile, TrackProcess, VrrpScript
from hanode.conf.model.typed.vrrp import SyncGroup
from hanode.conf.text.source import NOWHERE, Origin


class TrackGroup(Named):
    """Instances that follow a static address, route or rule."""

    __slots__ = ()
    BLOCK: ClassVar[str] = "track_group"
    members = AllWords("group")


class GarpGroup(Part):
    """Interfaces that share the pacing of gratuitous ARP."""

    __slots__ = ()
    BLOCK: ClassVar[str] = "garp_group"
    interfaces = AllWords("interfaces")
    garp_interval_us = KeptValue[int]()
    gna_interval_us = KeptValue[int]()
    interface = AllValues[str]()


class Ssl(Part):
    """Certificates for SSL_GET."""

    __slots__ = ()
    BLOCK: ClassVar[str] = "SSL"
    password = KeptValue[str]()
    ca = KeptValue[str]()
    certificate = KeptValue[str]()
    key = KeptValue[str]()


class RootWords:
    """The keywords of the root that are no fields of `Config`."""

    __slots__ = ()
    BLOCK: ClassVar[str] = "root"
    origin: ClassVar[Origin] = NOWHERE
    places: ClassVar[Places] = ()

    scripts = AllBlocks(VrrpScript, "vrrp_script")
    track_processes = AllBlocks(TrackProcess, "vrrp_track_process")
    track_files = AllBlocks(TrackFile, "track_file")
    bfd_instances = AllBlocks(BfdInstance, "bfd_instance")
    sync_groups = AllBlocks(SyncGroup, "vrrp_sync_group")
    garp_groups = AllBlocks(GarpGroup, "garp_group")
    track_groups = AllBlocks(TrackGroup, "track_group")
    virtual_server_groups = AllBlocks(VirtualServerGroup, "virtual_server_group")
    ssl = KeptBlock(Ssl, "SSL")
    static_addresses = AllLines(address, "static_ipaddress")
    static_routes = AllLines(route)
    static_rules = AllLines(rule)
    interface_up_down_delays = AllLines(up_down_delay)
    linkbeat_interfaces = AllLines(linkbeat)
    linkbeat_use_polling = Switch()
    net_namespace = KeptValue[str]()
    net_namespace_ipvs = KeptValue[str]()
    namespace_with_ipsets = Switch()
    instance_name = KeptValue[str]("instance")
    use_pid_dir = Switch()
    child_wait_time = KeptValue[int]()
    include = AllValues[tuple[str, ...]]()
    includer = AllValues[tuple[str, ...]]()
    includem = AllValues[tuple[str, ...]]()
    includew = AllValues[tuple[str, ...]]()
    includeb = AllValues[tuple[str, ...]]()
    includea = AllValues[tuple[str, ...]]()
