"""What is meant to be: the rows of a cluster's document, and its immutable revisions."""

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
