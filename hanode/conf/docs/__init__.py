"""Documentation of the language: `hanode explain`, docs/keywords.md and docs/problems.md.

PURE.
"""
