"""Who cannot speak: what is counted, when it is asked again, and what it lacks to begin with."""

from __future__ import annotations

import errno
import os
from dataclasses import replace

import pytest

from hanode.kernel.facts import Link
from hanode.kernel.speech import RELAPSE_US, Speech, question, without_source
from hanode.kernel.virtual_interfaces import VirtualInterfaces
from hanode.system.refusals import why_unsent
from hanode.vrrp import packet
from hanode.vrrp.effects import SendAdvert
from hanode.vrrp.engine_settings import (
    Address,
    InstanceSettings,
    Ipvlan,
    Peer,
    Vmac,
    VrrpSettings,
)
from hanode.vrrp.kernel_objects import pack

S = 1_000_000
ONE = InstanceSettings("V", "d0", 51, vips=(Address("192.0.2.10", 24, "d0"),))
PEERS = replace(
    ONE, unicast=True, mcast_src_ip="192.0.2.1",
    unicast_peers=(Peer("192.0.2.2"), Peer("192.0.2.3")),
)  # fmt: skip


def advert(one: InstanceSettings, to: str) -> SendAdvert:
    source, destination = pack("192.0.2.1"), pack(to)
    payload = packet.encode(one, priority=100, source=source, destination=destination)
    return SendAdvert(one.key, payload, source, destination)


def refused(speech: Speech, one: InstanceSettings, sent: int, *to: str, now_us: int = 0) -> bool:
    """The adverts of that number are refused at these places; whether it is silent then."""
    found = [
        speech.refused(one, advert(one, place), "no", sent=sent, now_us=now_us) for place in to
    ]
    return any(silent for _, silent in found)


GROUP = "224.0.0.18"


def test_three_in_a_row() -> None:
    speech = Speech()
    assert [refused(speech, ONE, number, GROUP) for number in (1, 2, 3)] == [False, False, True]
    assert speech.lacking() == {ONE.key: "its adverts cannot be sent: no"}


def test_one_that_left_in_between_ends_the_row() -> None:
    speech = Speech()
    told = [refused(speech, ONE, number, GROUP) for number in (1, 2, 4, 5, 7, 8, 9)]
    assert told == [False] * 6 + [True]


def test_all_peers_must_be_out_of_reach() -> None:
    speech = Speech()
    assert not any(refused(speech, PEERS, number, "192.0.2.2") for number in range(1, 9))
    both = [refused(speech, PEERS, number, "192.0.2.2", "192.0.2.3") for number in (9, 10, 11)]
    assert both == [False, False, True]


def test_it_is_warned_of_once_in_a_row() -> None:
    speech = Speech()
    told = [
        speech.refused(ONE, advert(ONE, GROUP), "no", sent=number, now_us=0)[0]
        for number in (1, 2, 5, 6)
    ]
    assert told == [True, False, True, False]


def test_it_is_asked_every_two_seconds_and_later_when_it_relapses() -> None:
    speech, now_us = Speech(), 0

    def silent(at: int) -> int:
        """It falls silent; how long until it is asked."""
        for number in (at, at + 1, at + 2):
            refused(speech, ONE, number, GROUP, now_us=now_us)
        wait_us = 0
        while not speech.to_ask(now_us=now_us + wait_us):
            wait_us += S
        return wait_us

    waits = []
    for at in (10, 20, 30, 40, 50, 60, 70):
        waits.append(silent(at) // S)
        now_us += waits[-1] * S
        speech.answered(ONE.key, None, now_us=now_us)
        assert speech.lacking() == {}
    assert waits == [2, 4, 8, 16, 32, 60, 60]
    now_us += RELAPSE_US
    assert silent(90) == 2 * S


def test_a_no_is_the_new_reason() -> None:
    speech = Speech()
    for number in (1, 2, 3):
        refused(speech, ONE, number, GROUP)
    speech.answered(ONE.key, "still no", now_us=2 * S)
    assert speech.lacking() == {ONE.key: "its adverts cannot be sent: still no"}
    assert speech.to_ask(now_us=3 * S) == {}
    assert speech.to_ask(now_us=4 * S) == {ONE.key: (advert(ONE, GROUP),)}


def test_who_is_gone_or_speaks_to_others_now_is_forgotten() -> None:
    for later in ((), (replace(ONE, mcast_group="224.0.0.99"),)):
        speech = Speech()
        for number in (1, 2, 3):
            refused(speech, ONE, number, GROUP)
        speech.use(VrrpSettings((replace(ONE, priority=7),)))
        assert speech.lacking()
        speech.use(VrrpSettings(later))
        assert speech.lacking() == {}


@pytest.mark.parametrize("at", [1, 25], ids=["plain", "ah"])
def test_no_router_takes_the_question(at: int) -> None:
    header = b"" if at == 1 else bytes(20)
    sent = replace(advert(ONE, GROUP), payload=bytes(range(1, 45)), ip_header=header)
    asked = question(sent)
    assert [n for n in range(44) if asked.payload[n] != sent.payload[n]] == [at]
    assert asked.payload[at] == 0
    assert replace(asked, payload=sent.payload) == sent


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (errno.EPERM, "a rule of a firewall on this node drops them"),
        (errno.EMSGSIZE, "they are longer than the MTU of d0"),
        (errno.ENETUNREACH, "there is no route from d0 to 224.0.0.18"),
        (errno.ENOBUFS, "the queue of d0 is full, or drops them"),
        (errno.EADDRNOTAVAIL, "192.0.2.1 is no address of this machine that can be used now"),
        (errno.ENETDOWN, "d0 is down"),
    ],
)
def test_the_reason_says_what_it_means_here(code: int, sentence: str) -> None:
    error = OSError(code, "x")
    said = why_unsent(error, interface="d0", source="192.0.2.1", to=GROUP)
    assert said == f"{sentence} ({os.strerror(code)})"


def test_a_unicast_source_must_be_on_this_machine() -> None:
    def lacks(one: InstanceSettings, *there: str, **more: tuple[Address, ...]) -> bool:
        settings = VrrpSettings((one,), **more)  # type: ignore[arg-type] # only tuples of addresses are given
        return bool(without_source(settings, lambda: set(map(pack, there))))

    assert lacks(PEERS)
    assert lacks(PEERS, "192.0.2.7")
    assert not lacks(PEERS, "192.0.2.1", "192.0.2.7")
    assert not lacks(PEERS, static_addresses=(Address("192.0.2.1", 32, "lo"),))
    assert not lacks(replace(PEERS, mcast_src_ip="192.0.2.10")), "it comes with the mastership"
    own = Ipvlan("ipv", Address("192.0.2.1", 24, "ipv"))
    assert not lacks(replace(PEERS, ipvlan=own)), "we give it to the ipvlan"
    assert not lacks(replace(ONE, mcast_src_ip="192.0.2.1")), "adverts to the group come anyhow"
    assert not lacks(replace(PEERS, track_src_ip=True)), "its machine says so"


@pytest.mark.parametrize(
    "virtual",
    [
        {"vmac": Vmac("v0")},
        {"ipvlan": Ipvlan("v0", Address("192.0.2.7", 24, "v0"))},
        {"vips": (Address("192.0.2.10", 24, "v0", below="d0"),)},
    ],
    ids=["macvlan", "ipvlan", "macvlan-of-an-address"],
)
def test_a_virtual_interface_that_was_set_down_is_a_need(virtual: dict[str, object]) -> None:
    plan = VirtualInterfaces("x")
    one = replace(ONE, **virtual)  # type: ignore[arg-type]
    plan.configure(VrrpSettings((one,)))
    up = Link(7, "v0", True, bytes(6))
    assert plan.lacking({}, {"v0": up}) == {}
    down = replace(up, up=False)
    assert plan.lacking({}, {"v0": down}) == {}, "without a carrier: the interface below says so"
    assert plan.lacking({}, {"v0": replace(down, switched_off=True)}) == {ONE.key: "v0 is down"}
    plan.configure(VrrpSettings((replace(one, dont_track_primary=True),)))
    assert plan.lacking({}, {"v0": replace(down, switched_off=True)}) == {}
