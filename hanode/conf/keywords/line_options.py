"""The blocks whose lines are no keywords: addresses, routes, rules, peers, names, delays.

PURE; data only. The keywords of such a block are the options of a line.
"""

from __future__ import annotations

from dataclasses import replace

from hanode.conf.language.iproute_names import (
    GROUPS,
    KINDS,
    ORIGINS,
    PREFERENCES,
    SCOPES,
    SERVICES,
    TABLES,
    Names,
)
from hanode.conf.language.kinds import After, Either, Weight
from hanode.conf.language.kinds_address import Ip
from hanode.conf.language.kinds_encap import Encap
from hanode.conf.language.kinds_machine import Interface
from hanode.conf.language.kinds_net import (
    Broadcast,
    Destination,
    Mark,
    Net,
    Numbered,
    Plain,
    Realms,
    RouteTime,
    Span,
    Swallowed,
    TypedDestination,
)
from hanode.conf.language.kinds_words import Spread, Tagged
from hanode.conf.language.schema import Block, Keyword, block, word
from hanode.conf.language.values import (
    Choice,
    Int,
    InterfaceName,
    Perhaps,
    Timer,
    Word,
)

MARK = 4_294_967_295
LARGE = 2**64 - 1
INTERFACE = Interface()
WATCHED = InterfaceName()
NAME = Word("a name")
TYPES = tuple(name for name, _ in KINDS)
PROGRAMS: Names = (
    ("ip", 0), ("hopopt", 0), ("icmp", 1), ("igmp", 2), ("ggp", 3), ("ipencap", 4), ("st", 5),
    ("tcp", 6), ("egp", 8), ("igp", 9), ("pup", 12), ("udp", 17), ("hmp", 20), ("xns-idp", 22),
    ("rdp", 27), ("iso-tp4", 29), ("dccp", 33), ("xtp", 36), ("ddp", 37), ("idpr-cmtp", 38),
    ("ipv6", 41), ("ipv6-route", 43), ("ipv6-frag", 44), ("idrp", 45), ("rsvp", 46), ("gre", 47),
    ("esp", 50), ("ah", 51), ("skip", 57), ("ipv6-icmp", 58), ("ipv6-nonxt", 59),
    ("ipv6-opts", 60), ("rspf", 73), ("vmtp", 81), ("eigrp", 88), ("ospf", 89), ("ax.25", 93),
    ("ipip", 94), ("etherip", 97), ("encap", 98), ("pim", 103), ("ipcomp", 108), ("vrrp", 112),
    ("l2tp", 115), ("isis", 124), ("sctp", 132), ("fc", 133), ("mobility-header", 135),
    ("udplite", 136), ("mpls-in-ip", 137), ("manet", 138), ("hip", 139), ("shim6", 140),
    ("wesp", 141), ("rohc", 142), ("ethernet", 143),
)  # fmt: skip
"""Protocols above IP: /etc/protocols. (mptcp has a number that no packet can carry.)"""
NUMBER = Int(0, MARK)
TTL = Int(0, 255)
SWALLOWED = Swallowed()
SPARE = TypedDestination()
"""What a route's word is that is no option."""
TRACK = word("track_group", NAME, "The track_group whose instances follow it.", engine="runs")
USE_VMAC = word("use_vmac", None, "Hold it on an interface with the virtual MAC.", engine="runs")
NOT_TURNED = "noreverse"
UNTRACKED = word(
    "no_track", None, "Its loss does not make the instance leave MASTER.", engine="runs"
)
TRACKED_ALWAYS = replace(UNTRACKED, engine="planned")
"""no_track of a static thing, which stands in for the row that static things share with others."""


def _locked(name: str, help: str, value: RouteTime | Int = NUMBER) -> Keyword:
    return word(name, After("lock", value), help, engine="runs")


ADDRESS: tuple[Keyword, ...] = (
    word(
        "dev",
        INTERFACE,
        "The interface that holds it.",
        default="the instance's interface",
        engine="runs",
    ),
    word("brd", Broadcast(), "The broadcast address.", engine="runs"),
    word("broadcast", Broadcast(), same_as="brd"),
    word(
        "scope",
        Numbered("a scope", 255, "rt_scopes", SCOPES),
        "How far it is valid; for IPv4.",
        default="global",
        engine="runs",
    ),
    word(
        "label",
        Word("a label", 15),
        "Its name in old tools, such as eth0:1; for IPv4.",
        engine="runs",
    ),
    word(
        "peer",
        Plain(),
        "The other end of a point-to-point link; without a prefix length.",
        engine="runs",
    ),
    word("home", None, "IPv6: a home address of Mobile IPv6.", engine="runs"),
    word("-nodad", None, "IPv6: look for duplicates before using it.", engine="runs"),
    word("mngtmpaddr", None, "IPv6: a template for temporary addresses.", engine="runs"),
    word("noprefixroute", None, "Make no route for its network.", engine="runs"),
    word("autojoin", None, "Join its multicast group.", engine="runs"),
    word(
        "preferred_lft",
        Either(("forever",), NUMBER),
        "Seconds, or forever, that new connections may use it.",
        engine="runs",
    ),
)

ROUTE: tuple[Keyword, ...] = (
    word("to", Destination(), "Where it leads; the word may be left away.", engine="runs"),
    *(word(name, Destination(), f"A route of the type {name}, and where it leads.",
           engine="planned" if name in ("xresolve", "nat") else "runs")
      for name in TYPES),
    word("inet", SWALLOWED, "An IPv4 route.", engine="runs"),
    word("inet6", SWALLOWED, "An IPv6 route.", engine="runs"),
    word("via", Plain(0, ("inet", "inet6")), "The gateway.", engine="runs"),
    word("gw", Plain(0, ("inet", "inet6")), same_as="via", old="write via", successor="via"),
    word("dev", INTERFACE, "The interface that packets leave by; without it nothing is tracked.",
         engine="runs"),
    word("oif", INTERFACE, same_as="dev"),
    word("src", Plain(), "The address that own packets come from.", engine="runs"),
    word("from", Net(), "IPv6: only for packets from there.", engine="runs"),
    word("table", Numbered("a table", MARK, "rt_tables", TABLES), "Its table.", default="main",
         engine="runs"),
    word("metric", NUMBER, "The lowest of several routes to one place counts.", engine="runs"),
    word("priority", NUMBER, same_as="metric"),
    word("preference", NUMBER, same_as="metric"),
    word("protocol", Numbered("an origin", 255, "rt_protos", ORIGINS),
         "Who made it; only keepalived's own routes are tracked.", default="keepalived",
         engine="runs"),
    word("scope", Numbered("a scope", 255, "rt_scopes", SCOPES), "How far its end is.",
         engine="runs"),
    word("tos", Numbered("a type of service", 255, "rt_dsfield", SERVICES),
         "Only for packets of this type of service.", engine="runs"),
    word("dsfield", None, same_as="tos"),
    word("realms", Realms(), "Its realms; for IPv4.", engine="runs"),
    word("onlink", None, "The gateway is on the link, whatever the addresses say.", engine="runs"),
    word("encap", Encap(), "What its packets are wrapped in.", engine="runs"),
    word("expires", NUMBER, "IPv6: seconds until it goes.", engine="runs"),
    _locked("mtu", "The largest packet; lock: never look for a smaller one."),
    _locked("advmss", "The largest segment to offer."),
    _locked("rtt", "The first guess of the round trip.", RouteTime(960_000)),
    _locked("rttvar", "The first guess of its variance.", RouteTime(480_000)),
    _locked("rto_min", "The shortest retransmission time.", RouteTime(120_000)),
    _locked("reordering", "How far packets may overtake each other."),
    word("window", NUMBER, "The largest window to offer.", engine="runs"),
    _locked("cwnd", "The highest congestion window."),
    _locked("ssthresh", "The first threshold of slow start."),
    word("initcwnd", NUMBER, "The first congestion window, in segments.", engine="runs"),
    word("initrwnd", NUMBER, "The first receive window, in segments.", engine="runs"),
    word("hoplimit", Int(0, 255), "The hop limit of own packets.", engine="runs"),
    word("features", Choice(("ecn",)), "Ask for explicit congestion notification.", engine="runs"),
    word("quickack", Int(0, 1), "Acknowledge at once.", engine="runs"),
    word("congctl", After("lock", Word("a name")), "The congestion control.", engine="runs"),
    word("pref", Numbered("a preference", 255, "", PREFERENCES),
         "IPv6: the router's preference.", engine="runs"),
    word("ttl-propagate", Choice(("enabled", "disabled")), "MPLS: carry the TTL over.",
         engine="runs"),
    word("fastopen_no_cookie", Int(0, 1), "TCP fast open without a cookie.", engine="runs"),
    word("vrf", INTERFACE, "The VRF whose table it goes into."),
    word("prepend", None, "Put it before others like it (the default).", engine="runs"),
    word("append", None, "Put it behind others like it.", engine="runs"),
    word("add", None, "Fail where there is one like it."),
    word("as", After("to", Word("a label")), "For MPLS.", old="leave out as and its value"),
    word("or", Plain(), "A second gateway.", old="write nexthop via … nexthop via …"),
    word("nexthop", None, "One of several gateways, with via, dev, weight, onlink, realms, encap; "
         "nothing else may follow.", engine="runs"),
    UNTRACKED,
)  # fmt: skip

NEXTHOP: dict[str, Keyword] = {
    row.name: row
    for row in (
        word("via", Plain(0, ("inet", "inet6"))),
        word("dev", INTERFACE),
        word("weight", Int(1, 256)),
        word("onlink"),
        word("encap", Encap()),
        word("realms", Realms()),
        word("nexthop"),
    )
}
"""What may stand behind a route's first `nexthop`."""

ACTIONS = ("table", "lookup", "goto", "nop", "blackhole", "unreachable", "prohibit", "l3mdev")
"""What a rule does: exactly one of them."""

RULE: tuple[Keyword, ...] = (
    word("from", Net(), "For packets from there.", engine="runs"),
    word("to", Net(), "For packets to there.", engine="runs"),
    word("not", None, "For all other packets.", engine="runs"),
    word("inet", SWALLOWED, "A rule for IPv4.", engine="runs"),
    word("inet6", SWALLOWED, "A rule for IPv6.", engine="runs"),
    word("table", Numbered("a table", MARK, "rt_tables", TABLES, 1), "The table to look in.",
         engine="runs"),
    word("lookup", Numbered("a table", MARK, "rt_tables", TABLES, 1), same_as="table"),
    word("goto", NUMBER, "Go on with the rule of that preference, which must be higher.",
         engine="runs"),
    word("nop", None, "Do nothing.", engine="runs"),
    word("blackhole", None, "Drop silently.", engine="runs"),
    word("unreachable", None, "Drop, and say that the network cannot be reached.", engine="runs"),
    word("prohibit", None, "Drop, and say that it is forbidden.", engine="runs"),
    word("l3mdev", None, "Look in the table of the packet's VRF.", engine="runs"),
    word("type", None, "May stand before goto, nop, blackhole, unreachable and prohibit."),
    word("preference", Numbered("a preference", MARK), "Its place: lower ones first.",
         default="a number that nobody chose", engine="runs"),
    word("priority", None, same_as="preference"),
    word("order", None, same_as="preference"),
    word("iif", INTERFACE, "For packets that came in by it.", engine="runs"),
    word("dev", INTERFACE, same_as="iif"),
    word("oif", INTERFACE, "For packets of sockets bound to it.", engine="runs"),
    word("tos", Numbered("a type of service", 255, "rt_dsfield", SERVICES),
         "For packets of this type of service.", engine="runs"),
    word("dsfield", None, same_as="tos"),
    word("fwmark", Mark(), "For packets with this mark.", engine="runs"),
    word("realms", Realms(), "The realms to note; for IPv4, with a table.", engine="runs"),
    word("suppress_prefixlength", Int(0, 2_147_483_647),
         "Ignore what the table finds with a prefix of at most that length.", engine="runs"),
    word("sup_pl", None, same_as="suppress_prefixlength"),
    word("suppress_ifgroup", Numbered("a group", MARK, "group", GROUPS),
         "Ignore what the table finds by interfaces of that group.", engine="runs"),
    word("sup_group", None, same_as="suppress_ifgroup"),
    word("tunnel-id", Int(0, LARGE), "For packets of this tunnel.", engine="runs"),
    word("uidrange", Span("users' numbers", MARK), "For packets of these users.", engine="runs"),
    word("protocol", Int(0, 255), "Who made it; only keepalived's own rules are tracked.",
         default="18", engine="runs"),
    word("ipproto", Numbered("a protocol", 255, "/etc/protocols", PROGRAMS),
         "For packets of this protocol.", engine="runs"),
    word("sport", Span("ports", 65_535), "For packets from these ports.", engine="runs"),
    word("dport", Span("ports", 65_535), "For packets to these ports.", engine="runs"),
    UNTRACKED,
)  # fmt: skip


def _tracker(
    name: str,
    lines: str,
    limit: int,
    *more: str,
    default: str = "its own weight",
    engine: str = "runs",
) -> Block:
    """A block of names of trackers, each perhaps with a weight."""
    weight = Weight(limit, ("reverse", *more))
    help = "Added to the priority; 0: failure means FAULT."
    row = word("weight", weight, help, default=default, engine=engine)
    named = INTERFACE if name == "track_interface" else NAME
    return block(name, (row,), lines, ((lines, named),))


DELAY = Timer(0, 255_000_000)

BLOCKS = (
    block(
        "virtual_ipaddress",
        (*ADDRESS, USE_VMAC, UNTRACKED),
        lines="an address",
    ),
    block("virtual_ipaddress_excluded", (*ADDRESS, USE_VMAC, UNTRACKED), lines="an address"),
    block("static_ipaddress", (*ADDRESS, TRACK, TRACKED_ALWAYS), lines="an address"),
    block("virtual_routes", ROUTE, lines="a route", spare=SPARE),
    block("static_routes", (*ROUTE, TRACKED_ALWAYS, TRACK), lines="a route", spare=SPARE),
    block("virtual_rules", RULE, lines="a rule"),
    block("static_rules", (*RULE, TRACKED_ALWAYS, TRACK), lines="a rule"),
    block(
        "unicast_peer",
        (
            word(
                "min_ttl",
                TTL,
                "Its packets must come with at least this TTL.",
                engine="runs",
            ),
            word(
                "max_ttl",
                TTL,
                "Its packets must come with at most this TTL.",
                engine="runs",
            ),
        ),
        lines="an address of a peer",
        head=(("a peer", Ip()),),
    ),
    _tracker("track_interface", "an interface", 253, default="0"),
    _tracker("track_script", "a script's name", 253, NOT_TURNED),
    _tracker("track_file", "a file's name", 254, NOT_TURNED),
    _tracker("track_process", "a process's name", 254, NOT_TURNED),
    _tracker("track_bfd", "a BFD instance's name", 253, NOT_TURNED, engine="planned"),
    block(
        "virtual_server_group",
        (
            word(
                "fwmark",
                Tagged(NUMBER, ("inet", "inet6")),
                "Packets with this mark; inet and inet6 only where all servers are tunnelled.",
            ),
        ),
        lines="an address or a mark",
        head=(("an address", Spread()), ("the port", Perhaps(Int(0, 65_535)))),
    ),
    block(
        "interface_up_down_delays",
        lines="an interface and its delays",
        head=(
            ("an interface", WATCHED),
            ("the delay after going down", Perhaps(DELAY)),
            ("the delay after coming up", Perhaps(DELAY)),
        ),
    ),
    block(
        "linkbeat_interfaces",
        lines="an interface",
        head=(
            ("an interface", WATCHED),
            ("how it is asked", Perhaps(Choice(("MII", "ETHTOOL", "IOCTL")))),
        ),
    ),
    block("group", lines="a name"),
    block("interfaces", lines="an interface"),
    block("notification_email", lines="a mail address"),
)
