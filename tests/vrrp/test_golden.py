"""Every frame that keepalived 2.2.7 was seen to send, byte for byte as the engine makes it.

The captures are beside the project (golden/cap.a … cap.g). IGMP reports in them are the kernel's,
and are left out; so is the Ethernet header of what goes through a socket that the kernel heads.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from hanode import conf
from hanode.build import build
from hanode.vrrp import packet
from hanode.vrrp.arp import gratuitous_arp
from hanode.vrrp.effects import AnnounceAddresses, Effect, SendAdvert
from hanode.vrrp.engine_settings import VrrpSettings
from hanode.vrrp.events import LinkState
from hanode.vrrp.ndisc import neighbour_advert
from hanode.vrrp.router import Router

MAC = bytes.fromhex("020000000001")
VIRTUAL_MAC = bytes.fromhex("00005e000133")
OWN = ("192.0.2.2", "fe80::1")
IGMP = 2
ADVERTS_BEFORE_STOP = 4

VECTORS = {
    # keepalived.md 2.7, whole IPv4 packets: (auth, version, addresses, unicast peer, priority)
    "45c0002800010000ff701890c0000202e0000012213364010001b8bfc000020a0000000000000000": "b",
    "45c0002c00010000ff70188cc0000202e0000012213364020101b966c000020ac000020b7365637265740000": "a",
    "45c0004000010000ff3318b5c0000202e000001270040000c000020200000001f7d5f31589c48366c0c81d5a"
    "213364010201b6bfc000020a0000000000000000": "e",
    "45c0002000010000ff701898c0000202e000001231336401006405cbc000020a": "c",
    "45c0002800010000ff70369fc0000202c0000203213364010001b8bfc000020a0000000000000000": "g",
}


def told(shared: Path, name: str) -> tuple[VrrpSettings, list[Effect]]:
    """What an engine with that configuration does in six seconds, stopped at the end."""
    text = (shared / "golden" / f"{name}.conf").read_text()
    built = build(conf.check(text, node="NodeA").model)
    assert built.errors == ()
    link = LinkState(up=True, mac=MAC, addresses=tuple(packet.packed(ip) for ip in OWN))
    router = Router()
    router.link("d0", link, now_us=0)
    effects = router.configure(built.vrrp, now_us=0).effects
    while router.deadline_us is not None and router.deadline_us < 7_000_000:
        effects += router.tick(now_us=router.deadline_us)
    effects += router.stop("stopped by operator", now_us=7_000_000)
    return built.vrrp, effects


def frames(settings: VrrpSettings, effects: list[Effect]) -> set[bytes]:
    """Those effects as frames, from the IP header on where the kernel makes the Ethernet header."""
    made: set[bytes] = set()
    ident = 0
    mac = VIRTUAL_MAC if settings.instances[0].vmac is not None else MAC
    for effect in effects:
        if isinstance(effect, SendAdvert):
            ident += 1
            made.add(advert_packet(effect, ident))
        elif isinstance(effect, AnnounceAddresses):
            for address in effect.addresses:
                if address.family == 4:
                    made.add(gratuitous_arp(mac=mac, address=address.packed))
                else:
                    made.add(neighbour_advert(mac=mac, address=address.packed, router=False))
    return made


def advert_packet(effect: SendAdvert, ident: int) -> bytes:
    if len(effect.source) == 16:
        return effect.payload  # the kernel makes the header; its flow label is chance
    header = effect.ip_header or packet.ipv4_header(
        source=effect.source,
        destination=effect.destination,
        length=len(effect.payload),
        ident=ident,
        ttl=effect.ttl,
    )
    return header + effect.payload


def captured(shared: Path, name: str) -> list[bytes]:
    found = []
    for line in (shared / "golden" / f"cap.{name}").read_text().splitlines():
        words = line.split()
        if len(words) != 3 or words[1] not in ("ip4", "ip6", "arp", "na"):
            continue
        frame = bytes.fromhex(words[2])
        if words[1] == "ip4":
            if frame[23] != IGMP:
                found.append(frame[14:])
        elif words[1] == "ip6":
            assert frame[14:16] == b"\x6c\x04", "traffic class 0xc0"
            assert frame[20:22] == bytes((packet.PROTOCOL, 255))
            found.append(frame[54:])
        else:
            found.append(frame)
    return found


@pytest.mark.needs("shared")
@pytest.mark.parametrize("name", list("abcdefg"))
def test_captured_frame_is_one_that_we_send(shared: Path, name: str) -> None:
    seen = captured(shared, name)
    assert len(seen) >= 2
    ours = frames(*told(shared, name))
    for frame in seen:
        assert frame in ours, frame.hex()


@pytest.mark.needs("shared")
@pytest.mark.parametrize(("vector", "name"), VECTORS.items(), ids=list(VECTORS.values()))
def test_vector_is_our_first_packet(shared: Path, vector: str, name: str) -> None:
    _, effects = told(shared, name)
    first = next(effect for effect in effects if isinstance(effect, SendAdvert))
    assert advert_packet(first, 1).hex() == vector


@pytest.mark.needs("shared")
def test_frame_with_another_priority_is_not_ours(shared: Path) -> None:
    """The comparison can fail."""
    settings, _ = told(shared, "b")
    changed = replace(settings, instances=(replace(settings.instances[0], priority=99),))
    router = Router()
    link = LinkState(up=True, mac=MAC, addresses=(packet.packed(OWN[0]),))
    router.link("d0", link, now_us=0)
    router.configure(changed, now_us=0)
    effects: list[Effect] = []
    while router.deadline_us is not None and router.deadline_us < 7_000_000:
        effects += router.tick(now_us=router.deadline_us)
    assert captured(shared, "b")[0] not in frames(changed, effects)


@pytest.mark.needs("shared")
def test_pipe_s_lines_of_a_group_come_in_keepalived_s_order(shared: Path) -> None:
    text = (shared / "golden" / "h.conf").read_text().replace("@DIR@", "/run/x")
    built = build(conf.check(text, node="NodeA").model)
    assert built.errors == ()
    router, now_us, lines = Router(), 0, []

    def tell(effects: list[Effect]) -> None:
        lines.extend(
            f'{e.kind} "{e.name}" {e.state} {e.priority}'
            for e in effects
            if type(e).__name__ == "Notify"
        )

    def run(until_us: int) -> None:
        while router.deadline_us is not None and router.deadline_us <= until_us:
            tell(router.tick(now_us=router.deadline_us))

    up = LinkState(up=True, mac=MAC, addresses=(packet.packed(OWN[0]),))
    router.link("d0", up, now_us=0)
    tell(router.configure(built.vrrp, now_us=0).effects)
    run(now_us := 5_000_000)
    tell(router.link("d0", replace(up, up=False), now_us=now_us))
    tell(router.link("d0", up, now_us=now_us))
    run(now_us := 10_000_000)
    tell(router.stop("stopped by operator", now_us=now_us))
    assert lines == (shared / "golden" / "ff.out").read_text().splitlines()
