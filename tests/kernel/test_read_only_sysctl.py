"""In a container /proc/sys is read-only: known before anybody asks for a virtual interface."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

ASK = "import json; from hanode.system import sysctl; print(json.dumps(sysctl.cannot()))"


def asked(*before: str) -> dict[str, str]:
    done = subprocess.run(
        [*before, sys.executable, "-c", ASK], capture_output=True, text=True, check=True
    )
    found: dict[str, str] = json.loads(done.stdout)
    return found


@pytest.mark.needs("root")
def test_a_machine_can_and_a_container_cannot() -> None:
    assert asked() == {}
    read_only = 'mount --make-rprivate / && mount --bind -o ro /proc/sys /proc/sys && exec "$@"'
    found = asked("unshare", "--mount", "sh", "-c", read_only, "sh")
    assert set(found) == {"use_vmac", "use_ipvlan"}
    assert all("/proc/sys/net is read-only" in why for why in found.values())
