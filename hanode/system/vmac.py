"""Makes and removes virtual interfaces: macvlans in private mode, and ipvlans in mode L2.

SYSTEM. `hanode.kernel.virtual_interfaces` decides which, and when. The messages are pyroute2's;
importing them takes 10 ms, so the vrrp process imports this module only where a file needs it.
"""

from __future__ import annotations

import errno
import os
import secrets
import socket
import struct
from collections.abc import Iterable

from pyroute2.netlink import nla
from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg

from hanode.kernel.virtual_interfaces import IPVLAN, MACVLAN, Virtual
from hanode.system.netlink import (
    BUFFER_BYTES,
    NLM_F_ACK,
    NLM_F_CREATE,
    NLM_F_REQUEST,
    NLMSG_ERROR,
    messages,
    opened,
)
from hanode.system.refusals import why

RTM_NEWLINK, RTM_DELLINK = 16, 17
NLM_F_EXCL = 0x200
IFF_UP = 0x1
MACVLAN_PRIVATE = 1
IPVLAN_L2 = 0
IPVLAN_FLAGS = {"bridge": 0, "private": 1, "vepa": 2}
IN6_ADDR_GEN_MODE_NONE = 1


class _IpvlanData(nla):  # type: ignore[misc]  # pyroute2 has no types
    """IFLA_INFO_DATA of an ipvlan; pyroute2's lacks the flags."""

    prefix = "IFLA_"
    nla_map = (
        ("IFLA_IPVLAN_UNSPEC", "none"),
        ("IFLA_IPVLAN_MODE", "uint16"),
        ("IFLA_IPVLAN_FLAGS", "uint16"),
    )


ifinfmsg.ifinfo.register_link_kind(module={IPVLAN: _IpvlanData})


def create(virtual: Virtual, base_index: int) -> str | None:
    """Make it on the interface with that index, down; why that failed, or None."""
    error = _ask(_link(virtual, base_index), RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL)
    if error and error != errno.EEXIST:
        return f"{virtual.name} could not be made on {virtual.base}: {_why(error)}"
    if virtual.kind == MACVLAN:  # an ipvlan over IPv6 sends from the kernel's own address
        _ask(_without_addresses(virtual.name), RTM_NEWLINK, 0)  # fails where IPv6 is off
    return None


def remove(name: str, index: int) -> str | None:
    """Remove it; why that failed, or None."""
    gone = ifinfmsg()
    gone["index"] = index
    gone["attrs"] = []
    error = _ask(gone, RTM_DELLINK, 0)
    if error and error != errno.ENODEV:
        return f"{name} could not be removed: {_why(error)}"
    return None


def remove_many(links: Iterable[tuple[str, int]]) -> list[str]:
    """Remove these (name, index) at once; sentences about what failed.

    The kernel waits once for a whole group of interfaces, where it waits some 20 ms for each
    that is removed alone: so they are put into a group that nobody else has.
    """
    links, failed = list(links), list[str]()
    group = secrets.randbits(30) | 1 << 30
    for _, index in links:
        _ask(_into_group(index, group), RTM_NEWLINK, 0)
    _ask(_into_group(0, group), RTM_DELLINK, 0)
    for name, index in links:  # it is gone, or was not in the group
        if (sentence := remove(name, index)) is not None:
            failed.append(sentence)
    return failed


def mark(name: str, alias: str) -> None:
    """Write down whose it is, where `ip link` shows it."""
    message = ifinfmsg()
    message["family"] = socket.AF_UNSPEC
    message["attrs"] = [("IFLA_IFNAME", name), ("IFLA_IFALIAS", alias)]
    _ask(message, RTM_NEWLINK, 0)


def set_vrf(virtual: Virtual, index: int) -> str | None:
    """Put it into the VRF with that index, 0: out of any; why that failed, or None."""
    error = _ask(_into(virtual.name, index), RTM_NEWLINK, 0)
    if error:
        return f"{virtual.name} could not follow {virtual.base} into its VRF: {_why(error)}"
    return None


def switch_on(name: str) -> str | None:
    """Set it up; why that failed, or None."""
    error = _ask(_link_up(name), RTM_NEWLINK, 0)
    return f"{name} could not be switched on: {_why(error)}" if error else None


def _link(virtual: Virtual, base_index: int) -> ifinfmsg:
    message = ifinfmsg()
    message["family"] = socket.AF_UNSPEC
    data = [("IFLA_MACVLAN_MODE", MACVLAN_PRIVATE)]
    if virtual.kind == IPVLAN:
        flags = IPVLAN_FLAGS[virtual.mode]
        data = [("IFLA_IPVLAN_MODE", IPVLAN_L2), ("IFLA_IPVLAN_FLAGS", flags)]
    attrs = [
        ("IFLA_IFNAME", virtual.name),
        ("IFLA_LINK", base_index),
        (
            "IFLA_LINKINFO",
            {"attrs": [("IFLA_INFO_KIND", virtual.kind), ("IFLA_INFO_DATA", {"attrs": data})]},
        ),
    ]
    if virtual.mac:
        attrs.append(("IFLA_ADDRESS", ":".join(f"{byte:02x}" for byte in virtual.mac)))
    if virtual.group is not None:
        attrs.append(("IFLA_GROUP", virtual.group))
    message["attrs"] = attrs
    return message


def _into_group(index: int, group: int) -> ifinfmsg:
    message = ifinfmsg()
    message["family"] = socket.AF_UNSPEC
    message["index"] = index
    message["attrs"] = [("IFLA_GROUP", group)]
    return message


def _into(name: str, master: int) -> ifinfmsg:
    """Into a VRF (0: out of any)."""
    message = ifinfmsg()
    message["family"] = socket.AF_UNSPEC
    message["attrs"] = [("IFLA_IFNAME", name), ("IFLA_MASTER", master)]
    return message


def _without_addresses(name: str) -> ifinfmsg:
    """No link-local address of the kernel's making. Refused for a link that does not exist yet."""
    message = ifinfmsg()
    message["family"] = socket.AF_UNSPEC
    mode = {"attrs": [("IFLA_INET6_ADDR_GEN_MODE", IN6_ADDR_GEN_MODE_NONE)]}
    message["attrs"] = [
        ("IFLA_IFNAME", name),
        ("IFLA_AF_SPEC", {"attrs": [("AF_INET6", mode)]}),
    ]
    return message


def _link_up(name: str) -> ifinfmsg:
    message = ifinfmsg()
    message["flags"] = message["change"] = IFF_UP
    message["attrs"] = [("IFLA_IFNAME", name)]
    return message


def _ask(message: ifinfmsg, kind: int, flags: int) -> int:
    """Send one message and wait for its answer: an errno, or 0."""
    message["header"]["type"] = kind
    message["header"]["flags"] = NLM_F_REQUEST | NLM_F_ACK | flags
    message["header"]["sequence_number"] = 1
    message.encode()
    try:
        with opened(groups=0) as asking:
            asking.send(bytes(message.data))
            for reply, _, _, body in messages(asking.recv(BUFFER_BYTES)):
                if reply == NLMSG_ERROR:
                    return -int(struct.unpack_from("=i", body)[0])
    except OSError as error:  # no descriptor is left, or no memory
        return error.errno or errno.EIO
    return 0


def _why(error: int) -> str:
    return why(OSError(error, os.strerror(error)))
