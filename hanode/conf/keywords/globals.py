"""global_defs.

PURE; data only.
"""

from __future__ import annotations

from hanode.conf.keywords.global_process import NOTIFY, PROCESS, RELOADING
from hanode.conf.language.kinds import After, Either, Group, MailServer, Named
from hanode.conf.language.kinds_machine import Interface, User
from hanode.conf.language.schema import NEXT, block, switch, word
from hanode.conf.language.values import (
    Bool,
    Choice,
    Int,
    Perhaps,
    Script,
    Timer,
    Word,
    Words,
)

NAME = Word("a name")
LONG = 4_294_000_000
PACE = 4_294_967_295
COUNT = 4_294_967_295
INT = 2_147_483_647
SYNC_DAEMON = Named(
    (
        ("id", 0, 255),
        ("maxlen", 1, 65_507),
        ("port", 1, 65_535),
        ("ttl", 1, 255),
        ("group", 0, -1),
        ("inst", 0, 0),
    ),
    first=2,
    what="an interface, perhaps an instance",
)

IPTABLES = "write nftables, which a keepalived without iptables, as Debian's 2.2.7, takes instead"

MAIL = (
    word(
        "router_id",
        NAME,
        "The node's name in mails; the host name if there is none.",
        field="router_id",
        engine="runs",
    ),
    word(
        "notification_email",
        None,
        "Who gets mail.",
        opens="notification_email",
        repeats=True,
        engine="runs",
    ),
    word("notification_email_from", Words(), "The sender of mails.", engine="runs"),
    word(
        "smtp_server",
        MailServer(),
        "The mail server: address or name, and perhaps a port.",
        engine="runs",
    ),
    word("smtp_helo_name", NAME, "The name to greet the mail server with.", engine="runs"),
    word(
        "smtp_connect_timeout",
        Timer(1, LONG, whole=True),
        "Seconds that a connection to the mail server may take.",
        default="30",
        engine="runs",
    ),
    switch("smtp_alert", "Send mail on all changes.", engine="runs"),
    switch("smtp_alert_vrrp", "Send mail on VRRP changes.", engine="runs"),
    switch("smtp_alert_checker", "Send mail on changes of servers."),
    word("no_email_faults", None, "No mail about FAULT.", engine="runs"),
    switch("no_checker_emails", "No mail about servers."),
    word("checker_log_all_failures", Bool(), "Log every failed check."),
)

SCRIPTS = (
    word("script_user", User(), "User and group that scripts run as.", engine="runs"),
    word(
        "enable_script_security",
        None,
        "Do not run scripts as root that others can change.",
        engine="runs",
    ),
    word("set_supplementary_groups", None, "Scripts get the user's other groups.", since=NEXT),
    word("startup_script", Script(), "Command to run at the start.", keeps="first"),
    word("shutdown_script", Script(), "Command to run at the end.", keeps="first"),
    word("startup_script_timeout", Int(1, 1000), "Seconds that it may take.", default="10"),
    word("shutdown_script_timeout", Int(1, 1000), "Seconds that it may take.", default="10"),
    switch("use_symlink_paths", "Run scripts by the path that is written.", since="2.3.0"),
)

VRRP = (
    word(
        "vrrp_version",
        Int(2, 3),
        "VRRP version of instances that name none.",
        default="2",
        field="vrrp_version",
        engine="runs",
    ),
    word(
        "vrrp_mcast_group4",
        Group(4),
        "Multicast group for IPv4.",
        default="224.0.0.18",
        engine="runs",
    ),
    word(
        "vrrp_mcast_group6",
        Group(6),
        "Multicast group for IPv6.",
        default="ff02::12",
        engine="runs",
    ),
    word(
        "vrrp_garp_master_delay",
        Timer(0, LONG, whole=True),
        "Seconds until the second round of gratuitous ARP.",
        default="5",
        engine="runs",
    ),
    word(
        "vrrp_garp_master_repeat",
        Int(1, COUNT),
        "Gratuitous ARPs in a round.",
        default="5",
        engine="runs",
    ),
    word(
        "vrrp_garp_master_refresh",
        Timer(0, PACE * 1_000_000, whole=True),
        "Seconds between rounds while MASTER; 0: none.",
        default="0",
        engine="runs",
    ),
    word(
        "vrrp_garp_master_refresh_repeat",
        Int(1, COUNT),
        "Gratuitous ARPs in such a round.",
        default="1",
        engine="runs",
    ),
    word(
        "vrrp_garp_lower_prio_delay",
        Timer(0, LONG, whole=True),
        "Seconds until the second round after hearing a lower priority.",
        engine="runs",
    ),
    word(
        "vrrp_garp_lower_prio_repeat",
        Int(0, 2147483647),
        "Gratuitous ARPs after hearing a lower priority.",
        engine="runs",
    ),
    word(
        "vrrp_garp_interval",
        Timer(1, PACE),
        "Seconds between gratuitous ARPs on an interface.",
        off="0",
        default="0",
        engine="runs",
    ),
    word(
        "vrrp_gna_interval",
        Timer(1, PACE),
        "Seconds between neighbour advertisements on an interface.",
        off="0",
        default="0",
        engine="runs",
    ),
    switch("vrrp_min_garp", "Send one gratuitous ARP only.", keeps="on", engine="runs"),
    word(
        "vrrp_garp_extra_if",
        After("all", Int(1, 86_400)),
        "Seconds between gratuitous ARPs on interfaces of addresses other than the VRRP one.",
        off="0",
        engine="runs",
    ),
    word(
        "vrrp_vmac_garp_intvl",
        None,
        same_as="vrrp_garp_extra_if",
        old="write vrrp_garp_extra_if",
        successor="vrrp_garp_extra_if",
    ),
    word(
        "vrrp_down_timer_adverts",
        Int(1, 100),
        "Missed adverts until the master counts as gone.",
        default="3",
        engine="runs",
    ),
    switch(
        "vrrp_lower_prio_no_advert", "Do not answer an advert of lower priority.", engine="runs"
    ),
    switch(
        "vrrp_higher_prio_send_advert", "Answer an advert of higher priority once.", engine="runs"
    ),
    word(
        "vrrp_check_unicast_src", None, "Take unicast adverts only from the peers.", engine="runs"
    ),
    word(
        "vrrp_skip_check_adv_addr",
        None,
        "Do not check the address list of the same master twice.",
        engine="runs",
    ),
    word(
        "vrrp_strict",
        None,
        "Keep to the letter of the RFC; the addresses then accept no traffic.",
        engine="runs",
    ),
    switch(
        "v3_checksum_as_v2", "Checksum without the pseudo header.", since="2.2.8", engine="runs"
    ),
    switch(
        "vrrp_owner_ignore_adverts", "The owner ignores all adverts.", since="2.3.3", engine="runs"
    ),
    word(
        "vrrp_startup_delay",
        Timer(1000, PACE),
        "Seconds to wait at the start.",
        off="0",
        engine="runs",
    ),
    word(
        "vrrp_delay_after_boot",
        Timer(1000, PACE),
        "Seconds after the machine's start to wait.",
        since="2.4.0",
        engine="runs",
    ),
    word("log_unknown_vrids", None, "Log adverts of groups that are not ours.", engine="runs"),
    word(
        "default_interface",
        Interface(),
        "Interface of static addresses that name none.",
        engine="runs",
    ),
    word(
        "dynamic_interfaces",
        Perhaps(Choice(("allow_if_changes",))),
        "Interfaces may appear, go and come back while keepalived runs.",
        engine="runs",
    ),
    word("disable_local_igmp", None, "Send no IGMP reports.", engine="runs"),
    word(
        "vmac_prefix",
        NAME,
        "Beginning of virtual interfaces' names.",
        keeps="first",
        engine="runs",
    ),
    word(
        "vmac_addr_prefix",
        NAME,
        "Beginning of virtual interfaces' names for addresses.",
        keeps="first",
        engine="runs",
    ),
    word(
        "vrrp_rx_bufs_policy",
        Either(("MTU", "ADVERT"), Int(1, COUNT)),
        "How receive buffers are sized: by the interface, by the adverts, or in bytes.",
        keeps="MTU",
        engine="ignored",
    ),
    word(
        "vrrp_rx_bufs_multiplier",
        Int(1, COUNT),
        "How many packets receive buffers hold.",
        default="3",
        engine="ignored",
    ),
    word(
        "vrrp_notify_priority_changes",
        Bool(),
        "Tell notify scripts when the priority changes.",
        engine="runs",
    ),
)

FIREWALL_AND_LVS = (
    word(
        "vrrp_iptables", Perhaps(Words("one or two chains")), "Chains for no_accept.", old=IPTABLES
    ),
    word("vrrp_ipsets", Perhaps(Words("up to five names")), "Sets for no_accept.", old=IPTABLES),
    word("nftables", Perhaps(NAME), "Table for no_accept.", default="keepalived", keeps="first"),
    word("nftables_priority", Int(-INT - 1, INT), "Priority of its chains.", default="-1"),
    word("nftables_counters", None, "Count packets."),
    word("nftables_ifindex", None, "Compare interface numbers, not names."),
    word(
        "nftables_ipvs",
        Perhaps(NAME),
        "Table for virtual server groups.",
        default="keepalived_ipvs",
        keeps="first",
    ),
    word("nftables_ipvs_priority", Int(-INT - 1, INT), "Priority of its chains.", default="-1"),
    word("nftables_ipvs_start_fwmark", Int(1, COUNT), "First mark to use.", default="1000"),
    word(
        "lvs_sync_daemon",
        SYNC_DAEMON,
        "Share the table of connections between nodes, so that they survive a failover.",
        keeps="first",
    ),
    word(
        "lvs_timeouts",
        Named((("tcp", 0, 2_678_400), ("tcpfin", 0, 2_678_400), ("udp", 0, 2_678_400))),
        "Seconds that idle connections are remembered.",
        keeps="both",
    ),
    word("lvs_flush", None, "Clear the IPVS table at the start."),
    word(
        "lvs_flush_on_stop",
        Perhaps(Choice(("VS",))),
        "Clear the IPVS table at the end; VS: only our own virtual servers.",
    ),
    word("lvs_flush_onstop", None, same_as="lvs_flush_on_stop"),
    word("rs_init_notifies", Bool(), "Run notify_up and notify_down at the start."),
)


BLOCKS = (
    block(
        "global_defs", (*MAIL, *SCRIPTS, *VRRP, *FIREWALL_AND_LVS, *PROCESS, *NOTIFY, *RELOADING)
    ),
)
