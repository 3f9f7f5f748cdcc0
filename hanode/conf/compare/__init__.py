"""Compares two models: what changed, in users' words, and what a reload does about it.

PURE.
"""
