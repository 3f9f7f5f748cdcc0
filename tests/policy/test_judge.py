"""What a policy forbids, with and without facts about the node."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from hanode import conf
from hanode.policy import CODE, DEFAULT, Facts, judge, present, runs
from hanode.wire import NodePolicy

ROOT = replace(DEFAULT, users=("root",), root_programs=("/opt/admin",))


@dataclass
class Node:
    """A node's users and files, as a test wants them."""

    users: dict[str, int] = field(
        default_factory=lambda: {"keepalived_script": 990, "nobody": 65534}
    )
    groups: dict[str, int] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    opened: dict[str, int] = field(default_factory=dict)
    """Parts that somebody else than root can change, and who."""

    def facts(self) -> Facts:
        users = {"root": 0, **self.users}
        groups = {"root": 0, **users, **self.groups}
        return Facts(
            uid=lambda name: int(name) if name.isdigit() else users.get(name),
            gid=lambda name: int(name) if name.isdigit() else groups.get(name),
            own_group=lambda uid: uid,
            program=lambda name: None if name == "absent" else f"/usr/bin/{name}",
            real=self.real,
            open_part=self.open_part,
        )

    def real(self, path: str) -> str:
        for link, target in self.links.items():
            if path == link or path.startswith(link + "/"):
                return target + path.removeprefix(link)
        return path

    def open_part(self, path: str, uid: int) -> str | None:
        for part, owner in self.opened.items():
            if (path == part or path.startswith(part + "/")) and owner != uid:
                return part
        return None


def said(
    text: str, policy: NodePolicy = DEFAULT, node: Node | None = None, **more: Any
) -> list[str]:
    """The violations as sentences; they are the same with and without facts, if `node` is None."""
    named = conf.named(text)
    problems = judge(named, policy, facts=(node or Node()).facts(), **more)
    assert all(p.code == CODE and "\n" not in p.message for p in problems)
    sentences = [str(p) for p in problems]
    if node is None:
        assert [str(p) for p in judge(named, policy, **more)] == sentences
    return sentences


def script(line: str = 'script "/usr/bin/test -e /x"', user: str = "user nobody") -> str:
    return f"vrrp_script s {{\n {line}\n {user}\n}}\n"


AS_ROOT = [
    "global_defs {\n script_user root\n}",
    "global_defs {\n\n script_user nobody\n script_user root\n}",
    script(user="user root"),
    script(user="user root root"),
    script(user="user 0"),
    script(user="user 00"),
    script('script "/usr/bin/x" root', user=""),
    'vrrp_instance V {\n notify "/usr/bin/x a" root\n}',
    'global_defs {\n notify_fifo /tmp/f\n notify_fifo_script "/usr/bin/x" root\n}',
    "virtual_server 10.0.0.1 80 {\n real_server 10.0.0.2 80 {\n  MISC_CHECK {\n"
    '   misc_path "/usr/bin/x"\n   user root\n  }\n }\n}',
    'virtual_server 10.0.0.1 80 {\n quorum_up "/usr/bin/x" root\n}',
]


@pytest.mark.parametrize("text", AS_ROOT)
def test_nothing_runs_as_root(text: str) -> None:
    line = next(
        n for n, words in enumerate(text.split("\n"), 1) if " root" in words or " 0" in words
    )
    if "real_server" in text:
        line = 5
    if "quorum_up" in text:
        line = 2
    (sentence,) = [s for s in said(text) if "no pushed program runs as" in s]
    assert sentence.startswith(f"keepalived.conf:{line}: ")
    assert "add it to users in /etc/hanode/policy.toml" in sentence


def test_another_name_of_root_is_root() -> None:
    node = Node(users={"toor": 0, "nobody": 65534})
    (sentence,) = said(script(user="user toor"), node=node)
    assert "no pushed program runs as toor (root) on this node" in sentence
    assert said(script(user="user toor"), ROOT, node) == [
        "keepalived.conf:2: script /usr/bin/test -e /x: a program that runs as root may not be at "
        "/usr/bin/test on this node; move it to /opt/admin, or add its directory to "
        "root_directories in /etc/hanode/policy.toml"
    ]
    assert said(script('script "/opt/admin/x"', "user toor"), ROOT, node) == []
    assert said(script('script "/opt/admin/x"', "user 0"), ROOT) == []


def test_a_command_that_names_nobody_runs_as_whom_the_node_has_for_it() -> None:
    text = "vrrp_instance V {\n notify /usr/bin/x\n}"
    assert said(text, node=Node()) == []
    (sentence,) = said(text, node=Node(users={}))
    assert sentence.startswith(
        "keepalived.conf:2: notify /usr/bin/x: it would run as root, because"
    )
    assert said("global_defs {\n script_user nobody\n}\n" + text, node=Node()) == []
    for user, count in (("", 0), ("keepalived_script", 0), ("root", 1)):
        told = judge(conf.named(text), replace(DEFAULT, script_user=user))
        assert len(told) == count, user


def test_a_group_must_be_the_user_s_own_or_listed() -> None:
    node = Node(groups={"docker": 998})
    text = script(user="user nobody docker")
    (sentence,) = said(text, node=node)
    assert "no pushed program runs in the group docker" in sentence
    assert said(text, replace(DEFAULT, groups=("docker",)), node) == []
    assert said(script(user="user nobody nobody")) == []
    assert len(said(script(user="user nobody root"))) == 1
    assert len(said(script(user="user nobody 0"))) == 1


PLACES = {
    'script "/opt/x"': "a program may not be at /opt/x on this node",
    'script "/usr/bin/../../opt/x"': "is no whole path without ..",
    'script "/usr/binary/x"': "a program may not be at",
    "script ./x": "./x is no whole path without ..",
    "script a/b": "a/b is no whole path without ..",
}


@pytest.mark.parametrize("line", PLACES)
def test_a_program_is_in_its_directories(line: str) -> None:
    (sentence,) = said(script(line))
    assert sentence.startswith("keepalived.conf:2: script ")
    assert PLACES[line] in sentence


def test_a_program_without_a_path_is_looked_up_on_the_node() -> None:
    only = replace(DEFAULT, programs=("/etc/keepalived",))
    assert judge(conf.named(script("script killall")), only) == ()
    (sentence,) = said(script("script killall"), only, Node())
    assert "a program may not be at /usr/bin/killall" in sentence
    (sentence,) = said(script("script absent"), DEFAULT, Node())
    assert "there is no program absent on this node; write its whole path" in sentence


def test_a_link_leads_nowhere_else() -> None:
    node = Node(links={"/etc/keepalived/x": "/bin/sh", "/bin": "/usr/bin"})
    inside = replace(DEFAULT, programs=("/etc/keepalived",))
    (sentence,) = said(script("script /etc/keepalived/x"), inside, node)
    assert "/etc/keepalived/x leads to /bin/sh, where a program may not be" in sentence
    assert said(script("script /bin/test"), replace(DEFAULT, programs=("/bin",)), node) == []


@pytest.mark.parametrize("part", ["/etc/keepalived/a/x", "/etc/keepalived/a", "/etc"])
def test_what_others_can_change_is_not_run(part: str) -> None:
    text = script("script /etc/keepalived/a/x")
    (sentence,) = said(text, node=Node(opened={part: 1000}))
    assert f"{part} can be changed by others than root" in sentence
    assert said(text, node=Node(opened={part: 65534})) == [], "by whom it runs as: no more rights"


WRITTEN = (
    "state_dump_file", "stats_dump_file", "json_dump_file", "config_save_dir",
    "tmp_config_directory", "reload_file", "reload_check_config",
)  # fmt: skip


@pytest.mark.parametrize("keyword", WRITTEN)
def test_a_file_is_written_only_where_it_may_be(keyword: str) -> None:
    (sentence,) = said(f"global_defs {{\n {keyword} /etc/cron.d/x\n}}")
    assert sentence.startswith(
        f"keepalived.conf:2: {keyword}: a file that is written may not be at"
    )
    assert said(f"global_defs {{\n {keyword} /run/keepalived/x\n}}") == []
    (sentence,) = said(f"global_defs {{\n {keyword} x\n}}")
    assert "x is no whole path without ..; write it from / on" in sentence
    allowed = replace(DEFAULT, written=("/etc/cron.d",))
    assert said(f"global_defs {{\n {keyword} /etc/cron.d/x\n}}", allowed) == []


@pytest.mark.parametrize("path", ["/etc/hanode/policy.toml", "/var/lib/hanode/x", "/run/hanode/x"])
def test_no_policy_lets_a_push_write_the_engine_s_own_files(path: str) -> None:
    (sentence,) = said(
        f"global_defs {{\n state_dump_file {path}\n}}", replace(DEFAULT, written=("/",))
    )
    assert "is among the engine's own files" in sentence
    linked = Node(links={"/tmp/x": path})
    text = "global_defs {\n state_dump_file /tmp/x\n}"
    assert (
        "is among the engine's own files" in said(text, replace(DEFAULT, written=("/",)), linked)[0]
    )


OTHERS = {
    "global_defs {\n notify_fifo /etc/x\n}": "notify_fifo: a FIFO may not be at /etc/x",
    "global_defs {\n lvs_notify_fifo /run/nologin\n}": "lvs_notify_fifo: a FIFO may not be at",
    "track_file t {\n file /etc/passwd\n init_file 0 overwrite\n}": "file: a file that is written",
    "#\nvrrp_instance V { auth_hmac {\n key 1 file:/srv/id }}": "key: a key or certificate",
    "#\nSSL { key /srv/x }": "key: a key or certificate may not be at /srv/x",
    "#\ninclude /srv/*.conf": "include: an include may not be at /srv",
    "#\ninclude ../x": "include: /etc/keepalived/../x is no whole path without ..",
    "#\ninclude /etc/keepalived/*/../../x": "no whole path without ..",
    "#\nnet_namespace other": "net_namespace: a push may not use the network namespace other",
}


@pytest.mark.parametrize("text", OTHERS)
def test_other_places_have_rules_too(text: str) -> None:
    (sentence,) = said(text)
    assert OTHERS[text] in sentence
    assert said("track_file t {\n file /etc/passwd\n}") == [], "it is only read"


NETWORK = replace(
    DEFAULT,
    interfaces=("eth0", "vrrp.*"),
    addresses=("10.0.0.0/24", "fd00::/64", "mail.example.org"),
    namespaces=("ha",),
)


def instance(*lines: str) -> str:
    return "vrrp_instance V {\n " + "\n ".join(lines) + "\n}\n"


ALLOWED = [
    instance("interface eth0", "virtual_ipaddress { 10.0.0.5/24 dev vrrp.51 }"),
    instance("virtual_ipaddress { fd00::5/64 }", "unicast_peer { fd00::2 }"),
    instance("track_interface { eth9 }"),
    instance("virtual_routes { 10.0.0.128/25 via 10.0.0.1 }"),
    "global_defs {\n router_id 192.0.2.1\n smtp_server mail.example.org\n}",
    "virtual_server_group g {\n 10.0.0.1-10.0.0.9 80\n 10.0.0.1-9 80\n}",
    "net_namespace ha",
]
FORBIDDEN = {
    instance("interface eth1"): "interface: a push may not use the interface eth1",
    instance("virtual_ipaddress { 10.0.1.5/24 }"): "virtual_ipaddress: a push may not use the",
    instance("virtual_ipaddress { 10.0.0.5/24 dev eth3 }"): "dev: a push may not use the interface",
    instance("virtual_routes { default via 10.0.0.1 }"): "the address default",
    instance("virtual_routes { 10.0.0.0/16 via 10.0.0.1 }"): "the address 10.0.0.0/16",
    instance("virtual_rules { from 10.9.0.0/16 lookup 5 }"): "the address 10.9.0.0/16",
    instance("use_vmac eth5"): "use_vmac: a push may not use the interface eth5",
    instance("unicast_peer { 192.0.2.7 }"): "unicast_peer: a push may not use the address",
    "global_defs {\n smtp_server mail.example.com\n}": "the address mail.example.com",
    "virtual_server_group g {\n 10.0.0.9-10.0.1.9 80\n}": "the address 10.0.0.9-10.0.1.9",
    "virtual_server 10.1.0.1 80 {\n}": "virtual_server: a push may not use the address 10.1.0.1",
    "global_defs {\n lvs_sync_daemon eth4 V\n}": "the interface eth4",
    "bfd_instance b {\n neighbor_ip 192.0.2.9\n}": "neighbor_ip: a push may not use the address",
}


@pytest.mark.parametrize("text", ALLOWED)
def test_what_the_network_s_rules_allow(text: str) -> None:
    assert said(text, NETWORK) == []
    assert said(text, replace(NETWORK, interfaces=("*",), addresses=DEFAULT.addresses)) == []


@pytest.mark.parametrize("text", FORBIDDEN)
def test_what_the_network_s_rules_forbid(text: str) -> None:
    (sentence,) = said(text, NETWORK)
    assert FORBIDDEN[text] in sentence
    assert said(text, replace(NETWORK, interfaces=("*",), addresses=DEFAULT.addresses)) == []


def test_a_push_that_may_not_add_programs_may_have_those_that_run() -> None:
    closed = replace(DEFAULT, add_programs=False)
    running = present(conf.named(script()))
    assert said(script(), closed, running=running) == []
    (sentence,) = said(script('script "/usr/bin/test -e /y"'), closed, running=running)
    assert "a push may not add programs to this node, which does not run it" in sentence
    assert len(said(script(user="user keepalived_script"), closed, running=running)) == 1
    (unsure,) = judge(conf.named(script()), closed)
    assert unsure.severity == "warning", "only the node knows what it runs"


def test_a_policy_that_is_wrong_forbids_everything() -> None:
    (problem,) = judge((), replace(DEFAULT, fault="others can read it"))
    assert problem.message == "this node takes no push: others can read it"


def test_a_secret_in_a_command_stands_in_no_sentence_and_in_no_list() -> None:
    text = script('script "/opt/x --token hunter2"')
    assert "hunter2" not in said(text)[0]
    (run,) = runs(conf.named(text), None)
    assert (run.command, run.user, run.line) == (f"/opt/x --token {conf.MASK}", "nobody", 2)


def test_the_list_of_what_runs_says_as_whom() -> None:
    text = 'vrrp_instance V {\n notify "/usr/bin/x a b"\n notify_fault "/y" root\n}'
    unknown, root = runs(conf.named(text), None)
    assert (unknown.user, unknown.root, root.user, root.root) == ("", False, "root", True)
    (told, _) = runs(conf.named(text), replace(DEFAULT, script_user="root"))
    assert (told.user, told.root, told.command) == ("root", True, "/usr/bin/x a b")
