"""Model to text, and edits of a text, with the fewest bytes changed.

PURE.
"""
