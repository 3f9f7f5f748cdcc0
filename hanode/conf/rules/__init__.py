"""All rules for one node's configuration; each is a function that finds one kind of mistake.

PURE.
"""

from __future__ import annotations

from hanode.conf.rules.addresses import RULES as ADDRESSES
from hanode.conf.rules.base import Rule
from hanode.conf.rules.command_lines import RULES as COMMANDS
from hanode.conf.rules.groups import RULES as GROUPS
from hanode.conf.rules.owners import RULES as OWNERS
from hanode.conf.rules.script_links import RULES as SCRIPT_LINKS
from hanode.conf.rules.scripts import RULES as SCRIPTS
from hanode.conf.rules.services import RULES as SERVICES
from hanode.conf.rules.signatures import RULES as SIGNATURES
from hanode.conf.rules.strict import RULES as STRICT
from hanode.conf.rules.tracking import RULES as TRACKING
from hanode.conf.rules.vrrp import RULES as VRRP

RULES: tuple[Rule, ...] = (
    *VRRP,
    *SIGNATURES,
    *STRICT,
    *ADDRESSES,
    *TRACKING,
    *GROUPS,
    *SCRIPTS,
    *SCRIPT_LINKS,
    *COMMANDS,
    *OWNERS,
    *SERVICES,
)
