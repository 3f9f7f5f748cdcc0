"""How many files a process may open (RLIMIT_NOFILE).

SYSTEM. Each socket is a descriptor. A few are left free for what must never fail: asking the kernel
for everything again, reading a switch.
"""

from __future__ import annotations

import contextlib
import errno
import os
import resource

SPARE = 16
"""Descriptors that adverts and announcements leave free."""


def allow_descriptors(count: int = 0) -> None:
    """Raise our limit to what the machine allows; where we may, so far that `count` sockets fit."""
    with contextlib.suppress(ValueError, OSError):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft < hard:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        needed = count + 2 * SPARE
        if hard != resource.RLIM_INFINITY and hard < needed:
            # CAP_SYS_RESOURCE: a container may not have it.
            resource.setrlimit(resource.RLIMIT_NOFILE, (needed, needed))


def leave_spare(number: int) -> None:
    """Raise OSError (EMFILE) where this descriptor is one of the last."""
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if soft != resource.RLIM_INFINITY and number >= soft - SPARE:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
