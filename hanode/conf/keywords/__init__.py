"""The tables of all keywords.

PURE; data only.
"""

from __future__ import annotations

from hanode.conf.keywords import bfd, checkers, globals, line_options, lvs, static, tracking, vrrp
from hanode.conf.keywords.support import supported

_WRITTEN = (
    *static.BLOCKS,
    *globals.BLOCKS,
    *vrrp.BLOCKS,
    *tracking.BLOCKS,
    *bfd.BLOCKS,
    *lvs.BLOCKS,
    *checkers.BLOCKS,
    *line_options.BLOCKS,
)

ALL = tuple(supported(block) for block in _WRITTEN)
