"""What other programs call the values of our tables.

PURE; data only. In lower case: the other word, and ours.
"""

from __future__ import annotations

OTHER_STATES = (
    *((word, "BACKUP") for word in ("slave", "standby", "secondary", "passive", "replica")),
    *((word, "MASTER") for word in ("primary", "active", "main", "leader")),
)
"""What other programs call MASTER and BACKUP."""

OTHER_SCHEDULERS = (
    *((word, "rr") for word in ("round-robin", "round_robin", "roundrobin")),
    *((word, "wrr") for word in ("weighted-round-robin", "weighted_round_robin")),
    *((word, "lc") for word in ("leastconn", "least_conn", "least-connection", "leastconns")),
    *((word, "wlc") for word in ("weighted-least-connection", "weighted_least_conn")),
    *((word, "sh") for word in ("source", "ip_hash", "source-hash", "source_hash")),
)
"""What other balancers call the schedulers."""
