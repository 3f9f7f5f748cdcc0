"""Writes a model as text, and edits a text with the fewest bytes changed.

PURE.
"""
