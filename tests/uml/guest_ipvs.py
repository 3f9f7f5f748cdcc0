"""Runs in the guest: the steps of tests/ipvs/story.py on Linux; prints the tables as JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT))

from hanode.system.ipvs_kernel import IpvsAbsent, NetlinkIpvs  # noqa: E402
from tests.ipvs.story import tell  # noqa: E402

UNPRIVILEGED = ["setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin"]


def _try() -> str:
    try:
        NetlinkIpvs().close()
    except IpvsAbsent as error:
        return str(error)
    return "kernel"


def main() -> None:
    if sys.argv[1:] == ["try"]:
        print(_try())
        return
    told = tell(NetlinkIpvs())
    unprivileged = subprocess.run(
        [*UNPRIVILEGED, sys.executable, __file__, "try"], capture_output=True, text=True, check=True
    )
    print(json.dumps({"told": told, "unprivileged": unprivileged.stdout.strip()}))


main()
