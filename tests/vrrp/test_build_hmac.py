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


@pytest.mark.parametrize(
    ("said", "key"),
    [
        ("k" * 32, "6b" * 32),
        ("k" * 32 + "\r\n\n", "6b" * 32),
        ("  " + "k" * 32 + " \n", "2020" + "6b" * 32 + "20"),
        ("hex:" + "6b" * 32 + "\n", "6b" * 32),
        ("hex: 6b\t" + "6b" * 31, "6b" * 32),
    ],
)
def test_a_key_in_a_file_is_read_where_the_node_is(said: str, key: str) -> None:
    """Byte for byte as keepalived reads it: only the end of the line does not count."""
    settings = built(text(IN_FILE)).vrrp
    assert settings.instances[0].hmac is not None
    assert settings.instances[0].hmac.keys == (HmacKey(1, "", "/etc/key"),)
    read, complaints = with_keys(settings, {"/etc/key": said}.__getitem__)
    assert complaints == ()
    assert read.instances[0].hmac is not None
    assert read.instances[0].hmac.keys == (HmacKey(1, key, "/etc/key"),)


def missing(path: str) -> str:
    raise ValueError("there is no such file")


UNUSABLE = [
    (missing, "there is no such file"),
    (lambda _: "short", "it must have 32 to 64 bytes, and has 5"),
    (lambda _: "hex:xyz", "it is not written in hex"),
    (lambda _: "k" * 139, "it is larger than the 138 bytes that hold any key"),
]


@pytest.mark.parametrize(("read", "why"), UNUSABLE)
def test_without_its_key_the_instance_runs_unsigned_and_says_so(
    read: Callable[[str], str], why: str
) -> None:
    found, (sentence,) = with_keys(built(text(IN_FILE)).vrrp, read)
    assert [one.hmac for one in found.instances] == [None]
    assert sentence == (
        f"V: auth_hmac key 1, /etc/key: {why}; it is the key to sign with: until a reload finds"
        " it, adverts are sent unsigned, and signed ones are refused"
    )


def test_a_key_that_does_not_sign_is_only_left_out() -> None:
    words = IN_FILE.replace("active_key 1", "key 2 " + "k" * 32 + "\nactive_key 2")
    found, complaints = with_keys(built(text(words)).vrrp, missing)
    made = found.instances[0].hmac
    assert made is not None
    assert [key.id for key in made.keys] == [2]
    assert complaints == ("V: auth_hmac key 1, /etc/key: there is no such file",)
