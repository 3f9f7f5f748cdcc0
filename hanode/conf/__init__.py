"""keepalived's configuration language: read, checked, explained, edited, merged, generated.

PURE; standard library only. The public face of the package:

    checked = check(text, node="NodeA")       # problems with their places, and the model
    rendered = render(checked.model)          # keepalived.conf in one layout
    merged = merge({"NodeA": a, "NodeB": b})  # one document with `@NodeA …` lines

No function here raises on any text. Models made by hand can be `Unwritable`.
"""

from __future__ import annotations

from hanode.conf.check import DEFAULT_TARGET, Checked, check, expand_for, node_ids
from hanode.conf.diff import IMPACTS, Change, diff, effective_priority, worst
from hanode.conf.edit import EditRefused, add_address, remove, remove_address, set_value
from hanode.conf.expand import Reader
from hanode.conf.incremental import Checker
from hanode.conf.lexer import Unwritable
from hanode.conf.merge import Merged, merge, merge_models
from hanode.conf.model import (
    Address,
    Config,
    GlobalDefs,
    Note,
    Origin,
    RealServer,
    Statement,
    TcpCheck,
    VirtualServer,
    VrrpInstance,
)
from hanode.conf.pairs import check_pair
from hanode.conf.problems import Fix, Problem, Severity, apply_fixes, has_errors, in_order
from hanode.conf.render import Rendered, render
from hanode.conf.secrets import MASK, mask_secrets
from hanode.conf.tree import Document, parse

__all__ = [
    "DEFAULT_TARGET",
    "IMPACTS",
    "MASK",
    "Address",
    "Change",
    "Checked",
    "Checker",
    "Config",
    "Document",
    "EditRefused",
    "Fix",
    "GlobalDefs",
    "Merged",
    "Note",
    "Origin",
    "Problem",
    "Reader",
    "RealServer",
    "Rendered",
    "Severity",
    "Statement",
    "TcpCheck",
    "Unwritable",
    "VirtualServer",
    "VrrpInstance",
    "add_address",
    "apply_fixes",
    "check",
    "check_pair",
    "diff",
    "effective_priority",
    "expand_for",
    "has_errors",
    "in_order",
    "mask_secrets",
    "merge",
    "merge_models",
    "node_ids",
    "parse",
    "remove",
    "remove_address",
    "render",
    "set_value",
    "worst",
]
