"""The rows of a cluster's document, and its immutable revisions.

`columns` declares what a column is, `row` and `shapes` what the JSON beside the columns is.
"""

from webapp.configs.models.lvs import RealServer, VirtualServer
from webapp.configs.models.revision import Draft, Revision, RevisionFile
from webapp.configs.models.vrrp import Group, GroupNode, Vip

__all__ = [
    "Draft",
    "Group",
    "GroupNode",
    "RealServer",
    "Revision",
    "RevisionFile",
    "Vip",
    "VirtualServer",
]
