"""Checks a configuration: all stages and rules, for one node and between the nodes of a cluster.

PURE. `check` goes all the way from text to model and problems; `incremental` does the same while
somebody types.
"""
