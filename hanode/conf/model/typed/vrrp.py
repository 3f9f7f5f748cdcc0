"""vrrp_instance and vrrp_sync_group by attributes.

PURE.
"""

from __future__ import annotations

from typing import ClassVar

from hanode.conf.model.attributes import (
    Every,
    Last,
    Lines,
    Members,
    Named,
    Part,
    Said,
    Switch,
)
from hanode.conf.model.typed.line_values import Command, Vmac, command, peer, tracked, vmac
from hanode.conf.model.typed.routes import route, rule


class AuthHmac(Part):
    """Signed adverts."""

    __slots__ = ()
    BLOCK: ClassVar[str] = "auth_hmac"
    key = Every[tuple[str, ...]]()
    active_key = Said[int]()
    anti_replay = Said[bool]()
    time_window = Said[int]()
    mode = Said[str]()


class InstanceWords:
    """The keywords of vrrp_instance that are no fields of `VrrpInstance`."""

    __slots__ = ()
    BLOCK: ClassVar[str] = "vrrp_instance"

    auth_hmac = Last(AuthHmac)
    unicast_peers = Lines(peer, "unicast_peer")
    virtual_routes = Lines(route)
    virtual_rules = Lines(rule)
    track_interface = Lines(tracked)
    track_script = Lines(tracked)
    track_file = Lines(tracked)
    track_process = Lines(tracked)
    track_bfd = Lines(tracked)
    no_virtual_ipaddress = Switch()
    native_ipv6 = Switch()
    promote_secondaries = Switch()
    preempt = Switch()
    preempt_delay_us = Said[int]()
    accept = Switch()
    no_accept = Switch()
    unicast_src_ip = Said[str]()
    unicast_ttl = Said[int]()
    unicast_fault_no_peer = Switch()
    check_unicast_src = Switch()
    old_unicast_checksum = Said[str]()
    mcast_src_ip = Said[str]()
    mcast_dst_ip = Said[str]()
    track_src_ip = Switch()
    use_vmac = Said[Vmac](made=vmac)
    use_vmac_addr = Switch()
    vmac_xmit_base = Switch()
    use_ipvlan = Said[Vmac](made=vmac)
    vrf = Said[str]()
    dont_track_primary = Switch()
    garp_master_delay_us = Said[int]()
    garp_master_repeat = Said[int]()
    garp_master_refresh_us = Said[int]()
    garp_master_refresh_repeat = Said[int]()
    garp_lower_prio_delay_us = Said[int]()
    garp_lower_prio_repeat = Said[int]()
    garp_extra_if = Said[tuple[bool, int]]()
    lower_prio_no_advert = Said[bool]()
    higher_prio_send_advert = Said[bool]()
    owner_ignore_adverts = Said[bool]()
    skip_check_adv_addr = Said[bool]()
    strict_mode = Said[bool]()
    v3_checksum_as_v2 = Said[bool]()
    down_timer_adverts = Said[int]()
    timer_expired_backup = Said[int]()
    thread_timer_expired = Said[int]()
    notify_master = Said[Command](made=command)
    notify_backup = Said[Command](made=command)
    notify_fault = Said[Command](made=command)
    notify_stop = Said[Command](made=command)
    notify = Said[Command](made=command)
    notify_priority_changes = Said[bool]()
    smtp_alert = Said[bool]()
    notify_deleted = Said[Command](made=command)
    notify_master_rx_lower_pri = Said[Command](made=command)
    debug = Said[int]()
    kernel_rx_buf_size = Said[int]()
    linkbeat_use_polling = Switch()
    lvs_sync_daemon_interface = Said[str]()


class SyncGroup(Named):
    """Instances that are master together or not at all."""

    __slots__ = ()
    BLOCK: ClassVar[str] = "vrrp_sync_group"

    members = Members("group")
    track_interface = Lines(tracked)
    track_script = Lines(tracked)
    track_file = Lines(tracked)
    track_process = Lines(tracked)
    track_bfd = Lines(tracked)
    notify_master = Said[Command](made=command)
    notify_backup = Said[Command](made=command)
    notify_fault = Said[Command](made=command)
    notify_stop = Said[Command](made=command)
    notify = Said[Command](made=command)
    notify_priority_changes = Said[bool]()
    smtp_alert = Said[bool]()
    sync_group_tracking_weight = Switch()
    global_tracking = Switch()
