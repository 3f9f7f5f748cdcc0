"""Cases of problems found when a text is written: for a target, or for all nodes at once."""

from __future__ import annotations

from hanode import conf
from hanode.conf.keywords import blocks
from hanode.conf.language.values import Bool, Flag
from tests.conf.cases.base import WritingCase


def for_keepalived(text: str) -> list[str]:
    return [p.code for p in conf.render(conf.check(text).model).problems]


def for_our_engine(text: str) -> list[str]:
    return [p.code for p in conf.render(conf.check(text).model, target="hanode").problems]


def merged(text: str) -> list[str]:
    return [p.code for p in conf.merge({"A": text, "B": "global_defs {\n}\n"}).problems]


def _auth(word: str) -> str:
    return (
        "vrrp_instance a {\n    authentication {\n        auth_type PASS\n"
        f"        auth_pass {word}\n    }}\n}}\n"
    )


PLANNED = next(
    word.name
    for word in blocks()["global_defs"].keywords.values()
    if word.engine == "planned" and isinstance(word.value, Flag | Bool)
)
"""A keyword that our engine does not support yet: looked up, because it learns new ones."""

CASES = [
    WritingCase("left-out", for_keepalived, "global_defs {\n    json_version 2\n}\n",
                "global_defs {\n    router_id here\n}\n"),
    WritingCase("auth-pass-cut", for_keepalived, _auth("123456789"), _auth("12345678")),
    WritingCase("not-yet", for_our_engine, f"global_defs {{\n    {PLANNED}\n}}\n",
                "global_defs {\n    router_id here\n}\n"),
    WritingCase("include-lonely", merged, "include more.conf\n", "net_namespace blue\n"),
    WritingCase("macro-replaced", merged, "global_defs {\n    ~SEQ(i, 1) router_id $i\n}\n",
                "global_defs {\n    router_id here\n}\n"),
]  # fmt: skip
