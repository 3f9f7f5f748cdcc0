"""What all nodes must have at one time, and what may go from node to node."""

from __future__ import annotations

import pytest

from hanode import conf
from webapp.rollout.together import apart, together

KEY1, KEY2 = "a" * 64, "b" * 64

FILE = """
vrrp_instance VI_1 {{
    state BACKUP
    interface eth0
    virtual_router_id {vrid}
    priority {priority}
    advert_int {interval}
    {more}
    virtual_ipaddress {{
        {vip}
    }}
}}
"""


def models(**values: object) -> dict[str, conf.Config]:
    """A pair; `a_…` and `b_…` are for one node alone."""
    found = {}
    for node, priority in (("A", 100), ("B", 90)):
        said = {"vrid": 51, "interval": 1, "more": "", "vip": "192.0.2.1/24", "priority": priority}
        said |= {k: v for k, v in values.items() if not k.startswith(("a_", "b_"))}
        mine = f"{node.lower()}_"
        said |= {k.removeprefix(mine): v for k, v in values.items() if k.startswith(mine)}
        top = str(said.pop("top", ""))
        checked = conf.check(top + FILE.format(**said), name=node, node=node, target=conf.NEWEST)
        found[node] = checked.model
    return found


def auth(kind: str, password: str) -> str:
    return f"authentication {{\n auth_type {kind}\n auth_pass {password}\n }}"


def hmac(
    mode: str = "", active: int | None = 1, keys: tuple[tuple[int, str], ...] = ((1, KEY1),)
) -> str:
    lines = [f"key {number} hex:{text}" for number, text in keys]
    lines += [f"active_key {active}"] if active else []
    lines += [f"mode {mode}"] if mode else []
    return "auth_hmac {\n" + "\n".join(lines) + "\n}"


def unicast(node: str) -> str:
    own, other = ("192.0.2.11", "192.0.2.12") if node == "a" else ("192.0.2.12", "192.0.2.11")
    return f"unicast_src_ip {own}\n unicast_peer {{\n {other}\n }}"


UNICAST = {"a_more": unicast("a"), "b_more": unicast("b")}

AT_ONCE: dict[str, tuple[dict[str, object], dict[str, object], tuple[str, ...]]] = {
    "virtual_router_id": ({}, {"vrid": 52}, ("virtual_router_id",)),
    "advert_int in version 2": ({}, {"interval": 2}, ("advert_int",)),
    "auth_pass": (
        {"more": auth("PASS", "old")},
        {"more": auth("PASS", "new")},
        ("auth_pass",),
    ),
    "authentication added": ({}, {"more": auth("PASS", "new")}, ("auth_type",)),
    "authentication removed": ({"more": auth("PASS", "old")}, {}, ("auth_type",)),
    "auth_type": ({"more": auth("PASS", "one")}, {"more": auth("AH", "one")}, ("auth_type",)),
    "version": ({}, {"more": "version 3"}, ("version",)),
    "vrrp_version": ({}, {"top": "global_defs {\n vrrp_version 3\n}\n"}, ("version",)),
    "multicast to unicast": ({}, UNICAST, ("unicast_peer",)),
    "unicast to multicast": (UNICAST, {}, ("unicast_peer",)),
    "multicast group": (
        {},
        {"top": "global_defs {\n vrrp_mcast_group4 224.0.0.99\n}\n"},
        ("mcast_dst_ip",),
    ),
    "family": ({}, {"vip": "2001:db8::1/64"}, ("version", "the address family")),
    "a signature at once": (
        {"more": "version 3"},
        {"more": f"version 3\n{hmac()}"},
        ("auth_hmac",),
    ),
    "two at a time": (
        {"more": auth("PASS", "old")},
        {"more": auth("PASS", "new"), "vrid": 60},
        ("virtual_router_id", "auth_pass"),
    ),
}


@pytest.mark.parametrize("name", AT_ONCE)
def test_what_both_sides_must_have_at_once(name: str) -> None:
    before, after, keywords = AT_ONCE[name]
    (found,) = together(models(**before), models(**after))
    assert (found.instance, found.keywords) == ("VI_1", keywords)
    assert found.sentence.startswith(f"VI_1: {' and '.join(keywords)} change")


HITLESS: dict[str, tuple[dict[str, object], dict[str, object]]] = {
    "nothing": ({}, {}),
    "priority": ({}, {"b_priority": 110}),
    "one more address": ({}, {"vip": "192.0.2.1/24\n 192.0.2.2/24"}),
    "advert_int in version 3": ({"more": "version 3"}, {"more": "version 3", "interval": 2}),
    "a password that version 3 does not send": (
        {"more": f"version 3\n{auth('PASS', 'old')}"},
        {"more": f"version 3\n{auth('PASS', 'new')}"},
    ),
    "what is written is the default": ({}, {"more": "version 2"}),
    "only the ninth character": (
        {"more": auth("PASS", "12345678x")},
        {"more": auth("PASS", "12345678y")},
    ),
    "first step of signing": (
        {"more": "version 3"},
        {"more": f"version 3\n{hmac('receive-only')}"},
    ),
    "second step of signing": (
        {"more": f"version 3\n{hmac('receive-only')}"},
        {"more": f"version 3\n{hmac('permissive')}"},
    ),
    "third step of signing": (
        {"more": f"version 3\n{hmac('permissive')}"},
        {"more": f"version 3\n{hmac('enforce')}"},
    ),
    "a second key": (
        {"more": f"version 3\n{hmac()}"},
        {"more": f"version 3\n{hmac(keys=((1, KEY1), (2, KEY2)))}"},
    ),
    "the second key becomes the active one": (
        {"more": f"version 3\n{hmac(keys=((1, KEY1), (2, KEY2)))}"},
        {"more": f"version 3\n{hmac(active=2, keys=((1, KEY1), (2, KEY2)))}"},
    ),
    "a pair that was apart is brought together": ({"b_vrid": 52}, {}),
}


@pytest.mark.parametrize("name", HITLESS)
def test_what_may_go_from_node_to_node(name: str) -> None:
    before, after = HITLESS[name]
    assert together(models(**before), models(**after)) == ()


def test_a_new_key_that_the_others_do_not_have_yet() -> None:
    old = models(more=f"version 3\n{hmac()}")
    new = models(more=f"version 3\n{hmac(active=2, keys=((2, KEY2),))}")
    assert [one.keywords for one in together(old, new)] == [("auth_hmac",)]


def test_a_source_that_the_peers_do_not_list_yet() -> None:
    moved = {
        "a_more": "unicast_src_ip 192.0.2.21\n unicast_peer {\n 192.0.2.12\n }",
        "b_more": "unicast_src_ip 192.0.2.12\n unicast_peer {\n 192.0.2.21\n }",
    }
    assert [one.keywords for one in together(models(**UNICAST), models(**moved))] == [
        ("unicast_src_ip",)
    ]


def test_which_nodes_do_not_hear_each_other_now() -> None:
    assert apart(models()) == ""
    mixed = models(a_more=auth("PASS", "old"), b_more=auth("PASS", "new"))
    assert apart(mixed) == (
        "A and B now differ in auth_pass of VI_1: they do not hear each other, and both may hold "
        "the addresses."
    )


def test_an_instance_that_is_new_or_alone_is_no_matter() -> None:
    two = models(vrid=52)
    none = {node: conf.check("", name=node).model for node in two}
    assert together(none, two) == together(two, none) == ()
    assert together({"A": models()["A"]}, {"A": two["A"]}) == ()
    assert together({**none, "A": models()["A"]}, two) == ()
