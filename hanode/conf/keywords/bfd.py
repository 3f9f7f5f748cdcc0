"""bfd_instance.

PURE; data only.
"""

from __future__ import annotations

from hanode.conf.language.kinds import Weight
from hanode.conf.language.kinds_address import Ip
from hanode.conf.language.schema import block, word
from hanode.conf.language.values import (
    Int,
)

BLOCKS = (
    block(
        "bfd_instance",
        (
            word("neighbor_ip", Ip(), "The neighbour's address."),
            word("neighbour_ip", Ip(), same_as="neighbor_ip"),
            word("source_ip", Ip(), "Own address."),
            word(
                "min_rx",
                Int(1, 4294967),
                "Milliseconds between received packets, at least.",
                default="10",
            ),
            word(
                "min_tx",
                Int(1, 4294967),
                "Milliseconds between sent packets, at least.",
                default="10",
            ),
            word(
                "idle_tx",
                Int(1000, 4294967),
                "Milliseconds between sent packets while down.",
                default="1000",
            ),
            word(
                "multiplier", Int(1, 255), "Missed packets until the session is down.", default="5"
            ),
            word("passive", None, "Wait for the neighbour to begin."),
            word("ttl", Int(1, 255), "TTL of sent packets.", default="255"),
            word("hoplimit", Int(1, 255), same_as="ttl"),
            word(
                "max_hops", Int(-1, 255), "Hops that received packets may have made.", default="0"
            ),
            word("multihop", None, "The neighbour is not on this network.", since="2.2.8"),
            word("weight", Weight(253, ("reverse",)), "Added to the priority.", default="0"),
            word("vrrp", None, "Only the VRRP process uses it."),
            word("checker", None, "Only the checker process uses it."),
        ),
    ),
)
