"""The numbers of signed adverts: how they grow, where they begin anew, and whose are remembered."""

from __future__ import annotations

import struct
from dataclasses import replace

import pytest

from hanode.vrrp import packet
from hanode.vrrp.auth import AhSequence, HmacReplay, HmacSigner, sign_ah
from hanode.vrrp.engine_settings import HmacKey, HmacSettings
from tests.vrrp.test_auth import AH

KEYS = HmacSettings((HmacKey(1, "11" * 32),), active=1)
MONOTONIC = replace(KEYS, anti_replay="monotonic")
SOURCE, GROUP = packet.packed("192.0.2.2"), packet.packed("224.0.0.18")


def numbers(signer: HmacSigner, wall_us: int, keys: HmacSettings = KEYS) -> tuple[int, int, int]:
    """Seconds, fraction and counter of the next trailer."""
    trailer = signer.sign(keys, bytes(12), source=SOURCE, wall_us=wall_us)
    seconds, fraction, counter = struct.unpack(">IHH", trailer[4:12])
    return seconds, fraction, counter


def test_a_second_advert_in_one_tick_has_the_next_counter() -> None:
    signer = HmacSigner()
    assert [numbers(signer, 9_500_000) for _ in range(3)] == [(9, 32768, n) for n in range(3)]
    assert numbers(signer, 9_600_000) == (9, 39321, 0)


def test_a_clock_that_was_set_back_counts_on_from_the_last_number() -> None:
    signer = HmacSigner()
    assert numbers(signer, 9_500_000) == (9, 32768, 0)
    assert numbers(signer, 4_000_000) == (9, 32768, 1)


def test_a_clock_that_was_set_back_beyond_the_window_begins_anew() -> None:
    """Nobody believes the old numbers any more (keepalived 2.4.3); whole seconds count."""
    signer = HmacSigner()
    assert numbers(signer, 9_500_000) == (9, 32768, 0)
    assert numbers(signer, 3_999_999) == (3, 65535, 0)
    assert numbers(signer, 3_999_999) == (3, 65535, 1)


def test_monotonic_numbers_only_grow() -> None:
    signer = HmacSigner()
    assert numbers(signer, 9_500_000, MONOTONIC) == (9, 32768, 0)
    assert numbers(signer, 1_000_000, MONOTONIC) == (9, 32768, 1)


def test_numbers_wrap_in_2106() -> None:
    signer = HmacSigner()
    assert numbers(signer, (2**32 - 1) * 1_000_000) == (2**32 - 1, 0, 0)
    assert numbers(signer, 2**32 * 1_000_000) == (0, 0, 0)


def test_numbers_begin_with_the_clock_after_2038_too() -> None:
    assert numbers(HmacSigner(), 2**31 * 1_000_000, MONOTONIC) == (2**31, 0, 0)


@pytest.mark.parametrize(
    ("last", "following"),
    [
        ((9, 7, 0xFFFE), (9, 7, 0xFFFF)),
        ((9, 7, 0xFFFF), (9, 8, 0)),
        ((9, 0xFFFF, 0xFFFF), (10, 0, 0)),
    ],
)
def test_a_full_counter_carries(
    last: tuple[int, int, int], following: tuple[int, int, int]
) -> None:
    signer = HmacSigner()
    signer._last = last[0] << 32 | last[1] << 16 | last[2]
    assert numbers(signer, 0, MONOTONIC) == following


def test_the_first_number_is_the_clock() -> None:
    assert numbers(HmacSigner(), 0) == (0, 0, 0)


def test_seconds_are_counted_in_32_bits() -> None:
    assert numbers(HmacSigner(), (2**32 + 5) * 1_000_000) == (5, 0, 0)


def is_new(
    replay: HmacReplay,
    source: bytes,
    number: int,
    *,
    senders: int = 4,
    keys: HmacSettings = KEYS,
    now_s: int = 0,
) -> bool:
    return replay.is_new(source, number, keys=keys, senders=senders, now_s=now_s)


def test_the_sender_that_was_silent_longest_is_forgotten() -> None:
    replay = HmacReplay()
    for source, number in ((b"a", 1), (b"b", 1), (b"a", 2), (b"c", 1)):
        assert is_new(replay, source, number, senders=2)
    assert not is_new(replay, b"a", 2, senders=2)
    assert not is_new(replay, b"c", 1, senders=2)
    assert is_new(replay, b"b", 1, senders=2), "forgotten"


def test_each_of_many_unicast_peers_is_remembered() -> None:
    replay, sources = HmacReplay(), [bytes((n,)) for n in range(9)]
    assert all(is_new(replay, source, 1, senders=9) for source in sources)
    assert not any(is_new(replay, source, 1, senders=9) for source in sources)


@pytest.mark.parametrize(
    ("now_s", "counts"), [(1_005, True), (1_006, False), (995, True), (994, False)]
)
def test_a_mark_outside_of_the_window_does_not_count(now_s: int, counts: bool) -> None:
    """So a sender whose clock was corrected is believed again at once (keepalived 2.4.3)."""
    replay = HmacReplay()
    assert is_new(replay, b"a", 1_000 << 32, now_s=1_000)
    assert is_new(replay, b"a", 1_000 << 32, now_s=now_s) is not counts
    assert not is_new(replay, b"a", 1_000 << 32, now_s=1_000), "the mark is there again"


def test_a_mark_of_monotonic_numbers_stays() -> None:
    replay = HmacReplay()
    assert is_new(replay, b"a", 1_000 << 32, keys=MONOTONIC, now_s=1_000)
    assert not is_new(replay, b"a", 999 << 32, keys=MONOTONIC, now_s=9_000)
    assert is_new(replay, b"a", 1_001 << 32, keys=MONOTONIC, now_s=9_000)


def test_a_number_that_wrapped_is_above_the_mark() -> None:
    replay = HmacReplay()
    assert is_new(replay, b"a", (2**32 - 1) << 32, keys=MONOTONIC)
    assert is_new(replay, b"a", 5, keys=MONOTONIC)
    assert not is_new(replay, b"a", (2**32 - 1) << 32, keys=MONOTONIC)


# AH


def test_an_ah_number_that_is_full_begins_anew_at_one() -> None:
    sequence = AhSequence()
    sequence.last, sequence.ident = 2**32 - 2, 0xFFFE
    assert (sequence.next(), sequence.ident) == (2**32 - 1, 0xFFFF)
    assert (sequence.next(), sequence.ident) == (1, 1)
    assert (sequence.next(), sequence.ident) == (2, 2)


@pytest.mark.parametrize(("number", "believed"), [(6, False), (7, False), (8, True), (90, True)])
def test_an_ah_number_must_be_above_the_last_one(number: int, believed: bool) -> None:
    sequence = AhSequence()
    assert sequence.believe(7)
    assert sequence.believe(number) is believed
    assert sequence.last == (number if believed else 7)


def test_a_lower_number_than_we_sent_is_a_replay() -> None:
    sequence = AhSequence()
    assert [sequence.next(), sequence.next()] == [1, 2]
    assert not sequence.believe(1)
    assert sequence.believe(2)


@pytest.mark.parametrize(("unicast", "ttl"), [(False, 255), (True, 9)])
def test_the_header_under_ah_is_that_of_the_packet(unicast: bool, ttl: int) -> None:
    settings = replace(AH, unicast=unicast, ttl=9)
    sequence = AhSequence()
    sequence.ident = 40
    header, payload = sign_ah(
        settings, bytes(20), source=SOURCE, destination=GROUP, sequence=sequence
    )
    assert header == packet.ipv4_header(
        source=SOURCE, destination=GROUP, length=44, ident=41, ttl=ttl, protocol=51
    )
    assert payload[:12] == bytes((112, 4, 0, 0)) + SOURCE + bytes((0, 0, 0, 1))
    assert payload[24:] == bytes(20)
