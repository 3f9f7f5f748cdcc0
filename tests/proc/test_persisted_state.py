"""The revisions on a node's disk: written as ever, so that an engine can be replaced in place."""

from __future__ import annotations

from pathlib import Path

import pytest

from hanode.apply import File, Identity, Included, PersistedState
from hanode.system.persisted_state import StateFile, UnreadableStateError, load, save

WRITTEN = (
    '{"identity":{"node":"node-a","cluster":"c-1"},"memory":{"live":{"revision":3,'
    '"text":"text 3\\n","name":"keepalived.conf","included":null},'
    '"confirmed":{"revision":0,"text":"start\\n",'
    '"name":"/etc/keepalived/keepalived.conf","included":[{"pattern":"x*.conf",'
    '"origin":"/etc/keepalived/keepalived.conf",'
    '"files":[["/etc/keepalived/x1.conf","one\\n"]]}]},"newest":4,"confirm_within_us":30000000,'
    '"deadline_wall_us":1700000000000000}}'
)
"""By the engine of commit 5a67313."""

CONTENT = StateFile(
    Identity("node-a", "c-1"),
    PersistedState(
        live=File(3, "text 3\n"),
        confirmed=File(
            0,
            "start\n",
            "/etc/keepalived/keepalived.conf",
            (
                Included(
                    "x*.conf",
                    "/etc/keepalived/keepalived.conf",
                    (("/etc/keepalived/x1.conf", "one\n"),),
                ),
            ),
        ),
        newest=4,
        confirm_within_us=30_000_000,
        deadline_wall_us=1_700_000_000_000_000,
    ),
)


def test_what_an_earlier_engine_wrote_is_read(tmp_path: Path) -> None:
    (tmp_path / "revisions.json").write_text(WRITTEN)
    assert load(tmp_path) == CONTENT


def test_what_is_written_can_be_read_by_an_earlier_engine(tmp_path: Path) -> None:
    save(tmp_path, CONTENT)
    assert (tmp_path / "revisions.json").read_text() == WRITTEN
    assert (tmp_path / "live.conf").read_text() == "text 3\n", "for people"
    assert (tmp_path / "confirmed.conf").read_text() == "start\n"


def test_a_first_start_has_no_revisions(tmp_path: Path) -> None:
    assert load(tmp_path) is None


def test_what_cannot_be_read_is_said_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "revisions.json").write_text('{"identity":')
    with pytest.raises(UnreadableStateError, match="move it away to start from the file again"):
        load(tmp_path)
