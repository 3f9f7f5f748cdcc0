"""What an instance counts.

PURE.
"""

from __future__ import annotations

from hanode.vrrp.packet import Reason

OWN_ADDRESS = "own_address_rcvd"
"""As MASTER: adverts that came from our own address, by a loop or from who has it too."""

COUNTERS = (
    "advert_rcvd",
    "advert_sent",
    "become_master",
    "release_master",
    "pri_zero_rcvd",
    "pri_zero_sent",
    OWN_ADDRESS,
    *Reason,
)
"""keepalived's names, where it has one (its JSON dump's `stats`)."""
_ZEROS = dict.fromkeys(COUNTERS, 0)


class Counters(dict[str, int]):
    """A number for each name; they only grow."""

    def __init__(self) -> None:
        super().__init__(_ZEROS)

    def count(self, *names: str) -> None:
        """One more of each."""
        for name in names:
            self[name] += 1
