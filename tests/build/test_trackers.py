"""Trackers: what their blocks say, what they are without it, and the weight that counts."""

from __future__ import annotations

import pytest

from hanode.vrrp.engine_settings import (
    Command,
    FileTracker,
    ProcessTracker,
    ScriptTracker,
    Tracked,
    VrrpSettings,
)
from tests.vrrp.words import built, text

DEFINED = """\
vrrp_script chk {
script /bin/chk
weight 5 reverse
}
vrrp_track_process proc {
process /bin/proc
weight 6 reverse
}
track_file level {
file /run/level
weight 7 reverse
}
"""


def block(head: str, *lines: str) -> VrrpSettings:
    result = built(f"{head} {{\n" + "\n".join(lines) + "\n}\n")
    assert result.errors == ()
    return result.vrrp


def script(*lines: str) -> ScriptTracker:
    (made,) = block("vrrp_script s", *lines).scripts
    return made


def process(*lines: str) -> ProcessTracker:
    (made,) = block("vrrp_track_process p", *lines).processes
    return made


def file(*lines: str) -> FileTracker:
    (made,) = block("track_file f", *lines).files
    return made


def tracked(*blocks: str) -> tuple[Tracked, ...]:
    (one,) = built(DEFINED + text("\n".join(blocks))).vrrp.instances
    return one.tracked


def test_everything_that_a_script_says() -> None:
    assert script(
        "script \"/bin/chk 'two words' x\"",
        "user bob",
        "interval 2",
        "timeout 3",
        "weight -20 reverse",
        "rise 4",
        "fall 5",
        "init_fail",
    ) == ScriptTracker(
        name="s",
        command=Command(("/bin/chk", "two words", "x"), "bob"),
        interval_us=2_000_000,
        timeout_us=3_000_000,
        rise=4,
        fall=5,
        weight=-20,
        reverse=True,
        init_fail=True,
    )


def test_a_script_that_says_little() -> None:
    assert script("script /bin/chk") == ScriptTracker("s", Command(("/bin/chk",)))


def test_the_user_of_a_script_is_a_statement_and_words_behind_its_command_are_nobodys() -> None:
    line = "script /bin/chk bob staff"
    assert script(line).command == Command(("/bin/chk",))
    assert script(line, "user nobody").command == Command(("/bin/chk",), "nobody", None)
    assert script(line, "user nobody nogroup").command == Command(
        ("/bin/chk",), "nobody", "nogroup"
    )


def test_everything_that_a_process_says() -> None:
    assert process(
        "process /usr/sbin/nginx -g daemon",
        "param_match initial",
        "weight 10 reverse",
        "quorum 2",
        "quorum_max 5",
        "delay 1",
        "fork_delay 2",
        "terminate_delay 3",
        "full_command",
    ) == ProcessTracker(
        name="p",
        path="/usr/sbin/nginx",
        params=("-g", "daemon"),
        param_match="initial",
        weight=10,
        reverse=True,
        quorum=2,
        quorum_max=5,
        fork_delay_us=2_000_000,
        terminate_delay_us=3_000_000,
        full_command=True,
    )


def test_a_process_that_says_little() -> None:
    assert process("process nginx") == ProcessTracker("p", "nginx")


def test_one_delay_is_for_fork_and_termination() -> None:
    both = process("process nginx", "delay 1.5")
    assert (both.fork_delay_us, both.terminate_delay_us) == (1_500_000, 1_500_000)
    fork = process("process nginx", "delay 1.5", "fork_delay 2")
    assert (fork.fork_delay_us, fork.terminate_delay_us) == (2_000_000, 1_500_000)
    end = process("process nginx", "delay 1.5", "terminate_delay 2")
    assert (end.fork_delay_us, end.terminate_delay_us) == (1_500_000, 2_000_000)


@pytest.mark.parametrize(
    ("line", "match", "found"),
    [
        ("process nginx", None, "none"),
        ("process nginx -x", None, "exact"),
        ("process nginx -x", "param_match", "exact"),
        ("process nginx", "param_match", "exact"),
        ("process nginx -x", "param_match partial", "partial"),
        ("process nginx -x", "param_match initial", "initial"),
    ],
)
def test_how_the_parameters_of_a_process_must_match(
    line: str, match: str | None, found: str
) -> None:
    assert process(line, *([match] if match else [])).param_match == found


def test_everything_that_a_file_says() -> None:
    said = file("file /run/f", "weight 3 reverse", "init_file 7 overwrite")
    assert said == FileTracker("f", "/run/f", 3, True, 7, True)


def test_a_file_that_says_little() -> None:
    assert file("file /run/f") == FileTracker("f", "/run/f")
    assert file("file /run/f", "init_file").init_value == 0


@pytest.mark.parametrize("head", ["vrrp_script x", "vrrp_track_process x", "track_file x"])
def test_a_tracker_of_nothing_is_left_out(head: str) -> None:
    settings = block(head, "weight 3")
    assert (settings.scripts, settings.processes, settings.files) == ((), (), ())


@pytest.mark.parametrize(
    ("kind", "name", "weight"),
    [("script", "chk", 5), ("process", "proc", 6), ("file", "level", 7)],
)
def test_the_weight_of_an_instance_comes_before_that_of_the_tracker(
    kind: str, name: str, weight: int
) -> None:
    """`reverse` belongs to the weight that it stands behind."""
    found = [
        tracked(f"track_{kind} {{\n{name}{more}\n}}")
        for more in ("", " weight 9", " weight 9 reverse", " weight 0", " weight 9 noreverse")
    ]
    assert [(one.name, one.weight, one.reverse) for (one,) in found] == [
        (name, weight, True),
        (name, 9, False),
        (name, 9, True),
        (name, 0, False),
        (name, 9, False),
    ]
    assert {one.kind for (one,) in found} == {kind}


def test_an_interface_has_the_weight_of_its_line() -> None:
    lines = "track_interface {\neth1\neth2 weight -9\neth3 weight 9 reverse\n}"
    assert tracked(lines) == (
        Tracked("interface", "eth1"),
        Tracked("interface", "eth2", -9),
        Tracked("interface", "eth3", 9, reverse=True),
    )


def test_what_nothing_defines_is_named_and_the_rest_is_tracked() -> None:
    lines = "".join(
        f"track_{kind} {{\nmissing\n{name}\n}}\n"
        for kind, name in (("script", "chk"), ("process", "proc"), ("file", "level"))
    )
    result = built(DEFINED + text(f"track_interface {{\nmissing\n}}\n{lines}"))
    assert result.ignored == (
        "V: it tracks the script missing, which nothing defines",
        "V: it tracks the process missing, which nothing defines",
        "V: it tracks the file missing, which nothing defines",
    )
    assert [(t.kind, t.name) for t in result.vrrp.instances[0].tracked] == [
        ("interface", "missing"),
        ("script", "chk"),
        ("process", "proc"),
        ("file", "level"),
    ]
