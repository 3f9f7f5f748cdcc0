"""The processes of a node: one folder each, and what they share.

DRIVER. `supervisor/` starts the others, keeps the revision and answers the operator; `vrrp/`
runs VRRP; `watch/` runs scripts and notifies people; `checker/` checks real servers and programs
IPVS; `agent/` talks with the broker; `dump/` writes the files that keepalived writes on a signal.
"""
