"""The processes of a node: one folder each, and what they share.

DRIVER. `supervisor/` starts the others, keeps the revision and answers the operator; `vrrp/`
speaks VRRP; `watch/` runs scripts and tells; `checker/` checks and balances; `agent/` talks with
the broker; `dump/` writes the files that keepalived writes on a signal.
"""
