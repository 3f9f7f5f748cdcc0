"""The kernel, sockets, files and clocks, each behind a small interface.

SYSTEM. Nothing here decides.
"""
