"""Texts and models that the tests of the configuration language share."""

from __future__ import annotations

from pathlib import Path

from hypothesis import strategies as st

from hanode.conf.keywords import ALL, blocks
from hanode.conf.language.kinds import (
    After,
    Codes,
    Either,
    Granularity,
    Group,
    Hex,
    Init,
    MailServer,
    Method,
    Named,
    Weight,
)
from hanode.conf.language.kinds_address import Endpoint, Ip
from hanode.conf.language.kinds_words import (
    IncludeCheck,
    Ipvlan,
    Lenient,
    Numbers,
    Pattern,
    Several,
    Umask,
    Vmac,
)
from hanode.conf.language.releases import target
from hanode.conf.language.schema import Block, Keyword
from hanode.conf.language.values import (
    Bool,
    Choice,
    Flag,
    Int,
    Perhaps,
    Script,
    Timer,
    Value,
    seconds,
)

CORPUS = Path(__file__).parent / "corpus"
DEBIAN = Path("/usr/share/doc/keepalived/samples")


def corpus(shared: Path | None = None) -> list[Path]:
    """Our own files, Debian's samples, and those of the shared folder, as far as they exist."""
    files = sorted(CORPUS.glob("*.conf"))
    files += sorted(DEBIAN.glob("keepalived.conf.*"))
    if shared is not None:
        files += sorted((shared / "configs").glob("*.conf")) + sorted(
            (shared / "lab").glob("*.conf")
        )
    return files


def text_of(path: Path) -> str:
    """The text byte for byte; bytes that are not UTF-8 stay distinguishable."""
    return path.read_bytes().decode(errors="surrogateescape")


WORDS = sorted({name for block in ALL for name in block.keywords} | {"PASS", "nat_mask", "frob"})

pieces = st.sampled_from(
    [
        "\n", " ", "\t", "\r\n", "{", "}", "#", "!", '"', "'", "\\", "\\\n", "@a ", "@^b ",
        "{ @a x",
        "@a @b y",
        "$X=",
        "$X", "${X}", "${X", "~SEQ(i,1,3) ", "~LST(i,p,q) ", "~LST({a,b},{1,2}) ", "$i",
        "include x",
        "192.0.2.1", "192.0.2.1/24", "2001:db8::1", "1", "255", "0.5", "MASTER", "é",
        "\x00", "\udcff",
        *WORDS,
    ]
)  # fmt: skip
messy_texts = st.lists(pieces, max_size=60).map("".join)
"""Pieces of the language in random order."""

any_texts = (
    st.text(max_size=200)
    | messy_texts
    | st.binary(max_size=120).map(lambda b: b.decode(errors="surrogateescape"))
)

names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_.-]{0,12}", fullmatch=True)
comments = st.sampled_from(["", "", "", " # why", " ! why not", "\t#"])
ipv4 = st.tuples(*[st.integers(0, 255)] * 3).map(lambda t: f"10.{t[0]}.{t[1]}.{t[2]}")


COMPOSED: dict[type[Value], tuple[str, ...]] = {
    Codes: ("200", "200-299 302 404"),
    Granularity: ("255.255.255.0", "64"),
    Hex: ("0a0b", "00 ff"),
    IncludeCheck: ("", "match", "+match -wildcard_match"),
    Ipvlan: ("", "ipv0 10.0.0.1/24 bridge", "private"),
    Numbers: ("0", "0 1"),
    Pattern: ("0123456789abcdef0123456789abcdef",),
    Several: ("caseless", "caseless dotall"),
    Vmac: ("", "vrrp.1", "vrrp.1 02:00:00:00:00:01", "02:00:00:00:01"),
    Init: ("", "5", "overwrite", "5 overwrite"),
    MailServer: ("192.0.2.25", "mail.example 587"),
    Method: ("NAT", "DR", "TUN", "TUN type gue port 6080 csum", "TUN type gre"),
    Umask: ("0022", "0x12", "IWGRP | IWOTH"),
}
"""Values of some kinds that consist of several words."""


def _composed(kind: Value) -> st.SearchStrategy[str] | None:
    if isinstance(kind, Weight):
        numbers = st.integers(-kind.limit, kind.limit)
        return st.tuples(numbers, st.sampled_from(["", " reverse"])).map(lambda t: f"{t[0]}{t[1]}")
    if isinstance(kind, After):
        return _of(kind.inner).map(lambda inner: f"{kind.word} {inner}") | _of(kind.inner)
    if isinstance(kind, Either):
        return st.sampled_from(kind.options) | _of(kind.inner)
    if isinstance(kind, Group):
        return st.just("ff02::13" if kind.version == 6 else "224.0.0.19")
    if isinstance(kind, Named):
        first = "eth0 " if kind.first else ""
        name, low, high = kind.names[0]
        return st.integers(low, high).map(lambda n: f"{first}{name} {n}")
    examples = COMPOSED.get(type(kind))
    return None if examples is None else st.sampled_from(examples)


def value_of(keyword: Keyword) -> st.SearchStrategy[str]:
    """Words that fit a keyword in 2.2.7."""
    if keyword.name == "virtual_server":
        return st.tuples(ipv4, st.integers(1, 65535)).map(lambda t: f"{t[0]} {t[1]}")
    return _of(keyword.value_in(target("keepalived-2.2.7").has))


def _of(kind: Value) -> st.SearchStrategy[str]:
    if isinstance(kind, Perhaps | Lenient):
        kind = kind.inner
    composed = _composed(kind)
    if composed is not None:
        return composed
    if isinstance(kind, Flag):
        return st.just("")
    if isinstance(kind, Bool):
        return st.sampled_from(["", "on", "off", "true", "no"])
    if isinstance(kind, Choice):
        return st.sampled_from(kind.options)
    if isinstance(kind, Int):
        return st.integers(kind.low, kind.high).map(str)
    if isinstance(kind, Timer) and kind.whole:
        return st.integers(-(-kind.low_us // 10**6), kind.high_us // 10**6).map(str)
    if isinstance(kind, Timer):
        return st.integers(kind.low_us, kind.high_us).map(seconds)
    if isinstance(kind, Ip):
        return ipv4
    if isinstance(kind, Endpoint):
        return st.tuples(ipv4, st.integers(1, 65535)).map(lambda t: f"{t[0]} {t[1]}")
    if isinstance(kind, Script):
        return st.sampled_from(['"/bin/true a  b"', "/bin/true", "'/bin/sh' '-c  x' root"])
    return names


LINES = {
    "virtual_rules": "from {ip} table 100 priority 5",
    "static_rules": "from {ip} iif eth0 lookup main preference 7",
    "virtual_routes": "{ip}/32 via 10.0.0.1 dev eth0 mtu lock 1400",
    "interface_up_down_delays": "eth0 5 0.5",
    "linkbeat_interfaces": "eth0 ETHTOOL",
    "track_interface": "eth0",
    "unicast_peer": "{ip} min_ttl 5 max_ttl 255",
    "virtual_server_group": "{ip} 80",
}
"""By block: a valid line; other blocks of lines get an address."""


@st.composite
def _statements(draw: st.DrawFn, table: Block, depth: int) -> str:
    if table.lines is not None:
        form = LINES.get(table.name, "{ip}/24")
        lines = draw(st.lists(st.tuples(ipv4, comments), max_size=3))
        return "".join(f"{form.format(ip=ip)}{comment}\n" for ip, comment in lines)
    choices = [k for k in table.keywords.values() if not k.name.startswith("include")]
    out = ""
    for keyword in draw(st.lists(st.sampled_from(choices), max_size=6)):
        comment = draw(comments)
        head = f"{keyword.name} {draw(value_of(keyword))}".rstrip()
        if keyword.opens is None:
            out += f"{head}{comment}\n"
        elif depth < 4:
            inner = draw(_statements(blocks()[keyword.opens], depth + 1))
            out += f"{head} {{{comment}\n{inner}}}{draw(comments)}\n"
    return out


configs = _statements(blocks()["root"], 0)
"""Files in which each keyword is in its block and each value fits."""
