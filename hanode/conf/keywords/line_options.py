"""The blocks whose lines are no keywords: addresses, routes, rules, peers, names, delays.

PURE; data only. The keywords of such a block are the options of a line.
"""

from __future__ import annotations

from hanode.conf.language.kinds import After, Either, Weight
from hanode.conf.language.kinds_net import (
    Broadcast,
    Destination,
    Encap,
    Mark,
    Net,
    Numbered,
    Plain,
    Realms,
    RouteTime,
    Span,
    Swallowed,
)
from hanode.conf.language.kinds_words import Spread, Tagged
from hanode.conf.language.schema import Block, Keyword, block, word
from hanode.conf.language.values import Choice, Int, Ip, Perhaps, Timer, Word

MARK = 4_294_967_295
LARGE = 2**64 - 1
INTERFACE = Word("the name of an interface", 15)
NAME = Word("a name")
TABLE = ("main", "local", "default", "unspec")
SCOPES = ("global", "link", "host", "site", "nowhere")
PROTOCOLS = tuple(
    "unspec redirect kernel boot static gated ra mrt zebra bird dnrouted xorp ntk dhcp "
    "keepalived babel openr bgp isis ospf rip eigrp".split()
)
SERVICES = tuple(
    "default AF11 AF12 AF13 AF21 AF22 AF23 AF31 AF32 AF33 AF41 AF42 AF43 "
    "CS1 CS2 CS3 CS4 CS5 CS6 CS7 EF".split()
)
TYPES = (
    "unicast local broadcast anycast multicast throw unreachable prohibit blackhole xresolve nat"
).split()
PROGRAMS = tuple(
    "ip hopopt icmp igmp ggp ipencap st tcp egp igp pup udp hmp xns-idp rdp iso-tp4 dccp xtp ddp "
    "idpr-cmtp ipv6 ipv6-route ipv6-frag idrp rsvp gre esp ah skip ipv6-icmp ipv6-nonxt "
    "ipv6-opts rspf vmtp eigrp ospf ax.25 ipip etherip encap pim ipcomp vrrp l2tp isis sctp fc "
    "mobility-header udplite mpls-in-ip manet hip shim6 wesp rohc ethernet mptcp".split()
)
NUMBER = Int(0, MARK)
SWALLOWED = Swallowed()
TRACK = word("track_group", NAME, "The track_group whose instances follow it.")
USE_VMAC = word("use_vmac", None, "Hold it on an interface with the virtual MAC.")
NOT_TURNED = "noreverse"
UNTRACKED = word("no_track", None, "Its loss does not make the instance leave MASTER.")


def _locked(name: str, help: str, value: RouteTime | Int = NUMBER) -> Keyword:
    return word(name, After("lock", value), help)


ADDRESS: tuple[Keyword, ...] = (
    word("dev", INTERFACE, "The interface that holds it.", default="the instance's interface"),
    word("brd", Broadcast(), "The broadcast address."),
    word("broadcast", Broadcast(), same_as="brd"),
    word(
        "scope",
        Numbered("a scope", 255, "rt_scopes", SCOPES),
        "How far it is valid; for IPv4.",
        default="global",
    ),
    word("label", Word("a label", 15), "Its name in old tools, such as eth0:1; for IPv4."),
    word("peer", Plain(), "The other end of a point-to-point link; without a prefix length."),
    word("home", None, "IPv6: a home address of Mobile IPv6."),
    word("-nodad", None, "IPv6: look for duplicates before using it."),
    word("mngtmpaddr", None, "IPv6: a template for temporary addresses."),
    word("noprefixroute", None, "Make no route for its network."),
    word("autojoin", None, "Join its multicast group."),
    word(
        "preferred_lft",
        Either(("forever",), NUMBER),
        "Seconds, or forever, that new connections may use it.",
    ),
)

ROUTE: tuple[Keyword, ...] = (
    word("to", Destination(), "Where it leads; the word may be left away."),
    *(word(name, Destination(), f"A route of the type {name}, and where it leads.")
      for name in TYPES),
    word("inet", SWALLOWED, "An IPv4 route."),
    word("inet6", SWALLOWED, "An IPv6 route."),
    word("via", Plain(0, ("inet", "inet6")), "The gateway."),
    word("gw", Plain(0, ("inet", "inet6")), same_as="via", old="write via", successor="via"),
    word("dev", INTERFACE, "The interface that packets leave by; without it nothing is tracked."),
    word("oif", INTERFACE, same_as="dev"),
    word("src", Plain(), "The address that own packets come from."),
    word("from", Net(), "IPv6: only for packets from there."),
    word("table", Numbered("a table", MARK, "rt_tables", TABLE), "Its table.", default="main"),
    word("metric", NUMBER, "The lowest of several routes to one place counts."),
    word("priority", NUMBER, same_as="metric"),
    word("preference", NUMBER, same_as="metric"),
    word("protocol", Numbered("an origin", 255, "rt_protos", PROTOCOLS),
         "Who made it; only keepalived's own routes are tracked.", default="keepalived"),
    word("scope", Numbered("a scope", 255, "rt_scopes", SCOPES), "How far its end is."),
    word("tos", Numbered("a type of service", 255, "rt_dsfield", SERVICES),
         "Only for packets of this type of service."),
    word("dsfield", None, same_as="tos"),
    word("realms", Realms(), "Its realms; for IPv4."),
    word("onlink", None, "The gateway is on the link, whatever the addresses say."),
    word("encap", Encap(), "What its packets are wrapped in."),
    word("expires", NUMBER, "IPv6: seconds until it goes."),
    _locked("mtu", "The largest packet; lock: never look for a smaller one."),
    _locked("advmss", "The largest segment to offer."),
    _locked("rtt", "The first guess of the round trip.", RouteTime(960_000)),
    _locked("rttvar", "The first guess of its variance.", RouteTime(480_000)),
    _locked("rto_min", "The shortest retransmission time.", RouteTime(120_000)),
    _locked("reordering", "How far packets may overtake each other."),
    word("window", NUMBER, "The largest window to offer."),
    _locked("cwnd", "The highest congestion window."),
    _locked("ssthresh", "The first threshold of slow start."),
    word("initcwnd", NUMBER, "The first congestion window, in segments."),
    word("initrwnd", NUMBER, "The first receive window, in segments."),
    word("hoplimit", Int(0, 255), "The hop limit of own packets."),
    word("features", Choice(("ecn",)), "Ask for explicit congestion notification."),
    word("quickack", Int(0, 1), "Acknowledge at once."),
    word("congctl", After("lock", Word("a name")), "The congestion control."),
    word("pref", Numbered("a preference", 255, "", ("low", "medium", "high")),
         "IPv6: the router's preference."),
    word("ttl-propagate", Choice(("enabled", "disabled")), "MPLS: carry the TTL over."),
    word("fastopen_no_cookie", Int(0, 1), "TCP fast open without a cookie."),
    word("vrf", INTERFACE, "The VRF whose table it goes into."),
    word("prepend", None, "Put it before others like it (the default)."),
    word("append", None, "Put it behind others like it."),
    word("add", None, "Fail where there is one like it."),
    word("as", After("to", Word("a label")), "For MPLS.", old="keepalived ignores it"),
    word("or", Plain(), "A second gateway.", old="write nexthop via … nexthop via …"),
    word("nexthop", None, "One of several gateways, with via, dev, weight, onlink, realms, encap; "
         "nothing else may follow."),
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
    word("from", Net(), "For packets from there."),
    word("to", Net(), "For packets to there."),
    word("not", None, "For all other packets."),
    word("inet", SWALLOWED, "A rule for IPv4."),
    word("inet6", SWALLOWED, "A rule for IPv6."),
    word("table", Numbered("a table", MARK, "rt_tables", TABLE, 1), "The table to look in."),
    word("lookup", Numbered("a table", MARK, "rt_tables", TABLE, 1), same_as="table"),
    word("goto", NUMBER, "Go on with the rule of that preference, which must be higher."),
    word("nop", None, "Do nothing."),
    word("blackhole", None, "Drop silently."),
    word("unreachable", None, "Drop, and say that the network cannot be reached."),
    word("prohibit", None, "Drop, and say that it is forbidden."),
    word("l3mdev", None, "Look in the table of the packet's VRF."),
    word("type", None, "May stand before goto, nop, blackhole, unreachable and prohibit."),
    word("preference", Numbered("a preference", MARK), "Its place: lower ones first.",
         default="a number that nobody chose"),
    word("priority", None, same_as="preference"),
    word("order", None, same_as="preference"),
    word("iif", INTERFACE, "For packets that came in by it."),
    word("dev", INTERFACE, same_as="iif"),
    word("oif", INTERFACE, "For packets of sockets bound to it."),
    word("tos", Numbered("a type of service", 255, "rt_dsfield", SERVICES),
         "For packets of this type of service."),
    word("dsfield", None, same_as="tos"),
    word("fwmark", Mark(), "For packets with this mark."),
    word("realms", Realms(), "The realms to note; for IPv4, with a table."),
    word("suppress_prefixlength", Int(0, 2_147_483_647),
         "Ignore what the table finds with a prefix of at most that length."),
    word("sup_pl", None, same_as="suppress_prefixlength"),
    word("suppress_ifgroup", Numbered("a group", MARK, "group", ("default",)),
         "Ignore what the table finds by interfaces of that group."),
    word("sup_group", None, same_as="suppress_ifgroup"),
    word("tunnel-id", Int(0, LARGE), "For packets of this tunnel."),
    word("uidrange", Span("users' numbers", MARK), "For packets of these users."),
    word("protocol", Int(0, 255), "Who made it; only keepalived's own rules are tracked.",
         default="18"),
    word("ipproto", Numbered("a protocol", 255, "/etc/protocols", PROGRAMS),
         "For packets of this protocol."),
    word("sport", Span("ports", 65_535), "For packets from these ports."),
    word("dport", Span("ports", 65_535), "For packets to these ports."),
    UNTRACKED,
)  # fmt: skip


def _tracker(
    name: str, lines: str, limit: int, *more: str, default: str = "its own weight"
) -> Block:
    """A block of names of trackers, each perhaps with a weight."""
    weight = Weight(limit, ("reverse", *more))
    help = "Added to the priority; 0: failure means FAULT."
    return block(name, (word("weight", weight, help, default=default),), lines, ((lines, NAME),))


DELAY = Timer(0, 255_000_000)

BLOCKS = (
    block(
        "virtual_ipaddress",
        (*ADDRESS, USE_VMAC, UNTRACKED),
        lines="an address",
    ),
    block("virtual_ipaddress_excluded", (*ADDRESS, USE_VMAC, UNTRACKED), lines="an address"),
    block("static_ipaddress", (*ADDRESS, TRACK, UNTRACKED), lines="an address"),
    block("virtual_routes", ROUTE, lines="a route", spare=Destination()),
    block("static_routes", (*ROUTE, TRACK), lines="a route", spare=Destination()),
    block("virtual_rules", RULE, lines="a rule"),
    block("static_rules", (*RULE, TRACK), lines="a rule"),
    block(
        "unicast_peer",
        (
            word("min_ttl", Int(0, 255), "Its packets must come with at least this TTL."),
            word("max_ttl", Int(0, 255), "Its packets must come with at most this TTL."),
        ),
        lines="an address of a peer",
        head=(("a peer", Ip()),),
    ),
    _tracker("track_interface", "an interface", 253, default="0"),
    _tracker("track_script", "a script's name", 253, NOT_TURNED),
    _tracker("track_file", "a file's name", 254, NOT_TURNED),
    _tracker("track_process", "a process's name", 254, NOT_TURNED),
    _tracker("track_bfd", "a BFD instance's name", 253, NOT_TURNED),
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
            ("an interface", INTERFACE),
            ("the delay after going down", Perhaps(DELAY)),
            ("the delay after coming up", Perhaps(DELAY)),
        ),
    ),
    block(
        "linkbeat_interfaces",
        lines="an interface",
        head=(
            ("an interface", INTERFACE),
            ("how it is asked", Perhaps(Choice(("MII", "ETHTOOL", "IOCTL")))),
        ),
    ),
    block("group", lines="a name"),
    block("interfaces", lines="an interface"),
    block("notification_email", lines="a mail address"),
)
