"""vrrp_instance and vrrp_sync_group by attributes.

PURE.
"""

from __future__ import annotations

from typing import ClassVar

from hanode.conf.model.attributes import (
    AllLines,
    AllValues,
    AllWords,
    LastBlock,
    LastValue,
    Named,
    Part,
    Switch,
)
from hanode.conf.model.typed.line_values import Command, Vmac, command, peer, tracked, vmac
from hanode.conf.model.typed.routes import route, rule


class AuthHmac(Part):
    """Signed adverts."""

    __slots__ = ()
    BLOCK: ClassVar[str] = "auth_hmac"
    key = AllValues[tuple[str, ...]]()
    active_key = LastValue[int]()
    anti_replay = LastValue[bool]()
    time_window = LastValue[int]()
    mode = LastValue[str]()


class InstanceWords:
    """The keywords of vrrp_instance that are no fields of `VrrpInstance`."""

    __slots__ = ()
    BLOCK: ClassVar[str] = "vrrp_instance"

    auth_hmac = LastBlock(AuthHmac)
    unicast_peers = AllLines(peer, "unicast_peer")
    virtual_routes = AllLines(route)
    virtual_rules = AllLines(rule)
    track_interface = AllLines(tracked)
    track_script = AllLines(tracked)
    track_file = AllLines(tracked)
    track_process = AllLines(tracked)
    track_bfd = AllLines(tracked)
    no_virtual_ipaddress = Switch()
    native_ipv6 = Switch()
    promote_secondaries = Switch()
    preempt = Switch()
    preempt_delay_us = LastValue[int]()
    accept = Switch()
    no_accept = Switch()
    unicast_src_ip = LastValue[str]()
    unicast_ttl = LastValue[int]()
    unicast_fault_no_peer = Switch()
    check_unicast_src = Switch()
    old_unicast_checksum = LastValue[str]()
    mcast_src_ip = LastValue[str]()
    mcast_dst_ip = LastValue[str]()
    track_src_ip = Switch()
    use_vmac = LastValue[Vmac](parse=vmac)
    use_vmac_addr = Switch()
    vmac_xmit_base = Switch()
    use_ipvlan = LastValue[Vmac](parse=vmac)
    vrf = LastValue[str]()
    dont_track_primary = Switch()
    garp_master_delay_us = LastValue[int]()
    garp_master_repeat = LastValue[int]()
    garp_master_refresh_us = LastValue[int]()
    garp_master_refresh_repeat = LastValue[int]()
    garp_lower_prio_delay_us = LastValue[int]()
    garp_lower_prio_repeat = LastValue[int]()
    garp_extra_if = LastValue[tuple[bool, int]]()
    lower_prio_no_advert = LastValue[bool]()
    higher_prio_send_advert = LastValue[bool]()
    owner_ignore_adverts = LastValue[bool]()
    skip_check_adv_addr = LastValue[bool]()
    strict_mode = LastValue[bool]()
    v3_checksum_as_v2 = LastValue[bool]()
    down_timer_adverts = LastValue[int]()
    timer_expired_backup = LastValue[int]()
    thread_timer_expired = LastValue[int]()
    notify_master = LastValue[Command](parse=command)
    notify_backup = LastValue[Command](parse=command)
    notify_fault = LastValue[Command](parse=command)
    notify_stop = LastValue[Command](parse=command)
    notify = LastValue[Command](parse=command)
    notify_priority_changes = LastValue[bool]()
    smtp_alert = LastValue[bool]()
    notify_deleted = LastValue[Command](parse=command)
    notify_master_rx_lower_pri = LastValue[Command](parse=command)
    debug = LastValue[int]()
    kernel_rx_buf_size = LastValue[int]()
    linkbeat_use_polling = Switch()
    lvs_sync_daemon_interface = LastValue[str]()


class SyncGroup(Named):
    """Instances that are master together or not at all."""

    __slots__ = ()
    BLOCK: ClassVar[str] = "vrrp_sync_group"

    members = AllWords("group")
    track_interface = AllLines(tracked)
    track_script = AllLines(tracked)
    track_file = AllLines(tracked)
    track_process = AllLines(tracked)
    track_bfd = AllLines(tracked)
    notify_master = LastValue[Command](parse=command)
    notify_backup = LastValue[Command](parse=command)
    notify_fault = LastValue[Command](parse=command)
    notify_stop = LastValue[Command](parse=command)
    notify = LastValue[Command](parse=command)
    notify_priority_changes = LastValue[bool]()
    smtp_alert = LastValue[bool]()
    sync_group_tracking_weight = Switch()
    global_tracking = Switch()
