"""Of a value that is written twice our model has the one that keepalived 2.2.7 has.

Each keyword of the tables that may stand once is written twice, with two values. keepalived -t says
at which lines it ignores something: these are the keywords whose row does not say "last", and no
others. Then keepalived runs, and its dump of the text with both is that of the text without the
values that the rows say are not kept.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from hanode import conf
from hanode.conf.keywords import blocks
from hanode.conf.language import kinds, kinds_address, kinds_words, values
from hanode.conf.language.releases import target
from hanode.conf.language.schema import Keyword
from hanode.conf.model.attributes import ValueAttribute
from hanode.conf.model.typed.checks import HttpCheck
from tests.conf.advice.real import keepalived_says

pytestmark = pytest.mark.needs("root", "netns", "keepalived")

KNOWS = target("keepalived-2.2.7").has

PAIRS: dict[str, tuple[str, str]] = {
    "interface": ("eth0", "eth1"),
    "default_interface": ("eth0", "eth1"),
    "lvs_sync_daemon_interface": ("eth0", "eth1"),
    "use_vmac": ("vone 02:00:00:00:00:01", "vtwo 02:00:00:00:00:02"),
    "use_ipvlan": ("vone", "vtwo"),
    "lvs_sync_daemon": ("eth0 one id 3", "eth1 one id 4"),
    "lvs_timeouts": ("tcp 100", "udp 20"),
    "script_user": ("root", "root"),
    "user": ("root", "nobody"),
    "notify_fifo": ("/run/fa", "/run/fb"),
    "vrrp_notify_fifo": ("/run/fa", "/run/fb"),
    "lvs_notify_fifo": ("/run/fa", "/run/fb"),
    "vrrp_mcast_group4": ("224.0.0.30", "224.0.0.31"),
    "vrrp_mcast_group6": ("ff02::30", "ff02::31"),
    "mcast_dst_ip": ("224.0.0.30", "224.0.0.31"),
    "umask": ("0022", "0027"),
    "tmp_config_directory": ("/run", "/dev/shm"),
    "vrrp_rx_bufs_policy": ("MTU", "ADVERT"),
    "smtp_server": ("192.0.2.25", "192.0.2.26"),
    "process": ("one", "two"),
    "name": ("bone", "btwo"),
    "track_file": ("fone", "ftwo"),
    "payload": ("0a0b", "0c0d"),
    "require_reply": ("0a0b", "0c0d"),
    "regex_options": ("caseless", "dotall"),
    "path": ("/one", "/two"),
    "persistence_engine": ("sip", "sip"),
    "source_ip": ("192.0.2.7", "192.0.2.8"),
    "version": ("2", "3"),
}
"""Two values each of keywords whose kind does not say enough."""

LEFT = {
    "vrf", "vrrp_iptables", "vrrp_ipsets", "ip_family", "native_ipv6", "net_namespace",
    "net_namespace_ipvs", "instance", "host", "linkbeat_use_polling", "param_match",
    "old_unicast_checksum", "dynamic_interfaces", "lvs_flush_on_stop",
}  # fmt: skip
"""Keywords that cannot stand twice with two values, or not here; the root's stand below."""

IGNORES = re.compile(
    r"already|previously set|[Dd]uplicate|is a duplicate|conflicts with configured|Cannot set both"
)


def two(keyword: Keyword) -> tuple[str, str] | None:
    """Two values of a keyword; None: it has one, or none."""
    if keyword.name in PAIRS:
        return PAIRS[keyword.name]
    kind = keyword.value_in(KNOWS)
    while isinstance(kind, values.Perhaps | kinds_words.Lenient):
        kind = kind.inner
    if isinstance(kind, values.Flag):
        return None
    found = next((pair for kind_, pair in KINDS if isinstance(kind, kind_)), ("one", "two"))
    if isinstance(kind, values.Int):
        low = max(kind.low, 2)
        return str(low), str(low + 1)
    if isinstance(kind, values.Choice):
        return (kind.options[0], kind.options[1]) if len(kind.options) > 1 else None
    if isinstance(kind, kinds_words.Pattern):
        digits = "123456789abcdef0123456789abcdef"
        return (f"0{digits}", f"1{digits}") if "hexa" in kind.what else ("one.x0", "two.x0")
    return found


KINDS: tuple[tuple[type[values.Value], tuple[str, str]], ...] = (
    (values.Bool, ("on", "off")),
    (values.Timer, ("2", "3")),
    (kinds.After, ("20", "30")),
    (kinds.Either, ("20", "30")),
    (kinds.Weight, ("10", "20")),
    (kinds.Method, ("NAT", "TUN")),
    (kinds.Codes, ("200", "201")),
    (kinds.Granularity, ("255.255.255.0", "255.255.0.0")),
    (kinds_words.Numbers, ("0", "1")),
    (values.Script, ('"/bin/echo a"', '"/bin/cat b"')),
    (kinds_address.Ip, ("192.0.2.7", "192.0.2.8")),
    (kinds_address.Endpoint, ("192.0.2.91 80", "192.0.2.92 80")),
)

GLOBALS = "global_defs {\n    script_user root\n    enable_script_security\n}\n"
INSTANCE = """\
vrrp_instance one {{
    interface eth0
    virtual_router_id 51
    virtual_ipaddress {{
        192.0.2.50/24
    }}
{inner}}}
"""
SERVER = """\
virtual_server 192.0.2.40 80 {{
    protocol TCP
    lb_algo rr
    lb_kind NAT
{server}    real_server 192.0.2.61 80 {{
{real}    }}
}}
"""
TRACKED = (
    "track_file fone {\n    file /run/a\n}\ntrack_file ftwo {\n    file /run/b\n}\n"
    "bfd_instance bone {\n    neighbor_ip 192.0.2.71\n}\n"
    "bfd_instance btwo {\n    neighbor_ip 192.0.2.72\n}\n"
)


def around(block: str, lines: str) -> str:
    """A whole file in which a block has these lines."""
    simple = INSTANCE.format(inner="")
    checks = {
        "HTTP_GET": "url {\n path /\n}\n", "SSL_GET": "url {\n path /\n}\n",
        "MISC_CHECK": "", "FILE_CHECK": "", "BFD_CHECK": "",
    }  # fmt: skip
    if block == "global_defs":
        return f"global_defs {{\n{lines}enable_script_security\n}}\n{simple}"
    if block == "vrrp_instance":
        return GLOBALS + INSTANCE.format(inner=lines)
    if block == "authentication":
        return GLOBALS + INSTANCE.format(inner=f"authentication {{\n{lines}}}\n")
    if block == "vrrp_sync_group":
        other = simple.replace("one", "two").replace("51", "52").replace(".50/", ".52/")
        group = f"vrrp_sync_group g {{\n group {{\n one\n two\n }}\n{lines}}}\n"
        return GLOBALS + group + simple + other
    if block in ("vrrp_script", "vrrp_track_process", "track_file_block"):
        root = block.removesuffix("_block")
        inner = f"{root.removeprefix('vrrp_')} {{\n t\n}}\n".replace("script {", "track_script {")
        return f"{GLOBALS}{root} t {{\n{lines}}}\n{INSTANCE.format(inner=inner)}"
    if block in ("bfd_instance", "garp_group"):
        name, more = ("b ", "") if block == "bfd_instance" else ("", "interface eth0\n")
        return f"{GLOBALS}{block} {name}{{\n{more}{lines}}}\n{simple}"
    if block == "virtual_server":
        server = SERVER.replace("    protocol TCP\n    lb_algo rr\n    lb_kind NAT\n", "")
        return GLOBALS + server.format(server=f"weight 99\n{lines}", real="TCP_CHECK {\n}\n")
    if block == "real_server":
        return GLOBALS + SERVER.format(server="", real=f"{lines}TCP_CHECK {{\n}}\n")
    if block == "url":
        lines = f"HTTP_GET {{\nurl {{\n{lines}}}\n}}\n"
        return GLOBALS + SERVER.format(server="", real=lines)
    lines = f"{block} {{\n{checks.get(block, '')}{lines}}}\n"
    return GLOBALS + TRACKED + SERVER.format(server="", real=lines)


BLOCKS = [
    name
    for name, block in blocks().items()
    if block.lines is None and name not in ("root", "auth_hmac", "host", "SSL")
]


def doubled(block: str) -> Iterator[tuple[Keyword, tuple[str, str]]]:
    """The keywords of a block that stand twice, with their values."""
    for keyword in blocks()[block].keywords.values():
        known = not keyword.since or KNOWS(keyword.since)
        once = not (keyword.repeats or keyword.opens or keyword.same_as) and known
        pair = two(keyword) if once and keyword.name not in LEFT else None
        if pair is not None and not (block == "vrrp_instance" and keyword.name == "interface"):
            yield keyword, pair


BLOCKS = [block for block in BLOCKS if any(True for _ in doubled(block))]


def twice(block: str) -> str:
    """A text in which each keyword of a block stands twice."""
    lines = (f"{k.name} {value}\n" for k, pair in doubled(block) for value in pair)
    return around(block, "".join(lines))


def test_keepalived_ignores_what_the_rows_say_it_ignores() -> None:
    texts = {block: twice(block) for block in BLOCKS}
    said = keepalived_says(texts)
    for block, text in texts.items():
        lines = text.split("\n")
        blamed = set()
        for message in said[block]:
            match = re.match(r"\((?:.*: )?Line (\d+)\)", message)
            if match is not None and IGNORES.search(message):
                blamed.add(lines[int(match[1]) - 1].split()[0])
        first = {k.name for k, _ in doubled(block) if k.keeps not in ("last", "both", "on")}
        assert blamed == first, (block, said[block])


ROOT = """\
net_namespace a
net_namespace b
net_namespace_ipvs a
net_namespace_ipvs b
instance a
instance b
"""


def test_so_it_is_at_the_root() -> None:
    found = keepalived_says({"root": GLOBALS + ROOT})["root"]
    ignored = [line for line in found if IGNORES.search(line)]
    assert len(ignored) == 3, found
    model = conf.check(ROOT).model
    assert (model.net_namespace, model.net_namespace_ipvs, model.instance_name) == ("a", "a", "a")


DUMP = """
ip link set lo up
for name in eth0 eth1; do
    ip link add $name type veth peer name p$name && ip link set $name up && ip link set p$name up
done
ip address add 192.0.2.1/24 dev eth0
mount -t tmpfs none /run
cp "$1" /run/keepalived.conf
mount -t tmpfs none /tmp
timeout -k 2 40 keepalived -n -l -P -f /run/keepalived.conf -p /run/a -r /run/b >/run/log 2>&1 &
main=$!
for _ in $(seq 200); do
    grep -q "STATE\\|FAULT\\|Startup complete" /run/log && break
    sleep 0.1
done
kill -USR1 "$(cat /run/b)"
for _ in $(seq 200); do grep -q Interfaces /tmp/keepalived.data 2>/run/no && break; sleep 0.1; done
sleep 0.3
cat /tmp/keepalived.data
kill -TERM $main
wait $main
"""
CHANGING = re.compile(r"MAC|IPv6 address|time|Last|usec|Timer|random|^\s*$|pid|fd ")
"""Lines of a dump that differ between any two runs."""


def dump(text: str, folder: Path) -> list[str]:
    """keepalived's own dump of a text that it runs."""
    path = folder / "keepalived.conf"
    path.write_text(text)
    done = subprocess.run(
        ["unshare", "--net", "--mount", "sh", "-c", DUMP, "sh", str(path)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
    )
    assert "VRRP Topology" in done.stdout, done
    whole = re.sub(r"^-+< Interfaces >-+\n(?: .*\n)*", "", done.stdout, flags=re.M)
    return [line for line in whole.splitlines() if not CHANGING.search(line)]


RUN = ("vrrp_instance", "vrrp_sync_group", "vrrp_script", "vrrp_track_process", "track_file_block")
NOT_TOGETHER = {
    "use_ipvlan", "use_vmac", "vmac_xmit_base", "lvs_sync_daemon_interface", "unicast_src_ip",
    "unicast_ttl", "strict_mode",
}  # fmt: skip
"""Keywords that do not stand together with the others of their block in one that runs."""


@pytest.mark.parametrize("block", RUN)
def test_the_dump_of_both_values_is_that_of_the_one_that_is_kept(
    block: str, tmp_path: Path
) -> None:
    both, kept, other = "", "", ""
    for keyword, (a, b) in doubled(block):
        if keyword.name in NOT_TOGETHER:
            continue
        first, last = f"{keyword.name} {a}\n", f"{keyword.name} {b}\n"
        stays = keyword.keeps == "first" or keyword.keeps == a
        both += first + last
        kept += first if stays else last
        other += last if stays else first
    dumped = dump(around(block, both), tmp_path)
    assert dumped == dump(around(block, kept), tmp_path)
    assert dumped != dump(around(block, other), tmp_path)


def objects(model: conf.Config, block: str) -> list[Any]:
    """The objects of the model that hold the keywords of a block."""
    roots = {
        "global_defs": [model.globals], "vrrp_instance": model.instances,
        "authentication": model.instances, "vrrp_sync_group": model.sync_groups,
        "vrrp_script": model.scripts, "vrrp_track_process": model.track_processes,
        "track_file_block": model.track_files, "bfd_instance": model.bfd_instances,
        "garp_group": model.garp_groups, "virtual_server": model.services,
    }  # fmt: skip
    if block in roots:
        return list(roots[block])
    (real,) = model.services[0].real_servers
    if block == "real_server":
        return [real]
    check = real.checks[0]
    return list(check.urls) if block == "url" and isinstance(check, HttpCheck) else [check]


def said_by(text: str, block: str) -> list[tuple[str, Any]]:
    """What the attributes and fields of these objects say."""
    found: list[tuple[str, Any]] = []
    for one in objects(conf.check(text).model, block):
        names = {n for kind in type(one).__mro__ for n, v in vars(kind).items()
                 if isinstance(v, ValueAttribute)}  # fmt: skip
        names |= {f.name for f in fields(one)} - {"other", "notes", "origin", "places", "statement"}
        found += [(name, getattr(one, name)) for name in sorted(names)]
    return found


@pytest.mark.parametrize("block", BLOCKS)
def test_our_model_of_both_values_is_that_of_the_one_that_is_kept(block: str) -> None:
    both, kept, other = "", "", ""
    for keyword, (a, b) in doubled(block):
        if keyword.keeps != "both":
            first, last = f"{keyword.name} {a}\n", f"{keyword.name} {b}\n"
            stays = keyword.keeps in ("first", a)
            both += first + last
            kept += first if stays else last
            other += last if stays else first
    said = said_by(around(block, both), block)
    assert said == said_by(around(block, kept), block)
    assert said != said_by(around(block, other), block)
