"""Why the kernel refused something, and what an operator can do about it.

SYSTEM. It names the limits of the machine and of our processes.
"""

from __future__ import annotations

import errno
import os

ADVICE = {
    errno.EPERM: "CAP_NET_RAW and CAP_NET_ADMIN are needed",
    errno.EACCES: "CAP_NET_RAW and CAP_NET_ADMIN are needed",
    errno.EMFILE: "this process may not open more files: raise LimitNOFILE, or `ulimit -n`",
    errno.ENFILE: "the machine may not open more files: raise fs.file-max",
    errno.ENOBUFS: "for groups: raise net.ipv4.igmp_max_memberships",
    errno.EAFNOSUPPORT: "this kernel has no such address family",
    errno.EROFS: "in a container, run it with a writable /proc/sys, or set the switch from outside",
    errno.EOPNOTSUPP: "this kernel, or the driver of that interface, cannot do it",
}
"""What to do about an error number, for those that have an answer."""


def why(error: OSError) -> str:
    """Why the kernel refused, and what to do about it."""
    reason = error.strerror or (os.strerror(error.errno) if error.errno else str(error))
    advice = ADVICE.get(error.errno or 0)
    return reason if advice is None else f"{reason} ({advice})"


_UNSENT = {
    errno.EPERM: "a rule of a firewall on this node drops them",
    errno.EACCES: "this node forbids them",
    errno.EMSGSIZE: "they are longer than the MTU of {interface}",
    errno.ENETUNREACH: "there is no route from {interface} to {to}",
    errno.EHOSTUNREACH: "there is no route from {interface} to {to}",
    errno.ENOBUFS: "the queue of {interface} is full, or drops them",
    errno.EADDRNOTAVAIL: "{source} is no address of this machine that can be used now",
    errno.EINVAL: "{source} is no address of this machine that can be used now",
    errno.ENETDOWN: "{interface} is down",
    errno.ENODEV: "{interface} is gone",
    errno.ENXIO: "{interface} is gone",
}


def why_unsent(error: OSError, *, interface: str, source: str, to: str) -> str:
    """Why the kernel refuses an advert: what that means here, and its own words."""
    code = error.errno or 0
    said = os.strerror(code) if code else str(error)
    meant = _UNSENT.get(code)
    if meant is None:
        return said
    return f"{meant.format(interface=interface or 'this machine', source=source, to=to)} ({said})"
