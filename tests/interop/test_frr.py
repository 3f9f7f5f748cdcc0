"""FRR's vrrpd (VRRPv3) against our engine, each in both roles.

vrrpd needs its macvlan made beforehand, with the virtual MAC and the address on it, and switches
it off (protodown) while it is backup; so the test recognises the master by its adverts.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hanode.vrrp.engine_settings import InstanceSettings
from tests.interop.stage import VIP6, ipv6, v3, with_ipv6, with_vmac
from tests.kernel.engines import Ours
from tests.kernel.harness import INTERFACE, VIP, Wire, set_sysctl, until, wired
from tests.kernel.pairs import PRIORITY

pytestmark = pytest.mark.needs("root", "netns", "frr")

DAEMONS = Path("/usr/lib/frr")
TENTH = 100_000
MACS = {4: "00:00:5e:00:01:33", 6: "00:00:5e:00:02:33"}
VIPS = {4: f"{VIP}/24", 6: f"{VIP6}/64"}


class Frr:
    """zebra and vrrpd in a node."""

    def __init__(self, net: Wire, node: str, family: int) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="keepsight-")
        folder = Path(self._folder.name)
        net.ip(node, "link", "add", "frr", "link", INTERFACE, "type", "macvlan", "mode", "bridge")
        net.ip(node, "link", "set", "frr", "address", MACS[family])
        # Its link-local address exists as soon as vrrpd switches the macvlan on, without DAD's
        # delay.
        set_sysctl(net.namespaces[node], "ipv6/conf/frr/accept_dad", 0)
        net.ip(node, "addr", "add", VIPS[family], "dev", "frr")
        net.ip(node, "link", "set", "frr", "up")
        word = "ip" if family == 4 else "ipv6"
        (folder / "zebra.conf").write_text("hostname zebra\n")
        (folder / "vrrpd.conf").write_text(
            f"interface {INTERFACE}\n vrrp 51 version 3\n vrrp 51 priority {PRIORITY[node]}\n"
            f" vrrp 51 advertisement-interval 100\n"
            f" vrrp 51 {word} {VIPS[family].partition('/')[0]}\n"
        )
        for file in (folder, *folder.iterdir()):
            shutil.chown(file, "frr", "frr")  # the user as whom they run
        self._processes: list[subprocess.Popen[bytes]] = []
        for daemon in ("zebra", "vrrpd"):
            words = [
                str(DAEMONS / daemon), "-f", str(folder / f"{daemon}.conf"),
                "-z", str(folder / "zserv.api"), "-i", str(folder / f"{daemon}.pid"),
                "--vty_socket", str(folder), "-P", "0",
            ]  # fmt: skip
            self._processes.append(
                subprocess.Popen(
                    ["ip", "netns", "exec", net.namespaces[node], *words],
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    env={**os.environ, "TMPDIR": str(folder)},
                )
            )
            path = "zserv.api" if daemon == "zebra" else "vrrpd.pid"
            until(lambda p=path: (folder / p).exists(), f"{daemon} runs")  # type: ignore[misc]

    def stop(self) -> None:
        """Stops only vrrpd, as an operator would; it sends priority 0."""
        self._processes[1].terminate()
        self._processes[1].wait(5)

    def kill(self) -> None:
        self._processes[1].kill()
        self._processes[1].wait(5)

    def close(self) -> None:
        for process in self._processes:
            if process.poll() is None:
                process.kill()
                process.wait(5)
        self._folder.cleanup()


MAKE: dict[int, Callable[[str], InstanceSettings]] = {
    4: lambda node: v3(node, advert_int_us=TENTH),
    6: lambda node: ipv6(node, advert_int_us=TENTH),
}
SKEW_B_S = 0.1 * (256 - PRIORITY["b"]) / 256
DOWN_B_S = 0.3 + SKEW_B_S


@contextmanager
def stage(family: int) -> Iterator[Wire]:
    with wired() as net:
        with_ipv6(net)
        yield net


def only_speaker(net: Wire, node: str, for_s: float = 0.5) -> bool:
    """Whether only that node has sent adverts lately, with its own priority."""
    since_s = time.time() - for_s
    other = "b" if node == "a" else "a"
    ours = [f.advert_priority for f in net.adverts(node, since_s)]
    return len(ours) >= 3 and set(ours) == {PRIORITY[node]} and not net.adverts(other, since_s)


@pytest.mark.parametrize("family", [4, 6])
def test_ours_takes_over_from_frr_and_gives_back(family: int) -> None:
    with stage(family) as net:
        a = Frr(net, "a", family)
        b = Ours(net, "b", MAKE[family]("b"))
        try:
            until(lambda: only_speaker(net, "a"), "FRR is master")
            assert b.state() == "BACKUP"
            assert b.status()["instances"][0]["counters"]["advert_rcvd"] >= 1
            a.kill()
            last_s = net.adverts("a")[-1].at_s
            until(lambda: net.adverts("b", last_s), "ours takes over")
            late_s = net.adverts("b", last_s)[0].at_s - last_s - DOWN_B_S
            assert -0.002 <= late_s <= 0.1, late_s
            a.close()
            net.ip("a", "link", "del", "frr")
            a = Frr(net, "a", family)
            until(lambda: only_speaker(net, "a"), "FRR preempts")
            assert b.state() == "BACKUP"
            assert not net.has_vip("b", VIPS[family].partition("/")[0])
        finally:
            a.close()
            b.close()


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("vmac", [False, True], ids=["", "vmac"])
def test_frr_takes_over_from_ours_and_gives_back(family: int, vmac: bool) -> None:
    settings = with_vmac(MAKE[family]("a")) if vmac else MAKE[family]("a")
    with stage(family) as net:
        b = Frr(net, "b", family)
        a = Ours(net, "a", settings)
        try:
            until(lambda: only_speaker(net, "a"), "ours is master")
            a.stop()
            until(lambda: only_speaker(net, "b"), "FRR takes over")
            zero_s = [f for f in net.adverts("a") if f.advert_priority == 0][-1].at_s
            late_s = net.adverts("b", zero_s)[0].at_s - zero_s - SKEW_B_S
            assert -0.02 <= late_s <= 0.3, late_s  # FRR itself is late, and the machine busy
            a = Ours(net, "a", settings)
            until(lambda: only_speaker(net, "a"), "ours preempts")
            a.kill()
            until(lambda: only_speaker(net, "b"), "FRR takes over again")
        finally:
            a.close()
            b.close()
