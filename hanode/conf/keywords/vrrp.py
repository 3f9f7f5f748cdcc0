"""vrrp_instance, vrrp_sync_group and what stands in them.

PURE; data only.
"""

from __future__ import annotations

from hanode.conf.keywords.notifications import NOTIFY, notify_script
from hanode.conf.keywords.other_words import OTHER_STATES
from hanode.conf.language.kinds import After, Group
from hanode.conf.language.kinds_address import Ip
from hanode.conf.language.kinds_machine import Interface
from hanode.conf.language.kinds_words import Ipvlan, Vmac
from hanode.conf.language.schema import block, switch, word
from hanode.conf.language.values import (
    Choice,
    Command,
    Int,
    Perhaps,
    Timer,
    Word,
)

NAME = Word("a name")
INTERFACE = Interface()
LONG = 4_294_967_295

TRACKING = (
    word(
        "track_interface",
        None,
        "Interfaces that must be up.",
        opens="track_interface",
        repeats=True,
        engine="runs",
    ),
    word(
        "track_script",
        None,
        "Scripts that must succeed.",
        opens="track_script",
        repeats=True,
        engine="runs",
    ),
    word(
        "track_file",
        None,
        "Files whose number counts.",
        opens="track_file",
        repeats=True,
        engine="runs",
    ),
    word(
        "track_process",
        None,
        "Processes that must run.",
        opens="track_process",
        repeats=True,
        engine="runs",
    ),
    word("track_bfd", None, "BFD sessions that must be up.", opens="track_bfd", repeats=True),
)


INSTANCE = (
    word(
        "state",
        Choice(("MASTER", "BACKUP"), meant=OTHER_STATES),
        "The state wished for at the start; the election decides by priority.",
        default="BACKUP",
        field="state",
        keeps="MASTER",
        engine="runs",
    ),
    word(
        "interface",
        INTERFACE,
        "The interface on which VRRP is spoken.",
        field="interface",
        engine="runs",
    ),
    word(
        "virtual_router_id",
        Int(1, 255),
        "The group's number on this network; the same on all its nodes, used by no other group.",
        field="vrid",
        engine="runs",
    ),
    word(
        "priority",
        Int(1, 255),
        "Who wins the election: the highest; 255 owns the addresses.",
        default="100",
        field="priority",
        engine="runs",
    ),
    word(
        "advert_int",
        Timer(10_000, 255_000_000),
        "Seconds between the master's adverts; the same on all nodes.",
        default="1",
        field="advert_int_us",
        engine="runs",
    ),
    word(
        "version",
        Int(2, 3),
        "VRRP version.",
        default="2",
        field="version",
        keeps="first",
        engine="runs",
    ),
    word(
        "authentication",
        None,
        "A shared word in each advert; it keeps mistakes out, not attackers.",
        opens="authentication",
        engine="runs",
    ),
    word(
        "auth_hmac",
        None,
        "Signed adverts; several blocks are one.",
        opens="auth_hmac",
        repeats=True,
        since="2.4.0",
        engine="runs",
    ),
    word(
        "virtual_ipaddress",
        None,
        "The addresses that the master holds.",
        opens="virtual_ipaddress",
        repeats=True,
        engine="runs",
    ),
    word(
        "virtual_ipaddress_excluded",
        None,
        "More addresses that the master holds, not named in adverts.",
        opens="virtual_ipaddress_excluded",
        repeats=True,
        engine="runs",
    ),
    word(
        "no_virtual_ipaddress",
        None,
        "There are no addresses, and that is meant.",
        since="2.2.8",
        engine="runs",
    ),
    word(
        "native_ipv6",
        None,
        "For IPv6, said beforehand; the addresses say it anyway.",
        engine="runs",
    ),
    word(
        "promote_secondaries",
        None,
        "Keep secondary addresses when the primary one goes.",
        engine="runs",
    ),
    word(
        "virtual_routes",
        None,
        "Routes that the master has.",
        opens="virtual_routes",
        repeats=True,
        engine="runs",
    ),
    word(
        "virtual_rules",
        None,
        "Routing rules that the master has.",
        opens="virtual_rules",
        repeats=True,
        engine="runs",
    ),
    word(
        "nopreempt",
        None,
        "Do not take over from a working master of lower priority; needs state BACKUP.",
        field="nopreempt",
        engine="runs",
    ),
    word(
        "preempt", None, "Take over from a master of lower priority (the default).", engine="runs"
    ),
    word(
        "preempt_delay",
        Timer(0, 1_000_000_000),
        "Seconds to wait before taking over.",
        default="0",
        engine="runs",
    ),
    word(
        "accept", None, "Accept packets for the addresses as master (the default).", engine="runs"
    ),
    word("no_accept", None, "Drop packets for the addresses.", engine="runs"),
    word("unicast_src_ip", Ip(), "Own address for unicast adverts.", engine="runs"),
    word(
        "unicast_peer",
        None,
        "The other nodes' addresses: adverts go to them, not to the multicast group.",
        opens="unicast_peer",
        repeats=True,
        engine="runs",
    ),
    word("unicast_ttl", Int(0, 255), "TTL of unicast adverts.", default="255", engine="runs"),
    word("unicast_fault_no_peer", None, "FAULT while there is no peer.", engine="runs"),
    word("check_unicast_src", None, "Take adverts only from the peers.", engine="runs"),
    word(
        "old_unicast_checksum",
        Perhaps(Choice(("never",))),
        "Checksum of unicast adverts as releases before 1.3.6 made it.",
        engine="runs",
    ),
    word("mcast_src_ip", Ip(), "Own address for multicast adverts.", engine="runs"),
    word("mcast_dst_ip", Group(), "Multicast group instead of the usual one.", engine="runs"),
    word("track_src_ip", None, "FAULT while the source address is missing.", engine="runs"),
    word(
        "use_vmac",
        Vmac(),
        "Hold the addresses on an interface with the virtual MAC.",
        before=("2.3.0", Vmac(named=False)),
        keeps="first",
        engine="runs",
    ),
    word(
        "use_vmac_addr", None, "Use virtual MACs for addresses on other interfaces.", engine="runs"
    ),
    word(
        "vmac_xmit_base",
        None,
        "Send adverts from the interface below the virtual MAC.",
        engine="runs",
    ),
    word(
        "use_ipvlan",
        Ipvlan(),
        "Hold the addresses on an ipvlan interface.",
        before=("2.3.0", Ipvlan(named=False)),
        keeps="first",
        engine="runs",
    ),
    word("vrf", INTERFACE, "The VRF that the instance works in.", engine="runs"),
    word(
        "dont_track_primary",
        None,
        "Do not enter FAULT when the interface goes down.",
        engine="runs",
    ),
    *TRACKING,
    word(
        "garp_master_delay",
        Timer(0, 4_294_000_000, whole=True),
        "Seconds until the second round of gratuitous ARP.",
        default="5",
        engine="runs",
    ),
    word(
        "garp_master_repeat",
        Int(1, LONG),
        "Gratuitous ARPs in a round.",
        default="5",
        engine="runs",
    ),
    word(
        "garp_master_refresh",
        Timer(0, LONG * 1_000_000, whole=True),
        "Seconds between rounds while MASTER; 0: none.",
        default="0",
        engine="runs",
    ),
    word(
        "garp_master_refresh_repeat",
        Int(1, LONG),
        "Gratuitous ARPs in such a round.",
        default="1",
        engine="runs",
    ),
    word(
        "garp_lower_prio_delay",
        Timer(0, 4_294_000_000, whole=True),
        "Seconds until the second round after hearing a lower priority.",
        engine="runs",
    ),
    word(
        "garp_lower_prio_repeat",
        Int(0, 2147483647),
        "Gratuitous ARPs after hearing a lower priority.",
        engine="runs",
    ),
    word(
        "garp_extra_if",
        After("all", Int(0, 86_400)),
        "Seconds between gratuitous ARPs on interfaces of addresses other than the VRRP one.",
        engine="runs",
    ),
    word(
        "vmac_garp_intvl",
        None,
        same_as="garp_extra_if",
        old="write garp_extra_if",
        successor="garp_extra_if",
    ),
    switch("lower_prio_no_advert", "Do not answer an advert of lower priority.", engine="runs"),
    switch("higher_prio_send_advert", "Answer an advert of higher priority once.", engine="runs"),
    switch("owner_ignore_adverts", "The owner ignores all adverts.", since="2.3.3", engine="runs"),
    switch(
        "skip_check_adv_addr",
        "Do not check the address list of the same master twice.",
        engine="runs",
    ),
    switch("strict_mode", "Keep to the letter of the RFC.", engine="runs"),
    switch(
        "v3_checksum_as_v2", "Checksum without the pseudo header.", since="2.2.8", engine="runs"
    ),
    word(
        "down_timer_adverts",
        Int(1, 100),
        "Missed adverts until the master counts as gone.",
        default="3",
        engine="runs",
    ),
    word(
        "timer_expired_backup",
        Perhaps(Int(1, 254)),
        "A master that was so late that others may have taken over steps down.",
        default="254 as the priority that it counts with",
        since="2.2.8",
        engine="runs",
    ),
    word(
        "thread_timer_expired",
        Perhaps(Int(1, 254)),
        "Another word for timer_expired_backup.",
        since="2.3.2",
        old="write timer_expired_backup",
        successor="timer_expired_backup",
        engine="runs",
    ),
    *NOTIFY,
    word(
        "notify_deleted",
        Command(),
        "Command to run when the instance is deleted.",
        keeps="first",
        engine="runs",
    ),
    notify_script(
        "notify_master_rx_lower_pri", "Command to run when a master hears a lower priority."
    ),
    word("debug", Int(0, 4), "Log level of this instance.", engine="ignored"),
    word("kernel_rx_buf_size", Int(0, LONG), "Receive buffer in bytes.", engine="ignored"),
    word(
        "linkbeat_use_polling",
        None,
        "Ask for the link.",
        old="write linkbeat_interfaces at the root, with the interface in it",
        engine="runs",
    ),
    word(
        "lvs_sync_daemon_interface",
        INTERFACE,
        "Interface of the IPVS sync daemon.",
        old="write lvs_sync_daemon in global_defs, with the interface and the instance",
        keeps="first",
    ),
)

SYNC_GROUP = (
    word("group", None, "The instances.", opens="group", keeps="first", engine="runs"),
    *TRACKING,
    *NOTIFY,
    word(
        "sync_group_tracking_weight", None, "Allow weights in the group's tracking.", engine="runs"
    ),
    word(
        "global_tracking",
        None,
        "Track for the whole group.",
        old="leave it out and write track_script and the like in the group",
        engine="runs",
    ),
)

BLOCKS = (
    block("vrrp_instance", INSTANCE),
    block("vrrp_sync_group", SYNC_GROUP),
)
