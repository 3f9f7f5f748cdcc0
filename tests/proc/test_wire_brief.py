"""What is left out of a brief message comes back as it was."""

from __future__ import annotations

import json

from hanode import wire
from hanode.vrrp.engine_settings import Address, InstanceSettings, VrrpSettings

SETTINGS = VrrpSettings(
    instances=(
        InstanceSettings("V", "e0", 7, 150, (Address("192.0.2.1", 24, "e0", label="e0:1"),)),
        InstanceSettings("W", "e0", 8, nopreempt=True),
    )
)


def test_a_brief_message_says_the_same() -> None:
    said = wire.encode(SETTINGS, brief=True)
    assert wire.decode(VrrpSettings, json.loads(json.dumps(said))) == SETTINGS
    assert set(said["instances"][1]) == {"name", "interface", "vrid", "nopreempt"}


def test_what_has_no_default_is_never_left_out() -> None:
    assert wire.encode(Address("192.0.2.1", 0, ""), brief=True) == {
        "ip": "192.0.2.1",
        "prefix": 0,
        "dev": "",
    }
