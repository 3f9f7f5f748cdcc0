"""What people read about the language: an explained word, docs/keywords.md, docs/problems.md.

PURE.
"""
