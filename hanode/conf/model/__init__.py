"""The model: a node's configuration as values, independent of spelling.

PURE. `model` has the classes, `typed/` a typed attribute for every keyword, `queries` what
follows from several values.
"""
