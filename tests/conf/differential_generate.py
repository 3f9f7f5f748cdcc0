"""Configurations made from the schema by a seed: sound ones, and ones broken in one place."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from hanode.conf.schema import Keyword, blocks
from hanode.conf.values import (
    Bool,
    Choice,
    Endpoint,
    Flag,
    Int,
    Ip,
    Perhaps,
    Script,
    Timer,
    Value,
    seconds,
)

INTERFACES = ("ens33", "eth0", "eth1")
LEFT_OUT = frozenset(
    "net_namespace net_namespace_ipvs namespace_with_ipsets instance use_pid_dir config_save_dir "
    "tmp_config_directory include includer includem includew includeb includea include_check "
    "reload_file reload_time_file reload_repeat snmp_socket dbus_service_name random_seed "
    "startup_script shutdown_script linkbeat_use_polling lvs_sync_daemon_interface "
    "use_vmac use_ipvlan vrf vrrp_ipsets vrrp_iptables".split()
)
"""Words that move keepalived to another namespace or file, or that only say what the machine
has: nothing about the language."""

EXAMPLES: dict[str, tuple[str, ...]] = {
    "auth_pass": ("secret", '"a b"'),
    "bind_if": INTERFACES,
    "bindto": ("192.168.192.100",),
    "checker_cpu_affinity": ("0", "0 1"),
    "vrrp_cpu_affinity": ("0", "0 1"),
    "bfd_cpu_affinity": ("0",),
    "checker_rlimit_rttime": ("10000",),
    "vrrp_rlimit_rttime": ("10000",),
    "bfd_rlimit_rttime": ("10000",),
    "checker_rlimit_rtime": ("10000",),
    "vrrp_rlimit_rtime": ("10000",),
    "bfd_rlimit_rtime": ("10000",),
    "checker_log_all_failures": ("", "on"),
    "data_use_instance": ("", "off"),
    "default_interface": INTERFACES,
    "digest": ("9b3a0c85a887a256d6939da88aabd8cd",),
    "dynamic_interfaces": ("", "allow_if_changes"),
    "file": ("/etc/hostname",),
    "garp_extra_if": ("600", "all 600"),
    "garp_interval": ("0.1", "1"),
    "gna_interval": ("0.1", "1"),
    "host": ("",),
    "init_file": ("", "1", "5 overwrite"),
    "interface": INTERFACES,
    "lb_kind": ("NAT", "DR", "TUN"),
    "log_unknown_vrids": ("",),
    "lvs_flush_on_stop": ("", "VS"),
    "lvs_flush_onstop": ("", "VS"),
    "lvs_method": ("NAT", "DR", "TUN"),
    "lvs_sync_daemon": ("ens33", "ens33 id 5 maxlen 1000 port 8848 ttl 3 group 224.0.0.81"),
    "lvs_timeouts": ("tcp 900", "tcp 900 tcpfin 30 udp 300"),
    "mcast_dst_ip": ("224.0.0.18",),
    "mcast_src_ip": ("192.168.192.100",),
    "nftables": ("", "keepalived"),
    "nftables_ipvs": ("", "keepalived_ipvs"),
    "nftables_ipvs_priority": ("-1", "10"),
    "nftables_ipvs_start_fwmark": ("1000",),
    "nftables_priority": ("-1", "10"),
    "notification_email_from": ("a@example.org",),
    "notify_fifo": ("/tmp/fifo",),
    "vrrp_notify_fifo": ("/tmp/fifo1",),
    "lvs_notify_fifo": ("/tmp/fifo2",),
    "old_unicast_checksum": ("", "never"),
    "param_match": ("", "initial", "partial"),
    "path": ("/", "/index.html"),
    "payload": ("0a0b", '"0a 0b"'),
    "persistence_engine": ("sip",),
    "persistence_granularity": ("255.255.255.0",),
    "process": ("sleep", '"sleep 10"'),
    "regex": ("ok",),
    "regex_options": ("caseless",),
    "regex_min_offset": ("10",),
    "regex_max_offset": ("100",),
    "regex_stack": ("100 1000",),
    "reload_check_config": ("",),
    "require_reply": ("", "0aXX"),
    "script_user": ("root", "root root"),
    "smtp_server": ("192.0.2.25", "192.0.2.25 587"),
    "snmp_name": ("some",),
    "sorry_server_lvs_method": ("NAT", "DR"),
    "source_ip": ("192.168.192.100",),
    "status_code": ("200", "200-299 404"),
    "track_file": ("tf1",),
    "umask": ("022",),
    "unicast_src_ip": ("192.168.192.100",),
    "user": ("root", "root root"),
    "vmac_garp_intvl": ("600",),
    "vrrp_garp_extra_if": ("600", "all 600"),
    "vrrp_mcast_group4": ("224.0.0.18", "224.0.0.50"),
    "vrrp_mcast_group6": ("ff02::12",),
    "vrrp_rx_bufs_multiplier": ("3",),
    "vrrp_rx_bufs_policy": ("MTU", "ADVERT", "100000"),
    "vrrp_skip_check_adv_addr": ("", "on"),
    "vrrp_strict": ("", "off"),
    "vrrp_notify_priority_changes": ("", "on"),
    "vrrp_vmac_garp_intvl": ("600",),
}  # fmt: skip
for _name in ("vrrp_netlink_cmd", "vrrp_netlink_monitor", "lvs_netlink_cmd", "lvs_netlink_monitor"):
    EXAMPLES[f"{_name}_rcv_bufs"] = ("1000000",)
    EXAMPLES[f"{_name}_rcv_bufs_force"] = ("", "on")
EXAMPLES["process_monitor_rcv_bufs"] = ("1000000",)
EXAMPLES["process_monitor_rcv_bufs_force"] = ("", "on")

NEEDED: dict[str, tuple[str, ...]] = {
    "vrrp_instance": ("state", "interface", "virtual_router_id", "virtual_ipaddress"),
    "authentication": ("auth_type", "auth_pass"),
    "vrrp_sync_group": ("group",),
    "vrrp_script": ("script",),
    "vrrp_track_process": ("process",),
    "track_file_block": ("file",),
    "bfd_instance": ("neighbor_ip",),
    "virtual_server": ("protocol", "lb_algo", "lb_kind", "real_server"),
    "url": ("path",),
    "MISC_CHECK": ("misc_path",),
    "FILE_CHECK": ("track_file",),
    "BFD_CHECK": ("name",),
    "HTTP_GET": ("url",),
    "SSL_GET": ("url",),
    "garp_group": ("garp_interval", "interface"),
    "track_group": ("group",),
}  # fmt: skip

LINES: dict[str, tuple[str, ...]] = {
    "virtual_ipaddress": (
        "192.168.192.{n}/24", "192.168.192.{n}/24 dev ens33", "10.1.0.{n}",
        "192.168.192.{n}/24 brd + scope global label ens33:{n}", "10.2.0.{n}/24 brd - dev eth0",
        "10.3.0.{n} no_track noprefixroute", "10.4.0.{n}/24 dev eth1 preferred_lft 60",
    ),
    "virtual_routes": (
        "10.5.{n}.0/24 via 192.168.192.1 dev ens33",
        "src 192.168.192.100 to 10.6.{n}.0/24 dev eth0",
        "blackhole 10.7.{n}.0/24", "default via 192.168.192.254 dev ens33 table {n}",
        "10.8.{n}.0/24 dev eth0 metric 10 mtu 1400 scope link no_track",
    ),
    "virtual_rules": (
        "from 192.168.192.{n} table 10{n} priority 1{n}", "to 10.9.{n}.0/24 lookup main order 2{n}",
        "from 10.0.0.{n} iif eth0 fwmark 5 table 200 priority 3{n}",
        "not from 10.0.0.{n} table 100 priority 4{n} no_track",
    ),
    "unicast_peer": ("192.168.192.{n}", "192.168.193.{n}"),
    "track_interface": ("ens33", "eth0 weight 10", "eth1 weight -10 reverse"),
    "track_script": ("s1", "s1 weight 5", "s1 weight -5 reverse"),
    "track_file": ("tf1", "tf1 weight 2"),
    "track_process": ("p1", "p1 weight 3"),
    "track_bfd": ("b1", "b1 weight 4"),
    "group": ("VI_1",),
    "notification_email": ("a{n}@example.org",),
    "virtual_server_group": ("10.10.{n}.1 80", "10.11.{n}.1-9 80", "fwmark {n}"),
    "interfaces": ("eth{b}",),
    "interface_up_down_delays": ("ens33 5", "eth0 5 10"),
    "linkbeat_interfaces": ("eth0 MII", "eth1"),
}  # fmt: skip
LINES["virtual_ipaddress_excluded"] = LINES["static_ipaddress"] = tuple(
    line + ("" if "dev" in line else " dev ens33") for line in LINES["virtual_ipaddress"]
)
LINES["static_routes"] = tuple(x for x in LINES["virtual_routes"])
LINES["static_rules"] = LINES["virtual_rules"]


@dataclass(slots=True)
class Item:
    """A statement, or the closing brace of one."""

    words: list[str]
    block: str
    keyword: Keyword | None = None
    children: list[Item] | None = None
    opening: bool = True
    closing: bool = True
    extra: list[str] = field(default_factory=list)

    def lines(self, depth: int = 0) -> Iterator[str]:
        """As text."""
        indent = "    " * depth
        head = " ".join(w for w in self.words if w)
        if self.children is None:
            yield indent + head
            return
        yield indent + head + (" {" if self.opening else "")
        for child in self.children:
            yield from child.lines(depth + 1)
        if self.closing:
            yield indent + "}"

    def walk(self) -> Iterator[Item]:
        """Itself and all below it."""
        yield self
        for child in self.children or ():
            yield from child.walk()


@dataclass(frozen=True, slots=True)
class Generated:
    """A configuration and how it was broken ("valid": not)."""

    name: str
    kind: str
    text: str


class Generator:
    """Everything comes from the seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.number = 0

    def counted(self) -> int:
        self.number = self.number % 200 + 1
        return self.number

    def value(self, keyword: Keyword) -> str:
        """Words that fit a keyword."""
        kind, pick = keyword.value, self.random.choice
        if keyword.name in EXAMPLES:
            return pick(EXAMPLES[keyword.name])
        if keyword.name in ("vrrp_instance", "vrrp_sync_group", "track_group"):
            return f"{keyword.name[:2]}_{self.counted()}"
        if keyword.name in ("virtual_server", "real_server", "sorry_server"):
            return f"10.20.{self.random.randint(0, 250)}.{self.counted()} 80"
        if isinstance(kind, Perhaps):
            if self.random.random() < 0.3:
                return ""
            kind = kind.inner
        if isinstance(kind, Flag):
            return ""
        if isinstance(kind, Bool):
            return pick(["", "on", "off", "true", "no"])
        if isinstance(kind, Choice):
            return pick(kind.options)
        if isinstance(kind, Int):
            return str(self.integer(kind.low, kind.high))
        if isinstance(kind, Timer):
            low, high = kind.low_us, kind.high_us
            if kind.whole:
                return str(self.integer(-(-low // 10**6), high // 10**6))
            return seconds(self.integer(low, high))
        if isinstance(kind, Ip):
            return f"10.30.0.{self.counted()}"
        if isinstance(kind, Endpoint):
            return f"10.31.0.{self.counted()} {self.random.randint(1, 65535)}"
        if type(kind).__name__ == "Weight":
            return str(self.random.randint(-100, 100))
        if isinstance(kind, Script):
            return pick(['"/bin/true a  b"', "/bin/true", "'/bin/true' root"])
        return "" if keyword.opens and kind.least == 0 else f"n{self.counted()}"

    def integer(self, low: int, high: int) -> int:
        """Of any size: the ends, small ones, any."""
        near = min(high, low + 50)
        draw = self.random.randint
        return self.random.choice([low, high, draw(low, near), draw(low, near), draw(low, high)])

    def item(self, keyword: Keyword, block: str, depth: int) -> Item:
        words = [keyword.name, *self.value(keyword).split(" ")]
        if keyword.opens is None:
            return Item(words, block, keyword)
        named = {"vrrp_script": "s1", "vrrp_track_process": "p1", "bfd_instance": "b1"}
        if block == "root" and keyword.opens in named:
            words = [keyword.name, named[keyword.opens]]
        if keyword.opens == "track_file_block":
            words = [keyword.name, "tf1"]
        return Item(words, block, keyword, self.children(keyword.opens, depth + 1))

    def children(self, name: str, depth: int) -> list[Item]:
        table = blocks()[name]
        if table.lines is not None:
            return [self.line(name) for _ in range(self.random.randint(1, 2))]
        needed = [table.keywords[w] for w in NEEDED.get(name, ()) if w in table.keywords]
        rows = [
            k
            for k in table.keywords.values()
            if k not in needed
            and k.name not in LEFT_OUT
            and not k.since
            and not (k.old and self.random.random() < 0.9)
            and not (k.same_as and any(k.same_as == n.name for n in needed))
        ]
        chosen: list[Keyword] = []
        for keyword in self.random.sample(rows, min(len(rows), self.random.randint(0, 5))):
            mains = {k.same_as or k.name for k in (*chosen, *needed)}
            if (keyword.same_as or keyword.name) not in mains:
                chosen.append(keyword)
        if name == "real_server" and not any(k.name.isupper() for k in chosen):
            chosen.append(table.keywords["TCP_CHECK"])
        chosen.sort(key=lambda k: k.name == "real_server")
        return [self.item(k, name, depth) for k in (*needed, *chosen)]

    def line(self, name: str) -> Item:
        form = self.random.choice(LINES.get(name, ("n{n}",)))
        return Item(form.format(n=self.counted(), b=self.random.randint(0, 1)).split(" "), name)

    def tree(self) -> list[Item]:
        """A whole sound configuration."""
        self.number = 0
        table, chance = blocks()["root"].keywords, self.random.random
        names = ["global_defs"] if chance() < 0.5 else []
        names += ["vrrp_script", "vrrp_track_process", "track_file", "bfd_instance"]
        rest = ["static_ipaddress", "static_routes", "static_rules", "garp_group",
                "virtual_server_group", "SSL", "interface_up_down_delays"]  # fmt: skip
        names += [name for name in rest if chance() < 0.15]
        names += ["vrrp_instance"] * self.random.randint(1, 2)
        names += ["virtual_server"] * self.random.randint(0, 2)
        items = [self.item(table[name], "root", 0) for name in names]
        instances = [i for i in items if i.words[0] == "vrrp_instance"]
        for number, one in enumerate(instances, 1):
            one.words[1] = f"VI_{number}"
        if len(instances) == 2 and chance() < 0.4:
            group = self.item(table["vrrp_sync_group"], "root", 0)
            for child in group.children or ():
                if child.words[0] == "group":
                    child.children = [Item(["VI_1"], "group"), Item(["VI_2"], "group")]
            items.append(group)
        return items


NONSENSE = (
    "-1",
    "0",
    "1x",
    "99999999999999999999",
    "abc",
    '""',
    "1.5",
    "256",
    "65536",
    "x.y",
    "300.1.1.1",
)


def out_of_range(kind: Value, chance: random.Random) -> str:
    """A value that a keyword of this kind refuses, if it is anything it refuses."""
    low, high = getattr(kind, "low", None), getattr(kind, "high", None)
    if isinstance(low, int) and isinstance(high, int) and chance.random() < 0.7:
        return str(chance.choice([low - 1, high + 1]))
    if isinstance(kind, Timer) and chance.random() < 0.7:
        return seconds(chance.choice([kind.low_us - 1_000_000, kind.high_us + 1_000_000]))
    return chance.choice(NONSENSE)


Breaker = Callable[[list[Item], random.Random], bool]


def _all(items: list[Item]) -> list[Item]:
    return [item for top in items for item in top.walk()]


def unknown_word(items: list[Item], chance: random.Random) -> bool:
    one = chance.choice([i for i in _all(items) if i.keyword is not None])
    word = one.words[0]
    cut = chance.randrange(len(word))
    one.words[0] = chance.choice(
        [word[:cut] + word[cut + 1 :], word + "s", "frobnicate", "x" + word]
    )
    return bool(one.words[0])


def bad_value(items: list[Item], chance: random.Random) -> bool:
    able = [i for i in _all(items) if i.keyword and i.keyword.value.least and len(i.words) > 1]
    if not able:
        return False
    one = chance.choice(able)
    assert one.keyword is not None
    one.words[1] = out_of_range(one.keyword.value, chance)
    return True


def bad_line(items: list[Item], chance: random.Random) -> bool:
    """A word of a line that is no keyword: an address, a route, a rule, a name."""
    able = [i for i in _all(items) if i.keyword is None]
    if not able:
        return False
    one = chance.choice(able)
    spot = chance.randrange(len(one.words) + 1)
    one.words[spot : spot + 1] = [chance.choice((*NONSENSE, "10.0.0.1/33", "10.0.0.999/24", "dev"))]
    return True


def wrong_block(items: list[Item], chance: random.Random) -> bool:
    into = chance.choice([i for i in _all(items) if i.children is not None])
    stray = chance.choice([i for i in _all(items) if i.keyword is not None])
    if stray.children is not None and any(i is into for i in stray.walk()):
        return False
    assert into.children is not None
    into.children.insert(chance.randint(0, len(into.children)), stray)
    return True


def missing_brace(items: list[Item], chance: random.Random) -> bool:
    one = chance.choice([i for i in _all(items) if i.children is not None])
    if chance.random() < 0.6:
        one.closing = False
    else:
        one.opening = False
    return True


def wrong_arity(items: list[Item], chance: random.Random) -> bool:
    one = chance.choice([i for i in _all(items) if i.keyword is not None])
    if chance.random() < 0.5 and len(one.words) > 1:
        del one.words[-1]
    else:
        one.words.append(chance.choice(["more", "1", "more words"]))
    return True


def newer_word(items: list[Item], chance: random.Random) -> bool:
    """A word that only later releases know."""
    able = [
        (i, k)
        for i in _all(items)
        if i.children is not None and i.keyword is not None and i.keyword.opens
        for k in blocks()[i.keyword.opens].keywords.values()
        if k.since and k.opens is None
    ]
    if not able:
        return False
    into, keyword = chance.choice(able)
    assert into.children is not None
    into.children.append(Item([keyword.name, "1" if keyword.value.least else ""], "", keyword))
    return True


BREAKERS: dict[str, Breaker] = {
    "unknown word": unknown_word,
    "value out of range": bad_value,
    "line of no keyword": bad_line,
    "wrong block": wrong_block,
    "missing brace": missing_brace,
    "wrong arity": wrong_arity,
    "newer word": newer_word,
}


def generate(count: int, seed: int) -> list[Generated]:
    """So many configurations: a quarter sound, the others broken in one place."""
    made: list[Generated] = []
    kinds = list(BREAKERS)
    for number in range(count):
        maker = Generator(seed * 1_000_003 + number)
        items, kind = maker.tree(), "valid"
        if number % 4:
            kind = kinds[(number - number // 4) % len(kinds)]
            while not BREAKERS[kind](items, maker.random):
                items = maker.tree()
        text = "\n".join(line for item in items for line in item.lines()) + "\n"
        made.append(Generated(f"g{number:05d}.conf", kind, text))
    return made
