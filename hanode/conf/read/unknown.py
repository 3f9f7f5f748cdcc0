"""Problems of keywords that are unknown in their block: misspelt, misplaced or retired.

PURE. Retired words that people still copy have entries of their own. For other words we look for
a block that has the word, and then for a typing mistake.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

from hanode.conf.keywords import blocks, homes
from hanode.conf.language.nearest import Nearby
from hanode.conf.language.schema import ROOT
from hanode.conf.language.values import one_of

RETIRED = {
    "nat_mask": "keepalived gave it up long ago",
    "net_mask": "it was never a word of keepalived",
}
"""Words from old web pages that today's keepalived ignores: the line can be removed."""

_NOT_HTTP = (
    "TCP_CHECK", "SMTP_CHECK", "DNS_CHECK", "UDP_CHECK", "PING_CHECK", "MISC_CHECK",
    "virtual_server", "real_server",
)  # fmt: skip
INSTEAD = {("nb_get_retry", block): "retry" for block in _NOT_HTTP} | {
    ("lb_kind", "real_server"): "lvs_method",
    ("check_interval", "vrrp_script"): "interval",
    ("ip_family", "vrrp_instance"): "native_ipv6",
    ("lvs_id", "global_defs"): "router_id",
    ("smtp_connection_timeout", "global_defs"): "smtp_connect_timeout",
    ("vrid", "vrrp_instance"): "virtual_router_id",
    ("router_id", "vrrp_instance"): "virtual_router_id",
    ("vrrp_version", "vrrp_instance"): "version",
    ("vrrp_strict", "vrrp_instance"): "strict_mode",
    ("script", "MISC_CHECK"): "misc_path",
    ("timeout", "MISC_CHECK"): "misc_timeout",
} | {
    (f"vrrp_{name}", "vrrp_instance"): name
    for name in (
        "garp_master_delay", "garp_master_repeat", "garp_master_refresh",
        "garp_master_refresh_repeat", "garp_lower_prio_delay", "garp_lower_prio_repeat",
        "garp_extra_if", "down_timer_adverts", "lower_prio_no_advert",
        "higher_prio_send_advert", "skip_check_adv_addr", "owner_ignore_adverts",
        "notify_priority_changes",
    )
} | {
    (name, "global_defs"): f"vrrp_{name}"
    for name in (
        "garp_master_delay", "garp_master_repeat", "garp_master_refresh",
        "garp_master_refresh_repeat", "garp_lower_prio_delay", "garp_lower_prio_repeat",
        "garp_extra_if", "down_timer_adverts", "lower_prio_no_advert",
        "higher_prio_send_advert", "skip_check_adv_addr", "owner_ignore_adverts",
        "notify_priority_changes", "garp_interval", "gna_interval",
    )
}  # fmt: skip
"""By word and block: the keyword of that block with the same meaning. Words of older releases, and
of keepalived's other blocks."""

GIVEN_BY = {"track_file_block": "track_file"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """The code, message and hint; a replacement word, or whether the line can be removed."""

    code: str
    message: str
    hint: str | None = None
    instead: str | None = None
    remove: bool = False


@functools.cache
def _nearby(block: str) -> Nearby:
    return Nearby(blocks()[block].keywords)


def nearest_keyword(word: str, block: str) -> str | None:
    """The keyword or option of the block that a word most likely means."""
    return _nearby(block).nearest(word)


@functools.lru_cache(maxsize=4096)
def judge(word: str, block: str) -> Verdict:
    """The verdict on `word`, which is no keyword of `block`."""
    place = place_name(block)
    if word.startswith("@"):
        message = f"{word} counts only at the beginning of a line; keepalived ignores what follows"
        return Verdict("condition-misplaced", message, "write it on a line of its own")
    if word in RETIRED:
        message = f"{word} is unknown to today's keepalived ({RETIRED[word]}); it ignores the line"
        return Verdict("retired-keyword", message, "remove the line", remove=True)
    instead: str | None = INSTEAD.get((word, block))
    at_home = [place_name(b) for b in homes(word)]
    old = {blocks()[b].keywords[word].old for b in homes(word)}
    if at_home and "" not in old and instead is None:
        message = f"{word} is an old word, and none of {place}; keepalived ignores it here"
        return Verdict("misplaced-keyword", message, min(old), instead)
    if at_home:
        shown = one_of(tuple(at_home[:4])) if len(at_home) <= 4 else f"{at_home[0]} and others"
        message = f"{word} belongs in {shown}, not in {place}; keepalived ignores it here"
        hint = f"{block}'s word for it is {instead}" if instead else f"move it to {shown}"
        if block != ROOT and ROOT in homes(word):
            hint = "is a closing brace missing above?"
        return Verdict("misplaced-keyword", message, hint, instead)
    if instead is None:
        instead = nearest_keyword(word, block)
    short = word if len(word) <= 40 else word[:40] + "…"
    where = "outside of all blocks" if block == ROOT else f"in {place}"
    message = f"keepalived knows no {short} {where} and ignores it"
    guess = f"did you mean {instead}?" if instead else None
    return Verdict("unknown-keyword", message, guess, instead)


def place_name(block: str) -> str:
    """The block's name in messages."""
    return "the root of the file" if block == ROOT else GIVEN_BY.get(block, block)
