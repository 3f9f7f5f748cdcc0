"""vrrp_instance and vrrp_sync_group by attributes.

PURE.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from hanode.conf.language.kinds_keys import KEY
from hanode.conf.language.values import BadValue
from hanode.conf.model.attributes import (
    AllLines,
    AllValues,
    AllWords,
    LastValue,
    Named,
    OneBlock,
    Part,
    Switch,
)
from hanode.conf.model.statements import Statement
from hanode.conf.model.typed.line_values import Command, Vmac, command, peer, tracked, vmac
from hanode.conf.model.typed.routes import route, rule
from hanode.conf.text.lexer import unquote
from hanode.conf.text.source import NOWHERE, Origin


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key of auth_hmac, as it is written."""

    number: int
    secret: str = field(repr=False)
    origin: Origin = field(default=NOWHERE, compare=False, repr=False)


def signing_key(statement: Statement) -> SigningKey | None:
    """`key NUMBER KEY`; None: it does not fit."""
    try:
        number, secret = KEY.read([unquote(word) for word in statement.words[1:]])
    except BadValue:
        return None
    return SigningKey(int(number), secret, statement.origin)


class AuthHmac(Part):
    """Signed adverts."""

    __slots__ = ()
    BLOCK: ClassVar[str] = "auth_hmac"
    key = AllValues[SigningKey](parse=signing_key)
    active_key = LastValue[int]()
    anti_replay = LastValue[str]()
    time_window = LastValue[int]()
    mode = LastValue[str]()


class InstanceWords:
    """The keywords of vrrp_instance that are no fields of `VrrpInstance`."""

    __slots__ = ()
    BLOCK: ClassVar[str] = "vrrp_instance"

    auth_hmac = OneBlock(AuthHmac)
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
