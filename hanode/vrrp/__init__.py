"""The VRRP engine: one machine for each instance, a router over them, packets; no socket, no clock.

PURE.
"""
