"""Network namespaces that tests left behind when they were killed: found, emptied and told.

A test that needs a namespace names it after its own process (`kst-4711-…`, `ksv4711x1a`), so that
one whose process is gone is nobody's. bin/test needs none of this: all that it starts is in
namespaces that the kernel ends with it.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
from pathlib import Path

NAMED = re.compile(r"k(?:st-w?|dt-|sv|sb)(?P<pid>\d+)(?!\d)")


def orphaned(name: str) -> bool:
    """Whether this namespace is a test's whose process is gone."""
    match = NAMED.match(name)
    return match is not None and not Path("/proc", match["pid"]).exists()


def end_orphans(folder: Path = Path("/run/netns")) -> list[str]:
    """Ends what runs in orphaned namespaces, and removes them; a sentence for each."""
    told = []
    names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    for name in filter(orphaned, names):
        listed = subprocess.run(["ip", "netns", "pids", name], capture_output=True, check=False)
        pids = [int(word) for word in listed.stdout.split()]
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        subprocess.run(["ip", "netns", "del", name], check=False)
        ran = f", where {len(pids)} processes still ran" if pids else ""
        told.append(f"removed {name}, which a killed run of the tests had left behind{ran}")
    return told
