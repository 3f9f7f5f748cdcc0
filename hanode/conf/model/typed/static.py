"""The root of the file, and what this node always has.

PURE.
"""

from __future__ import annotations

from typing import ClassVar

from hanode.conf.model.attributes import (
    Every,
    Inner,
    Last,
    Lines,
    Members,
    Named,
    Part,
    Said,
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
    members = Members("group")


class GarpGroup(Part):
    """Interfaces that share the pacing of gratuitous ARP."""

    __slots__ = ()
    BLOCK: ClassVar[str] = "garp_group"
    interfaces = Members("interfaces")
    garp_interval_us = Said[int]()
    gna_interval_us = Said[int]()
    interface = Every[str]()


class Ssl(Part):
    """Certificates for SSL_GET."""

    __slots__ = ()
    BLOCK: ClassVar[str] = "SSL"
    password = Said[str]()
    ca = Said[str]()
    certificate = Said[str]()
    key = Said[str]()


class RootWords:
    """The keywords of the root that are no fields of `Config`."""

    __slots__ = ()
    BLOCK: ClassVar[str] = "root"
    origin: ClassVar[Origin] = NOWHERE
    places: ClassVar[Places] = ()

    scripts = Inner(VrrpScript, "vrrp_script")
    track_processes = Inner(TrackProcess, "vrrp_track_process")
    track_files = Inner(TrackFile, "track_file")
    bfd_instances = Inner(BfdInstance, "bfd_instance")
    sync_groups = Inner(SyncGroup, "vrrp_sync_group")
    garp_groups = Inner(GarpGroup, "garp_group")
    track_groups = Inner(TrackGroup, "track_group")
    virtual_server_groups = Inner(VirtualServerGroup, "virtual_server_group")
    ssl = Last(Ssl, "SSL")
    static_addresses = Lines(address, "static_ipaddress")
    static_routes = Lines(route)
    static_rules = Lines(rule)
    interface_up_down_delays = Lines(up_down_delay)
    linkbeat_interfaces = Lines(linkbeat)
    linkbeat_use_polling = Switch()
    net_namespace = Said[str]()
    net_namespace_ipvs = Said[str]()
    namespace_with_ipsets = Switch()
    instance_name = Said[str]("instance")
    use_pid_dir = Switch()
    child_wait_time = Said[int]()
    include = Every[tuple[str, ...]]()
    includer = Every[tuple[str, ...]]()
    includem = Every[tuple[str, ...]]()
    includew = Every[tuple[str, ...]]()
    includeb = Every[tuple[str, ...]]()
    includea = Every[tuple[str, ...]]()
