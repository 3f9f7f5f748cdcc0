"""Adverts: made once where they stay the same, anew where they are signed or something changed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hanode.vrrp import packet
from hanode.vrrp.effects import SendAdvert
from hanode.vrrp.engine_settings import HmacKey, HmacSettings, Peer
from hanode.vrrp.transmit import Transmitter
from tests.vrrp.single import V2, V3, V6
from tests.vrrp.test_auth import AH

SOURCE = packet.packed("192.0.2.2")
PEERS = (Peer("192.0.2.3"), Peer("192.0.2.4"))
UNICAST = replace(V2, unicast=True, unicast_peers=PEERS, ttl=7)
KEYS = HmacSettings((HmacKey(1, "11" * 32),), active=1)


def test_nothing_is_sent_before_there_is_a_source() -> None:
    transmitter = Transmitter(V2)
    assert transmitter.ready == transmitter.adverts(wall_us=0) == ()
    transmitter.prepare(100, b"")
    assert transmitter.ready == transmitter.adverts(wall_us=0) == ()
    assert transmitter.priority_zero(wall_us=0) == ()


def test_the_same_objects_come_again_while_nothing_changes() -> None:
    transmitter = Transmitter(V2)
    transmitter.prepare(100, SOURCE)
    first = transmitter.ready
    transmitter.prepare(100, SOURCE)
    assert transmitter.adverts(wall_us=5) is first is transmitter.ready


@pytest.mark.parametrize(("priority", "source"), [(101, SOURCE), (100, packet.packed("192.0.2.9"))])
def test_another_priority_or_source_makes_them_anew(priority: int, source: bytes) -> None:
    transmitter = Transmitter(V2)
    transmitter.prepare(100, SOURCE)
    transmitter.prepare(priority, source)
    (advert,) = transmitter.ready
    assert (advert.payload[2], advert.source) == (priority, source)


def test_new_settings_make_them_anew() -> None:
    transmitter = Transmitter(V2)
    transmitter.prepare(100, SOURCE)
    transmitter.use(replace(V2, vips=()))
    transmitter.prepare(100, SOURCE)
    (advert,) = transmitter.ready
    assert advert.payload[3] == 0, "it names no address any more"


def test_a_source_that_is_gone_ends_them() -> None:
    transmitter = Transmitter(V2)
    transmitter.prepare(100, SOURCE)
    transmitter.prepare(100, b"")
    assert transmitter.ready == transmitter.adverts(wall_us=0) == ()


def test_an_advert_to_the_group() -> None:
    transmitter = Transmitter(replace(V2, ttl=7))
    transmitter.prepare(100, SOURCE)
    group = packet.packed("224.0.0.18")
    payload = packet.encode(V2, priority=100, source=SOURCE, destination=group)
    assert transmitter.ready == (SendAdvert(V2.key, payload, SOURCE, group, 255, b""),)


def test_each_unicast_peer_gets_its_own_with_the_ttl_of_the_file() -> None:
    transmitter = Transmitter(UNICAST)
    transmitter.prepare(100, SOURCE)
    told = [(advert.destination, advert.ttl) for advert in transmitter.ready]
    assert told == [(packet.packed(peer.ip), 7) for peer in PEERS]


def test_priority_zero_goes_to_everybody_and_leaves_the_next_adverts_alone() -> None:
    transmitter = Transmitter(UNICAST)
    transmitter.prepare(100, SOURCE)
    leaving = transmitter.priority_zero(wall_us=0)
    assert [advert.payload[2] for advert in leaving] == [0, 0]
    assert [advert.destination for advert in leaving] == [packet.packed(p.ip) for p in PEERS]
    assert [advert.payload[2] for advert in transmitter.adverts(wall_us=0)] == [100, 100]


@pytest.mark.parametrize(
    ("settings", "signs"),
    [
        (V2, False),
        (V6, False),
        (AH, True),
        (replace(V3, hmac=KEYS), True),
        (replace(V3, hmac=replace(KEYS, mode="permissive")), True),
        (replace(V3, hmac=replace(KEYS, mode="receive-only")), False),
    ],
)
def test_signed_adverts_are_never_kept(settings: object, signs: bool) -> None:
    transmitter = Transmitter(settings)  # type: ignore[arg-type]
    transmitter.prepare(100, SOURCE)
    assert transmitter.signs is signs
    assert (transmitter.ready == ()) is signs
    assert len(transmitter.adverts(wall_us=0)) == 1


def test_a_signature_has_the_time_of_day() -> None:
    transmitter = Transmitter(replace(V3, hmac=KEYS))
    transmitter.prepare(100, SOURCE)
    for second, adverts in (
        (77, transmitter.adverts(wall_us=77_000_000)),
        (78, transmitter.priority_zero(wall_us=78_000_000)),
    ):
        (advert,) = adverts
        assert advert.payload[-24:-20] == second.to_bytes(4, "big")


def test_ah_brings_the_header_that_it_has_signed() -> None:
    transmitter = Transmitter(AH)
    transmitter.prepare(100, SOURCE)
    (advert,) = transmitter.adverts(wall_us=0)
    assert advert.ip_header[12:16] == SOURCE
    assert advert.ip_header[16:] == packet.packed("224.0.0.18")
    group = packet.packed("224.0.0.18")
    plain = packet.encode(AH, priority=100, source=SOURCE, destination=group)
    assert advert.payload[24:] == plain
