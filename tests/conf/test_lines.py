"""Lines that are no keywords: our report on each agrees with keepalived's."""

from __future__ import annotations

from pathlib import Path

import pytest

from hanode import conf
from hanode.conf.keywords import blocks
from tests.conf.differential import KeepalivedOutput, keepalived_says

LINES = Path(__file__).parent / "lines"
"""By block: right and wrong lines, one on each line of a file."""
IN_INSTANCE = """\
vrrp_instance one {{
    state BACKUP
    interface ens33
    virtual_router_id 1
    virtual_ipaddress {{
        192.168.192.9/24
    }}
    {block} {{
{lines}
    }}
}}
"""
AT_ROOT = """\
{block}{name} {{
{lines}
}}
vrrp_instance one {{
    state BACKUP
    interface ens33
    virtual_router_id 1
    virtual_ipaddress {{
        192.168.192.9/24
    }}
}}
"""
ROOT = ("virtual_server_group", "interface_up_down_delays", "linkbeat_interfaces")


def file_of(block: str, lines: list[str]) -> str:
    form = AT_ROOT if block in ROOT else IN_INSTANCE
    name = " web" if block == "virtual_server_group" else ""
    return form.format(block=block, name=name, lines="\n".join(lines))


def lines_of(block: str) -> list[str]:
    return (LINES / f"{block}.txt").read_text().splitlines()


def problems_by_line(text: str) -> dict[int, set[str]]:
    found: dict[int, set[str]] = {}
    for problem in conf.check(text, node="a").problems:
        found.setdefault(problem.line, set()).add(problem.severity)
    return found


def ends_keepalived(text: str, said: KeepalivedOutput) -> list[int]:
    """The lines with a missing value that makes keepalived exit at once."""
    return [n for n, texts in said.lines.items() if any(t.startswith("***") for t in texts)]


@pytest.mark.needs("root", "netns", "keepalived")
@pytest.mark.parametrize("block", sorted(path.stem for path in LINES.glob("*.txt")))
def test_we_complain_of_the_lines_of_which_keepalived_does(block: str) -> None:
    lines = lines_of(block)
    for _ in range(len(lines)):
        text = file_of(block, lines)
        said = keepalived_says({"x.conf": text})["x.conf"]
        ended = ends_keepalived(text, said)
        if not ended:
            break
        ours = problems_by_line(text)
        for number in ended:
            wrong = text.split("\n")[number - 1]
            assert "error" in ours.get(number, ()), wrong
            lines.remove(wrong)
    assert said.lines, said
    ours = problems_by_line(text)
    for number, line in enumerate(text.split("\n"), 1):
        severities = ours.get(number, set()) - {"info"}
        its = said.lines.get(number, [])
        assert not its or severities, (line, its)
        if number not in said.machine_lines:
            assert its or "error" not in severities, (line, severities)


@pytest.mark.parametrize("name", [b.name for b in blocks().values() if b.lines is not None])
def test_every_option_of_a_line_says_what_it_is_for(name: str) -> None:
    for keyword in blocks()[name].keywords.values():
        assert keyword.help, (name, keyword.name)
        assert keyword.value.shape


def test_a_misspelt_option_of_a_line_can_be_corrected() -> None:
    text = file_of("virtual_routes", ["        10.0.0.0/8 via 192.168.192.1 dev ens33 metrik 5"])
    problems = [p for p in conf.check(text).problems if p.code == "unknown-option"]
    assert [p.severity for p in problems] == ["error"]
    fixed = conf.apply_fixes(text, problems)
    assert "dev ens33 metric 5" in fixed
    assert not [p for p in conf.check(fixed).problems if p.severity == "error"]


def test_of_a_name_that_only_the_machine_knows_we_only_warn() -> None:
    text = file_of("virtual_routes", ["        10.0.0.0/8 dev ens33 table mine"])
    assert [(p.code, p.severity) for p in conf.check(text).problems if p.line == 9] == [
        ("bad-value", "warning")
    ]
