"""Rules for one node: what each reports, and what it accepts."""

from __future__ import annotations

import pytest

from hanode import conf
from hanode.conf import Problem

SOUND = """\
global_defs { enable_script_security }
vrrp_script up { user root
    script /bin/true }
vrrp_instance one {
    state BACKUP
    interface eth0
    virtual_router_id 1
    priority 100
    advert_int 1
    virtual_ipaddress {
        192.0.2.1/24
    }
    track_script {
        up
    }
}
virtual_server 192.0.2.1 80 {
    protocol TCP
    lb_algo rr
    lb_kind DR
    real_server 192.0.2.11 80 {
        weight 1
    }
}
"""


def found(text: str) -> list[Problem]:
    return list(conf.check(text).problems)


def after(old: str, new: str) -> list[Problem]:
    """The problems of SOUND after one replacement."""
    assert SOUND.count(old) == 1, old
    return found(SOUND.replace(old, new))


def test_a_sound_file_has_no_problems() -> None:
    assert found(SOUND) == []


@pytest.mark.parametrize(
    ("old", "new", "code", "severity", "line"),
    [
        ("    virtual_router_id 1\n", "", "vrid-missing", "error", 4),
        ("    interface eth0\n", "", "interface-missing", "error", 4),
        ("        192.0.2.1/24\n", "", "no-address", "warning", 4),
        ("virtual_router_id 1\n", "virtual_router_id 256\n", "bad-value", "error", 7),
        ("priority 100", "priority 0", "bad-value", "error", 8),
        ("priority 100", "priority", "value-missing", "error", 8),
        ("priority 100", "priority 100 200", "extra-words", "warning", 8),
        ("priority 100", "priority 1\n    priority 2", "written-twice", "warning", 9),
        ("priority 100", "prioriti 100", "unknown-keyword", "warning", 8),
        ("priority 100", "weight 3", "misplaced-keyword", "warning", 8),
        ("priority 100", "net_mask 3", "retired-keyword", "warning", 8),
        ("priority 100", "json_version 2", "misplaced-keyword", "warning", 8),
        ("priority 100", "no_virtual_ipaddress", "newer-keyword", "warning", 8),
        ("priority 100", 'notify "/bin/x', "unclosed-quote", "error", 8),
        ("priority 100", "strange {\n    }", "unknown-keyword", "error", 8),
        ("priority 100", "priority {\n    }", "block-unexpected", "error", 8),
        (
            "    track_script {\n        up\n    }",
            "    track_script",
            "block-missing",
            "warning",
            13,
        ),
        ("        up\n", "        down\n", "tracked-unknown", "error", 14),
        ("advert_int 1", "advert_int 1.5", "advert-int", "warning", 9),
        ("advert_int 1", "advert_int 50\n    version 3", "advert-int", "error", 9),
        ("state BACKUP", "state MASTER\n    nopreempt", "nopreempt-master", "warning", 6),
        ("192.0.2.1/24", "192.0.2.256/24", "bad-address", "error", 11),
        ("192.0.2.1/24", "192.0.2.1/33", "bad-address", "error", 11),
        ("192.0.2.1/24", "192.0.2.1/24 ; x", "unknown-option", "warning", 11),
        ("192.0.2.1/24", "192.0.2.1/24 label", "value-missing", "error", 11),
        ("192.0.2.1/24", "192.0.2.1\n 192.0.2.1", "address-twice", "warning", 12),
        ("192.0.2.1/24", "192.0.2.1\n 2001:db8::1", "family-mixed", "warning", 12),
        ("    protocol TCP\n", "", "default-taken", "warning", 17),
        ("192.0.2.11 80", "192.0.2.11 8080", "port-kept", "warning", 21),
        ("192.0.2.11 80", "2001:db8::1 80", "family-mixed", "error", 21),
        ("192.0.2.11 80", "192.0.2.11 99999", "bad-value", "error", 21),
        ("192.0.2.11 80", "host 80", "bad-value", "error", 21),
        ("192.0.2.1 80 {", "nonsense {", "bad-value", "error", 17),
        ("        weight 1\n", "        weight -1\n", "bad-value", "error", 22),
    ],
)
def test_one_mistake_is_found_at_its_line(
    old: str, new: str, code: str, severity: str, line: int
) -> None:
    problems = after(old, new)
    assert (code, severity, line) in [(p.code, p.severity, p.line) for p in problems]


def test_two_groups_with_one_vrid_on_an_interface() -> None:
    second = SOUND[SOUND.index("vrrp_instance") : SOUND.index("virtual_server")]
    other = second.replace("one", "two").replace("192.0.2.1/", "192.0.2.2/")
    (problem,) = found(SOUND + other)
    assert (problem.code, problem.severity) == ("vrid-twice", "error")
    assert "one" in problem.message
    assert "virtual_router_id 1" in problem.message
    assert found(SOUND + other.replace("eth0", "eth1")) == []
    assert found(SOUND + other.replace("virtual_router_id 1", "virtual_router_id 2")) == []
    assert [p.code for p in found(SOUND + second)] == ["name-twice", "address-twice"]


def test_services_and_servers_that_stand_twice() -> None:
    service = SOUND[SOUND.index("virtual_server") :]
    assert [p.code for p in found(SOUND + service)] == ["service-twice"]
    server = SOUND[SOUND.index("    real_server") : -2]
    assert [p.code for p in found(SOUND[:-2] + server + "}\n")] == ["server-twice"]


def test_a_service_without_servers_is_an_error() -> None:
    text = "virtual_server 192.0.2.1 80 {\n protocol TCP\n lb_algo rr\n lb_kind DR\n}\n"
    (problem,) = found(text)
    assert (problem.code, problem.severity) == ("no-real-server", "error")


@pytest.mark.parametrize(
    ("block", "codes"),
    [
        ("auth_type PASS\n auth_pass abcdefgh", []),
        ("auth_type PASS\n auth_pass abcdefghi", ["auth-pass-long"]),
        ("auth_type PASS", ["auth-half"]),
        ("auth_pass abc", ["auth-half"]),
        ("auth_type MD5\n auth_pass abc", ["auth-half", "bad-value"]),
    ],
)
def test_authentication(block: str, codes: list[str]) -> None:
    text = SOUND.replace("    priority", f"    authentication {{\n{block}\n}}\n    priority")
    assert sorted(p.code for p in found(text)) == codes


def test_authentication_under_version_3_is_ignored() -> None:
    block = "    version 3\n    authentication {\n auth_type PASS\n auth_pass a\n}\n    priority"
    assert [p.code for p in found(SOUND.replace("    priority", block))] == ["auth-v3"]


def test_a_missing_brace_is_found_where_it_is_missing() -> None:
    text = SOUND.replace("        up\n    }\n}\n", "        up\n    }\n")
    problems = found(text)
    assert [(p.code, p.line) for p in problems if p.severity == "error"] == [("missing-brace", 16)]
    assert {p.code for p in problems[1:]} == {"not-read"}  # lines that keepalived then misreads
    assert "vrrp_instance one of line 4" in problems[0].message
    fixed = conf.apply_fixes(text, problems)
    assert conf.check(fixed).model == conf.check(SOUND).model
    assert found(fixed) == []


def test_a_brace_missing_at_the_end_and_one_too_many() -> None:
    assert [p.code for p in found(SOUND[:-2])] == ["missing-brace"]
    assert found(conf.apply_fixes(SOUND[:-2], found(SOUND[:-2]))) == []
    (extra,) = found(SOUND + "}\n")
    assert (extra.code, extra.line) == ("extra-brace", SOUND.count("\n") + 1)
    assert conf.apply_fixes(SOUND + "}\n", [extra]) == SOUND


def test_a_typing_mistake_gets_the_word_that_was_meant() -> None:
    (problem,) = (p for p in after("priority 100", "prioriti 100") if p.code == "unknown-keyword")
    assert problem.hint == "did you mean priority?"
    assert problem.fix is not None
    assert problem.fix.text == "priority"


def test_unknown_words_are_kept_in_the_model() -> None:
    model = conf.check(SOUND.replace("priority 100", "prioriti 100 # why")).model
    (kept, *_) = model.instances[0].other
    assert kept.words == ("prioriti", "100")
    assert kept.notes[0].after == "# why"
    assert "prioriti 100 # why" in conf.render(model, target=None).text
    assert "prioriti" not in conf.render(model).text


def test_a_wrong_value_is_kept_beside_the_field() -> None:
    model = conf.check(SOUND.replace("priority 100", "priority 900")).model
    assert model.instances[0].priority is None
    assert model.instances[0].other[0].words == ("priority", "900")


def test_newer_words_fit_a_newer_target() -> None:
    text = SOUND.replace("    priority", "    no_virtual_ipaddress\n    priority")
    assert [p.code for p in conf.check(text, target="keepalived-2.2.7").problems] == [
        "newer-keyword"
    ]
    assert conf.check(text, target="keepalived-2.3").problems == ()
    assert conf.check(text, target="hanode").problems == ()


def test_fields_are_typed_and_in_microseconds() -> None:
    model = conf.check(SOUND.replace("advert_int 1", "advert_int 0.25\n version 3")).model
    one = model.instances[0]
    assert (one.name, one.state, one.interface, one.vrid) == ("one", "BACKUP", "eth0", 1)
    assert (one.priority, one.advert_int_us, one.version) == (100, 250_000, 3)
    server = model.virtual_servers[0]
    assert (server.ip, server.port, server.key) == ("192.0.2.1", 80, "192.0.2.1:80/TCP")
    assert server.real_servers[0].weight == 1


def test_a_line_beyond_keepalived_s_buffer_is_an_error_even_as_a_comment() -> None:
    assert found("#" * 1022 + "\n") == []
    (problem,) = found("#" * 1023 + "\n")
    assert (problem.code, problem.severity) == ("line-too-long", "error")
    assert [p.code for p in found("#" + "é" * 511 + "\n")] == ["line-too-long"]
