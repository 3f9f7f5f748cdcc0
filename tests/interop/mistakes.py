"""Files with one mistake each; starts either engine on them in a namespace of its own."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]

FILE = """\
global_defs {
    router_id one
}
vrrp_script chk {
    script "/usr/bin/true"
    interval 2
}
vrrp_instance A {
    interface eth0
    virtual_router_id 51
    priority 150
    advert_int 2
    garp_master_repeat 3
    virtual_ipaddress {
        10.0.0.200/24
    }
    virtual_routes {
        10.9.0.0/24 dev eth0
        10.8.0.0/24 dev eth0
    }
}
vrrp_instance B {
    interface eth1
    virtual_router_id 52
    priority 120
    advert_int 3
    virtual_ipaddress {
        10.1.0.200/24
        10.1.0.201/24
    }
    track_script {
        chk
    }
}
vrrp_sync_group G {
    group {
        A
        B
    }
}
"""

CHANGES: tuple[tuple[str, str], ...] = (
    # values
    ("priority 150", "priority 300"),
    ("priority 150", "priority 0"),
    ("priority 150", "priority abc"),
    ("priority 150", "priority 15x"),
    ("priority 150", "priority 150\n    priority x"),
    ("priority 150", "priority $PRIO"),
    ("priority 150", "priority ${PRIO}"),
    ("advert_int 2", "advert_int 0"),
    ("advert_int 2", "advert_int 300"),
    ("advert_int 2", "advert_int 2x"),
    ("garp_master_repeat 3", "garp_master_repeat 0"),
    ("garp_master_repeat 3", "garp_master_repeat 2x"),
    ("garp_master_repeat 3", "garp_master_repeat abc"),
    ("garp_master_repeat 3", "garp_master_delay 7x"),
    ("garp_master_repeat 3", "garp_master_delay abc"),
    ("garp_master_repeat 3", "garp_master_refresh 7x"),
    ("garp_master_repeat 3", "garp_lower_prio_repeat 4x"),
    ("garp_master_repeat 3", "preempt_delay 5000"),
    ("garp_master_repeat 3", "preempt_delay 5\n    preempt_delay 5000"),
    ("garp_master_repeat 3", "state MASTR"),
    ("garp_master_repeat 3", "version 4"),
    ("garp_master_repeat 3", "strict_mode maybe"),
    ("garp_master_repeat 3", "mcast_src_ip 10.0.0.x"),
    ("garp_master_repeat 3", "unicast_peer {\n 10.0.0.x\n 10.0.0.9 min_ttl x\n }"),
    ("garp_master_repeat 3", "use_vmac averyveryverylongname"),
    ("garp_master_repeat 3", "authentication {\n auth_type PAS\n auth_pass x\n }"),
    ("router_id one", "vrrp_garp_master_delay 7x"),
    ("router_id one", "vrrp_version 5"),
    ("interval 2", "interval x"),
    ("interval 2", "weight 5x"),
    # words
    ("priority 150", "priorty 150"),
    ("global_defs {", "foo bar\nglobal_defs {"),
    ("global_defs {", "foo {\n a b\n}\nglobal_defs {"),
    ("priority 150", "foo {\n bar\n }\n    priority 150"),
    ("router_id one", "router_idd one"),
    ("chk\n    }\n}", "chk2\n    }\n}"),
    ("chk\n    }\n}", "chk weight 500\n    }\n}"),
    ("chk\n    }\n}", "chk weigt 5\n    }\n}"),
    ("        B\n", "        C\n"),
    ('    script "/usr/bin/true"\n', ""),
    ("vrrp_instance B", "vrrp_instance A"),
    ("vrrp_instance A", "vrrp_instance"),
    ("vrrp_sync_group G", "vrrp_sync_group"),
    ("garp_master_repeat 3", 'notify_master "/usr/bin/true'),
    # lines
    ("10.0.0.200/24", "10.0.0.300/24"),
    ("10.0.0.200/24", "10.0.0.200/99"),
    ("10.0.0.200/24", "10.0.0.200/x"),
    ("10.0.0.200/24", "10.0.0.200/24 foo dev eth1"),
    ("10.0.0.200/24", "10.0.0.200/24 dev"),
    ("10.0.0.200/24", "10.0.0.200/24 scope moon"),
    ("10.0.0.200/24", "10.0.0.200/24 brd 10.0.0.x"),
    ("10.0.0.200/24", "10.0.0.200/24 peer 10.0.0.x"),
    ("10.0.0.200/24", "10.0.0.200/24 label averyveryverylonglabel"),
    ("10.0.0.200/24", "10.0.0.200/24 10.0.0.201/24"),
    ("10.0.0.200/24", "10.0.0.200/24\n        fd00::1/64"),
    ("        10.0.0.200/24\n", ""),
    ("10.9.0.0/24 dev eth0", "10.9.0.0/24 viaa 10.0.0.9"),
    ("10.9.0.0/24 dev eth0", "10.9.0.0/24 dev eth0 metric abc"),
    ("10.9.0.0/24 dev eth0", "10.9.0.0/24 dev eth0 table nowhere"),
    # braces
    ("        10.0.0.200/24\n    }\n", "        10.0.0.200/24\n"),
    ("        10.8.0.0/24 dev eth0\n    }\n}\n", "        10.8.0.0/24 dev eth0\n    }\n"),
    ("virtual_ipaddress {", "virtual_ipaddress"),
    ("vrrp_instance A {", "vrrp_instance A"),
    ("vrrp_instance A {", "vrrp_instance A\n{"),
    ("vrrp_instance B {", "}\nvrrp_instance B {"),
    ("        A\n        B\n    }\n}\n", "        A\n        B\n    }\n"),
    ("router_id one\n}\n", "router_id one\n"),
    ("priority 150", "priority 150 {"),
    ('    script "/usr/bin/true"\n    interval 2\n}\n', '    script "/usr/bin/true"\n'),
    ("global_defs {", "static_ipaddress {\n    10.0.0.77/24 dev eth0\nglobal_defs {"),
    ("vrrp_instance A", "vrrp_instance A more"),
    ("10.0.0.200/24", "10.0.0.200/24 peer 10.0.0.7 brd +"),
    ("garp_master_repeat 3", "strict_mod\n    no_accept\n    accept"),
    # mistakes that make keepalived exit
    ("priority 150", "priority"),
    ("interface eth0", "interface"),
    ("    interface eth0\n", ""),
    ("interface eth0", "interface lo"),
    ("    virtual_router_id 51\n", ""),
    ("virtual_router_id 51", "virtual_router_id 300"),
    ("interface eth1\n    virtual_router_id 52", "interface eth0\n    virtual_router_id 51"),
    ("10.9.0.0/24 dev eth0", "10.9.0.0/24 dev eth0 metric"),
    ("global_defs {", "includem /nonexistent.conf\nglobal_defs {"),
)

DATA = (
    "iname ifp_ifname vrid base_priority adver_int version vips evips vroutes garp_delay garp_rep "
    "garp_refresh garp_lower_prio_delay garp_lower_prio_rep nopreempt preempt_delay track_script "
    "auth_type"
).split()

RUN = """
ip link set lo up
for name in eth0 eth1; do
    ip link add $name type veth peer name p$name && ip link set $name up && ip link set p$name up
done
ip address add 10.0.0.1/24 dev eth0
ip address add 10.1.0.1/24 dev eth1
mount -t tmpfs none /run
export TMPDIR=$PWD
"$@" -n -l -f keepalived.conf >said 2>&1 &
pid=$!
for _ in $(seq 150); do
    sleep 0.1
    kill -0 $pid 2>/dev/null || break
    [ ! -e keepalived.json ] || break
    # Not before it listens: the signal would end it.
    [ ! -e /run/vrrp.pid ] || kill -36 $pid
done
kill -TERM $pid 2>/dev/null
wait $pid
echo $? >code
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a start."""

    runs: bool
    instances: tuple[dict[str, Any], ...]
    said: str


def changed(number: int) -> str:
    """The file with that mistake."""
    old, new = CHANGES[number]
    assert FILE.count(old), old
    return FILE.replace(old, new, 1)


def started(engine: list[str], text: str) -> Outcome:
    """Starts an engine in a namespace of its own, until it has written its JSON or has ended."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "keepalived.conf").write_text(text)
        subprocess.run(
            ["unshare", "--net", "--mount", "sh", "-c", RUN, "sh", *engine],
            cwd=folder, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            timeout=60, env={**os.environ, "PYTHONPATH": ""},
        )  # fmt: skip
        dump = Path(folder) / "keepalived.json"
        code = int((Path(folder) / "code").read_text())
        found = json.loads(dump.read_text()) if dump.exists() else []
        said = (Path(folder) / "said").read_text(errors="replace")
    instances = tuple({name: _plain(one["data"].get(name)) for name in DATA} for one in found)
    return Outcome(code in (0, 143), instances, said)


def _plain(value: Any) -> Any:
    """Removes what may differ between two engines in two namespaces."""
    if isinstance(value, list):
        return [text.removesuffix(" set") for text in dict.fromkeys(value)]
    return value


KEEPALIVED = ["keepalived", "-i", "a"]
OURS = [str(PROJECT / "bin" / "hanode"), "run", "-i", "a", "--state-dir", "/run/state"]
