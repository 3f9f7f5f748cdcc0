"""Reads values and lines that keepalived should refuse the way keepalived 2.2.7 does.

PURE. Usually the statement counts as not written. But many numbers are read up to their first
other character, some mistakes bring back the default, and a line of addresses or peers loses only
the wrong option. Every case was observed in runs of keepalived 2.2.7.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from hanode.conf.language.schema import Block, Keyword
from hanode.conf.language.values import BadValue, is_ip, read_words

Line = tuple[str, ...]

UNSET: Line = ("",)
"""Earlier values of the keyword are forgotten too."""

_NUMBER = re.compile(r"[+-]?[0-9]+")
_SOURCES = ("mcast_dst_ip", "mcast_src_ip", "unicast_src_ip")
_DELAYS = ("garp_master_delay", "garp_lower_prio_delay", "garp_lower_prio_repeat")
_REPEATS = ("garp_master_repeat", "garp_master_refresh_repeat")
_SHIFTED = ("preempt_delay", "garp_interval", "gna_interval", "delay", "fork_delay",
            "terminate_delay")  # fmt: skip
"""Times that keepalived counts in microseconds if something follows the number."""


def lenient_value(block: str, keyword: Keyword, words: Sequence[str]) -> Line | None:
    """The words that express what keepalived takes of a wrong value; None: it takes nothing.

    `words` follow the keyword, which does not accept them.
    """
    name = keyword.name
    stem = name.removeprefix("vrrp_") if block == "global_defs" else name
    first = words[0] if words else ""
    if stem in _SOURCES:
        return UNSET
    if stem in ("use_vmac", "use_ipvlan"):
        return ()  # the interface's name and MAC are then keepalived's choice
    if block == "vrrp_script":
        return _of_script(name, first)
    if name == "priority":
        return ("100",)
    if block == "vrrp_instance" and name == "preempt_delay" and not _behind(first):
        return ("0",)
    if stem in _SHIFTED and _behind(first):
        return _fitting(keyword, f"{int(_whole(first)) / 1e6:.6f}")
    if stem in _REPEATS:
        if _in_full(first) and _whole(first) != 0:
            return None
        return _fitting(keyword, str(max(1, _whole(first))))
    if stem in _DELAYS or stem in ("down_timer_adverts", "quorum", "quorum_max"):
        return None if _in_full(first) else _fitting(keyword, str(_whole(first)))
    if stem == "garp_master_refresh":
        return ("0",) if _in_full(first) else _fitting(keyword, str(_whole(first)))
    if block == "global_defs" and re.fullmatch("(vrrp|checker|bfd)_priority", name):
        return _fitting(keyword, "0" if _in_full(first) else str(_whole(first)))
    return None


def _of_script(name: str, first: str) -> Line | None:
    number = _whole(first)
    if name == "interval":
        return (str(number),) if number > 0 and not _in_full(first) else ("1",)
    if name in ("rise", "fall"):
        return (str(number),) if number > 0 and not _in_full(first) else ("1",)
    if name == "weight":
        # keepalived accepts a weight beyond the range; the priority is cut to 1 to 254 anyway.
        return (str(min(max(number, -253), 253)),)
    return None


def _whole(text: str) -> int:
    """The leading number of the text, as strtol(3) reads it; 0 if there is none."""
    found = _NUMBER.match(text)
    return int(found.group()[:20]) if found else 0


def _in_full(text: str) -> bool:
    return _NUMBER.fullmatch(text) is not None


def _behind(text: str) -> bool:
    """Whether other characters follow a whole number."""
    return re.fullmatch(r"\+?[0-9]{1,15}[^0-9.].*", text) is not None


def _fitting(keyword: Keyword, word: str) -> Line | None:
    try:
        read_words(keyword.value, (word,))
    except BadValue:
        return None
    return (word,)


# --- lines -------------------------------------------------------------------------------------


def lenient_line(table: Block, words: Sequence[str]) -> Line | None:
    """What keepalived takes of a line that contains a mistake; None: it drops the line."""
    if table.lines == "an address":
        return _address(table, words)
    if table.lines == "an address of a peer":
        head = words[0].partition("/")[0]
        return (head, *(_options(table, words[1:], _ignored) or ())) if is_ip(head) else None
    if table.name in ("track_interface", "track_script", "track_file", "track_process"):
        own = list(words[1:])
        if own[:1] == ["weight"] and len(own) > 1:
            # keepalived ignores what follows a weight.
            own = own[: 3 if own[2:3] in (["reverse"], ["noreverse"]) else 2]
        rest = _options(table, own, _tracked)
        return None if rest is None else (words[0], *rest)
    return None


def _address(table: Block, words: Sequence[str]) -> Line | None:
    ip, slash, length = words[0].partition("/")
    if not is_ip(ip):
        return None
    longest = 128 if ":" in ip else 32
    if slash:
        number = _whole(length)
        ip = f"{ip}/{number if 0 <= number <= longest else longest}"
    if list(words).count("dev") > 1 or (longest == 128 and {"brd", "broadcast"} & set(words)):
        return None
    rest = _options(table, words[1:], _of_address)
    return None if rest is None else (ip, *rest)


Verdict = Callable[[str, Line, "BadValue | None"], "Line | None"]
"""Decides what remains of a wrong option; None: keepalived drops the whole line."""


def _options(table: Block, words: Sequence[str], verdict: Verdict) -> Line | None:
    """The options of a line without the wrong ones; None: keepalived drops the line."""
    kept: list[str] = []
    at = 0
    while at < len(words):
        keyword = table.keywords.get(words[at])
        if keyword is None:
            made = verdict("", (words[at],), None)
            taken = 0
        else:
            rest = list(words[at + 1 :])
            taken = keyword.value.taken(rest)
            own = tuple(rest[:taken])
            try:
                read_words(keyword.value, own)
                made = (words[at], *own)
            except BadValue as error:
                mild = error.mild and (words[at], *own)
                made = mild or verdict(words[at], own, error)
        if made is None:
            return None
        kept += made
        at += 1 + taken
    return tuple(kept)


def _of_address(name: str, own: Line, error: BadValue | None) -> Line | None:
    """keepalived ignores an unknown option; a missing value or a wrong label drops the address."""
    if name and (not own or name in ("label", "brd", "broadcast", "dev")):
        return None
    return ()


def _ignored(name: str, own: Line, error: BadValue | None) -> Line | None:
    return ()


def _tracked(name: str, own: Line, error: BadValue | None) -> Line | None:
    """keepalived reads a weight's leading number; a word that is no option drops the line."""
    if name != "weight" or not own:
        return None
    number = _NUMBER.match(own[0])
    if number is None or _in_full(own[0]):
        return ()
    return ("weight", number.group(), *(w for w in own[1:] if w in ("reverse", "noreverse")))
