"""Keys of auth_hmac: in the configuration, and in files of the node."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hanode.build.hmac import with_keys
from hanode.vrrp.engine_settings import (
    HmacKey,
)
from tests.vrrp.words import built, instance, text


def test_auth_hmac() -> None:
    key = "hex:" + "ab" * 32
    settings = instance(f"version 3\nauth_hmac {{\nkey 1 {key}\nkey 2 {key}\nactive_key 2\n}}")
    assert settings.hmac is not None
    assert [k.id for k in settings.hmac.keys] == [1, 2]
    assert settings.hmac.active == 2
    assert settings.hmac.keys[0].key == "ab" * 32
    assert settings.hmac.window_us == 5_000_000


IN_FILE = "version 3\nauth_hmac {\nkey 1 file:/etc/key\nactive_key 1\n}"


@pytest.mark.parametrize("said", ["k" * 32, "hex:" + "6b" * 32, "  " + "k" * 32 + "\n"])
def test_a_key_in_a_file_is_read_where_the_node_is(said: str) -> None:
    settings = built(text(IN_FILE)).vrrp
    assert settings.instances[0].hmac is not None
    assert settings.instances[0].hmac.keys == (HmacKey(1, "", "/etc/key"),)
    read = with_keys(settings, {"/etc/key": said}.__getitem__).instances[0].hmac
    assert read is not None
    assert read.keys == (HmacKey(1, "6b" * 32, "/etc/key"),)


def missing(path: str) -> str:
    raise ValueError("there is no such file")


@pytest.mark.parametrize(
    ("read", "sentence"),
    [
        (missing, "V: auth_hmac key 1, /etc/key: there is no such file"),
        (lambda _: "short", "V: auth_hmac key 1, /etc/key must have 32 to 64 bytes, and has 5"),
        (lambda _: "hex:xyz", "V: auth_hmac key 1, /etc/key is not written in hex"),
    ],
)
def test_a_file_without_a_key_is_named(read: Callable[[str], str], sentence: str) -> None:
    with pytest.raises(ValueError, match="auth_hmac") as told:
        with_keys(built(text(IN_FILE)).vrrp, read)
    assert str(told.value) == sentence


def test_a_key_that_is_no_key_is_named() -> None:
    for said, sentence in (
        ("1 file:etc/key", "V: auth_hmac key 1: the path behind file: must begin with /"),
        ("1 hex:0g", "V: auth_hmac key 1 is not written in hex"),
        ("1 short", "V: auth_hmac key 1 must have 32 to 64 bytes, and has 5"),
    ):
        words = f"version 3\nauth_hmac {{\nkey {said}\nactive_key 1\n}}"
        assert built(text(words)).errors == (sentence,)
