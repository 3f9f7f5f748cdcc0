"""Advice is executed: what a hint or a fix says is done, and then both programs are silent.

For each case of each code (`tests/conf/cases` has all codes of the registry): its fix is applied by
machine, and its hint is done by `tests.conf.advice.hints`, in each way that it offers. The result
has no problem here and none in `keepalived -t`. Where it is about a failover, `simulate` shows what
the hint promised: `test_advice_failover`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

import pytest

from hanode import conf
from hanode.conf import Problem
from hanode.conf.check.check import check
from hanode.conf.keywords import blocks
from hanode.conf.language.schema import Keyword
from tests.conf.advice.deeds import Task
from tests.conf.advice.hints import done
from tests.conf.advice.real import keepalived_says
from tests.conf.cases.base import Case
from tests.conf.test_codes import CASES, problems

TOO_LARGE = ("too-long", "line-too-long", "too-deep")
"""Cases of a megabyte, or that nobody writes by hand: their problems have no advice."""
ABOUT_THE_MACHINE = re.compile(r"ch(own|mod) .*|put a text of .*")
"""Advice for a shell: `test_advice_machine` runs it."""


def own(case: Case) -> list[Problem]:
    """The problems that the case is about."""
    found = problems(case, case.text)
    return [p for p in found if p.code == case.code and p.line == case.expected_line]


def is_for_the_text(problem: Problem) -> bool:
    """Whether its hint is about the text, and not for a shell."""
    return problem.hint is not None and not ABOUT_THE_MACHINE.fullmatch(problem.hint)


def mended(case: Case) -> Iterator[tuple[str, str, Problem]]:
    """(how, text, problem) for each way in which the case's advice can be followed."""
    for problem in own(case):
        if problem.fix is not None and problem.file == "keepalived.conf":
            yield "fix", conf.apply_fixes(case.text, [problem]), problem
        if is_for_the_text(problem):
            for number, text in enumerate(done(Task(case.text, problem)), 1):
                yield f"hint {number}", text, problem


ADVISED = [case for case in CASES if case.code not in TOO_LARGE]


@pytest.mark.parametrize("case", ADVISED, ids=str)
def test_who_follows_the_advice_hears_no_more_of_it(case: Case) -> None:
    before = Counter(p.code for p in problems(case, case.text))
    for how, text, problem in mended(case):
        after = Counter(p.code for p in problems(case, text))
        assert after[case.code] < before[case.code], (how, problem.hint, text)
        assert not after - before, (how, problem.hint, after - before, text)


def followed(case: Case, text: str) -> str:
    """The text after all further advice about it, until nothing advises any more."""
    for _ in range(12):
        advised = [p for p in problems(case, text) if p.fix is not None or is_for_the_text(p)]
        if not advised:
            return text
        first = advised[0]
        fixed = conf.apply_fixes(text, [first])
        text = fixed if first.fix is not None else done(Task(text, first))[0]
    raise AssertionError(f"advice that never ends: {advised}")


@pytest.mark.needs("root", "netns", "keepalived")
def test_keepalived_is_silent_about_what_was_done_as_advised() -> None:
    cases = [c for c in ADVISED if c.read is None and c.target == "keepalived-2.2.7"]
    texts = {f"{case} sound": case.sound for case in cases}
    for case in cases:
        for how, text, _ in mended(case):
            after = followed(case, text)
            left = [p.code for p in problems(case, after) if p.severity != "info"]
            assert left == [], (how, after)
            texts[f"{case} {how}"] = after
    assert {label: lines for label, lines in keepalived_says(texts).items() if lines} == {}


def test_a_message_says_what_happens_and_a_hint_what_to_do() -> None:
    advice = re.compile(r"(?:^|[;:,] )(?:write|use|remove|move|leave|give|keep|put|chmod) ")
    for case in CASES:
        for problem in own(case) if case.code not in TOO_LARGE else ():
            assert not advice.search(problem.message), problem


OLD = [
    (block.name, keyword)
    for block in blocks().values()
    for keyword in block.keywords.values()
    if keyword.old and block.lines is None and not keyword.since
]
"""The deprecated keywords of 2.2.7 that are no options of a line."""


@pytest.mark.parametrize(("block", "keyword"), OLD, ids=lambda x: getattr(x, "name", x))
def test_the_successor_of_an_old_word_is_silent(block: str, keyword: Keyword) -> None:
    """What the row says to write instead, in the place of the old word."""
    for new in OLD_WORDS[keyword.name]:
        assert new.split()[0] in keyword.old
        before, after = (around(block, keyword.name, line) for line in (None, new))
        assert "deprecated-keyword" in [p.code for p in check(before).problems]
        left = [p for p in check(after).problems if p.severity != "info"]
        assert left == [], after


OLD_WORDS = {
    "nb_get_retry": ["retry 3"],
    "vrrp_vmac_garp_intvl": ["vrrp_garp_extra_if 3"],
    "vmac_garp_intvl": ["garp_extra_if 3"],
    "vrrp_iptables": ["nftables"],
    "vrrp_ipsets": ["nftables"],
    "linkbeat_use_polling": ["linkbeat_interfaces ~"],
    "lvs_sync_daemon_interface": ["lvs_sync_daemon ~"],
    "global_tracking": ["track_script ~"],
}
"""By old word: what its hint says to write; with ~ at another place, which is in `around`."""
VALUES = {
    "nb_get_retry": "3", "vrrp_vmac_garp_intvl": "3", "vmac_garp_intvl": "3",
    "vrrp_iptables": "INPUT", "vrrp_ipsets": "set", "lvs_sync_daemon_interface": "eth0",
}  # fmt: skip


def around(block: str, word: str, new: str | None) -> str:
    """A file with the old word (None), or with what stands for it."""
    line = f"{word} {VALUES.get(word, '')}".rstrip() if new is None else new
    elsewhere = "linkbeat_interfaces {\n    eth0\n}\n" if line == "linkbeat_interfaces ~" else ""
    daemon = "    lvs_sync_daemon eth0 one\n" if line == "lvs_sync_daemon ~" else ""
    tracks = "    track_script {\n        up\n    }\n" if line == "track_script ~" else ""
    line = "" if "~" in line else f"    {line}\n"
    inside = {name: line if name == block else "" for name in (
        "global_defs", "vrrp_instance", "vrrp_sync_group", "HTTP_GET", "SSL_GET")}  # fmt: skip
    check_ = "HTTP_GET" if block != "SSL_GET" else block
    group = f"vrrp_sync_group g {{\n    group {{\n        one\n    }}\n{tracks}"
    return (
        f"global_defs {{\n    script_user root\n    enable_script_security\n{daemon}"
        f"{inside['global_defs']}}}\n{elsewhere}"
        "vrrp_script up {\n    script /bin/true\n}\n"
        f"{group}{inside['vrrp_sync_group']}}}\n"
        "vrrp_instance one {\n    interface eth0\n    virtual_router_id 1\n"
        f"{inside['vrrp_instance']}    virtual_ipaddress {{\n        192.0.2.10/24\n    }}\n}}\n"
        "virtual_server 192.0.2.10 80 {\n    protocol TCP\n    lb_algo rr\n    lb_kind NAT\n"
        f"    real_server 192.0.2.21 80 {{\n        {check_} {{\n{inside[check_]}"
        "            url {\n                path /\n            }\n        }\n    }\n}\n"
    )
