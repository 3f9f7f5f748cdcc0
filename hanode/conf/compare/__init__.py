"""Two models in the user's words: what changed, and what a reload would do about it.

PURE.
"""
