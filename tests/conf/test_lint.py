"""Interactions of one node's rules: sums, fixes, files that are not read, facts of the machine.

tests/conf/cases has what each rule reports and accepts (see `test_codes`).
"""

from __future__ import annotations

import pytest

from hanode import conf
from hanode.conf.check.check import check
from hanode.conf.rules.machine import FileFacts, MachineFacts

TEXT = """\
global_defs { script_user root
    router_id here
    enable_script_security
}
vrrp_script up {
    script "/usr/bin/up now"
    interval 2
    weight -20
}
vrrp_sync_group both {
    group {
        one
        two
    }
    sync_group_tracking_weight
}
vrrp_instance one {
    state BACKUP
    interface eth0
    virtual_router_id 1
    priority 100
    unicast_src_ip 192.0.2.1
    unicast_peer {
        192.0.2.2
    }
    virtual_ipaddress {
        192.0.2.10/24
    }
    track_script {
        up
    }
}
vrrp_instance two {
    state BACKUP
    interface eth1
    virtual_router_id 2
    priority 100
    virtual_ipaddress {
        198.51.100.10/24
    }
    track_script { up
    }
}
virtual_server 192.0.2.10 80 {
    delay_loop 6
    protocol TCP
    lb_algo rr
    lb_kind DR
    quorum 1
    real_server 192.0.2.21 80 {
        weight 1
        TCP_CHECK {
            connect_timeout 3
        }
    }
    real_server 192.0.2.22 80 {
        weight 1
    }
}
"""
V6 = """\
vrrp_instance six {
    interface eth0
    virtual_router_id 6
    version 3
    virtual_ipaddress {
        fe80::1/64
        2001:db8::1/64
    }
}
"""


def found(text: str, machine: MachineFacts | None = None) -> list[tuple[str, str]]:
    checked = check(text, machine=machine or MachineFacts())
    return [(p.code, p.severity) for p in checked.problems]


def changed(old: str, new: str, text: str = TEXT) -> str:
    assert text.count(old) == 1, old
    return text.replace(old, new)


def test_what_is_sound_has_no_problems() -> None:
    assert found(TEXT) == []
    assert found(V6) == []


ONE = "    priority 100\n    unicast_src_ip"


def test_what_services_choose() -> None:
    text = changed("protocol TCP", "protocol UDP").replace(
        "quorum 1", "ops\n persistence_timeout 9"
    )
    assert ("ops-persistence", "warning") in found(text)
    assert ("weight-zero-all", "warning") in found(TEXT.replace("weight 1", "weight 0"))
    text = changed("192.0.2.10 80 {", "192.0.2.10 0 {").replace("quorum 1", "persistence_timeout 9")
    assert "any-port" not in [code for code, _ in found(text)]


def test_ipv6_begins_with_a_link_local_address() -> None:
    assert found(changed("        fe80::1/64\n", "", V6)) == [("link-local-first", "info")]


def test_an_address_has_one_meaning_however_it_is_spelt() -> None:
    text = changed("2001:db8::1/64", "2001:db8::1/64\n        2001:DB8:0::1/64", V6)
    assert ("address-twice", "warning") in found(text)


def test_sums_are_said_in_words() -> None:
    checked = conf.check(changed("        up\n", "        up weight 200\n"))
    (problem,) = (p for p in checked.problems if p.code == "weight-too-large")
    assert "100 + 200 = 300; keepalived cuts it to 254" in problem.message
    checked = conf.check(changed(ONE, "    priority 15\n    unicast_src_ip"))
    (problem,) = (p for p in checked.problems if p.code == "weight-too-large")
    minus = "\N{MINUS SIGN}"
    assert f"15 {minus} 20 = {minus}5; keepalived cuts it to 1" in problem.message


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("        192.0.2.2\n", "        192.0.2.2\n        192.0.2.2\n"),
        ("        192.0.2.10/24\n", "        192.0.2.10/24\n        192.0.2.10/24\n"),
        ("    quorum 1\n", "    quorum 1\n    ops\n"),
    ],
)
def test_a_fix_leaves_the_sound_text(old: str, new: str) -> None:
    text = changed(old, new)
    checked = conf.check(text)
    assert [p.code for p in checked.problems if p.fix is None] == []
    assert conf.apply_fixes(text, checked.problems) == TEXT


def test_the_fix_of_authentication_under_version_3() -> None:
    text = changed(
        "    version 3\n",
        "    version 3\n    authentication {\n        auth_type PASS\n        auth_pass a\n    }\n",
        V6,
    )
    checked = conf.check(text)
    assert [p.code for p in checked.problems] == ["auth-v3"]
    assert conf.apply_fixes(text, checked.problems) == V6


def test_what_is_in_files_not_read_is_not_missed() -> None:
    text = "include more.conf\n" + changed("        two\n", "        three\n")
    assert not {"sync-unknown", "sync-single"} & {code for code, _ in found(text)}


SOUND = FileFacts(0o755)
PRIVATE = FileFacts(0o640)


def machine(script: FileFacts | None = SOUND, file: FileFacts = PRIVATE) -> MachineFacts:
    def stat(path: str) -> FileFacts | None:
        return script if path == "/usr/bin/up" else file

    return MachineFacts(stat, {"eth0": ("192.0.2.1/24",), "eth1": ("198.51.100.1/24",)})


SECURE = TEXT


def test_a_sound_machine() -> None:
    assert found(SECURE, machine()) == []


@pytest.mark.parametrize(
    ("script", "code"),
    [
        (None, "script-missing"),
        (FileFacts(0o644), "script-not-executable"),
        (FileFacts(0o755, regular=False), "script-not-executable"),
        (FileFacts(0o757), "script-writable"),
        (FileFacts(0o775), "script-writable"),
        (FileFacts(0o755, owner=1000), "script-writable"),
    ],
)
def test_scripts_on_the_machine(script: FileFacts | None, code: str) -> None:
    assert found(SECURE, machine(script)) == [(code, "warning")]


def test_scripts_without_security() -> None:
    text = changed("    enable_script_security\n", "")
    assert found(text, machine()) == found(text) == [("script-security", "info")]


def test_secrets_that_anyone_can_read() -> None:
    secret = "    authentication {\n        auth_type PASS\n        auth_pass word\n    }\n"
    text = changed("    interface eth1\n", f"    interface eth1\n{secret}", SECURE)
    assert found(text, machine()) == []
    (problem,) = check(text, machine=machine(file=FileFacts(0o644))).problems
    assert (problem.code, problem.severity) == ("secret-readable", "warning")
    assert "word" not in problem.message.replace("password", "")


def test_addresses_on_the_machine() -> None:
    text = changed("        198.51.100.10/24", "        203.0.113.10/24", SECURE)
    assert found(text, machine()) == [("vip-outside", "warning")]
    text = changed("        198.51.100.10/24", "        198.51.100.1/24", SECURE)
    assert found(text, machine()) == [("vip-is-own", "warning")]
