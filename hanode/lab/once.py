"""bin/demo --once: the acceptance test's runner, its table and its JSON.

DRIVER. Runs the steps of `hanode.lab.acceptance` in order; a step that fails does not keep the
later ones from running, unless nothing can come after it.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

from hanode.lab.acceptance import Acceptance, Step
from hanode.lab.control import LabError
from hanode.lab.netns import NamespaceError
from hanode.lab.person import PersonError
from hanode.lab.session import Session, SessionError
from hanode.lab.stack import StackError


def run(session: Session, *, json_file: str | None) -> int:
    """Start all, run every step, print the table; 0 only if every step succeeded."""
    began = time.monotonic()
    steps: list[Step] = []
    complete = False
    acceptance = Acceptance(session, steps)
    try:
        for act in acceptance.acts():
            print(f"· {act.__name__.replace('_', ' ')}", flush=True)
            act()
        complete = True
    except (LabError, NamespaceError, PersonError, SessionError, StackError) as error:
        steps.append(
            Step(str(error), expected="no error", limit_ms=None, measured_ms=None, ok=False)
        )
    finally:
        acceptance.close()
        ok = complete and bool(steps) and all(step.ok for step in steps)
        print("\n" + table(steps))
        print(f"\n{'all held' if ok else 'NOT all held'}, after {time.monotonic() - began:.1f} s")
        if json_file:
            Path(json_file).write_text(to_json(steps, ok=ok))
    return 0 if ok else 1


def to_json(steps: list[Step], *, ok: bool) -> str:
    """The table for programs."""
    rows = [
        {
            "name": step.name,
            "limit_ms": step.limit_ms,
            "measured_ms": step.measured_ms,
            "ok": step.ok,
            "expected": step.expected,
            "note": step.note,
        }
        for step in steps
    ]
    return json.dumps({"ok": ok, "steps": rows}, indent=2, ensure_ascii=False) + "\n"


def table(steps: list[Step]) -> str:
    """The table for people."""
    rows = [("step", "expected", "measured", "ok")]
    rows += [(s.name, s.expected, s.measured, "yes" if s.ok else "NO") for s in steps]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    lines.insert(1, "  ".join("-" * width for width in widths))
    lines += [f"  {s.name}: {s.note}" for s in steps if s.note and not s.ok]
    return "\n".join(lines)


def end_quietly(session: Session) -> None:
    """End everything; with KEEPSIGHT_KEEP_LOGS=DIR the logs are kept there."""
    session.stop()
    if keep := os.environ.get("KEEPSIGHT_KEEP_LOGS"):
        target = Path(keep)
        target.mkdir(parents=True, exist_ok=True)
        for log in session.stack.logs.iterdir():
            (target / log.name).write_bytes(log.read_bytes())
        print(f"· logs kept in {target}", file=sys.stderr)
