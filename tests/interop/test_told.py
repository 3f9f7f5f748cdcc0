"""keepalived's FIFO lines against our state machines: the same file, events and lines.

keepalived and its trackers are real; our machines get the same changes in virtual time. The test
compares the lines about every transition and priority: sums of weights, `reverse`, faults, and
sync groups.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hanode import conf
from hanode.build import build
from hanode.vrrp.effects import Effect, Notify
from hanode.vrrp.events import LinkState, TrackerChanged
from hanode.vrrp.router import Router
from tests.kernel.harness import until

pytestmark = pytest.mark.needs("root", "netns", "keepalived")

OWN = bytes((192, 0, 2, 2))
SETTLED_S = 1.3
"""Longer than a script's interval."""
MASTER_S = 4.2
"""Longer than Master_Down_Interval."""

WEIGHTS = """\
global_defs {
    script_user root
    enable_script_security
    vrrp_notify_fifo @DIR@/pipe
    vrrp_notify_priority_changes
}
vrrp_script plus {
    script "/usr/bin/test -e @DIR@/plus"
    interval 1
    weight 20 reverse
}
vrrp_script minus {
    script "/usr/bin/test -e @DIR@/minus"
    interval 1
    weight -7 reverse
}
vrrp_script bad {
    script "/usr/bin/test -e @DIR@/bad"
    interval 1
    weight 0 reverse
}
track_file level {
    file @DIR@/level
    weight 2
}
vrrp_instance One {
    interface d0
    virtual_router_id 51
    priority 100
    track_script {
        plus
        minus
        bad
    }
    track_file {
        level
    }
    track_interface {
        d2 weight -30
    }
    virtual_ipaddress {
        192.0.2.10/24
    }
}
"""
GROUP = """\
global_defs {
    script_user root
    enable_script_security
    vrrp_notify_fifo @DIR@/pipe
}
vrrp_script chk {
    script "/usr/bin/test -e @DIR@/chk"
    interval 1
}
vrrp_sync_group G {
    group {
        One
        Two
    }
    track_script {
        chk
    }
}
vrrp_instance One {
    interface d0
    virtual_router_id 51
    priority 100
    virtual_ipaddress {
        192.0.2.10/24
    }
}
vrrp_instance Two {
    interface d0
    virtual_router_id 52
    priority 50
    track_interface {
        d2
    }
    virtual_ipaddress {
        192.0.2.12/24
    }
}
"""
INTERFACES = """\
global_defs {
    script_user root
    enable_script_security
    vrrp_notify_fifo @DIR@/pipe
    vrrp_notify_priority_changes
}
vrrp_instance Own {
    interface d0
    virtual_router_id 51
    priority 100
    track_interface {
        d0 weight 20
        d2 weight -7
    }
    virtual_ipaddress {
        192.0.2.10/24
    }
}
vrrp_instance Address {
    interface d0
    virtual_router_id 52
    priority 100
    track_interface {
        d2 weight 20
    }
    virtual_ipaddress {
        192.0.2.11/24 dev d2
    }
}
vrrp_instance Rule {
    interface d0
    virtual_router_id 53
    priority 100
    track_interface {
        d2 weight -20
    }
    virtual_ipaddress {
        192.0.2.12/24
    }
    virtual_rules {
        from 10.66.0.0/16 iif d2 table 100 priority 5
    }
}
vrrp_instance Free {
    interface d0
    virtual_router_id 54
    priority 100
    track_interface {
        d2 weight 20
    }
    virtual_ipaddress {
        192.0.2.13/24 dev d2 no_track
    }
    virtual_rules {
        from 10.67.0.0/16 oif d2 table 100 priority 6 no_track
    }
}
"""
Step = tuple[str, str, float]
"""A change (`script NAME ok|fails`, `file N`, `d2 up|down`), and the seconds to wait afterwards."""


class Theirs:
    """keepalived 2.2.7 in a namespace of its own."""

    def __init__(self, directory: Path, text: str, files: tuple[str, ...]) -> None:
        self.directory = directory
        for name in files:
            (directory / name).touch()
        (directory / "level").write_text("0\n")
        (directory / "keepalived.conf").write_text(text)
        os.mkfifo(directory / "pipe")
        self._pipe = os.open(directory / "pipe", os.O_RDWR | os.O_NONBLOCK)
        self._said = ""
        commands = (
            "ip link set lo up; ip link add d0 type veth peer name d1; ip link set d1 up;"
            "ip addr add 192.0.2.2/24 dev d0; ip link set d0 up;"
            "ip link add d2 type veth peer name d3; ip link set d3 up; ip link set d2 up;"
            "sleep 0.2;"
            "exec keepalived -n -l -G -P -f keepalived.conf -p main.pid -r vrrp.pid"
        )
        self._process = subprocess.Popen(
            ["unshare", "-n", "sh", "-c", commands],
            cwd=directory,
            env={**os.environ, "TMPDIR": str(directory)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def do(self, what: str, how: str) -> None:
        if what.startswith("script"):
            file = self.directory / what.removeprefix("script ")
            file.touch() if how == "ok" else file.unlink()
        elif what == "file":
            (self.directory / "level").write_text(f"{how}\n")
        else:
            enter = ["nsenter", "-t", str(self._process.pid), "-n"]
            subprocess.run([*enter, "ip", "link", "set", what, how], check=True)

    def lines(self) -> list[str]:
        with contextlib.suppress(BlockingIOError):
            self._said += os.read(self._pipe, 65_536).decode()
        return self._said.splitlines()

    def stop(self) -> None:
        self._process.terminate()
        until(lambda: self._process.poll() is not None, "keepalived is gone", 5)

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        os.close(self._pipe)


class Ours:
    """Our state machines, with the same changes."""

    def __init__(self, text: str, scripts: dict[str, bool]) -> None:
        built = build(conf.check(text, node="x").model)
        assert built.errors == ()
        self.router, self.now_us, self._lines = Router(), 0, list[str]()
        self.router.link("d0", LinkState(up=True, addresses=(OWN,)), now_us=0)
        self.router.link("d2", LinkState(up=True), now_us=0)
        self._tell(self.router.configure(built.vrrp, now_us=0).effects)
        self._track("file", "level", value=0)
        for name, up in scripts.items():
            self._track("script", name, up=up)

    def _track(self, kind: str, name: str, *, up: bool = True, value: int = 0) -> None:
        change = TrackerChanged(kind, name, up, value)  # type: ignore[arg-type]
        self._tell(self.router.tracker(change, now_us=self.now_us))

    def _tell(self, effects: list[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Notify):
                self._lines.append(
                    f'{effect.kind} "{effect.name}" {effect.state} {effect.priority}'
                )

    def do(self, what: str, how: str) -> None:
        if what.startswith("script"):
            self._track("script", what.removeprefix("script "), up=how == "ok")
        elif what == "file":
            self._track("file", "level", value=int(how))
        else:
            state = LinkState(up=how == "up")
            self._tell(self.router.link(what, state, now_us=self.now_us))

    def wait(self, seconds: float) -> None:
        end_us = self.now_us + round(seconds * 1_000_000)
        while (due := self.router.deadline_us) is not None and due <= end_us:
            self.now_us = due
            self._tell(self.router.tick(now_us=due))
        self.now_us = end_us

    def lines(self) -> list[str]:
        return self._lines

    def stop(self) -> None:
        self._tell(self.router.stop("stopped by operator", now_us=self.now_us))


@pytest.fixture
def theirs(tmp_path: Path) -> Iterator[Callable[..., Theirs]]:
    started: list[Theirs] = []

    def start(text: str, *files: str) -> Theirs:
        started.append(Theirs(tmp_path, text, files))
        return started[-1]

    yield start
    for engine in started:
        engine.close()


def compare(one: Theirs, other: Ours, story: list[Step], *, apart: bool = False) -> None:
    """Runs a story on both; after each step both must have written the same lines.

    `apart`: in any order, for the instances have nothing to do with each other.
    """
    until(lambda: any("MASTER" in line for line in one.lines()), "keepalived is master", 8)
    other.wait(MASTER_S)
    time.sleep(0.5)
    begun = len(one.lines()), len(other.lines())
    for what, how, wait_s in story:
        one.do(what, how)
        other.do(what, how)
        time.sleep(wait_s)
        other.wait(wait_s)
        said = one.lines()[begun[0] :], other.lines()[begun[1] :]
        assert _as_read(said[0], apart) == _as_read(said[1], apart), f"after {what} {how}"
    one.stop()
    other.stop()
    said = one.lines()[begun[0] :], other.lines()[begun[1] :]
    assert _as_read(said[0], apart) == _as_read(said[1], apart)
    assert len(one.lines()) > begun[0] + len(story)


def _as_read(lines: list[str], apart: bool) -> list[str]:
    return sorted(lines) if apart else lines


def test_interfaces_of_its_own_and_those_that_it_needs_have_no_weight(
    theirs: Callable[..., Theirs], tmp_path: Path
) -> None:
    text = INTERFACES.replace("@DIR@", str(tmp_path))
    one, other = theirs(text), Ours(text, {})
    compare(one, other, [("d2", "down", SETTLED_S), ("d2", "up", SETTLED_S + MASTER_S)], apart=True)
    assert '"Own" MASTER_PRIORITY 93' in "".join(one.lines()), "only the other one's weight counts"


def test_weights_reverse_and_faults(theirs: Callable[..., Theirs], tmp_path: Path) -> None:
    text = WEIGHTS.replace("@DIR@", str(tmp_path))
    one = theirs(text, "plus", "minus")
    other = Ours(text, {"plus": True, "minus": True, "bad": False})
    compare(
        one,
        other,
        [
            ("script plus", "fails", SETTLED_S),
            ("script minus", "fails", SETTLED_S),
            ("file", "10", SETTLED_S),
            ("file", "-10", SETTLED_S),
            ("d2", "down", SETTLED_S),
            ("script bad", "ok", SETTLED_S),
            ("script bad", "fails", SETTLED_S + MASTER_S),
            ("file", "200", SETTLED_S),
            ("d2", "up", SETTLED_S),
        ],
    )


def test_a_group_goes_through_faults_together(
    theirs: Callable[..., Theirs], tmp_path: Path
) -> None:
    text = GROUP.replace("@DIR@", str(tmp_path))
    one = theirs(text, "chk")
    compare(
        one,
        Ours(text, {"chk": True}),
        [
            ("d2", "down", SETTLED_S),
            ("d2", "up", SETTLED_S + MASTER_S),
            ("script chk", "fails", SETTLED_S),
            ("d2", "down", SETTLED_S),
            ("script chk", "ok", SETTLED_S),
            ("d2", "up", SETTLED_S + MASTER_S),
        ],
    )
