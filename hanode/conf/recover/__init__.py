"""Finds the configuration that keepalived runs although the file has mistakes.

PURE.
"""
