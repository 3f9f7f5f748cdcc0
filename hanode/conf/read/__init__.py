"""Logical lines to the model, as keepalived reads them, with every problem collected.

PURE. `blocks` nests the lines and `bind` interprets the keywords. No other room of `hanode.conf`
gives a keyword its meaning.
"""
