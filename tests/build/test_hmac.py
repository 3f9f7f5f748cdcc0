"""auth_hmac: the keys, which one signs, and how long an advert is young enough."""

from __future__ import annotations

import pytest

from hanode.build.hmac import with_keys
from hanode.vrrp.engine_settings import HmacKey, HmacSettings, VrrpSettings
from tests.vrrp.words import built, instance, text

KEY = "k" * 32
KEY_IN_HEX = "6b" * 32


def hmac(*lines: str, words: str = "version 3") -> HmacSettings | None:
    return instance(f"{words}\nauth_hmac {{\n" + "\n".join(lines) + "\n}").hmac


def errors(*lines: str) -> tuple[str, ...]:
    block = "\n".join(lines)
    return built(text(f"version 3\nauth_hmac {{\n{block}\n}}")).errors


def test_everything_that_auth_hmac_says() -> None:
    said = hmac(
        f"key 1 {KEY}",
        "key 2 file:/etc/key",
        "active_key 2",
        "time_window 7",
        "anti_replay off",
        "mode receive-only",
    )
    assert said == HmacSettings(
        (HmacKey(1, KEY_IN_HEX), HmacKey(2, "", "/etc/key")),
        2,
        anti_replay=False,
        window_us=7_000_000,
        mode="receive-only",
    )


def test_auth_hmac_that_says_little() -> None:
    """The first key signs."""
    assert hmac(f"key 3 {KEY}", f"key 1 {KEY}") == HmacSettings(
        (HmacKey(3, KEY_IN_HEX), HmacKey(1, KEY_IN_HEX)), 3
    )
    assert HmacSettings((HmacKey(3, ""),), 3).mode == "enforce"


def test_key_0_can_sign() -> None:
    said = hmac(f"key 1 {KEY}", f"key 0 {KEY}", "active_key 0")
    assert said is not None
    assert said.active == 0


@pytest.mark.parametrize(
    ("interval", "us"), [("1", 5_000_000), ("1.66", 5_000_000), ("1.7", 5_100_000)]
)
def test_an_advert_may_be_three_intervals_old_and_five_seconds(interval: str, us: int) -> None:
    said = hmac(f"key 1 {KEY}", words=f"version 3\nadvert_int {interval}")
    assert said is not None
    assert said.window_us == us


@pytest.mark.parametrize("size", [32, 64])
def test_a_key_has_32_to_64_bytes(size: int) -> None:
    said = hmac(f"key 1 {'k' * size}")
    assert said is not None
    assert len(said.keys[0].key) == 2 * size


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (f"key 1 {'k' * 31}", "auth_hmac key 1 must have 32 to 64 bytes, and has 31"),
        (f"key 1 {'k' * 65}", "auth_hmac key 1 must have 32 to 64 bytes, and has 65"),
        ("key 1", "auth_hmac key 1 must have 32 to 64 bytes, and has 0"),
        (f"key {KEY} 1", f"auth_hmac key {KEY}: its number comes first, and then the key"),
        ("key 1 file:", "auth_hmac key 1: the path behind file: must begin with /"),
    ],
)
def test_what_is_no_key_is_named(line: str, sentence: str) -> None:
    assert errors(line) == (f"V: {sentence}",)


def test_auth_hmac_without_a_key_is_an_error() -> None:
    assert errors("mode enforce") == ("V: auth_hmac has no key 0, which is to sign",)
    assert errors(f"key 1 {KEY}", "active_key 2") == (
        "V: auth_hmac has no key 2, which is to sign",
    )


def test_only_keys_in_files_are_read_and_every_other_instance_stays() -> None:
    told = built(
        text("version 3\nauth_hmac {\nkey 1 " + KEY + "\nkey 2 file:/etc/key\n}")
        + text("", "192.0.2.2", name="W", vrid=8)
        + text(f"version 3\nauth_hmac {{\nkey 4 {KEY}\n}}", "192.0.2.3", name="X", vrid=9)
    ).vrrp
    asked: list[str] = []

    def read(path: str) -> str:
        asked.append(path)
        return "m" * 32

    found = with_keys(told, read)
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
        built(text(f"version 3\nauth_hmac {{\nkey 4 {KEY}\n}}")).vrrp,
    ):
        assert with_keys(told, read) is told
