"""Lists the nf_tables tables of this network namespace, without nft(8)."""

from __future__ import annotations

import socket
import struct

from hanode.system.netlink import NLM_F_DUMP, NLM_F_REQUEST, attributes, message, messages

NETLINK_NETFILTER, GETTABLE, NLMSG_DONE = 12, 10 << 8 | 1, 3
FAMILIES = {2: "ip", 10: "ip6"}


def tables() -> list[str]:
    """`family name` of each."""
    found = []
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER) as ask:
        ask.bind((0, 0))
        ask.settimeout(2)
        ask.send(message(GETTABLE, NLM_F_REQUEST | NLM_F_DUMP, 1, struct.pack(">BBH", 0, 0, 0)))
        while True:
            for kind, _, _, body in messages(ask.recv(1 << 20)):
                if kind == NLMSG_DONE:
                    return found
                name = dict(attributes(body, 4))[1].rstrip(b"\0").decode()
                found.append(f"{FAMILIES.get(body[0], body[0])} {name}")
