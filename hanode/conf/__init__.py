"""keepalived's configuration language: read, checked, explained, edited, merged, generated.

PURE; standard library only. The public face of the package:

    checked = check(text, node="NodeA")       # problems with their places, and the model
    rendered = render(checked.model)          # keepalived.conf in one layout
    merged = merge({"NodeA": a, "NodeB": b})  # one document with `@NodeA …` lines

No function here raises on any text. Models made by hand can be `Unwritable`.
"""

from __future__ import annotations

from hanode.conf.check.check import DEFAULT_TARGET, NEWEST, Checked, check, expand_for, node_ids
from hanode.conf.check.incremental import Checker
from hanode.conf.check.pairs import check_pair
from hanode.conf.compare.diff import IMPACTS, Change, diff, effective_priority, worst
from hanode.conf.language.secrets import MASK, mask_secrets
from hanode.conf.model.model import (
    Address,
    Check,
    Config,
    GlobalDefs,
    Note,
    Origin,
    RealServer,
    Statement,
    TcpCheck,
    VirtualServer,
    VrrpInstance,
    place,
    written,
)
from hanode.conf.model.typed.checks import (
    BfdCheck,
    DnsCheck,
    FileCheck,
    HttpCheck,
    MiscCheck,
    PingCheck,
    SmtpCheck,
    SslCheck,
    UdpCheck,
    Url,
)
from hanode.conf.model.typed.line_values import (
    Command,
    Forwarding,
    GroupLine,
    Linkbeat,
    Peer,
    Tracked,
    UpDownDelay,
    Vmac,
)
from hanode.conf.model.typed.lvs import VirtualServerGroup
from hanode.conf.model.typed.routes import Nexthop, Route, Rule
from hanode.conf.model.typed.static import GarpGroup, TrackGroup
from hanode.conf.model.typed.tracking import BfdInstance, TrackFile, TrackProcess, VrrpScript
from hanode.conf.model.typed.vrrp import AuthHmac, SyncGroup
from hanode.conf.recover.recover import Remains, remains
from hanode.conf.text.expand import Reader
from hanode.conf.text.lexer import Unwritable
from hanode.conf.text.origins import Definition, made_by, word_place
from hanode.conf.text.problems import Fix, Problem, Severity, apply_fixes, has_errors, in_order
from hanode.conf.text.tree import Document, parse
from hanode.conf.write.edit import (
    EditRefused,
    add,
    add_address,
    path,
    remove,
    remove_address,
    set_value,
)
from hanode.conf.write.merge import Merged, merge, merge_models
from hanode.conf.write.render import Rendered, render

__all__ = [
    "DEFAULT_TARGET",
    "IMPACTS",
    "MASK",
    "NEWEST",
    "Address",
    "AuthHmac",
    "BfdCheck",
    "BfdInstance",
    "Change",
    "Check",
    "Checked",
    "Checker",
    "Command",
    "Config",
    "Definition",
    "DnsCheck",
    "Document",
    "EditRefused",
    "FileCheck",
    "Fix",
    "Forwarding",
    "GarpGroup",
    "GlobalDefs",
    "GroupLine",
    "HttpCheck",
    "Linkbeat",
    "Merged",
    "MiscCheck",
    "Nexthop",
    "Note",
    "Origin",
    "Peer",
    "PingCheck",
    "Problem",
    "Reader",
    "RealServer",
    "Remains",
    "Rendered",
    "Route",
    "Rule",
    "Severity",
    "SmtpCheck",
    "SslCheck",
    "Statement",
    "SyncGroup",
    "TcpCheck",
    "TrackFile",
    "TrackGroup",
    "TrackProcess",
    "Tracked",
    "UdpCheck",
    "Unwritable",
    "UpDownDelay",
    "Url",
    "VirtualServer",
    "VirtualServerGroup",
    "Vmac",
    "VrrpInstance",
    "VrrpScript",
    "add",
    "add_address",
    "apply_fixes",
    "check",
    "check_pair",
    "diff",
    "effective_priority",
    "expand_for",
    "has_errors",
    "in_order",
    "made_by",
    "mask_secrets",
    "merge",
    "merge_models",
    "node_ids",
    "parse",
    "path",
    "place",
    "remains",
    "remove",
    "remove_address",
    "render",
    "set_value",
    "word_place",
    "worst",
    "written",
]
