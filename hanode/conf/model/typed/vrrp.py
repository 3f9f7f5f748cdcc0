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
    KeptValue,
    Named,
    OneBlock,
    Part,
    Switch,
)
from hanode.conf.model.statements import Statement
from hanode.conf.model.typed.line_values import (
    Command,
    Vmac,
    command,
    joined_vmac,
    peer,
    tracked,
    vmac,
)
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
    active_key = KeptValue[int]()
    anti_replay = KeptValue[str]()
    time_window = KeptValue[int]()
    mode = KeptValue[str]()


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
    preempt_delay_us = KeptValue[int]()
    accept = Switch()
    no_accept = Switch()
    unicast_src_ip = KeptValue[str]()
    unicast_ttl = KeptValue[int]()
    unicast_fault_no_peer = Switch()
    check_unicast_src = Switch()
    old_unicast_checksum = KeptValue[str]()
    mcast_src_ip = KeptValue[str]()
    mcast_dst_ip = KeptValue[str]()
    track_src_ip = Switch()
    use_vmac = KeptValue[Vmac](parse=vmac, join=joined_vmac)
    use_vmac_addr = Switch()
    vmac_xmit_base = Switch()
    use_ipvlan = KeptValue[Vmac](parse=vmac)
    vrf = KeptValue[str]()
    dont_track_primary = Switch()
    garp_master_delay_us = KeptValue[int]()
    garp_master_repeat = KeptValue[int]()
    garp_master_refresh_us = KeptValue[int]()
    garp_master_refresh_repeat = KeptValue[int]()
    garp_lower_prio_delay_us = KeptValue[int]()
    garp_lower_prio_repeat = KeptValue[int]()
    garp_extra_if = KeptValue[tuple[bool, int]]()
    lower_prio_no_advert = KeptValue[bool]()
    higher_prio_send_advert = KeptValue[bool]()
    owner_ignore_adverts = KeptValue[bool]()
    skip_check_adv_addr = KeptValue[bool]()
    strict_mode = KeptValue[bool]()
    v3_checksum_as_v2 = KeptValue[bool]()
    down_timer_adverts = KeptValue[int]()
    timer_expired_backup = KeptValue[int]()
    thread_timer_expired = KeptValue[int]()
    notify_master = KeptValue[Command](parse=command)
    notify_backup = KeptValue[Command](parse=command)
    notify_fault = KeptValue[Command](parse=command)
    notify_stop = KeptValue[Command](parse=command)
    notify = KeptValue[Command](parse=command)
    notify_priority_changes = KeptValue[bool]()
    smtp_alert = KeptValue[bool]()
    notify_deleted = KeptValue[Command](parse=command)
    notify_master_rx_lower_pri = KeptValue[Command](parse=command)
    debug = KeptValue[int]()
    kernel_rx_buf_size = KeptValue[int]()
    linkbeat_use_polling = Switch()
    lvs_sync_daemon_interface = KeptValue[str]()


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
    notify_master = KeptValue[Command](parse=command)
    notify_backup = KeptValue[Command](parse=command)
    notify_fault = KeptValue[Command](parse=command)
    notify_stop = KeptValue[Command](parse=command)
    notify = KeptValue[Command](parse=command)
    notify_priority_changes = KeptValue[bool]()
    smtp_alert = KeptValue[bool]()
    sync_group_tracking_weight = Switch()
    global_tracking = Switch()
