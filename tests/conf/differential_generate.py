"""Generates configurations from the schema and a seed: correct ones, and broken ones."""

from __future__ import annotations

import random

from hanode.conf.keywords import blocks
from hanode.conf.language.kinds_address import Endpoint, Ip
from hanode.conf.language.schema import Keyword
from hanode.conf.language.values import (
    Bool,
    Choice,
    Flag,
    Int,
    Perhaps,
    Script,
    Timer,
    seconds,
)
from tests.conf.differential_break import BREAKERS
from tests.conf.differential_examples import EXAMPLES, LEFT_OUT, LINES, NEEDED, OPTIONS
from tests.conf.differential_items import Generated, Item


class Generator:
    """Generates configurations; the seed determines everything."""

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
            form = pick(EXAMPLES[keyword.name])
            return form.format(n=self.counted(), b=pick("19")) if "{" in form else form
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
        """A number of any size: the limits, small ones, or any other."""
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
        words = form.format(n=self.counted(), b=self.random.randint(0, 1)).split(" ")
        more = OPTIONS.get(name, ())
        if more and self.random.random() < 0.3:
            for option in self.random.sample(more, min(len(more), self.random.randint(1, 3))):
                words += option.split(" ")
        return Item(words, name)

    def tree(self) -> list[Item]:
        """A complete correct configuration."""
        self.number = 0
        table, chance = blocks()["root"].keywords, self.random.random
        names = ["global_defs"] if chance() < 0.5 else []
        names += ["vrrp_script", "vrrp_track_process", "track_file", "bfd_instance"]
        rest = ["static_ipaddress", "static_routes", "static_rules", "garp_group",
                "virtual_server_group", "SSL", "interface_up_down_delays", "linkbeat_interfaces",
                ]  # fmt: skip
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


def generate(count: int, seed: int) -> list[Generated]:
    """`count` configurations: a quarter correct, the others broken in one place."""
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
