"""What RFC 9568 and RFC 3768 require of a router, as its neighbours see it: with real kernels.

Each test is named after its clause (tests/vrrp/clauses.py has the whole list). keepalived's default
is a virtual router without a virtual MAC address; the RFC's is `use_vmac`. Both are tested.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.kernel.engines import Ours
from tests.kernel.harness import INTERFACE, VIP, until, wired
from tests.kernel.virtual import (
    FAR,
    FAR6,
    NAME,
    PHYSICAL,
    VIPS6,
    VMAC,
    Version,
    Virtual,
    datagram,
    instances,
    virtual,
)

pytestmark = pytest.mark.needs("root", "netns")

VIP6 = VIPS6[1]
FLAG_ROUTER = 0x80
PORT_UNREACHABLE = b"\3\3"
"""ICMP's type and code."""


@pytest.fixture(scope="module")
def vmac() -> Iterator[Virtual]:
    """The RFC's virtual router: virtual MAC addresses."""
    with virtual() as made:
        yield made


@pytest.fixture(scope="module")
def plain() -> Iterator[Virtual]:
    """keepalived's default: the addresses are on the interface itself."""
    with virtual(vmac=False) as made:
        yield made


@pytest.fixture(scope="module", params=[2, 3], ids=["VRRPv2", "VRRPv3"])
def either(request: pytest.FixtureRequest, vmac: Virtual) -> Iterator[Virtual]:
    """Both kinds, where the RFCs require the same."""
    if request.param == 3:
        yield vmac
        return
    with virtual(version=2) as made:
        yield made


def target_mac(data: bytes) -> bytes:
    """The only option of a neighbour message."""
    return data[80:86]


# 5.1


def test_5_1_1_2_adverts_are_not_forwarded(vmac: Virtual) -> None:
    frame = datagram(to_mac=bytes.fromhex("01005e000012"), destination="224.0.0.18")
    for node in "ab":
        assert not vmac.routed(node, lambda n=node: vmac.inject(n, frame), 0.3)  # type: ignore[misc]


def test_5_1_2_2_adverts_are_not_forwarded(vmac: Virtual) -> None:
    def send() -> None:
        vmac.send("ff02::12")

    for node in "ab":
        assert not vmac.routed(node, send, 0.3)


# 6.1, 6.4.2, 6.4.3


def test_6_1_neighbour_discovery_passes_where_packets_are_not_accepted(plain: Virtual) -> None:
    closed = [replace(one, accept=False) for one in instances("a", vmac=False)]
    plain.a.configure(*closed)
    try:
        until(lambda: not plain.accepts(VIP6), "packets are dropped", 3)
        since_s = time.time()
        plain.send(VIP6)
        until(lambda: plain.solicited("a", VIP6, since_s), "the solicitation is answered", 3)
    finally:
        plain.a.configure(*instances("a", vmac=False))


def test_6_4_2_backup_answers_no_arp_request(either: Virtual) -> None:
    since_s = time.time()
    either.send(VIP)
    until(lambda: either.arp_answers("a", since_s), "A answers", 3)
    assert either.arp_answers("b", since_s) == []


def test_6_4_2_backup_answers_no_solicitation(vmac: Virtual) -> None:
    since_s = time.time()
    vmac.send(VIP6)
    until(lambda: vmac.solicited("a", VIP6, since_s), "A answers", 3)
    assert vmac.solicited("b", VIP6, since_s) == []


@pytest.mark.parametrize("version", [2, 3], ids=["VRRPv2", "VRRPv3"])
def test_6_4_2_backup_discards_frames_to_the_virtual_mac(vmac: Virtual, version: Version) -> None:
    """In strict mode; otherwise keepalived's backup, which forwards, would forward them."""
    frame = datagram(to_mac=VMAC[4], destination=FAR)
    assert vmac.routed("b", lambda: vmac.inject("b", frame)), "the default"
    with virtual(version=version, strict=True) as strict:

        def send(node: str) -> bool:
            return strict.routed(node, lambda: strict.inject(node, frame), 0.3)

        assert not send("b")
        assert send("a")
        strict.b.configure(*instances("b", version=version))
        assert send("b"), "a reload takes strict mode away"
        strict.b.configure(*instances("b", version=version, strict=True))
        assert not send("b")
        strict.a.stop()
        until(lambda: strict.net.has_vip("b"), "B is master", 3)
        until(lambda: send("b"), "and forwards", 2)


def test_6_4_2_backup_accepts_no_packet_to_the_addresses(either: Virtual) -> None:
    frame = datagram(to_mac=PHYSICAL["b"], destination=VIP)
    since_s = time.time()
    assert not either.routed("b", lambda: either.inject("b", frame), 0.3)
    closed = [f for f in either.net.seen("b", since_s) if f.data[34:36] == PORT_UNREACHABLE]
    assert closed == [], "its kernel has looked for no port"
    either.inject("a", datagram(to_mac=VMAC[4], destination=VIP))
    answer = (PORT_UNREACHABLE, "a")
    until(lambda: answer in [(f.data[34:36], f.node) for f in either.net.seen("a")], "A has", 3)


def test_6_4_3_active_answers_arp_requests(either: Virtual) -> None:
    since_s = time.time()
    either.send(VIP)
    until(lambda: either.arp_answers("a", since_s), "A answers", 3)


def test_6_4_3_active_is_a_member_of_the_solicited_node_groups(vmac: Virtual) -> None:
    assert "ff02::1:ff00:200" in vmac.net.ip("a", "maddr", "show", "dev", NAME[6])
    assert "ff02::1:ff00:200" not in vmac.net.ip("b", "maddr", "show", "dev", NAME[6])


def test_6_4_3_active_answers_solicitations_as_a_router(vmac: Virtual) -> None:
    since_s = time.time()
    vmac.send(VIP6)
    (answer, *_) = until(lambda: vmac.solicited("a", VIP6, since_s), "A answers", 3)
    assert answer.data[58] & FLAG_ROUTER


def test_6_4_3_active_forwards_what_is_sent_to_the_virtual_mac(either: Virtual) -> None:
    frame = datagram(to_mac=VMAC[4], destination=FAR)
    assert either.routed("a", lambda: either.inject("a", frame))


def test_6_4_3_active_accepts_packets_where_it_is_to(plain: Virtual) -> None:
    assert plain.accepts(VIP)
    assert plain.accepts(VIP6)


def test_6_4_3_active_accepts_no_packets_where_it_is_not_to(plain: Virtual) -> None:
    closed = [replace(one, accept=False) for one in instances("a", vmac=False)]
    plain.a.configure(*closed)
    try:
        until(lambda: not plain.accepts(VIP), "IPv4", 3)
        until(lambda: not plain.accepts(VIP6), "IPv6", 3)
        assert plain.routed("a", lambda: plain.send(FAR)), "what is routed passes"
    finally:
        plain.a.configure(*instances("a", vmac=False))


# 7


def test_7_2_adverts_leave_from_the_virtual_mac(either: Virtual) -> None:
    adverts = either.net.adverts("a")
    four = {f.data[6:12] for f in adverts if f.data[12:14] == b"\x08\x00"}
    assert four == {VMAC[4]}
    assert {f.data[6:12] for f in adverts} <= set(VMAC.values())


def test_7_2_adverts_leave_from_the_interface_s_mac_by_keepalived_s_default(plain: Virtual) -> None:
    assert {f.data[6:12] for f in plain.net.adverts("a")} == {PHYSICAL["a"]}


def test_7_4_no_interface_identifier_is_made_of_the_virtual_mac(vmac: Virtual) -> None:
    for node in "ab":
        (shown,) = json.loads(vmac.net.ip(node, "-d", "-j", "link", "show", NAME[6]))
        assert shown["inet6_addr_gen_mode"] == "none"
        (held,) = json.loads(vmac.net.ip(node, "-6", "-j", "addr", "show", NAME[6]))
        ips = {a["local"] for a in held["addr_info"]} - set(VIPS6)
        own = json.loads(vmac.net.ip(node, "-6", "-j", "addr", "show", INTERFACE))[0]["addr_info"]
        assert ips <= {a["local"] for a in own}, "besides, it speaks from the address below"


# 8


def test_8_1_2_arp_is_answered_with_the_virtual_mac(either: Virtual) -> None:
    since_s = time.time()
    either.send(VIP)
    answers = until(lambda: either.arp_answers("a", since_s), "A answers", 3)
    assert {f.data[22:28] for f in answers} == {VMAC[4]}


def test_8_1_2_arp_is_never_answered_with_the_physical_mac(either: Virtual) -> None:
    since_s = time.time()
    for _ in range(3):
        either.send(VIP)
        until(lambda: either.arp_answers("a", since_s), "A answers", 3)
    time.sleep(0.2)
    told = either.arp_answers("a") + either.net.announcements("a")
    assert {f.data[6:12] for f in told} | {f.data[22:28] for f in told} == {VMAC[4]}


def test_8_1_2_arp_is_answered_with_the_physical_mac_by_keepalived_s_default(
    plain: Virtual,
) -> None:
    since_s = time.time()
    plain.send(VIP)
    answers = until(lambda: plain.arp_answers("a", since_s), "A answers", 3)
    assert {f.data[22:28] for f in answers} == {PHYSICAL["a"]}


def announced_at_start(ip: str) -> set[bytes]:
    """The MACs that an owner, which is master at once, announces for the address when it starts."""
    with wired() as net:
        until(
            lambda: "fe80" in net.ip("a", "-6", "addr", "show", INTERFACE), "a link-local address"
        )
        owner = [replace(one, priority=255) for one in instances("a")]
        a = Ours(net, "a", *owner)
        try:
            net.first_announcement("a", 0, vip=ip)
            assert net.has_vip("a", ip), "it was there before it was announced"
            time.sleep(0.3)
            about = socket.inet_pton(socket.AF_INET6 if ":" in ip else socket.AF_INET, ip)
            found = [f.data for f in net.seen("a") if f.data[12:14] != b"\x08\x00"]
            neighbourly = [d for d in found if d[12:14] == b"\x08\x06" or d[20] == 58]
            return {data[6:12] for data in neighbourly if about in data[14:]}
        finally:
            a.close()


def test_8_1_2_no_arp_before_address_and_virtual_mac_are_there() -> None:
    assert announced_at_start(VIP) == {VMAC[4]}


def test_8_2_2_no_neighbour_message_before_address_and_virtual_mac_are_there() -> None:
    assert announced_at_start(VIP6) == {VMAC[6]}


def test_8_2_2_solicitations_are_answered_with_the_virtual_mac(vmac: Virtual) -> None:
    since_s = time.time()
    vmac.send(VIP6)
    answers = until(lambda: vmac.solicited("a", VIP6, since_s), "A answers", 3)
    assert {target_mac(f.data) for f in answers} == {VMAC[6]}


def test_8_2_2_solicitations_are_never_answered_with_the_physical_mac(vmac: Virtual) -> None:
    since_s = time.time()
    for _ in range(3):
        vmac.send(VIP6)
        until(lambda: vmac.solicited("a", VIP6, since_s), "A answers", 3)
    time.sleep(0.2)
    told = vmac.neighbour_messages("a", 136, VIP6)
    assert {f.data[6:12] for f in told} | {target_mac(f.data) for f in told} == {VMAC[6]}


def test_8_2_2_solicitations_of_the_virtual_router_name_the_virtual_mac(vmac: Virtual) -> None:
    since_s = time.time()
    vmac.send("fd00::77", "a", NAME[6])
    sent = until(lambda: vmac.neighbour_messages("a", 135, "fd00::77", since_s), "a question", 3)
    assert {target_mac(f.data) for f in sent} == {VMAC[6]}


def test_8_2_2_solicitations_of_the_virtual_router_never_name_the_physical_mac(
    vmac: Virtual,
) -> None:
    since_s = time.time()
    assert vmac.routed("a", lambda: vmac.send(FAR6)), "the host reaches what is behind"
    vmac.send("fd00::78", "a", NAME[6])
    sent = until(lambda: vmac.neighbour_messages("a", 135, "fd00::78", since_s), "a question", 3)
    assert PHYSICAL["a"] not in {f.data[6:12] for f in sent}
    assert PHYSICAL["a"] not in {target_mac(f.data) for f in sent}
