"""What keepalived uses where the file says nothing.

PURE. Times in microseconds.
"""

from __future__ import annotations

INTERFACE = "eth0"
"""default_interface: of static addresses that name none."""
PRIORITY = 100
PRIORITY_OWNER = 255
"""With `state MASTER` and no priority."""
STATE = "BACKUP"
ADVERT_INT_US = 1_000_000
VRRP_VERSION = 2
VIP_PREFIX_IPV4 = 32
VIP_PREFIX_IPV6 = 128
AUTH_PASS_BYTES = 8
"""Only so many bytes of auth_pass are sent."""

DELAY_LOOP_US = 60_000_000
LB_ALGO = "wlc"
LB_KIND = "NAT"
PROTOCOL = "UDP"
"""Of a virtual server with an address; keepalived warns."""
WEIGHT = 1

CONNECT_TIMEOUT_US = 5_000_000
TCP_RETRY = 1
TCP_DELAY_BEFORE_RETRY_US = 1_000_000

GARP_MASTER_DELAY_US = 5_000_000
GARP_MASTER_REPEAT = 5
MCAST_GROUP4 = "224.0.0.18"
