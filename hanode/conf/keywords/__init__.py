"""The tables of all keywords.

PURE; data only.
"""

from __future__ import annotations

from hanode.conf.keywords import bfd, checkers, globals, lvs, static, tracking, vrrp

ALL = (
    *static.BLOCKS,
    *globals.BLOCKS,
    *vrrp.BLOCKS,
    *tracking.BLOCKS,
    *bfd.BLOCKS,
    *lvs.BLOCKS,
    *checkers.BLOCKS,
)
