"""What an IP address is, as keepalived has it.

PURE.
"""

from __future__ import annotations

import ipaddress
import re

_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = re.compile(rf"(?:{_OCTET}\.){{3}}{_OCTET}")


def is_ip(text: str) -> bool:
    """Whether the text is an IPv4 or IPv6 address (a zone such as %eth0 is none)."""
    if ":" not in text:
        return _IPV4.fullmatch(text) is not None
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text


def family(ip: str) -> int:
    """4 or 6."""
    return 6 if ":" in ip else 4
