"""Virtual MAC addresses (RFC 9568 section 7.3).

SYSTEM. Apart from vmac.py, which needs pyroute2's messages.
"""

from __future__ import annotations

from hanode.vrrp.settings import InstanceSettings

PREFIX = {4: bytes.fromhex("00005e0001"), 6: bytes.fromhex("00005e0002")}
"""The last byte is the VRID."""


def mac_of(instance: InstanceSettings, family: int | None = None) -> bytes:
    """What the file says, or 00:00:5e:00:01:VRID (02 for IPv6); of the instance's own family."""
    said = instance.vmac.mac if instance.vmac is not None else None
    if said:
        return bytes.fromhex(said.replace(":", ""))
    return PREFIX[family or instance.family] + bytes((instance.vrid,))
