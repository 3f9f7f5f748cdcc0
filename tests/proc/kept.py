"""State directories that engines of earlier commits wrote (tests/proc/keep_state.py)."""

from __future__ import annotations

import base64
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from hanode.wire import Enrolment, Signed, decode, from_json
from tests.proc.harness import Authority

DATA = Path(__file__).parent / "data"
COMMITS = sorted(path.name.removeprefix("state-") for path in DATA.glob("state-*"))


@dataclass(frozen=True)
class KeptState:
    """A copy of such a directory, and what was pushed to the engine that wrote it."""

    state: Path
    enrolment: Enrolment
    authority: Authority
    bundles: tuple[Signed, ...]
    """Revision 1, revision 2 …, as they were signed then."""
    confirmations: tuple[Signed, ...]

    @property
    def journal(self) -> str:
        return str(json.loads((self.state / "journal.json").read_text())["journal"])

    @property
    def lines(self) -> list[bytes]:
        """The journal's events."""
        return (self.state / "events.jsonl").read_bytes().splitlines(keepends=True)

    @property
    def maintenance_us(self) -> int:
        """Since when the node was in maintenance."""
        return int(json.loads((self.state / "maintenance.json").read_text())["since_us"])

    def booted(self, boot: str) -> None:
        """Say that it was written since that boot of the machine."""
        old = str(json.loads((self.state / "journal.json").read_text())["boot"])
        for path in (self.state / "journal.json", self.state / "running"):
            if path.exists():
                path.write_text(path.read_text().replace(old, boot))

    def given_up_at(self, wall_us: int) -> None:
        """Put the moment of giving up the live revision somewhere else."""
        path = self.state / "revisions.json"
        old = str(json.loads(path.read_text())["memory"]["deadline_wall_us"])
        assert old != "0"
        path.write_text(path.read_text().replace(old, str(wall_us)))


def copied(commit: str, story: str, to: Path) -> KeptState:
    """A copy, in `to`, of what an engine of that commit left in that story."""
    source = DATA / f"state-{commit}" / story
    shutil.copytree(source / "state", to)
    pushed = json.loads((source / "pushed.json").read_text())
    return KeptState(
        to,
        from_json(Enrolment, (source / "enrolment.json").read_text()),
        Authority(base64.b64decode(pushed["secret"])),
        tuple(decode(Signed, each) for each in pushed["bundles"]),
        tuple(decode(Signed, each) for each in pushed["confirmations"]),
    )
