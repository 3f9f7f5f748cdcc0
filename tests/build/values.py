"""Values of every kind: the least, the greatest and each choice, with other spellings of them.

A kind without an entry, or a keyword that takes a name and has no sample, is a KeyError: whoever
adds one says here what it looks like.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from hanode.conf.language import (
    kinds,
    kinds_address,
    kinds_encap,
    kinds_net,
    kinds_time,
    kinds_words,
    values,
)
from hanode.conf.language.schema import Block, Keyword
from hanode.conf.language.values import Value, seconds
from tests.build.worlds import NEXTHOPS, SAMPLES

Texts = tuple[str, ...]


@dataclass(frozen=True)
class Said:
    """What stands behind a keyword, and other ways to write the same."""

    text: str
    same: Texts = ()


SCRIPTS = (
    Said("/bin/true", ('"/bin/true"', "'/bin/true'")),
    Said('"/bin/true a  b" bob', ("'/bin/true a  b' bob", '"/bin/true"" a  b" "bob"')),
    Said("\"/bin/true 'a  b'\" bob staff", ('\'/bin/true "a  b"\' bob "staff"',)),
)
PROCESSES = (
    Said("/usr/sbin/nginx", ('"/usr/sbin/nginx"', "'/usr/sbin/nginx'")),
    Said("/usr/sbin/nginx -g daemon", ("\"/usr/sbin/nginx\" '-g' daemon",)),
)


def number(value: int) -> Said:
    """A decimal number."""
    if value < 0:
        return Said(str(value), (f'"{value}"', f"-00{-value}"))
    same = (f"+{value}", f"00{value}", *(('""',) if value == 0 else ()))
    return Said(str(value), same)


def c_number(value: int) -> Said:
    """A number as C reads it."""
    return Said(str(value), (hex(value), f"0{value:o}", f"+{value}"))


def time(us: int, *, whole: bool, empty: bool) -> Said:
    """Seconds; without `whole` also with decimals that keepalived rounds away."""
    text = seconds(us)
    same = [f"+{text}", f"00{text}"]
    if not whole:
        before, _, decimals = text.partition(".")
        same += [f"{before}.{decimals:0<6}", f"{before}.{decimals:0<6}1"]
    if empty:
        same.append('""')
    return Said(text, tuple(same))


def _int(kind: values.Int) -> Iterator[Said]:
    yield from map(number, dict.fromkeys((kind.low, kind.high)))
    if kind.low < 0:
        yield number(0)


def _timer(kind: values.Timer) -> Iterator[Said]:
    step = 1_000_000 if kind.whole else 1
    for us in (-(-kind.low_us // step) * step, kind.high_us // step * step):
        yield time(us, whole=kind.whole, empty=us == 0 and kind.low_us <= 0)


def _weight(kind: kinds.Weight) -> Iterator[Said]:
    yield Said(f"-{kind.limit}", (f"-00{kind.limit}",))
    plain = f"{kind.limit} noreverse"
    more = (plain,) if "noreverse" in kind.reverse else ()
    yield Said(str(kind.limit), (f"+{kind.limit}", *more))
    yield Said("0", ('""',))
    yield Said(f"{kind.limit} reverse", (f"+{kind.limit} reverse",))


def _choice(kind: values.Choice) -> Iterator[Said]:
    for option in kind.options:
        yield Said(option, (option.lower(), option.title()) if kind.any_case else ())


def _after(kind: kinds.After) -> Iterator[Said]:
    for inner in of_kind(kind.inner):
        yield inner
        same = tuple(f"{kind.word} {text}" for text in inner.same if text != '""')
        behind = (f"{inner.text} {kind.word}",) if kind.word == "all" else ()
        yield Said(f"{kind.word} {inner.text}", (*same, *behind))


def _numbered(kind: kinds_net.Numbered) -> Iterator[Said]:
    known: dict[int, list[str]] = {kind.low: [], kind.high: []}
    for name, value in kind.names:
        if kind.low <= value <= kind.high:
            known.setdefault(value, []).append(name)
    for value, names in known.items():
        plain = c_number(value)
        yield Said(plain.text, (*plain.same, *names))


def _route_time(kind: kinds_net.RouteTime) -> Iterator[Said]:
    yield Said("0", ("200ms", "0.2s", ".2S", "0.200sec"))
    yield Said(str(kind.high), ("120s", "120000msecs"))
    yield Said(str(kind.high // 240), ("500ms", "0.5s"))


OF: dict[type[Value], Callable[[Any], Iterator[Said]]] = {
    values.Int: _int,
    values.Timer: _timer,
    values.Choice: _choice,
    kinds.Weight: _weight,
    kinds.After: _after,
    kinds_net.Numbered: _numbered,
    kinds_net.RouteTime: _route_time,
    values.Perhaps: lambda kind: iter((Said(""), *of_kind(kind.inner))),
    kinds.Either: lambda kind: iter((*map(Said, kind.options), *of_kind(kind.inner))),
    kinds_time.ScriptTime: lambda kind: iter(
        (Said("0.001", (".001", "+00.001")), Said(f"{kind.high_us // 1_000_000}"))
    ),
    kinds_words.Numbers: lambda kind: iter(
        (
            Said(f"{kind.low}", ("+0",)),
            Said(f"{kind.high}"),
            Said(f"{kind.low} {kind.high}", ("+0 01023",)),
        )
    ),
    kinds_net.Span: lambda kind: iter(
        (Said(f"0-{kind.high}", (f"+0-+{kind.high}",)), Said("80-80", ("0080-80",)))
    ),
}

FIXED: dict[type[Value], tuple[Said, ...]] = {
    values.Flag: (Said(""),),
    values.Bool: (Said("", ("on", "yes", "true")), Said("off", ("no", "false"))),
    kinds_address.Ip: (Said("192.0.2.66", ("192.0.2.66/24",)),),
    kinds_address.Endpoint: (
        Said("192.0.2.66"),
        Said("192.0.2.66 0", ("192.0.2.66 00",)),
        Said("192.0.2.66 65535"),
    ),
    values.Script: SCRIPTS,
    values.Command: SCRIPTS,
    kinds.MailServer: (
        Said("192.0.2.25", ("192.0.2.25 25", "192.0.2.25 0025")),
        Said("mail.example.org 65535"),
        Said("mail.example.org 1"),
    ),
    kinds.Init: (
        Said("", ("0", "+0")),
        Said("5", ("+5", "05")),
        Said("-5 overwrite", ("overwrite -5",)),
        Said("overwrite", ("0 overwrite",)),
    ),
    kinds.Method: (Said("NAT"), Said("DR"), Said("TUN")),
    kinds.Group: (Said("224.0.0.50"), Said("239.255.255.255")),
    kinds_words.Vmac: (
        Said(""),
        Said("own0", ("name own0",)),
        Said("own0 02:00:00:00:00:01", ("02:00:00:00:00:01 own0",)),
        Said("02:00:00:00:01"),
        Said("netlink_notify_msg", ()),
        Said("own0 group 4294967295", ("group +4294967295 name own0",)),
    ),
    kinds_words.Ipvlan: (
        Said("192.0.2.9/24", ("bridge 192.0.2.9/24",)),
        Said("192.0.2.9", ("192.0.2.9/32",)),
        Said("iv0 192.0.2.9/24 vepa", ("vepa name iv0 192.0.2.9/24",)),
        Said("iv0 192.0.2.9/24 private group 5", ("group 05 private iv0 192.0.2.9/24",)),
    ),
    kinds_net.Destination: (
        Said("203.0.113.0/24", ("203.0.113.9/24", "203.0.113.0/+24")),
        Said("203.0.113.7", ("203.0.113.7/32",)),
        Said("default"),
    ),
    kinds_net.Net: (Said("203.0.113.0/24"), Said("203.0.113.7", ("203.0.113.7/32",)), Said("all")),
    kinds_net.Plain: (Said("192.0.2.9"),),
    kinds_net.Broadcast: (Said("+", ("192.0.2.255",)), Said("-"), Said("192.0.2.199")),
    kinds_net.Realms: (Said("5", ("0x5", "05")), Said("255/0", ("0xff/cosmos", "0377/00"))),
    kinds_net.Mark: (
        Said("7", ("0x7", "07")),
        Said("0", ('""', "0x0")),
        Said("7/0", ("7/",)),
        Said("4294967295/255", ("0xffffffff/0xff",)),
    ),
    kinds_encap.Encap: (
        Said("ip id 5 dst 192.0.2.9", ("ip id 05 dst 192.0.2.9",)),
        Said("ip dst 192.0.2.9 tos AF11 ttl 255", ("ip dst 192.0.2.9 tos 0x28 ttl 0255",)),
        Said("ip6 id 18446744073709551615 dst 2001:db8::1 hoplimit 0"),
        Said("mpls 100/1048575"),
        Said("ila 1:2:3:4"),
    ),
    kinds_net.Swallowed: (Said(""),),
}

OF_KEYWORDS: dict[str, tuple[Said, ...]] = {
    "advert_int": tuple(
        time(us, whole=False, empty=False) for us in (10_000, 1_500_000, 40_950_000)
    ),
    "goto": tuple(map(number, (501, 4_294_967_295))),
    "vrrp_mcast_group6": (Said("ff02::50"), Said("ff02::ffff")),
    "process": PROCESSES,
    "nexthop": tuple(Said(text.removeprefix("nexthop ")) for text in NEXTHOPS),
    "use_ipvlan": FIXED[kinds_words.Ipvlan],
    "via": (Said("192.0.2.9", ("inet 192.0.2.9",)),),
}
FOR_ROUTES = {"from": (Said("2001:db8:9::/48"), Said("2001:db8::9"))}


def of_kind(kind: Value) -> Iterator[Said]:
    """Values of a kind."""
    if type(kind) in OF:
        yield from OF[type(kind)](kind)
    else:
        yield from FIXED[type(kind)]


def of(table: Block, keyword: Keyword) -> tuple[Said, ...]:
    """Values of a keyword."""
    if keyword.name in SAMPLES and type(keyword.value) not in OF | FIXED:
        return tuple(map(Said, SAMPLES[keyword.name]))
    if keyword.name in OF_KEYWORDS:
        return OF_KEYWORDS[keyword.name]
    if table.lines == "a route" and keyword.name in FOR_ROUTES:
        return FOR_ROUTES[keyword.name]
    if keyword.name == "congctl":
        return tuple(map(Said, SAMPLES["congctl"]))
    return tuple(of_kind(keyword.value))


def words(text: str) -> list[str]:
    """The words of a text, quotes included."""
    return re.findall(r'"[^"]*"|\S+', text)


def in_quotes(text: str) -> str:
    """Every word of the text in double quotes."""
    return " ".join(w if w.startswith('"') else f'"{w}"' for w in words(text))
