"""Settings of the checker process: they can be encoded, and bad values are refused in words."""

from __future__ import annotations

from typing import Any

import pytest

from hanode.check.checker_settings import (
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


TCP = {"ip": "192.0.2.2", "port": 80}
UNSIGNED_16 = "0 to 65535"
RANGES: list[tuple[type, str, int, int | None, str]] = [
    (TcpCheckSettings, "port", 1, 65_535, "1 to 65535"),
    (TcpCheckSettings, "connect_timeout_us", 1, None, "at least 1"),
    (TcpCheckSettings, "retry", 0, 4_294_967_295, "0 to 4294967295"),
    (TcpCheckSettings, "delay_before_retry_us", 0, None, "at least 0"),
    (TcpCheckSettings, "delay_loop_us", 1, None, "at least 1"),
    (TcpCheckSettings, "warmup_us", 0, None, "at least 0"),
    (RealServerSettings, "port", 0, 65_535, UNSIGNED_16),
    (RealServerSettings, "weight", 0, 2_147_483_647, "0 to 2147483647"),
    (SorryServerSettings, "port", 0, 65_535, UNSIGNED_16),
    (VirtualServerSettings, "port", 0, 65_535, UNSIGNED_16),
    (VirtualServerSettings, "persistence_s", 0, 2_678_400, "0 to 2678400"),
    (VirtualServerSettings, "quorum", 1, None, "at least 1"),
    (VirtualServerSettings, "hysteresis", 0, None, "at least 0"),
]


@pytest.mark.parametrize(
    ("cls", "name", "least", "greatest", "words"),
    RANGES,
    ids=[f"{cls.__name__}.{name}" for cls, name, *_ in RANGES],
)
def test_a_number_is_taken_from_its_least_to_its_greatest(
    cls: type, name: str, least: int, greatest: int | None, words: str
) -> None:
    said = "connect_port" if (cls, name) == (TcpCheckSettings, "port") else name
    for good in (least, 10**9 if greatest is None else greatest):
        assert getattr(cls(**{**TCP, name: good}), name) == good
    for bad in (least - 1, *(() if greatest is None else (greatest + 1,))):
        with pytest.raises(ValueError, match=f"^{said} is {bad}; it must be {words}$"):
            cls(**{**TCP, name: bad})


@pytest.mark.parametrize(
    "cls", [TcpCheckSettings, RealServerSettings, SorryServerSettings, VirtualServerSettings]
)
def test_an_address_is_needed_everywhere(cls: type) -> None:
    with pytest.raises(ValueError, match=r"^'web1' is no IP address$"):
        cls("web1", 80)


def test_what_is_not_said_is_as_in_keepalived() -> None:
    """keepalived.conf(5): every default of a checker, of a real and of a virtual server."""
    assert encode(TcpCheckSettings("192.0.2.2", 80)) == {
        **TCP,
        "connect_timeout_us": 5_000_000,
        "retry": 1,
        "delay_before_retry_us": 1_000_000,
        "delay_loop_us": 60_000_000,
        "warmup_us": None,
        "alpha": False,
        "kind": "tcp",
    }
    assert encode(RealServerSettings("192.0.2.2", 80)) == {
        **TCP,
        "weight": 1,
        "forwarding": None,
        "inhibit_on_failure": False,
        "checks": [],
    }
    assert encode(SorryServerSettings("192.0.2.2", 80)) == {
        **TCP,
        "forwarding": None,
        "inhibit": False,
    }
    assert encode(VirtualServerSettings("192.0.2.2", 80)) == {
        **TCP,
        "protocol": "TCP",
        "scheduler": "wlc",
        "forwarding": "NAT",
        "persistence_s": 0,
        "quorum": 1,
        "hysteresis": 0,
        "sorry_server": None,
        "real_servers": [],
    }
