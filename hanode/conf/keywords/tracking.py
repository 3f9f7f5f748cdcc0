"""What can be tracked: scripts, processes, files.

PURE; data only.
"""

from __future__ import annotations

from hanode.conf.language.kinds import Init, Weight
from hanode.conf.language.kinds_machine import Path, User, Watched
from hanode.conf.language.kinds_time import ScriptTime
from hanode.conf.language.schema import block, word
from hanode.conf.language.values import Choice, Command, Int, Perhaps, Timer

LONG = 4_294_000_000
WHOLE = Timer(1_000_000, LONG, whole=True)
REVERSE = ("reverse",)

BLOCKS = (
    block(
        "vrrp_script",
        (
            word("script", Command(), "The command; exit status 0 is success.", engine="runs"),
            word(
                "interval",
                ScriptTime(LONG),
                "Seconds between runs.",
                default="1",
                before=("2.3.2", WHOLE),
                engine="runs",
            ),
            word(
                "timeout",
                ScriptTime(LONG),
                "Seconds after which a run counts as failed.",
                off="0",
                default="the interval",
                before=("2.3.2", WHOLE),
                engine="runs",
            ),
            word(
                "weight",
                Weight(253, REVERSE),
                "Added to the priority; 0: failure means FAULT.",
                default="0",
                engine="runs",
            ),
            word(
                "rise",
                Int(1, 2147483647),
                "Successes in a row that count as success.",
                default="1",
                engine="runs",
            ),
            word(
                "fall",
                Int(1, 2147483647),
                "Failures in a row that count as failure.",
                default="1",
                engine="runs",
            ),
            word("user", User(), "User and group to run as.", engine="runs"),
            word("init_fail", None, "Begin as failed.", engine="runs"),
        ),
    ),
    block(
        "vrrp_track_process",
        (
            word(
                "process",
                Watched(),
                "The process's name or path, perhaps its arguments.",
                keeps="first",
                engine="runs",
            ),
            word(
                "param_match",
                Perhaps(Choice(("initial", "partial"))),
                "Compare arguments too: all of them, the first ones, or some anywhere.",
                engine="runs",
            ),
            word(
                "weight",
                Weight(254, REVERSE),
                "Added to the priority; 0: failure means FAULT.",
                default="0",
                keeps="first",
                engine="runs",
            ),
            word("quorum", Int(1, 65535), "How many must run.", default="1", engine="runs"),
            word("quorum_max", Int(0, 65535), "How many may run.", engine="runs"),
            word(
                "delay", Timer(1, 3_600_000_000), "Seconds that a change must last.", engine="runs"
            ),
            word(
                "fork_delay",
                Timer(1, 3_600_000_000),
                "Seconds that a start must last.",
                engine="runs",
            ),
            word(
                "terminate_delay",
                Timer(1, 3_600_000_000),
                "Seconds that an end must last.",
                engine="runs",
            ),
            word("full_command", None, "Compare the whole command line.", engine="runs"),
        ),
    ),
    block(
        "track_file_block",
        (
            word(
                "file",
                Path(sort="read", written_with="init_file"),
                "The file that holds the number.",
                keeps="first",
                engine="runs",
            ),
            word(
                "weight",
                Weight(254, REVERSE),
                "Multiplied by the number, added to the priority.",
                default="1",
                keeps="first",
                engine="runs",
            ),
            word(
                "init_file", Init(), "Make the file at the start, with this number.", engine="runs"
            ),
        ),
    ),
)
