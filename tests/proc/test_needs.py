"""What one instance lacks on this node is its own FAULT, with the cause; the others run."""

from __future__ import annotations

import fcntl
import os
import shlex
import struct
import subprocess
from collections.abc import Iterator

import pytest

from hanode.system.ipc import Refused
from tests.kernel.harness import inside
from tests.proc.harness import Node, directory, until

pytestmark = pytest.mark.needs("root", "netns")

INSTANCE = """\
vrrp_instance %(name)s {
    interface %(interface)s
    virtual_router_id %(vrid)d
    version 3
    priority 255
    %(words)s
    virtual_ipaddress {
        %(vip)s
    }
}
"""


def instance(name: str, vrid: int, vip: str, words: str = "", interface: str = "ens33") -> str:
    return INSTANCE % {
        "name": name, "vrid": vrid, "vip": vip, "words": words, "interface": interface,
    }  # fmt: skip


PLAIN = instance("Plain", 51, "192.168.192.200/24")


class Confined(Node):
    """A node whose engine is started by a script, which ends in the engine's own command."""

    script = ""
    prefix: tuple[str, ...] = ()

    def command(self, *more: str) -> list[str]:
        words = super().command(*more)
        inner = f"{self.script}\nexec {shlex.join([*self.prefix, *words[4:]])}"
        return [*words[:4], "unshare", "-m", "sh", "-ec", inner]

    def told(self) -> dict[str, str]:
        """Each instance's state, and for one in FAULT the cause."""
        return {
            one.name: one.state if one.state != "FAULT" else f"FAULT: {one.cause}"
            for one in self.status().instances
        }

    def mounts(self, *words: str) -> None:
        """Run mount(8) where the engine sees it."""
        assert self.process is not None
        subprocess.run(["nsenter", "-t", str(self.process.pid), "-m", "mount", *words], check=True)


@pytest.fixture
def confined() -> Iterator[Confined]:
    with directory() as place:
        made = Confined(place)
        try:
            yield made
        finally:
            made.destroy()
            print(made.log.read_text() if made.log.exists() else "")


def test_read_only_switches_are_the_fault_of_the_instance_with_a_virtual_mac(
    confined: Confined,
) -> None:
    node = confined
    vmac = instance("Virtual", 52, "192.168.192.201/24", "use_vmac vrrp.52")
    node.file.write_text(PLAIN + vmac)
    node.script = "mount --bind /proc/sys /proc/sys; mount -o remount,bind,ro /proc/sys"
    node.start()
    until(lambda: node.told().get("Plain") == "MASTER", within_s=5)
    cause = (
        "FAULT: /proc/sys/net/ipv4/conf/vrrp.52/arp_ignore could not be set: Read-only file system"
        " (in a container, run it with a writable /proc/sys, or set the switch from outside)"
    )
    assert node.told() == {"Plain": "MASTER", "Virtual": cause}
    assert "Virtual INIT -> FAULT: /proc/sys" in node.log.read_text(), "the log says it"
    assert node.kernel_has("192.168.192.200/24")
    assert node.ask("reload")["ok"], "what was refused before refuses no reload"
    node.mounts("-o", "remount,bind,rw", "/proc/sys")
    until(lambda: node.told()["Virtual"] == "MASTER", within_s=5, what="it comes back by itself")
    assert node.told()["Plain"] == "MASTER"
    assert len([e for e in node.events() if e.kind == "transition" and e.subject == "Plain"]) <= 2


def test_switches_that_stand_already_need_no_writable_proc(confined: Confined) -> None:
    """As a container is given them from outside: they are inherited by new interfaces."""
    node = confined
    node.file.write_text(instance("Virtual", 52, "192.168.192.201/24", "use_vmac vrrp.52"))
    wanted = {"arp_ignore": 1, "accept_local": 1, "rp_filter": 0, "promote_secondaries": 1}
    lines = [f"echo {v} > /proc/sys/net/ipv4/conf/default/{n}" for n, v in wanted.items()]
    lines += [f"echo 1 > /proc/sys/net/ipv4/conf/ens33/{n}" for n in ("arp_ignore", "arp_filter")]
    lines += ["echo 0 > /proc/sys/net/ipv4/conf/all/rp_filter"]
    lines += ["echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6"]
    lines += ["mount --bind /proc/sys /proc/sys; mount -o remount,bind,ro /proc/sys"]
    node.script = "\n".join(lines)
    node.start()
    until(lambda: node.told() == {"Virtual": "MASTER"}, within_s=5)


COUNT = 60


def links_with_instances(node: Node) -> None:
    """COUNT interfaces, and a unicast instance on each."""
    ip = ["ip", "-n", node.namespace]
    for number in range(COUNT):
        for words in (
            f"link add d{number} type veth peer name e{number}",
            f"link set e{number} up",
            f"addr add 10.{number}.0.1/24 dev d{number}",
            f"link set d{number} up",
        ):
            subprocess.run([*ip, *words.split()], check=True)
    peers = "unicast_src_ip 10.%d.0.1\n    unicast_peer {\n        10.%d.0.2\n    }"
    node.file.write_text(
        "".join(
            instance(f"I{n}", n + 1, f"10.{n}.0.200/24", peers % (n, n), f"d{n}")
            for n in range(COUNT)
        )
    )


def test_descriptors_that_run_out_are_the_fault_of_those_that_got_none(confined: Confined) -> None:
    node = confined
    links_with_instances(node)
    # A limit that it may not raise: root in a container.
    node.script = "ulimit -n 64"
    node.prefix = ("setpriv", "--bounding-set=-sys_resource")
    node.start()
    until(lambda: len(node.told()) == COUNT and "INIT" not in node.told().values(), within_s=20)
    states = node.told()
    faults = {text for text in states.values() if text.startswith("FAULT")}
    assert list(states.values()).count("MASTER") >= 15
    assert faults
    assert all("Too many open files" in text and "LimitNOFILE" in text for text in faults), faults
    assert not any("CAP_NET_RAW" in text for text in faults), faults
    assert node.ask("reload")["ok"]
    assert node.stop() == 0
    shown = subprocess.run(["ip", "-n", node.namespace, "addr"], capture_output=True, text=True)
    assert ".0.200/24" not in shown.stdout


def test_a_limit_that_can_be_raised_is(confined: Confined) -> None:
    node = confined
    links_with_instances(node)
    node.script = "ulimit -S -n 64"
    node.start()
    until(lambda: list(node.told().values()) == ["MASTER"] * COUNT, within_s=20)


TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x1, 0x1000


def tunnel(node: Node) -> int:
    """An interface without Ethernet, tun0, that is up as long as the descriptor is open."""

    def attach() -> int:
        handle = os.open("/dev/net/tun", os.O_RDWR)
        fcntl.ioctl(handle, TUNSETIFF, struct.pack("16sH22x", b"tun0", IFF_TUN | IFF_NO_PI))
        return handle

    handle = inside(node.namespace, attach)
    for words in ("addr add 10.9.9.1/24 dev tun0", "link set tun0 up"):
        subprocess.run(["ip", "-n", node.namespace, *words.split()], check=True)
    return handle


def test_a_macvlan_that_cannot_be_is_the_fault_of_its_instance(confined: Confined) -> None:
    node = confined
    handle = tunnel(node)
    try:
        macvlan_that_cannot_be(node)
    finally:
        os.close(handle)


def macvlan_that_cannot_be(node: Confined) -> None:
    virtual = instance("Virtual", 52, "10.9.9.200/24", "use_vmac vrrp.52", "tun0")
    node.file.write_text(PLAIN + virtual)
    node.start()
    until(lambda: node.told().get("Plain") == "MASTER", within_s=5)
    assert node.told()["Virtual"].startswith("FAULT: vrrp.52 could not be made on tun0: ")
    # A reload that would take something from an instance is refused, and nothing moves.
    node.file.write_text(instance("Plain", 51, "10.9.9.201/24", "use_vmac", "tun0"))
    with pytest.raises(Refused, match=r"Plain: vrrp\.51 could not be made on tun0"):
        node.ask("reload")
    assert node.told()["Plain"] == "MASTER"
    assert node.kernel_has("192.168.192.200/24")
