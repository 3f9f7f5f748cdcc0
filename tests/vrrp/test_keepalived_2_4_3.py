"""The frames of a real keepalived 2.4.3 (`keepalived_2_4_3/`): we take each, and send the same.

That release is in no distribution yet; its frames were recorded, with the configuration that made
them: signed in both versions, over both families and both ways, and beside them what switches
auth_hmac off.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hanode.vrrp import packet
from hanode.vrrp.engine_settings import InstanceSettings
from hanode.vrrp.packet import Advert, Datagram, Refusal
from hanode.vrrp.receive import Receiver
from hanode.vrrp.transmit import Transmitter
from tests.vrrp.words import built

RECORDED: dict[str, Any] = json.loads(
    (Path(__file__).parent / "keepalived_2_4_3" / "frames.json").read_text()
)
ETHERNET, IPV6 = 14, 40
SIGNED = [name for name in RECORDED if name.startswith("hmac") and name != "hmac-no-active-key"]
TRAILER = 28


def sender(name: str) -> InstanceSettings:
    """What we make of its configuration."""
    (made,) = built(RECORDED[name]["conf"]).vrrp.instances
    return made


def receiver(name: str) -> InstanceSettings:
    """The other node's."""
    made = replace(sender(name), priority=100)
    if not made.unicast:
        return made
    (peer,) = made.unicast_peers
    assert made.mcast_src_ip is not None
    return replace(made, mcast_src_ip=peer.ip, unicast_peers=(replace(peer, ip=made.mcast_src_ip),))


def datagrams(name: str) -> list[tuple[bytes, Datagram]]:
    """Each frame's IP header, and what we read."""
    found = []
    for frame in RECORDED[name]["frames"]:
        ip = bytes.fromhex(frame["hex"])[ETHERNET:]
        if ip[0] >> 4 == 6:
            read = Datagram(ip[8:24], ip[24:40], ip[7], ip[IPV6:])
            found.append((ip[:IPV6], read))
            continue
        four = packet.read_ipv4(ip)
        assert isinstance(four, Datagram)
        found.append((ip[:20], four))
    return found


def signed_at_us(datagram: Datagram) -> int:
    """A moment that stands in its trailer."""
    seconds = int.from_bytes(datagram.payload[-24:-20], "big")
    fraction = int.from_bytes(datagram.payload[-20:-18], "big")
    return seconds * 1_000_000 + -(-fraction * 1_000_000 // 65_536)


@pytest.mark.parametrize("name", RECORDED)
def test_each_frame_is_taken(name: str) -> None:
    listens, seen = Receiver(receiver(name)), set()
    for _, came in datagrams(name):
        wall_us = signed_at_us(came) if name in SIGNED else 0
        verdict = listens.judge(came, wall_us=wall_us)
        if came.payload in seen and name in SIGNED:  # it was recorded twice
            assert isinstance(verdict, Refusal)
            continue
        seen.add(came.payload)
        assert isinstance(verdict, Advert), verdict
        assert (verdict.vrid, verdict.priority in (150, 0)) == (51, True)


@pytest.mark.parametrize("name", RECORDED)
def test_each_frame_is_what_we_send(name: str) -> None:
    for header, came in datagrams(name):
        speaks = Transmitter(sender(name))
        speaks.prepare(150, came.source)
        wall_us = signed_at_us(came) if name in SIGNED else 0
        leaves = came.payload[2] == 0
        make = speaks.priority_zero if leaves else speaks.adverts
        (sent,) = make(wall_us=wall_us)
        assert (sent.source, sent.destination) == (came.source, came.destination)
        assert sent.payload.hex() == came.payload.hex()
        if len(came.source) == 4:
            made = packet.ipv4_header(
                source=sent.source,
                destination=sent.destination,
                length=len(sent.payload),
                ident=int.from_bytes(header[4:6], "big"),
                ttl=sent.ttl,
            )
            assert made.hex() == header.hex()


@pytest.mark.parametrize("name", SIGNED)
def test_one_changed_bit_of_a_signed_frame_is_refused(name: str) -> None:
    _, came = datagrams(name)[0]
    for at in range(len(came.payload)):
        payload = bytearray(came.payload)
        payload[at] ^= 1
        verdict = Receiver(receiver(name)).judge(
            replace(came, payload=bytes(payload)), wall_us=signed_at_us(came)
        )
        assert isinstance(verdict, Refusal), at


@pytest.mark.parametrize("name", SIGNED)
def test_whoever_does_not_sign_refuses_a_signed_frame(name: str) -> None:
    _, came = datagrams(name)[0]
    assert isinstance(Receiver(replace(receiver(name), hmac=None)).judge(came), Refusal)


def test_both_switch_auth_hmac_off_without_an_active_key() -> None:
    (log,) = RECORDED["hmac-no-active-key"]["log"]
    assert "disabling extension" in log
    assert sender("hmac-no-active-key").hmac is None


def test_both_drop_the_password_beside_auth_hmac() -> None:
    (log,) = RECORDED["hmac-with-pass"]["log"]
    assert "dropping legacy auth" in log
    assert sender("hmac-with-pass").auth_type == "NONE"
