"""`recover`: what keepalived starts with despite mistakes in the file, or why it does not start.

PURE. keepalived leaves out the statements that it refuses and runs the rest; only a few mistakes
make it exit. This module reads the file as keepalived does, with its treatment of braces, writes
lines without mistakes, and binds these to the model. docs/differences.md lists the limits.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from hanode.conf.check.check import Checked
from hanode.conf.check.lint import lint
from hanode.conf.keywords import blocks, script_words
from hanode.conf.language.releases import target as target_of
from hanode.conf.language.schema import ROOT, Block, Keyword
from hanode.conf.language.values import accepted
from hanode.conf.model.model import Config
from hanode.conf.read.address_lines import check_line
from hanode.conf.read.bind import bind
from hanode.conf.read.blocks import Raw, at_span
from hanode.conf.read.misread_braces import (
    OF_CHECKER,
    PROCESSES,
    UNKNOWN,
    Piece,
    Process,
    pieces_of,
)
from hanode.conf.recover.lenient_values import UNSET, Line, lenient_line, lenient_value
from hanode.conf.text.expand import expand
from hanode.conf.text.lexer import quote_left_open
from hanode.conf.text.logical import Expanded, Logical, Reader
from hanode.conf.text.problems import Collected, Problem, has_errors
from hanode.conf.text.tree import INCLUDES

FATAL = frozenset(("vrid-missing", "interface-missing", "interface-loopback", "vrid-twice"))
"""Problems with which keepalived does not start."""
KEPT = frozenset(("advert-int", "address-twice", "masked-value"))
"""Our errors for statements that keepalived runs, perhaps with another value."""
BLOCKS = frozenset(("name-twice", "server-twice", "service-twice"))
"""Problems for which keepalived leaves out a whole block."""
ROUNDS = 8
"""Limit of rounds: leaving something out may cause another mistake, such as an undefined name."""

NAMED = ("vrrp_instance", "vrrp_sync_group", "vrrp_script", "bfd_instance")
"""Blocks that keepalived skips if one of the same name is above."""
ONLY_REPORTED = {
    "auth_hmac": "key",
    "vrrp_instance": "garp_extra_if kernel_rx_buf_size",
    "vrrp_track_process": "weight",
    "track_file_block": "file weight",
    "virtual_server": "virtualhost snmp_name sorry_server_lvs_method",
    "real_server": "virtualhost snmp_name",
    "root": "vrrp_instance vrrp_sync_group track_group net_namespace net_namespace_ipvs instance",
    "global_defs": (
        "router_id notification_email_from smtp_helo_name script_user startup_script "
        "shutdown_script startup_script_timeout shutdown_script_timeout vrrp_garp_extra_if "
        "default_interface vrrp_rx_bufs_policy vrrp_rx_bufs_multiplier lvs_sync_daemon "
        "lvs_timeouts vrrp_priority vrrp_rt_priority vrrp_cpu_affinity checker_priority "
        "checker_rt_priority checker_cpu_affinity bfd_priority bfd_rt_priority bfd_cpu_affinity "
        "max_auto_priority min_auto_priority_delay vrrp_netlink_cmd_rcv_bufs "
        "vrrp_netlink_monitor_rcv_bufs lvs_netlink_cmd_rcv_bufs lvs_netlink_monitor_rcv_bufs "
        "process_monitor_rcv_bufs notify_fifo notify_fifo_script vrrp_notify_fifo "
        "vrrp_notify_fifo_script lvs_notify_fifo lvs_notify_fifo_script snmp_socket "
        "dbus_service_name reload_time_file tmp_config_directory"
    ),
}
"""By block: keywords whose missing value keepalived only reports. For others it exits."""
STARTS_WITH = {
    "vrrp": {"vrrp_instance", "static_ipaddress", "static_routes", "static_rules"},
    "checker": {"virtual_server"},
    "bfd": {"bfd_instance"},
}
"""The parent starts a process only if the file has one of these blocks."""
FATAL_LINES = ("a route", "a rule")
"""Lines in which an option without its value makes keepalived exit."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """The configuration with which keepalived starts."""

    model: Config
    left_out: tuple[Problem, ...] = ()
    """The mistakes, in the order of the file; the model lacks what they affect."""
    refusal: Problem | None = None
    """Set if keepalived does not start: the reason."""


def recover(checked: Checked, node: str | None, read: Reader | None = None) -> Recovered:
    """The configuration that keepalived runs of a file; `node` and `read` as for `check`."""
    left_out = tuple(p for p in checked.problems if p.severity == "error" or p.code in UNKNOWN)
    if not has_errors(left_out):
        # Unknown keywords are in no model anyway.
        return Recovered(checked.model, tuple(p for p in left_out if p.code != "newer-keyword"))
    expanded = expand(checked.document, node=node, read=read)
    refusals = [p for p in expanded.problems if p.code == "include-not-found" and _hard(p)]
    pieces = pieces_of(expanded.lines)
    lines: list[Logical] = []
    seen: set[str] = set()
    for name in PROCESSES:
        if STARTS_WITH.get(name, seen).isdisjoint(seen) and name != "parent":
            continue
        reading = _Reading(name, pieces, refusals)
        reading.run()
        lines += reading.lines
        seen |= reading.roots if name == "parent" else set()
    model, ends = _settled(lines)
    left_out = tuple(p for p in left_out if p.code != "newer-keyword")
    return Recovered(model, left_out, next(iter((*refusals, *ends)), None))


def _hard(problem: Problem) -> bool:
    return problem.severity == "error"


def _settled(lines: list[Logical]) -> tuple[Config, list[Problem]]:
    """The model without statements that contradict others, and the problems that end keepalived."""
    program = target_of("hanode")
    for _ in range(ROUNDS):
        model, found = bind(Expanded(lines, Collected()), program)
        errors = [p for p in (*found, *lint(model, program)) if p.severity == "error"]
        kept = _without(lines, [p for p in errors if p.code not in FATAL | KEPT])
        if len(kept) == len(lines):
            break
        lines = kept
    return model, [p for p in errors if p.code in FATAL]


def _without(lines: list[Logical], problems: Sequence[Problem]) -> list[Logical]:
    """The lines without those of the problems, or without the whole blocks that they begin."""
    wrong = {(p.file, p.line): p.code for p in problems}
    kept: list[Logical] = []
    skipping = 0
    for line in lines:
        opens, closes = line.text.endswith("{"), line.text == "}"
        if skipping:
            skipping += opens - closes
            continue
        code = wrong.get((line.source.name, line.source.line_of(line.start)))
        if code is None or closes or (opens and code not in BLOCKS):
            kept.append(line)
        elif opens:
            skipping = 1
    return kept


class _Reading(Process):
    """The reading of one keepalived process; collects what it accepts as lines without mistakes."""

    def __init__(self, name: str, pieces: list[Piece], refusals: list[Problem]) -> None:
        super().__init__(name, pieces, {}, target_of("hanode"))
        self.lines: list[Logical] = []
        self.refusals = refusals
        self._open: list[int] = []
        """Where each open block begins in `lines`."""
        self.roots: set[str] = set()
        """Root keywords that were read."""
        self._names: set[tuple[str, ...]] = set()

    def ended(self, whole: bool) -> None:
        begin = self._open.pop()
        if whole:
            last = self.lines[-1]
            self.lines.append(replace(last, text="}", start=last.end, comment=""))
        else:
            del self.lines[begin:]

    def statement(self, piece: Piece, table: Block, depth: int, seen: set[str]) -> None:
        begin = len(self.lines)
        keyword = table.keywords.get(piece.words[0])
        self.at += 1
        if keyword is None or piece.words[0] in INCLUDES:
            return
        words = [w for w in piece.words[1:] if w != "{"]
        self.roots |= {keyword.name} if table.name == ROOT else set()
        mine = table.name != ROOT or keyword.opens is None or self.reads(keyword.name)
        lacks = len(words) < keyword.value.least
        # Commands are read once more with both kinds of quotes, and not at all with an open one.
        dropped = keyword.name in script_words() and quote_left_open(piece.line.text) >= 0
        told = keyword.name in ONLY_REPORTED.get(table.name, "").split() or dropped
        if lacks and mine and not told:
            self._refuse(piece, keyword.name, f"keepalived does not start: {keyword.value.shape}")
        if keyword.opens is None:
            if not lacks and self._value(piece, keyword, words, table):
                seen.add(keyword.same_as or keyword.name)
        elif mine and not lacks and self._counts(keyword, words, table):
            self._block(piece, keyword, table, depth, seen)
        else:
            self.skip(piece.words[-1] == "{")
        if table.name == ROOT and self.name != _process_of(keyword.name):
            del self.lines[begin:]

    def reads(self, keyword: str) -> bool:
        # The parent passes global_defs on to its children, which skip the block.
        return self.name == "parent" if keyword == "global_defs" else super().reads(keyword)

    def _block(
        self, piece: Piece, keyword: Keyword, table: Block, depth: int, seen: set[str]
    ) -> None:
        if table.name != ROOT:
            seen.add(keyword.same_as or keyword.name)
        opened = piece.words[-1] == "{"
        open_before = len(self._open)
        self._open.append(len(self.lines))
        self._emit(piece, piece.text.removesuffix("{").rstrip() + " {")
        inner = blocks()[keyword.opens or ROOT]
        if inner.lines is None:
            self.block(inner, not opened, depth + 1)
        else:
            self.rest_of_lines(inner, opened)
        if len(self._open) > open_before:
            self.ended(True)  # the text ends inside the block

    def _counts(self, keyword: Keyword, words: list[str], table: Block) -> bool:
        """Whether keepalived reads the block and does not skip it because of its name."""
        if not accepted(keyword.value, words):
            return False
        if keyword.name == "vrrp_instance" and len(words) > 1:
            return False
        name = (keyword.name, *words[:1])
        again = table.name == ROOT and keyword.name in NAMED and name in self._names
        self._names.add(name)
        return not again

    def _value(self, piece: Piece, keyword: Keyword, words: list[str], table: Block) -> bool:
        """Emits what keepalived takes of a keyword's value; returns whether there is any."""
        if not accepted(keyword.value, words):
            made = lenient_value(table.name, keyword, words)
            if made == UNSET:
                begin = self._open[-1] if self._open else 0
                self.lines[begin:] = [
                    line
                    for line in self.lines[begin:]
                    if line.text.split(maxsplit=1)[0] != piece.words[0]
                ]
            elif made is not None:
                self._emit(piece, _joined((piece.words[0], *made)))
            return made is not None
        self._emit(piece, piece.text.removesuffix("{").rstrip())
        return True

    def rest_of_lines(self, table: Block, opened: bool) -> None:
        while self.at < len(self.pieces):
            piece = self.pieces[self.at]
            self.at += 1
            if piece.words[0] == "}":
                self.ended(True)
                return
            if opened or piece.words != ("{",):
                self._line(piece, table)
            opened = True

    def _line(self, piece: Piece, table: Block) -> None:
        words = tuple(w for w in piece.words if w != "{")
        if not words:
            return
        text = piece.text.removesuffix("{").rstrip()
        problems = _problems_of(replace(piece, words=words), table)
        if table.lines in FATAL_LINES and any(
            p.code == "value-missing" and "needs a value" in p.message for p in problems
        ):
            self._refuse(piece, words[0], "keepalived does not start: an option lacks its word")
        if not has_errors(problems) and "bad-address" not in {p.code for p in problems}:
            self._emit(piece, text)
            return
        made: Line | None = lenient_line(table, words)
        if made is not None:
            self._emit(piece, _joined(made))

    def _emit(self, piece: Piece, text: str) -> None:
        line = piece.line
        self.lines.append(Logical(text, line.source, piece.start, piece.end, line.macro))

    def _refuse(self, piece: Piece, word: str, why: str) -> None:
        message = f"{word} lacks a word, and {why}"
        span = (piece.start, piece.end)
        self.refusals.append(at_span(piece.line, span, "value-missing", "error", message))


def _process_of(keyword: str) -> str:
    """The process whose reading of a root block is used here."""
    if keyword == "global_defs":
        return "parent"
    return "checker" if keyword in OF_CHECKER else "vrrp"


def _problems_of(piece: Piece, table: Block) -> list[Problem]:
    raw = Raw(piece.words, ((0, 0),) * len(piece.words), piece.line)
    problems: list[Problem] = []
    check_line(raw, table, problems)
    return problems


def _joined(words: Sequence[str]) -> str:
    return " ".join(word if re.fullmatch(r"[^\s{}\"#!]+", word) else f'"{word}"' for word in words)
