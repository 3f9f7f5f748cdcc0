"""What `keepalived -t` 2.2.7 says on a machine that has all that the texts of the cases name."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

RUN = """
ip link set lo up
for name in eth0 eth1 eth2 eth4; do
    ip link add $name type veth peer name p$name && ip link set $name up && ip link set p$name up
done
ip address add 192.0.2.1/24 dev eth0
ip address add 198.51.100.1/24 dev eth1
mount -t tmpfs none /run
echo 0 >/run/tracked
ln -s /bin/true /run/ping
ls | grep 'conf$' | xargs -P 2 -I@ sh -c \
    'timeout -k 1 5 keepalived --config-test --use-file=@ --config-id=NodeA >@.said 2>&1
     echo $? >@.code'
"""

NOT_HERE = (
    "IPVS: Can't initialize ipvs: Protocol not available",
    "Unable to load ipset library",
)
"""What this machine's kernel lacks, which is no fault of a file."""


def keepalived_says(texts: dict[str, str]) -> dict[str, list[str]]:
    """By name: the messages about each text; the exit code too, where it is not 0."""
    found: dict[str, list[str]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number, text in enumerate(texts.values()):
            (folder / f"{number}.conf").write_text(text)
        subprocess.run(
            ["unshare", "--net", "--mount", "sh", "-c", RUN],
            cwd=folder,
            check=True,
            capture_output=True,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
            timeout=900,
        )
        for number, label in enumerate(texts):
            said = (folder / f"{number}.conf.said").read_text(errors="replace").splitlines()
            code = int((folder / f"{number}.conf.code").read_text())
            lines = [x for x in dict.fromkeys(said) if x.strip() and x not in NOT_HERE]
            found[label] = [*lines, *([f"exit code {code}"] if code else [])]
    return found
