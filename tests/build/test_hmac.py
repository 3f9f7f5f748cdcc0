"""auth_hmac: the keys, which one signs, and how long an advert is young enough."""

from __future__ import annotations

import pytest

from hanode import conf
from hanode.build.hmac import with_keys
from hanode.vrrp.engine_settings import HmacKey, HmacSettings, VrrpSettings
from tests.vrrp.words import built, instance, text

KEY = "k" * 32
KEY_IN_HEX = "6b" * 32


def hmac(*lines: str, words: str = "version 3") -> HmacSettings | None:
    return instance(f"{words}\nauth_hmac {{\n" + "\n".join(lines) + "\n}").hmac


def test_everything_that_auth_hmac_says() -> None:
    said = hmac(
        f"key 1 {KEY}",
        "key 2 file:/etc/key",
        "active_key 2",
        "time_window 7",
        "anti_replay monotonic",
        "mode receive-only",
    )
    assert said == HmacSettings(
        (HmacKey(1, KEY_IN_HEX), HmacKey(2, "", "/etc/key")),
        2,
        anti_replay="monotonic",
        window_us=7_000_000,
        mode="receive-only",
    )


def test_auth_hmac_that_says_little() -> None:
    assert hmac(f"key 3 {KEY}", f"key 1 {KEY}", "active_key 1") == HmacSettings(
        (HmacKey(3, KEY_IN_HEX), HmacKey(1, KEY_IN_HEX)), 1
    )
    assert HmacSettings((HmacKey(3, ""),), 3).mode == "enforce"


OFF = (
    (),
    ("mode enforce",),
    (f"key 1 {KEY}",),
    (f"key 1 {KEY}", "active_key 2"),
    (f"key 1 {KEY}", "active_key 0"),
    (f"key 0 {KEY}", "active_key 0"),
    (f"key 256 {KEY}", "active_key 256"),
    (f"key 1 {'k' * 31}", "active_key 1"),
    (f"key 1 {'k' * 65}", "active_key 1"),
    ("key 1", "active_key 1"),
    (f"key {KEY} 1", "active_key 1"),
    ("key 1 hex:", "active_key 1"),
    (f"key 1 hex:{'0g' * 32}", "active_key 1"),
)


@pytest.mark.parametrize("lines", OFF, ids=" ".join)
def test_without_a_key_to_sign_with_the_instance_runs_unsigned(lines: tuple[str, ...]) -> None:
    """As keepalived 2.4.3; and never that it does not run."""
    found = built(text("version 3\nauth_hmac {\n" + "\n".join(lines) + "\n}"))
    assert [one.hmac for one in found.vrrp.instances] == [None]


@pytest.mark.parametrize("lines", OFF, ids=" ".join)
def test_that_it_runs_unsigned_is_said_as_an_error(lines: tuple[str, ...]) -> None:
    words = "version 3\nauth_hmac {\n" + "\n".join(lines) + "\n}"
    found = conf.check(text(words), target="keepalived-2.4.3").problems
    told = [p for p in found if p.code == "hmac-off"]
    assert [p.severity for p in told] == ["error"]
    assert "adverts are sent unsigned" in told[0].message


def test_a_bad_key_leaves_the_others() -> None:
    said = hmac(f"key 1 {KEY}", "key 2 short", "active_key 1")
    assert said is not None
    assert [key.id for key in said.keys] == [1]


def test_of_two_keys_of_one_number_the_first_counts() -> None:
    lines = (f"key 1 {KEY}", f"key 1 {'l' * 32}", "active_key 1")
    said = hmac(*lines)
    assert said is not None
    assert said.keys == (HmacKey(1, KEY_IN_HEX),)


def test_two_blocks_are_one() -> None:
    made = instance(
        f"version 3\nauth_hmac {{\nkey 1 {KEY}\nactive_key 1\nmode permissive\n}}\n"
        f"auth_hmac {{\nkey 2 {KEY}\nmode receive-only\n}}"
    ).hmac
    assert made is not None
    assert ([key.id for key in made.keys], made.active, made.mode) == ([1, 2], 1, "receive-only")


@pytest.mark.parametrize(
    ("said", "key"),
    [
        (f"hex:{'ab' * 32}", "ab" * 32),
        (f"hex:{'AB' * 32}", "ab" * 32),
        (f"hex:{'ab' * 31}c", "ab" * 31 + "0c"),
        (f'"hex:{"ab " * 32}"', "ab" * 32),
        (f'"hex:{"a " * 32}"', "0a" * 32),
        ("file" * 8, "66696c65" * 8),
        ("é" * 16, "c3a9" * 16),
    ],
)
def test_a_key_is_read_as_keepalived_reads_it(said: str, key: str) -> None:
    """An odd number of digits is valid: the last one is a byte."""
    found = hmac(f"key 1 {said}", "active_key 1")
    assert found is not None
    assert found.keys[0].key == key


def test_strict_mode_takes_signed_adverts_only() -> None:
    words = "version 3\nstrict_mode"
    said = hmac(f"key 1 {KEY}", "active_key 1", "mode permissive", words=words)
    assert said is not None
    assert said.mode == "enforce"


@pytest.mark.parametrize("active", ["active_key 1", "active_key 7", ""])
def test_auth_hmac_takes_the_place_of_auth_pass_even_where_it_is_off(active: str) -> None:
    made = instance(
        f"version 2\nauth_type PASS\nauth_pass secret\nauth_hmac {{\nkey 1 {KEY}\n{active}\n}}"
    )
    assert (made.auth_type, made.auth_pass) == ("NONE", "")


@pytest.mark.parametrize(
    ("words", "us"),
    [
        ("version 3\nadvert_int 1", 5_000_000),
        ("version 3\nadvert_int 1.99", 5_000_000),
        ("version 3\nadvert_int 2.9", 6_000_000),
        ("version 2\nadvert_int 101", 300_000_000),
    ],
)
def test_an_advert_may_be_three_intervals_old_and_five_seconds(words: str, us: int) -> None:
    """Whole seconds of the interval count, and five minutes are the most."""
    said = hmac(f"key 1 {KEY}", "active_key 1", words=words)
    assert said is not None
    assert said.window_us == us


@pytest.mark.parametrize("size", [32, 64])
def test_a_key_has_32_to_64_bytes(size: int) -> None:
    said = hmac(f"key 1 {'k' * size}", "active_key 1")
    assert said is not None
    assert len(said.keys[0].key) == 2 * size


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (f"key 1 {'k' * 31}", "key 1 must have 32 to 64 bytes, and has 31"),
        (f"key 1 {'k' * 65}", "key 1 must have 32 to 64 bytes, and has 65"),
        (f"key 1 hex:{'0g' * 32}", "key 1 is not written in hex"),
        ("key 1", "key needs a number from 1 to 255 and a key of 32 to 64 bytes"),
        (f"key 0 {KEY}", "key must be a whole number from 1 to 255, not 0"),
        ("active_key 0", "active_key must be a whole number from 1 to 255, not 0"),
        ("anti_replay on", "anti_replay must be time or monotonic"),
        ("anti_replay", "anti_replay needs"),
        ("time_window 0", "time_window must be a whole number from 1 to 300, not 0"),
        ("time_window 301", "time_window must be a whole number from 1 to 300, not 301"),
        ("mode strict", "mode must be enforce, permissive or receive-only"),
    ],
)
def test_what_keepalived_refuses_is_an_error(line: str, sentence: str) -> None:
    block = f"auth_hmac {{\nkey 9 {KEY}\nactive_key 9\n{line}\n}}"
    found = conf.check(text(f"version 3\n{block}"), target="keepalived-2.4.3").problems
    told = [p.message for p in found if p.severity == "error" and p.line == 8]
    assert any(sentence in message for message in told), (told, found)
    assert not any(KEY in message for message in told)


ALONE = f"version 3\nauth_hmac {{\nkey 4 {KEY}\nactive_key 4\n}}"


def test_only_keys_in_files_are_read_and_every_other_instance_stays() -> None:
    told = built(
        text("version 3\nauth_hmac {\nkey 1 " + KEY + "\nkey 2 file:/etc/key\nactive_key 2\n}")
        + text("", "192.0.2.2", name="W", vrid=8)
        + text(ALONE, "192.0.2.3", name="X", vrid=9)
    ).vrrp
    asked: list[str] = []

    def read(path: str) -> str:
        asked.append(path)
        return "m" * 32

    found, complaints = with_keys(told, read)
    assert complaints == ()
    assert asked == ["/etc/key"]
    assert [one.name for one in found.instances] == ["V", "W", "X"]
    first = found.instances[0].hmac
    assert first is not None
    assert first.keys == (HmacKey(1, KEY_IN_HEX), HmacKey(2, "6d" * 32, "/etc/key"))
    assert found.instances[1:] == told.instances[1:]


def test_settings_without_a_key_in_a_file_stay_as_they_are() -> None:
    def read(path: str) -> str:
        raise AssertionError(path)

    for told in (
        VrrpSettings(),
        built(text()).vrrp,
        built(text(f"version 3\nauth_hmac {{\nkey 4 {KEY}\nactive_key 4\n}}")).vrrp,
    ):
        assert with_keys(told, read)[0] is told
