"""What a text names of the machine, and that no keyword is left out of it."""

from __future__ import annotations

from collections.abc import Mapping

from hanode import conf
from hanode.conf import NamedProgram, NamedThing, NamedUser
from hanode.conf.keywords import blocks
from hanode.conf.language import kinds, kinds_words
from hanode.conf.language.kinds_machine import Fifo, User
from hanode.conf.language.schema import ROOT, Block, Keyword
from hanode.conf.language.values import Perhaps, Script, Value, Word, Words

NAMES_NOTHING = {
    "a name", "a word", "a host name", "a label", "a mail address", "a value", "a pattern",
    "a page's path", "one or two chains", "up to five names", "the name of an interface",
}  # fmt: skip
"""What words are called that name nothing of the machine which a policy could be about."""

PROBE = ("/etc/probe", "10.9.8.7")


def free_text(value: Value) -> Value | None:
    """The kind inside that takes any word, if there is one."""
    while isinstance(value, (Perhaps, kinds.After, kinds.Either, kinds_words.Lenient)):
        value = value.inner
    return value if type(value) in (Value, Word, Words) else None


def every() -> list[tuple[str, Keyword]]:
    return [(b.name, k) for b in blocks().values() for k in b.keywords.values()]


def test_a_keyword_with_free_words_says_what_they_name() -> None:
    """A new keyword with a path, a user or an interface must have a kind that names it.

    Give it a kind of `kinds_machine.py`; or call its word otherwise, if it names nothing.
    """
    kinds_of = [(home, keyword.name, free_text(keyword.value)) for home, keyword in every()]
    silent = [
        (home, name) for home, name, kind in kinds_of if kind and kind.shape not in NAMES_NOTHING
    ]
    assert silent == []


def text_with(block: Block, line: str, beside: Mapping[str, str] | None = None) -> str:
    """The line in its block, inside those that open that one; `beside`: what else they hold."""
    line = f"{line}\n{(beside or {}).get(block.name, '')}"
    if block.name == ROOT:
        return line
    around = next(
        (b, k) for b in blocks().values() for k in b.keywords.values() if k.opens == block.name
    )
    head = around[1].name + " x 80" * bool(around[1].value.least)
    return text_with(around[0], f"{head} {{\n{line}\n}}", beside)


def test_wherever_a_path_may_stand_it_is_found() -> None:
    """All keywords of the tables: what takes a path or a command is in the list."""
    found = {
        (home, keyword.name): _is_named(home, keyword)
        for home, keyword in every()
        if keyword.opens is None and blocks()[home].lines is None
    }
    assert found == {place: _names(blocks()[place[0]].keywords[place[1]]) for place in found}
    assert sum(found.values()) > 60


def _is_named(home: str, keyword: Keyword) -> bool:
    text = text_with(blocks()[home], f"{keyword.name} {' '.join(PROBE)}")
    return any(one.keyword == keyword.name for one in conf.named(text))


def _names(keyword: Keyword) -> bool:
    value = keyword.value
    if isinstance(value, Script):
        return value.runs
    return isinstance(value, (Fifo, User)) or bool(list(value.things(PROBE)))


def things(text: str, node: str | None = None) -> list[tuple[int, str, str]]:
    return [
        (one.origin.line, one.sort, one.text)
        for one in conf.named(text, node=node)
        if isinstance(one, NamedThing)
    ]


def programs(text: str) -> list[tuple[str, str | None, str | None]]:
    return [
        (one.shown, one.user, one.group)
        for one in conf.named(text)
        if isinstance(one, NamedProgram)
    ]


def test_lines_that_are_no_keywords_name_addresses_and_interfaces() -> None:
    text = """\
vrrp_instance V {
 unicast_peer { 10.0.0.2 min_ttl 1 }
 virtual_ipaddress { 10.0.0.200/24 dev eth1 label eth1:1 }
 virtual_routes { default via 10.0.0.254 dev eth2
  10.9.0.0/16 nexthop via 10.0.0.4 dev eth5 }
 virtual_rules { from 10.2.0.0/16 iif eth7 lookup 5 }
 track_interface { eth9 }
}
"""
    assert things(text) == [
        (2, "address", "10.0.0.2"),
        (3, "address", "10.0.0.200/24"),
        (3, "interface", "eth1"),
        (4, "address", "10.0.0.254"),
        (4, "address", "default"),
        (4, "interface", "eth2"),
        (5, "address", "10.9.0.0/16"),
        (5, "address", "10.0.0.4"),
        (5, "interface", "eth5"),
        (6, "address", "10.2.0.0/16"),
        (6, "interface", "eth7"),
    ]


def test_a_file_that_is_made_is_written_and_one_that_is_read_is_read() -> None:
    made = "track_file t {\n file /var/x\n init_file 5\n}"
    assert things(made) == [(2, "written", "/var/x")]
    assert things("track_file t {\n file /var/x\n}") == [(2, "read", "/var/x")]
    assert things("global_defs {\n notify_fifo '/run/a b' root\n}") == [(2, "fifo", "/run/a")]
    hmac = "vrrp_instance V {\n auth_hmac {\n key 1 file:/etc/k\n key 2 hex:00\n }\n}"
    assert things(hmac) == [(3, "key", "/etc/k")]


def test_macros_conditions_and_repetitions_hide_nothing() -> None:
    text = """\
$F=/etc/cron.d
global_defs {
 @NodeA state_dump_file ${F}/x
 @NodeB state_dump_file /tmp/x
}
$DUMP=stats_dump_file ${F}/y
global_defs {
 $DUMP
}
"""
    assert things(text, "NodeA") == [
        (3, "written", "/etc/cron.d/x"),
        (8, "written", "/etc/cron.d/y"),
    ]
    assert things(text, "NodeB")[0] == (4, "written", "/tmp/x")


def test_an_include_is_named_also_where_it_is_followed_or_inside_a_block() -> None:
    text = "include /etc/a/*.conf\nvrrp_instance V {\n include b.conf\n}\n"
    expected = [(1, "include", "/etc/a/*.conf"), (3, "include", "b.conf")]
    assert things(text) == expected
    read = {"/etc/a/*.conf": (("/etc/a/1.conf", "global_defs {\n state_dump_file /x\n}\n"),)}
    followed = conf.named(text, read=lambda pattern, _origin: read.get(pattern))
    found = [(o.sort, o.text) for o in followed if isinstance(o, NamedThing)]
    assert found[:2] == [("include", "/etc/a/*.conf"), ("include", "b.conf")]
    assert ("written", "/x") in found


def test_who_runs_a_command() -> None:
    text = """\
vrrp_script own {
 script "/bin/a 1"
 user u g
}
vrrp_script other {
 script "/bin/b" v
}
vrrp_instance V {
 notify_master "/bin/c x" w
 notify /bin/d
}
global_defs {
 script_user nobody
 script_user last
}
"""
    assert programs(text) == [
        ("/bin/a 1", "u", "g"),
        ("/bin/b", "v", None),
        ("/bin/c x", "w", None),
        ("/bin/d", "last", None),
    ]
    users = [o.user for o in conf.named(text) if isinstance(o, NamedUser)]
    assert users == ["u", "v", "w", "nobody", "last"]
    assert programs("vrrp_instance V {\n notify /x\n}") == [("/x", None, None)]


def test_a_process_that_is_watched_is_not_run() -> None:
    assert conf.named('vrrp_track_process p {\n process "haproxy -f x"\n}') == ()


def test_a_secret_of_a_definition_is_masked_in_the_command_that_uses_it() -> None:
    text = '$T=hunter2\nvrrp_instance V {\n notify "/x --token ${T}"\n notify_fault "/y ${T}"\n}\n'
    assert [shown for shown, _, _ in programs(text)] == [
        f"/x --token {conf.MASK}",
        f"/y {conf.MASK}",
    ]
