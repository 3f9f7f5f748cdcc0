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
from hanode.conf.check.neighbours import all_meetings, meetings, nothing_in_common, together
from hanode.conf.check.pairs import check_pair
from hanode.conf.compare.diff import IMPACTS, Change, diff, effective_priority, worst
from hanode.conf.docs.explain import explain_word
from hanode.conf.docs.reference import keywords_markdown, problems_markdown
from hanode.conf.keywords import blocks, secret_words
from hanode.conf.language import defaults
from hanode.conf.language.kinds import Method
from hanode.conf.language.kinds_keys import IN_FILE as KEY_IN_FILE
from hanode.conf.language.kinds_keys import key_bytes
from hanode.conf.language.releases import Target
from hanode.conf.language.releases import target as target_of
from hanode.conf.language.schema import Block, Keyword
from hanode.conf.language.secrets import MASK, mask_secrets
from hanode.conf.language.values import Bool, Flag, Int, Timer, Value
from hanode.conf.model import queries
from hanode.conf.model.attributes import Owner, keyword_behind, main_spelling
from hanode.conf.model.model import (
    Address,
    Check,
    Config,
    GlobalDefs,
    Note,
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
    option_value,
)
from hanode.conf.model.typed.lvs import VirtualServerGroup
from hanode.conf.model.typed.routes import Nexthop, Route, RouteOptions, Rule
from hanode.conf.model.typed.static import GarpGroup, TrackGroup
from hanode.conf.model.typed.tracking import BfdInstance, TrackFile, TrackProcess, VrrpScript
from hanode.conf.model.typed.vrrp import AuthHmac, SyncGroup
from hanode.conf.read.named import Named, NamedProgram, NamedThing, NamedUser, named
from hanode.conf.read.unknown import RETIRED, place_name
from hanode.conf.recover.recover import Recovered, recover
from hanode.conf.rules.addresses import canonical
from hanode.conf.rules.machine import UNKNOWN_MACHINE, FileFacts, MachineFacts
from hanode.conf.rules.scripts import looked_at
from hanode.conf.text.align import Budget, aligned
from hanode.conf.text.lexer import Unwritable
from hanode.conf.text.logical import Reader
from hanode.conf.text.origins import Definition, made_by, word_place
from hanode.conf.text.problems import Fix, Problem, Severity, apply_fixes, has_errors, in_order
from hanode.conf.text.source import Origin, Source
from hanode.conf.text.tree import Document, indented, parse
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
    "KEY_IN_FILE",
    "MASK",
    "NEWEST",
    "RETIRED",
    "UNKNOWN_MACHINE",
    "Address",
    "AuthHmac",
    "BfdCheck",
    "BfdInstance",
    "Block",
    "Bool",
    "Budget",
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
    "FileFacts",
    "Fix",
    "Flag",
    "Forwarding",
    "GarpGroup",
    "GlobalDefs",
    "GroupLine",
    "HttpCheck",
    "Int",
    "Keyword",
    "Linkbeat",
    "MachineFacts",
    "Merged",
    "Method",
    "MiscCheck",
    "Named",
    "NamedProgram",
    "NamedThing",
    "NamedUser",
    "Nexthop",
    "Note",
    "Origin",
    "Owner",
    "Peer",
    "PingCheck",
    "Problem",
    "Reader",
    "RealServer",
    "Recovered",
    "Rendered",
    "Route",
    "RouteOptions",
    "Rule",
    "Severity",
    "SmtpCheck",
    "Source",
    "SslCheck",
    "Statement",
    "SyncGroup",
    "Target",
    "TcpCheck",
    "Timer",
    "TrackFile",
    "TrackGroup",
    "TrackProcess",
    "Tracked",
    "UdpCheck",
    "Unwritable",
    "UpDownDelay",
    "Url",
    "Value",
    "VirtualServer",
    "VirtualServerGroup",
    "Vmac",
    "VrrpInstance",
    "VrrpScript",
    "add",
    "add_address",
    "aligned",
    "all_meetings",
    "apply_fixes",
    "blocks",
    "canonical",
    "check",
    "check_pair",
    "defaults",
    "diff",
    "effective_priority",
    "expand_for",
    "explain_word",
    "has_errors",
    "in_order",
    "indented",
    "key_bytes",
    "keyword_behind",
    "keywords_markdown",
    "looked_at",
    "made_by",
    "main_spelling",
    "mask_secrets",
    "meetings",
    "merge",
    "merge_models",
    "named",
    "node_ids",
    "nothing_in_common",
    "option_value",
    "parse",
    "path",
    "place",
    "place_name",
    "problems_markdown",
    "queries",
    "recover",
    "remove",
    "remove_address",
    "render",
    "secret_words",
    "set_value",
    "target_of",
    "together",
    "word_place",
    "worst",
    "written",
]
