"""The real machines of several nodes in virtual time, on a network with faults, and what must hold.

PURE.
"""
