"""A node's configuration as values: what the language says, without its spelling.

PURE. `model` has the objects, `typed/` a typed attribute for every keyword, `queries` what
follows from several of them.
"""
