"""Logical lines to the model, as keepalived reads them, with every problem collected.

PURE. `blocks` nests the lines, `bind` understands the keywords; nothing else in the project does.
"""
