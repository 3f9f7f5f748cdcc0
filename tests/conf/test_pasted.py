"""What people paste gives one message for its cause, and its fix gives the sound text back."""

from __future__ import annotations

from pathlib import Path

import pytest

from hanode import conf
from tests.conf.test_keepalived import keepalived_says

SOUND = """\
global_defs {
    router_id LVS_A
    enable_script_security
    script_user nobody
}
vrrp_script chk {
    script "/usr/bin/true"
    interval 2
}
vrrp_instance VI_1 {
    state BACKUP
    interface ens33
    virtual_router_id 51
    priority 100
    advert_int 1
    authentication {
        auth_type PASS
        auth_pass secret
    }
    virtual_ipaddress {
        192.168.192.10/24 dev ens33
        192.168.192.11/24 dev ens33
    }
    track_script {
        chk
    }
}
"""


def replaced(*pairs: tuple[str, str]) -> str:
    text = SOUND
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    return text


LINES = SOUND.split("\n")
PASTED = {
    "BOM": ("byte-order-mark", "\ufeff" + SOUND),
    "BOM and a comment": ("byte-order-mark", "\ufeff# my file\n" + SOUND),
    "no-break spaces everywhere": ("foreign-character", replaced(("    ", "\u00a0 \u00a0 "))),
    "a no-break space": ("foreign-character", replaced(("priority 100", "priority\u00a0100"))),
    "before a brace": ("foreign-character", replaced(("VI_1 {", "VI_1\u00a0{"))),
    "an ideographic space": ("foreign-character", replaced(("state ", "state\u3000"))),
    "a line separator": ("foreign-character", replaced(("interval 2\n", "interval 2\u2028\n"))),
    "a no-break space of Latin-1": ("foreign-character", replaced(("state ", "state\udca0"))),
    "a zero-width space": ("foreign-character", replaced(("interface", "inter\u200bface"))),
    "behind a value": ("foreign-character", replaced(("ens33\n", "ens33\u200b\n"))),
    "a soft hyphen": ("foreign-character", replaced(("virtual_ip", "virtual_\u00adip"))),
    "a control character": ("foreign-character", replaced(("advert_int 1", "advert_int 1\x02"))),
    "a BOM inside": ("foreign-character", replaced(("vrrp_instance", "\ufeffvrrp_instance"))),
    "quotes": ("foreign-character", replaced(('"/usr/bin/true"', "“/usr/bin/true”"))),
    "low quotes": ("foreign-character", replaced(('"/usr/bin/true"', "„/usr/bin/true“"))),
    "a wide sign": ("foreign-character", replaced(("VI_1 {", "VI_1 ｛"))),
    "// lines": (
        "comment-foreign",
        replaced(("    state", "// who begins\n    state"), ("        chk", "// one\n        chk")),
    ),
    "// behind": ("comment-foreign", replaced(("dev ens33\n", "dev ens33 // an address\n"))),
    "/* */": ("comment-foreign", "/* my\n * own\n   file */\n" + SOUND),
    "; lines": ("comment-foreign", "; my file\n" + SOUND),
    "; behind each value": (
        "semicolon-end",
        "\n".join(f"{x};" if x and x[-1] not in "{}" and "pass" not in x else x for x in LINES),
    ),
    "; behind braces": ("semicolon-end", replaced(("    }\n", "    };\n"))),
    "a misspelt block": ("unknown-keyword", replaced(("vrrp_instance", "vrrp_instace"))),
    "a block in two words": ("unknown-keyword", replaced(("global_defs", "global defs"))),
    "a block with a hyphen": ("unknown-keyword", replaced(("vrrp_script chk", "vrrp-script chk"))),
    "a misspelt block inside": (
        "unknown-keyword", replaced(("virtual_ipaddress", "virtual_ipadress")),
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", PASTED)
def test_one_cause_is_one_message_and_its_fix_mends_it(kind: str) -> None:
    code, text = PASTED[kind]
    assert conf.check(SOUND).problems == ()
    found = conf.check(text).problems
    assert [p.code for p in found] == [code], found
    assert conf.Checker().update(text).problems == found
    for _ in range(text.count("\n") + 2):
        problems = conf.check(text).problems
        if not problems:
            break
        assert [p.code for p in problems] == [code]
        text = conf.apply_fixes(text, problems)
    stripped = [line.rstrip() for line in text.split("\n") if line.strip()[:1] not in ("#", "")]
    told = [line.partition("#")[0].rstrip() for line in stripped]
    assert told == [line for line in SOUND.split("\n") if line]


@pytest.mark.needs("root", "netns", "keepalived")
@pytest.mark.parametrize("kind", PASTED)
def test_keepalived_complains_within_the_lines_that_the_message_reaches(
    kind: str, tmp_path: Path
) -> None:
    _, text = PASTED[kind]
    path = tmp_path / "x.conf"
    path.write_bytes(text.encode(errors="surrogateescape"))
    code, said = keepalived_says(path)
    (problem,) = conf.check(text).problems
    lines = {int(s.split("Line ")[1].split(")")[0]) for s in said if "Line " in s}
    assert lines <= set(range(problem.line, max(problem.line, problem.reaches) + 1)), (
        said,
        problem,
    )
    if problem.severity == "error":
        assert code


TEMPLATES = {
    "jinja": replaced(("51", "{{ vrid }}"), ("ens33", "{{ iface }}"), ("100", "{{ prio | int }}")),
    "jinja blocks": "{% if x %}\n" + SOUND + "{% endif %}\n",
    "helm": replaced(("51", "{{ .Values.vrid }}"), ("100", "{{- .Values.prio }}")),
    "percents": replaced(("51", "%%VRID%%"), ("ens33", "%%IF%%")),
    "one percent": replaced(("51", "%VRID%"), ("ens33", "%IF%")),
    "angles": replaced(("192.168.192.10/24", "<IP>/24"), ("secret", "<your password>")),
    "erb": replaced(("51", "<%= @vrid %>"), ("100", "<%= @prio %>")),
    "underscores": replaced(("51", "__VRID__"), ("192.168.192.10", "__VIP__")),
    "at signs": replaced(("51", "@VRID@"), ("192.168.192.10", "@VIP@")),
    "quoted": replaced(("LVS_A", '"{{ name }}"'), ("51", "{{ vrid }}")),
    "square brackets": replaced(("51", "[[ .Vrid ]]"), ("100", "[[ vip | first ]]")),
}


@pytest.mark.parametrize("kind", TEMPLATES)
def test_a_template_that_was_not_filled_in_is_one_message(kind: str) -> None:
    found = conf.check(TEMPLATES[kind]).problems
    assert [p.code for p in found] == ["template-unfilled"], found
    assert conf.Checker().update(TEMPLATES[kind]).problems == found
    lines = TEMPLATES[kind].split("\n")
    assert lines[found[0].line - 1] != LINES[found[0].line - 1]
    assert lines[: found[0].line - 1] == LINES[: found[0].line - 1]


def test_variables_of_a_shell_that_nobody_filled_in_are_one_message() -> None:
    """keepalived takes each one's braces for a block, and misreads all that follows."""
    text = replaced(("51", "${VRID}"), ("100", "${PRIO}"), ("ens33", "${IFACE}"))
    (problem,) = conf.check(text).problems
    assert problem.code == "undefined-name"
    assert problem.message.startswith("${IFACE} is not defined above")
    assert (problem.line, problem.hint) == (
        text[: text.index("${IFACE}")].count("\n") + 1,
        "fill it in first; the rest is checked then",
    )
    assert conf.Checker().update(text).problems == (problem,)


@pytest.mark.parametrize("above", ["$OTHER=1\n", "include *.conf\n", "@a $OTHER=1\n"])
def test_names_beside_definitions_are_judged_one_by_one(above: str) -> None:
    found = conf.check(above + replaced(("51", "${VRID}"), ("ens33", "${IFACE}"))).problems
    assert not any(p.hint == "fill it in first; the rest is checked then" for p in found)
    assert "undefined-name" in {p.code for p in found}


def test_a_command_s_own_variables_are_left_alone() -> None:
    text = replaced(("100", "100\n    notify \"/bin/sh -c 'echo ${WHO}'\""))
    assert "undefined-name" not in {p.code for p in conf.check(text).problems}


@pytest.mark.parametrize(
    "text",
    [
        "# {{ x }} “quoted” \u00a0 // ; -- /* %%X%%\n" + SOUND,
        replaced(("LVS_A", '"B\u00fcro – “eins”"')),
        replaced(("LVS_A", "B\u00fcro")),
        replaced(("VI_1", "Grüße")),
        replaced(('"/usr/bin/true"', "\"/usr/bin/docker inspect -f '{{.State.Running}}' x\"")),
        replaced(('"/usr/bin/true"', '"/usr/bin/curl -s http://127.0.0.1/ -o /dev/null; true"')),
        replaced(('"/usr/bin/true"', '"/usr/bin/date +%H%M%S --utc // x"')),
        replaced(("secret", '"a;b//c"')),
    ],
)
def test_what_is_meant_is_left_alone(text: str) -> None:
    pasted = {"foreign-character", "template-unfilled", "comment-foreign", "semicolon-end"}
    assert not pasted & {p.code for p in conf.check(text).problems}


@pytest.mark.parametrize(
    ("old", "new", "severity", "told"),
    [
        ("auth_pass secret", "auth_pass ab#cd12", "warning", "the value of auth_pass ends"),
        ("auth_pass secret", "auth_pass ab!cd12", "warning", "! begins a comment here"),
        ("auth_pass secret", "auth_pass #cd12", "error", "auth_pass has no value"),
        ("auth_pass secret", "auth_pass ab\\#cd12", "warning", "up to keepalived 2.3"),
        ("router_id LVS_A", "router_id LVS#A", "warning", "the value of router_id ends"),
        ("priority 100", "priority 100#high", "info", "the value of priority ends"),
    ],
)
def test_a_value_that_a_comment_cuts_is_told_without_the_secret(
    old: str, new: str, severity: str, told: str
) -> None:
    found = conf.check(replaced((old, new))).problems
    assert [(p.code, p.severity) for p in found] == [("comment-cuts", severity)]
    assert told in found[0].message
    assert "cd12" not in repr(found)


def test_a_comment_behind_a_value_is_no_cut() -> None:
    for text in (replaced(("secret", "secret # x")), replaced(("VI_1 {", "VI_1 {# x"))):
        assert conf.check(text).problems == ()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("    interface ens33", "    interface ens33:1"),
        ("192.168.192.10/24 dev ens33", "192.168.192.10/24 dev ens33:1"),
        ("    track_script {", "    track_interface {\n        eth1:0\n    }\n    track_script {"),
        ("    interface ens33", "    interface eth0/1"),
    ],
)
def test_a_label_is_no_interface(old: str, new: str) -> None:
    (problem,) = conf.check(replaced((old, new))).problems
    assert (problem.code, problem.severity) == ("bad-value", "error")
    assert "an interface" in problem.message


def test_a_file_for_other_nodes_says_so() -> None:
    text = "".join(f"@NodeA {line}\n" if line else "\n" for line in LINES)
    assert conf.check(text, node="NodeA").problems == ()
    (problem,) = conf.check(text, node="NodeC").problems
    assert (problem.code, problem.severity) == ("nothing-left", "warning")
    assert "NodeC: they are for NodeA" in problem.message
    assert conf.Checker(node="NodeC").update(text).problems == (problem,)


def test_max_auto_priority_needs_no_number() -> None:
    assert (
        conf.check(replaced(("    script_user", "    max_auto_priority\n    script_user"))).problems
        == ()
    )
