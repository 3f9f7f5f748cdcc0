"""keepalived's dump files, field by field: against the golden one, and against the real program."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hanode.cli.run_options import SIGNALS
from hanode.proc.dump.keepalived_json import dump_json
from hanode.proc.dump.keepalived_text import dump_data, dump_stats
from hanode.proc.supervisor.options import built_of, read_start_file
from hanode.vrrp.counters import COUNTERS
from hanode.vrrp.tracking_and_notify import ProcessCount
from hanode.wire import InstanceStatus, VipStatus
from tests.interop.releases import FOLDER, Release
from tests.proc.harness import PROJECT, directory, until

CONFIG = """\
global_defs {
    router_id R1
    script_user root
    enable_script_security
}
vrrp_script chk {
    script "/usr/bin/test -d /tmp"
    interval 1
    weight 5
}
vrrp_sync_group G1 {
    group {
        VI_1
        VI_4
    }
}
vrrp_instance VI_1 {
    state MASTER
    interface d0
    virtual_router_id 51
    priority 100
    advert_int 1
    authentication {
        auth_type PASS
        auth_pass secret
    }
    track_interface {
        d1
    }
    track_script {
        chk
    }
    notify_master "/usr/bin/true m"
    notify "/usr/bin/true a b"
    virtual_ipaddress {
        192.0.2.10/24 dev d0 label d0:1
        192.0.2.11
        192.0.2.14/28 brd + scope link
        192.0.2.13/24 brd 192.0.2.255 home noprefixroute
    }
    virtual_ipaddress_excluded {
        192.0.2.12/32
        2001:db8::5/64 home mngtmpaddr -nodad
        2001:db8::6/128
        2001:db8::8/64 preferred_lft 100
    }
    virtual_routes {
        198.51.100.0/24 via 192.0.2.1 dev d0 table 100
        blackhole 198.51.101.0/24
        198.51.102.0/24 src 192.0.2.2 via 192.0.2.1 dev d0 metric 7 tos 0x10
        198.51.103.0/24 dev d0 mtu 1400 no_track
        default via 192.0.2.1 dev d0 table 200 append
        198.51.106.0/24 dev d0 scope site
    }
    virtual_rules {
        from 192.0.2.10 table 100 priority 500
        to 192.0.2.0/24 table 100 priority 501
        fwmark 5/0xff table 101 priority 502
        iif d0 table 102 priority 503
        not from 192.0.2.0/24 table 100 priority 504
        from 192.0.2.3 suppress_prefixlength 3 table 100 priority 509
        oif d0 tos 0x10 table 107 priority 507 no_track
    }
}
vrrp_instance VI_2 {
    state BACKUP
    interface d1
    virtual_router_id 52
    priority 150
    version 3
    advert_int 0.5
    nopreempt
    preempt_delay 10
    virtual_ipaddress {
        fe80::52
        2001:db8::52/64
    }
}
vrrp_instance VI_3 {
    interface d1
    virtual_router_id 53
    priority 90
    advert_int 2
    garp_master_refresh 60
    garp_master_delay 3
    garp_master_repeat 2
    garp_lower_prio_delay 1
    garp_lower_prio_repeat 3
    higher_prio_send_advert true
    lower_prio_no_advert true
    skip_check_adv_addr
    virtual_ipaddress {
        192.0.3.10/24
    }
    unicast_src_ip 192.0.3.2
    unicast_peer {
        192.0.3.3
    }
}
vrrp_instance VI_4 {
    interface d0
    virtual_router_id 54
    priority 100
    dont_track_primary
    virtual_ipaddress {
        192.0.2.20
    }
}
vrrp_instance VI_5 {
    interface d0
    virtual_router_id 55
    priority 100
    use_vmac
    use_vmac_addr
    virtual_ipaddress {
        192.0.2.30/24
        192.0.3.30/24 dev d1
    }
}
"""

MOVING = frozenset({"last_transition", "advert_sent", "auth_data"})
"""Differ between any two runs; and the password, which we mask."""


def shape(value: object) -> object:
    """Names in their order, and types; what the numbers are does not matter."""
    if isinstance(value, dict):
        return [(name, shape(inner)) for name, inner in value.items()]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return type(value).__name__
    return "number"


@pytest.mark.needs("shared")
def test_golden_dump_has_the_same_names_types_and_order(shared: Path, tmp_path: Path) -> None:
    golden = json.loads((shared / "golden" / "sample_master_2.2.7.json").read_text())
    file = tmp_path / "k.conf"
    file.write_text(
        """\
        global_defs {
            enable_script_security
            script_user root
        }
        vrrp_script chk {
            script "/usr/bin/true -x 1"
            weight 5
        }
        vrrp_instance VI_1 {
            interface d0
            virtual_router_id 51
            priority 100
            authentication {
                auth_type PASS
                auth_pass secret
            }
            track_script {
                chk
            }
            notify /usr/bin/true
            virtual_ipaddress {
                192.0.2.10/24 dev d0 label d0:1
                192.0.2.11
            }
            virtual_routes {
                198.51.100.0/24 via 192.0.2.1 dev d0 table 100
            }
            virtual_rules {
                from 192.0.2.10 table 100 priority 500
            }
        }
        """
    )
    read = read_start_file(file, "NodeA")
    assert read is not None
    vips = (VipStatus("192.0.2.10/24", "d0", True), VipStatus("192.0.2.11/32", "d0", True))
    status = InstanceStatus(
        "VI_1", 51, "d0", "MASTER", 1_795_364_789_155_388, "start", 100, 105, vips=vips
    )
    counters = {"VI_1": {"advert_sent": 4, "become_master": 1}}
    text = dump_json(built_of(read, "NodeA").vrrp, [status], counters)
    ours = json.loads(text)
    assert shape(ours) == shape(golden)
    ours[0]["data"]["auth_data"] = "secret"
    assert ours == golden
    whole = (shared / "golden" / "sample_master_2.2.7.json").read_text()
    mask = re.search(r'"auth_data":"([^"]*)"', text)
    assert mask is not None
    assert text.replace(mask[1], "secret") == whole, "byte for byte"


def test_the_second_form_holds_the_tracked_processes_too() -> None:
    """keepalived since 2.2.8; it writes these names, and how many run besides."""
    with directory() as place:
        file = place / "k.conf"
        words = "json_version 2\n    json_dump_file /run/ha.json\n"
        process = "vrrp_track_process web {\n process nginx -g\n quorum 2\n weight 5 reverse\n}\n"
        text = CONFIG.replace("router_id R1\n", f"router_id R1\n    {words}") + process
        file.write_text(text)
        read = read_start_file(file, "NodeA")
    assert read is not None
    settings = built_of(read, "NodeA").vrrp
    assert settings.dumps.json_file == "/run/ha.json"
    status = InstanceStatus("VI_1", 51, "d0", "MASTER", 1, "start", 100, 105)
    counts = {"web": ProcessCount("web", 3, enough=True, grows=True)}
    told = json.loads(dump_json(settings, [status], {"VI_1": {}}, counts))
    assert [one["data"]["iname"] for one in told["vrrp"]] == ["VI_1"]
    (web,) = told["track_process"]
    assert (web["process"], web["min_processes"], web["have_quorum"]) == ("web", 2, True)
    assert (web["current_processes"], web["full_command"]) == (3, True)
    assert (web["fork_delay_timer_running"], web["terminate_delay_timer_running"]) == (True, False)
    assert (web["parameters"], web["weight"]) == ("-g", -5)
    again = json.loads(dump_json(settings, [status], {"VI_1": {}}))
    assert again["track_process"][0]["have_quorum"] is False


NEWER = Path(__file__).parents[1] / "vrrp" / "keepalived_2_4_3"


def test_the_second_form_is_that_of_2_4_3_byte_for_byte() -> None:
    """Recorded from it: the same configuration and state give the same text, and Stats."""
    text = (NEWER / "json_version_2.json").read_text()
    golden = json.loads(text)
    read = read_start_file(NEWER / "json_version_2.conf", "a")
    assert read is not None
    settings = built_of(read, "a").vrrp
    statuses, counters = [], {}
    for one in golden["vrrp"]:
        data, name = one["data"], one["data"]["iname"]
        vips = [line.split() for kind in ("vips", "evips") for line in data.get(kind, ())]
        statuses.append(
            InstanceStatus(
                name, data["vrid"], "eth0", "MASTER", round(data["last_transition"] * 1e6), "start",
                data["base_priority"], data["effective_priority"],
                vips=tuple(
                    VipStatus(a if "/" in a else f"{a}/32", dev, True) for a, _, dev, *_ in vips
                ),
            )
        )  # fmt: skip
        counters[name] = one["stats"]
    assert dump_json(settings, statuses, counters) == text
    sent = {name: counted | {"advert_sent": 7} for name, counted in counters.items()}
    assert dump_stats(settings, sent) == (NEWER / "stats.txt").read_text()


def test_the_first_form_names_the_extension_s_counters_only_where_they_count() -> None:
    """2.2.7 has none, and its readers know none."""
    read = read_start_file(NEWER / "json_version_2.conf", "a")
    assert read is not None
    settings = built_of(replace(read, text=read.text.replace("json_version 2", "")), "a").vrrp
    status = InstanceStatus("V", 51, "eth0", "MASTER", 1, "start", 100, 105)
    for counted in ({}, {"auth_ext_stale": 2}):
        (one,) = json.loads(dump_json(settings, [status], {"V": counted}))
        assert {k: v for k, v in one["stats"].items() if k.startswith("auth_ext")} == counted


def test_data_tells_of_auth_hmac_as_2_4_3_does() -> None:
    read = read_start_file(NEWER / "json_version_2.conf", "a")
    assert read is not None
    status = InstanceStatus("V", 51, "eth0", "MASTER", 1, "start", 100, 105)
    told = dump_data(built_of(read, "a").vrrp, [status], "a")
    assert (
        "   Authentication extension = HMAC-SHA256-128\n"
        "     Keys = 1, active key id = 1\n"
        "     Mode = enforce\n"
        "     Anti replay = time, window = 5 sec\n"
    ) in told


class Engine:
    """Either program in a namespace of its own, with the same interfaces."""

    def __init__(
        self, name: str, place: Path, text: str = CONFIG, release: Release | None = None
    ) -> None:
        self.place = place
        self.namespace = f"kdt-{os.getpid()}-{name}-{place.name}"
        run = subprocess.run
        run(["ip", "netns", "add", self.namespace], check=True)
        for words in (
            "link set lo up",
            "link add d0 type veth peer name e0",
            "link add d1 type veth peer name e1",
            "addr add 192.0.2.2/24 dev d0",
            "addr add 192.0.3.2/24 dev d1",
            "link set d0 up",
            "link set d1 up",
            "link set e0 up",
            "link set e1 up",
        ):
            run(["ip", "-n", self.namespace, *words.split()], check=True)
        # keepalived 2.2.7 reads the state of links once at its start: they must be up by then.
        until(lambda: "LOWER_UP" in self._link("d1") and "LOWER_UP" in self._link("d0"))
        time.sleep(2.0)  # duplicate address detection of the link-local address
        file = place / "k.conf"
        file.write_text(text)
        seen = place if release is None else Path(FOLDER)
        common = ["-n", "-l", "-G", "-f", f"{seen}/k.conf", "-i", "NodeA"]
        pids = [f"--pid={seen}/pid", f"--vrrp_pid={seen}/vpid", f"--checkers_pid={seen}/cpid"]
        own = ["--state-dir", str(place / "s"), "--run-dir", str(place / "r")]
        programs = {
            "keepalived": ["keepalived", *common, *pids],
            **({"newer": release.inside(place, "keepalived", *common, *pids)} if release else {}),
            "hanode": [sys.executable, "-m", "hanode", "run", *common, *pids, *own],
        }
        environment = {
            **os.environ,
            "TMPDIR": str(seen),
            "PATH": os.environ.get("PATH", "") + ":/usr/sbin",
        }
        self.log = (place / "log").open("wb")
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", self.namespace, *programs[name]],
            env=environment,
            stdout=self.log,
            stderr=self.log,
            cwd=PROJECT,
        )

    def _link(self, name: str) -> str:
        words = ["ip", "-n", self.namespace, "link", "show", name]
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout

    def dump(self, kind: str, number: int) -> str:
        path = self.place / f"keepalived.{kind}"
        path.unlink(missing_ok=True)
        self.process.send_signal(number)
        until(lambda: path.exists() and path.read_text().endswith("\n"), within_s=3)
        time.sleep(0.1)  # keepalived writes where it stands
        return path.read_text()

    def json(self) -> list[dict[str, Any]]:
        told = json.loads(self.dump("json", SIGNALS["JSON"]))
        instances: list[dict[str, Any]] = told["vrrp"] if isinstance(told, dict) else told
        return instances

    def status(self) -> str:
        """What `hanode status --json` says; "" as long as there is nobody to ask."""
        words = ["-m", "hanode", "status", "--json", "--run-dir", str(self.place / "r")]
        shown = subprocess.run(
            [sys.executable, *words], capture_output=True, text=True, check=False, cwd=PROJECT
        )
        return shown.stdout

    def settled(self) -> bool:
        return [i["data"]["state"] for i in self.json()] == [2, 2, 2, 2, 2]

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(10)
        subprocess.run(["ip", "netns", "del", self.namespace], check=False)
        self.log.close()
        print((self.place / "log").read_text())


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[Engine, Engine]]:
    """keepalived and ours with the same file, both MASTER of everything."""
    with directory() as one, directory() as two:
        engines = []
        try:
            engines = [Engine("keepalived", one), Engine("hanode", two)]
            time.sleep(1)
            for engine in engines:
                until(engine.settled, within_s=30)
            yield engines[0], engines[1]
        finally:
            for engine in engines:
                engine.close()


@pytest.mark.needs("root", "netns", "keepalived")
def test_json_is_what_the_real_one_writes(both: tuple[Engine, Engine]) -> None:
    theirs, ours = both[0].json(), both[1].json()
    assert [list(i["data"]) for i in ours] == [list(i["data"]) for i in theirs]
    assert shape(ours) == shape(theirs)
    for our, their in zip(ours, theirs, strict=True):
        for part in ("data", "stats"):
            different = {
                name: (our[part][name], their[part][name])
                for name in their[part]
                if name not in MOVING and our[part][name] != their[part][name]
            }
            assert not different, our["data"]["iname"]


@pytest.mark.needs("root", "netns", "keepalived")
def test_stats_have_the_same_lines(both: tuple[Engine, Engine]) -> None:
    def labels(text: str) -> list[str]:
        return [re.sub(r": \d+$", ":", line) for line in text.splitlines()]

    theirs, ours = (engine.dump("stats", signal.SIGUSR2) for engine in both)
    assert labels(ours) == labels(theirs)
    assert "  Became master: 1\n" in ours


@pytest.mark.needs("root", "netns", "keepalived")
def test_data_says_with_the_same_labels_what_it_says(both: tuple[Engine, Engine]) -> None:
    def facts(text: str) -> dict[str, list[str]]:
        """Instance: its lines; numbers that move are cut off."""
        topology = text.split("------< VRRP Topology >------\n")[1].split("------<")[0]
        parts = re.split(r"^ VRRP Instance = ", topology, flags=re.M)[1:]
        return {
            part.split("\n", 1)[0]: [
                re.sub(r"(Last transition =|Password =|script =).*", r"\1", line)
                for line in part.split("\n")[1:]
                if line
            ]
            for part in parts
        }

    theirs, ours = (facts(engine.dump("data", signal.SIGUSR1)) for engine in both)
    assert list(ours) == list(theirs)
    for name, lines in ours.items():
        unknown = [line for line in lines if line not in theirs[name]]
        assert not unknown, name
        assert len(lines) > 20


@pytest.mark.needs("root", "netns", "keepalived")
def test_status_names_the_group_and_every_counter(both: tuple[Engine, Engine]) -> None:
    told = json.loads(both[1].status())
    groups = {i["name"]: i["group"] for i in told["instances"]}
    assert groups == {"VI_1": "G1", "VI_2": "", "VI_3": "", "VI_4": "G1", "VI_5": ""}
    assert {tuple(i["counters"]) for i in told["instances"]} == {COUNTERS}
    assert told["strays"] == {"unknown_vrids": 0, "short_packets": 0}


@pytest.mark.needs("root", "netns", "keepalived")
def test_exporter_gets_its_file_soon(both: tuple[Engine, Engine]) -> None:
    """The one that is used most waits 10 ms after its signal; a busy machine gets more here."""
    path = both[1].place / "keepalived.json"
    spans = []
    for _ in range(10):
        path.unlink(missing_ok=True)
        began = time.monotonic()
        both[1].process.send_signal(SIGNALS["JSON"])
        while not path.exists() and time.monotonic() < began + 2:
            time.sleep(0.0005)
        spans.append(time.monotonic() - began)
    print(f"file after {min(spans) * 1000:.1f} to {max(spans) * 1000:.1f} ms")
    assert min(spans) < 0.1


@pytest.mark.needs("root", "netns")
def test_dumps_go_where_the_file_says() -> None:
    """keepalived since 2.3.3."""
    with directory() as place:
        named = {"state": place / "a", "stats": place / "b", "json": place / "c"}
        words = [f"{kind}_dump_file {path}" for kind, path in named.items()]
        said = "\n    ".join(["router_id R1", "json_version 2", *words])
        engine = Engine("hanode", place, CONFIG.replace("router_id R1", said))
        try:
            until(lambda: '"VI_1"' in engine.status(), within_s=20)
            for kind, number in (("json", "JSON"), ("state", "DATA"), ("stats", "STATS")):
                engine.process.send_signal(SIGNALS[number])
                until(named[kind].exists, within_s=5)
            told = json.loads(named["json"].read_text())
            assert len(told["vrrp"]) == 5
            assert told["track_process"] == []
            assert "VRRP" in named["state"].read_text()
            assert not list(place.glob("keepalived.*"))
        finally:
            engine.close()
