"""Settings of the checker process: they can be encoded, and bad values are refused in words."""

from __future__ import annotations

from typing import Any

import pytest

from hanode.check.settings import (
    CheckerSettings,
    RealServerSettings,
    SorryServerSettings,
    TcpCheckSettings,
    VirtualServerSettings,
)
from hanode.wire import WireError, decode, encode, from_json, to_json

SETTINGS = CheckerSettings(
    (
        VirtualServerSettings(
            "192.168.192.200",
            80,
            scheduler="rr",
            forwarding="DR",
            sorry_server=SorryServerSettings("2001:db8::9", 80),
            real_servers=(
                RealServerSettings(
                    "192.168.192.112", 80, checks=(TcpCheckSettings("192.168.192.112", 80),)
                ),
                RealServerSettings("2001:db8::2", 80, inhibit_on_failure=True),
            ),
        ),
    )
)


def test_settings_survive_the_way() -> None:
    assert from_json(CheckerSettings, to_json(SETTINGS)) == SETTINGS


def test_keys_are_written_as_people_write_them() -> None:
    virtual = SETTINGS.virtual_servers[0]
    assert virtual.key == "192.168.192.200:80/TCP"
    assert [server.key for server in virtual.real_servers] == [
        "192.168.192.112:80",
        "[2001:db8::2]:80",
    ]


def _changed(**fields: Any) -> Any:
    raw = encode(SETTINGS)
    raw["virtual_servers"][0].update(fields)
    return raw


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (_changed(ip="10.0.0.300"), "'10.0.0.300' is no IP address"),
        (_changed(port=70_000), "port is 70000; it must be 0 to 65535"),
        (_changed(quorum=0), "quorum is 0; it must be at least 1"),
        (_changed(forwarding="dr"), "'dr' is none of"),
        (
            _changed(real_servers=encode(SETTINGS.virtual_servers[0].real_servers[:1] * 2)),
            "has the real server 192.168.192.112:80 twice",
        ),
        ({"virtual_servers": encode(SETTINGS.virtual_servers * 2)}, "is there twice"),
        ([], "expected an object"),
    ],
)
def test_nonsense_is_refused_in_words(raw: Any, words: str) -> None:
    with pytest.raises(WireError, match=words):
        decode(CheckerSettings, raw)
