"""Ten seconds asleep, with the kernel's messages lost meanwhile: awake, it knows what is true."""

from __future__ import annotations

import signal
import subprocess
import time

import pytest

from tests.interop.stage import v3
from tests.kernel.harness import VIP, Ours, Wire, until, wired

pytestmark = pytest.mark.needs("root", "netns")


def overflow(net: Wire) -> None:
    """More changes than a netlink socket's buffer takes: 1 MB, and each costs some 1 kB."""
    lines = [
        f"addr {verb} 10.{i // 250}.{i % 250}.1/32 dev lo\n"
        for _ in range(2)
        for verb in ("add", "del")
        for i in range(2500)
    ]
    subprocess.run(
        ["ip", "-n", net.namespaces["a"], "-batch", "-"], input="".join(lines), text=True,
        check=True,
    )  # fmt: skip


def test_asleep_for_ten_seconds_it_wakes_up_to_the_truth() -> None:
    with wired() as net:
        a, b = Ours(net, "a", v3("a")), Ours(net, "b", v3("b"))
        try:
            until(lambda: net.has_vip("a") and b.state() == "BACKUP", "A holds the VIP")
            time.sleep(1.1)
            a.process.send_signal(signal.SIGSTOP)
            slept_s = time.monotonic()
            overflow(net)
            net.ip("a", "addr", "del", f"{VIP}/24", "dev", "ens33")
            until(lambda: net.has_vip("b"), "B takes over", 6)
            time.sleep(max(0.0, slept_s + 10 - time.monotonic()))
            woke_s = time.time()
            a.process.send_signal(signal.SIGCONT)
            lost = f"BACKUP: {VIP}/24 was removed from ens33 by somebody else"
            until(lambda: lost in a.causes(), "A learns that its address is gone", 2)
            until(lambda: net.has_vip("a") and not net.has_vip("b"), "A is master again", 8)
            assert a.state() == "MASTER"
            assert b.state() == "BACKUP"
            both = [f.node for f in net.frames if f.at_s > woke_s and f.advert_priority]
            # From the moment at which A spoke for good, B was silent.
            last_of_b = max(i for i, node in enumerate(both) if node == "b")
            assert "a" in both[last_of_b:]
            time.sleep(1.5)
            assert not net.has_vip("b")
        finally:
            a.process.send_signal(signal.SIGCONT)
            a.close()
            b.close()
