"""Asks a network card whether it has a link, where its driver does not report that by itself.

SYSTEM. In keepalived's three ways: ethtool, the MII's status register, the interface's flags.
"""

from __future__ import annotations

import ctypes
import fcntl
import socket
import struct

from hanode.kernel.link_state import ProbeKind

SIOCGIFFLAGS, SIOCETHTOOL, SIOCGMIIPHY, SIOCGMIIREG = 0x8913, 0x8946, 0x8947, 0x8948
ETHTOOL_GLINK = 0x0A
MII_STATUS, MII_LINK = 1, 0x04
IFF_UP, IFF_RUNNING = 0x1, 0x40
NAME_BYTES = 16
REQUEST = struct.Struct("=16s24s")
ORDER: dict[ProbeKind, tuple[ProbeKind, ...]] = {"any": ("MII", "ETHTOOL", "IOCTL")}


class LinkProbe:
    """Asks through one socket, by ioctl(2)."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def has_link(self, interface: str, kind: ProbeKind) -> bool | None:
        """What the card says; None: it cannot be asked that way."""
        name = interface.encode()[: NAME_BYTES - 1]
        for way in ORDER.get(kind, (kind,)):
            try:
                match way:
                    case "MII":
                        return self._mii(name)
                    case "ETHTOOL":
                        return self._ethtool(name)
                    case _:
                        return self._flags(name)
            except OSError:
                continue
        return None

    def _ioctl(self, number: int, name: bytes, data: bytes = b"") -> bytes:
        request = bytearray(REQUEST.pack(name, data))
        fcntl.ioctl(self._socket, number, request)
        return bytes(request[NAME_BYTES:])

    def _mii(self, name: bytes) -> bool:
        phy = struct.unpack_from("=H", self._ioctl(SIOCGMIIPHY, name))[0]
        asked = struct.pack("=HH", phy, MII_STATUS)
        # The bit stays down after a loss until it is read: the second answer is the present state.
        self._ioctl(SIOCGMIIREG, name, asked)
        status = struct.unpack_from("=HHHH", self._ioctl(SIOCGMIIREG, name, asked))[3]
        return bool(status & MII_LINK)

    def _ethtool(self, name: bytes) -> bool:
        value = ctypes.create_string_buffer(struct.pack("=II", ETHTOOL_GLINK, 0), 8)
        self._ioctl(SIOCETHTOOL, name, struct.pack("P", ctypes.addressof(value)))
        return bool(struct.unpack("=II", value.raw)[1])

    def _flags(self, name: bytes) -> bool:
        flags = int(struct.unpack_from("=H", self._ioctl(SIOCGIFFLAGS, name))[0])
        return flags & (IFF_UP | IFF_RUNNING) == IFF_UP | IFF_RUNNING

    def close(self) -> None:
        """Give the descriptor back."""
        self._socket.close()
