"""Our sockets on a real interface: what the filter passes, and the bytes on the wire."""

from __future__ import annotations

import os
import socket
import struct
import time
from collections.abc import Iterator

import pytest

from hanode.system.monitor import Monitor
from hanode.system.vrrp_socket import Ipv4Socket, Ipv6Socket
from hanode.vrrp import packet
from hanode.vrrp.effects import SendAdvert
from hanode.vrrp.engine_settings import Address, InstanceSettings
from tests.kernel.harness import inside, run, set_sysctl

pytestmark = pytest.mark.needs("root", "netns")

GROUP, GROUP6 = "224.0.0.18", "ff02::12"
MAC = bytes.fromhex("020000000001")


@pytest.fixture
def space() -> Iterator[str]:
    """A namespace with a cable from d0 to d1."""
    name = f"ksv{os.getpid()}sockets"
    run("ip", "netns", "add", name)
    run("ip", "-n", name, "link", "add", "d0", "address", "02:00:00:00:00:01",
        "type", "veth", "peer", "name", "d1")  # fmt: skip
    for number, link in enumerate(("d0", "d1"), 1):
        run("ip", "-n", name, "link", "set", link, "up")
        run("ip", "-n", name, "addr", "add", f"192.0.2.{number}/24", "dev", link)
        run("ip", "-n", name, "addr", "add", f"fe80::{number}/64", "dev", link, "nodad")
    for link in ("d0", "d1", "all"):  # both ends are in one namespace: accept our own address
        set_sysctl(name, f"ipv4/conf/{link}/accept_local", 1)
        set_sysctl(name, f"ipv4/conf/{link}/rp_filter", 0)
    try:
        yield name
    finally:
        run("ip", "netns", "del", name)


def advert(vrid: int, family: int = 4, to: str | None = None, ttl: int = 255) -> SendAdvert:
    """A VRRPv3 advert as d0 would send it."""
    ip, source = ("192.0.2.9", "192.0.2.1") if family == 4 else ("fe80::9", "fe80::1")
    to = to or (GROUP if family == 4 else GROUP6)
    settings = InstanceSettings(
        "VI", "d0", vrid, 100, (Address(ip, 32, "d0"),), version=3, family=family,  # type: ignore[arg-type]
        mcast_group=GROUP if family == 4 else GROUP6,
    )  # fmt: skip
    here, there = packet.packed(source), packet.packed(to)
    payload = packet.encode(settings, priority=100, source=here, destination=there)
    return SendAdvert(settings.key, payload, here, there, ttl)


def index(space: str, dev: str) -> int:
    monitor = inside(space, Monitor)
    try:
        return monitor.links[dev].index
    finally:
        monitor.close()


def heard(receiver: Ipv4Socket | Ipv6Socket) -> list[bytes | packet.Datagram]:
    """Everything that arrives within a moment."""
    end, found = time.monotonic() + 0.2, []
    while time.monotonic() < end:
        one = receiver.receive()
        if one is None:
            time.sleep(0.01)
        else:
            found.append(one)
    return found


VRIDS = [1, 31, 32, 51, 127, 128, 200, 255]


@pytest.mark.parametrize("allowed", [{51}, {1, 255}, {31, 32, 127, 128}, set(VRIDS)])
def test_only_adverts_of_our_vrids_pass(space: str, allowed: set[int]) -> None:
    to, back = index(space, "d1"), index(space, "d0")
    receiver, sender = inside(space, lambda: (Ipv4Socket("d1", to), Ipv4Socket("d0", back)))
    receiver.allow(allowed)
    receiver.join({GROUP})
    for vrid in VRIDS:
        assert sender.send(advert(vrid)) is None
    assert {one[21] for one in heard(receiver) if isinstance(one, bytes)} == allowed
    receiver.allow([7])
    assert sender.send(advert(51)) is None
    assert sender.send(advert(7)) is None
    assert [one[21] for one in heard(receiver) if isinstance(one, bytes)] == [7]
    receiver.close()
    sender.close()


def test_frames_can_be_told_apart_by_who_sent_them(space: str) -> None:
    to, back = index(space, "d1"), index(space, "d0")
    receiver, sender = inside(space, lambda: (Ipv4Socket("d1", to), Ipv4Socket("d0", back)))
    receiver.join({GROUP})
    receiver.allow([51], source_mac=bytes.fromhex("00005e000133"))
    assert sender.send(advert(51)) is None
    assert heard(receiver) == []
    receiver.allow([51], source_mac=MAC)
    assert sender.send(advert(51)) is None
    assert len(heard(receiver)) == 1
    receiver.close()
    sender.close()


def test_a_group_that_is_left_is_not_heard(space: str) -> None:
    to, back = index(space, "d1"), index(space, "d0")
    receiver, sender = inside(space, lambda: (Ipv4Socket("d1", to), Ipv4Socket("d0", back)))
    receiver.join({GROUP, "224.0.0.19"})
    assert sender.send(advert(51)) is None
    assert len(heard(receiver)) == 1
    receiver.join({"224.0.0.19"})
    assert sender.send(advert(51)) is None
    assert heard(receiver) == []
    receiver.close()
    sender.close()


def test_ipv6_adverts_come_with_hop_limit_source_and_destination(space: str) -> None:
    to, back = index(space, "d1"), index(space, "d0")
    receiver, sender = inside(space, lambda: (Ipv6Socket("d1", to), Ipv6Socket("d0", back)))
    receiver.allow([51, 52])
    receiver.join({GROUP6})
    for vrid in (51, 53):
        assert sender.send(advert(vrid, 6)) is None
    assert sender.send(advert(52, 6, "fe80::2", ttl=64)) is None
    one, two = heard(receiver)
    assert isinstance(one, packet.Datagram)
    assert isinstance(two, packet.Datagram)
    assert (one.ttl, one.payload[1]) == (255, 51)
    assert packet.text(one.source) == "fe80::1"
    assert packet.text(one.destination) == GROUP6
    assert (two.ttl, two.payload[1], packet.text(two.destination)) == (64, 52, "fe80::2")
    receiver.close()
    sender.close()


def test_unicast_goes_to_the_peer_with_its_ttl_and_the_next_identification(space: str) -> None:
    space_b = f"{space}b"
    run("ip", "netns", "add", space_b)
    try:
        run("ip", "-n", space, "link", "set", "d1", "netns", space_b)
        run("ip", "-n", space_b, "addr", "add", "192.0.2.2/24", "dev", "d1")
        run("ip", "-n", space_b, "link", "set", "d1", "up")
        to, back = index(space_b, "d1"), index(space, "d0")
        receiver = inside(space_b, lambda: Ipv4Socket("d1", to))
        sender = inside(space, lambda: Ipv4Socket("d0", back))
        for _ in range(3):
            assert sender.send(advert(51, to="192.0.2.2", ttl=9)) is None
        found = [one for one in heard(receiver) if isinstance(one, bytes)]
        assert [(one[8], struct.unpack_from(">H", one, 4)[0]) for one in found] == [
            (9, 1),
            (9, 2),
            (9, 3),
        ]
        assert {socket.inet_ntoa(one[16:20]) for one in found} == {"192.0.2.2"}
        assert packet.checksum(found[0][:20]) == 0
        receiver.close()
        sender.close()
    finally:
        run("ip", "netns", "del", space_b)
