"""All stages and all rules in a row, for one node and between the nodes of a cluster.

PURE. `check` is the whole way from text to model; `incremental` the same while somebody types.
"""
