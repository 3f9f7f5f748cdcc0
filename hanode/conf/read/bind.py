"""Binds nested statements to the model, with a Problem for each one that does not fit.

PURE. The schema's tables define each keyword; rows with a `field` fill the fields of the model's
classes. A statement that has no field, is unknown or does not fit is kept as a Statement in
`other`, in order: nothing is dropped. If a value is written twice, the one counts that keepalived
keeps, which its row says.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hanode.conf.keywords import blocks, root_words, script_words
from hanode.conf.language.kinds_address import Endpoint, Ip
from hanode.conf.language.kinds_words import FWMARK
from hanode.conf.language.releases import Target
from hanode.conf.language.schema import ROOT, Block, Keyword
from hanode.conf.language.values import BadValue, is_ip, read_words
from hanode.conf.model.attributes import stays
from hanode.conf.model.model import (
    Address,
    Config,
    GlobalDefs,
    Note,
    RealServer,
    Statement,
    TcpCheck,
    VirtualServer,
    VrrpInstance,
)
from hanode.conf.read.address_lines import bind_address, check_line
from hanode.conf.read.blocks import Raw, at_span, build
from hanode.conf.read.in_order import read_in_order
from hanode.conf.read.kept import origin, own_notes, statement
from hanode.conf.read.masked import masked
from hanode.conf.read.meant import (
    bare_members,
    group_meant,
    member_without_a_group,
    successor,
    verdict_on,
)
from hanode.conf.read.misread_braces import add_misread_lines
from hanode.conf.read.refused import password_cut, refused, superfluous, too_many
from hanode.conf.read.unknown import place_name
from hanode.conf.text.lexer import unquote
from hanode.conf.text.logical import Expanded
from hanode.conf.text.problems import Collected, Fix, Severity
from hanode.conf.text.source import Origin
from hanode.conf.text.tree import INCLUDES

JOINED = ("authentication", "virtual_ipaddress", "virtual_ipaddress_excluded")
"""Blocks of an instance that become fields; their lines that do not fit become one Statement."""

COUNTS = {
    "first": "the first one counts",
    "last": "the last one counts",
    "both": "what both say counts",
}
BY_NAME = ("fwmark", "group")
"""Words that identify a virtual_server instead of an address."""


@dataclass(slots=True)
class Scan:
    """The result of reading the statements of one block."""

    values: dict[str, Any] = field(default_factory=dict)
    opened: list[tuple[Keyword, Raw]] = field(default_factory=list)
    other: list[Statement] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    places: list[tuple[str, Origin]] = field(default_factory=list)

    def kept(self, raw: Raw) -> dict[str, Any]:
        """What every object of the model has besides the fields of its keywords."""
        own = own_notes(raw)
        return {
            "other": tuple(self.other),
            "notes": (*own, *self.notes) if own or self.notes else (),
            "origin": origin(raw),
            "places": tuple(self.places),
        }


def bind(expanded: Expanded, target: Target) -> tuple[Config, Collected]:
    """The model of logical lines, and all problems found."""
    raw = build(expanded.lines, root_words(), script_words())
    binder = _Binder(target)
    config = binder.root(raw.statements, raw.tail)
    told = {(p.file, p.line) for p in expanded.problems if p.code == "unclosed-quote"}
    anew = (p for p in raw.problems if p.code != "unclosed-quote" or (p.file, p.line) not in told)
    found = Collected(expanded.problems)
    found.left_out += raw.problems.left_out
    found += anew
    found += binder.problems
    found += read_in_order(raw.statements)
    found += masked(expanded.lines)
    settled = add_misread_lines(expanded.lines, found, target)
    return config, Collected(iter(settled), found.left_out)


class _Binder:
    def __init__(self, target: Target) -> None:
        self.target = target
        self.problems = Collected()
        self.known: dict[tuple[str, tuple[str, ...], bool], tuple[Keyword, Any, bool]] = {}
        """Statements read without a problem, by block, words, and whether they open no block."""

    # --- the model's classes -----------------------------------------------------------------

    def root(self, statements: list[Raw], tail: list[str]) -> Config:
        scan = self.scan(statements, ROOT, {"global_defs", "vrrp_instance", "virtual_server"})
        globals_: list[Raw] = []
        instances: list[VrrpInstance] = []
        servers: list[VirtualServer] = []
        named: list[VirtualServer] = []
        for keyword, raw in scan.opened:
            if keyword.name == "global_defs":
                globals_.append(raw)
            elif keyword.name == "vrrp_instance":
                instances.append(self.instance(raw))
            else:
                server = self.virtual_server(raw)
                (servers if server.ip else named).append(server)
        if tail:
            scan.notes.append(Note("}", tuple(tail)))
        return Config(
            self.global_defs(globals_),
            tuple(instances),
            tuple(servers),
            tuple(named),
            tuple(scan.other),
            tuple(scan.notes),
        )

    def global_defs(self, raws: list[Raw]) -> GlobalDefs:
        if not raws:
            return GlobalDefs()
        children = [child for raw in raws for child in raw.children or ()]
        scan = self.scan(children, "global_defs")
        notes = [note for raw in raws for note in own_notes(raw)]
        return GlobalDefs(
            **scan.values,
            other=tuple(scan.other),
            notes=(*notes, *scan.notes),
            origin=origin(raws[0]),
            places=tuple(scan.places),
        )

    def instance(self, raw: Raw) -> VrrpInstance:
        scan = self.scan(raw.children or [], "vrrp_instance", set(JOINED))
        vips: list[Address] = []
        excluded: list[Address] = []
        misfits: dict[str, list[Statement]] = {name: [] for name in JOINED}
        for keyword, inner in scan.opened:
            name = keyword.name
            scan.notes += own_notes(inner, name)
            scan.places.append((name, origin(inner)))
            if name == "authentication":
                found = self.scan(inner.children or [], name)
                scan.values |= found.values
                scan.places += found.places
                scan.notes += [Note(f"{name}/{n.at}", n.before, n.after) for n in found.notes]
                misfits[name] += found.other
                continue
            into = vips if name == "virtual_ipaddress" else excluded
            misfits[name] += self.addresses(inner, into)
        scan.other += [Statement((n,), tuple(kept)) for n, kept in misfits.items() if kept]
        return VrrpInstance(
            name=unquote(raw.words[1]),
            **scan.values,
            vips=tuple(vips),
            excluded=tuple(excluded),
            **scan.kept(raw),
        )

    def addresses(self, raw: Raw, into: list[Address]) -> list[Statement]:
        """Appends the addresses of a block to `into`; returns the lines that are no addresses."""
        rest: list[Statement] = []
        for child in raw.children or ():
            address = bind_address(child, [*own_notes(child)], origin(child), self.problems)
            if address is None:
                rest.append(statement(child))
            else:
                into.append(address)
        return rest

    def virtual_server(self, raw: Raw) -> VirtualServer:
        scan = self.scan(raw.children or [], "virtual_server", {"real_server"})
        return VirtualServer(
            **_named_by(raw),
            **scan.values,
            real_servers=tuple(self.real_server(inner) for _, inner in scan.opened),
            **scan.kept(raw),
        )

    def real_server(self, raw: Raw) -> RealServer:
        ip, port = Endpoint().read([unquote(w) for w in raw.words[1:]])
        scan = self.scan(raw.children or [], "real_server", {"TCP_CHECK"})
        checks = [self.tcp_check(inner) for _, inner in scan.opened]
        return RealServer(
            ip,
            port,
            **scan.values,
            check=checks[0] if checks else None,
            further_checks=tuple(checks[1:]),
            **scan.kept(raw),
        )

    def tcp_check(self, raw: Raw) -> TcpCheck:
        scan = self.scan(raw.children or [], "TCP_CHECK")
        return TcpCheck(
            **scan.values,
            **scan.kept(raw),
        )

    # --- any block ---------------------------------------------------------------------------

    def scan(self, raws: list[Raw], name: str, typed: set[str] | None = None) -> Scan:
        """Reads a block's statements; those that open a block in `typed` are left to the caller."""
        table = blocks()[name]
        scan = Scan()
        seen: dict[str, Raw] = {}
        bare = bare_members(raws, table) if name == "vrrp_sync_group" else ()
        for raw in raws:
            if not raw.words:
                scan.other.append(statement(raw))
                continue
            words = raw.words
            known = self.known.get((name, words, raw.children is None))
            keyword = known[0] if known else table.keywords.get(unquote(words[0]))
            if keyword is None:
                # An include that is still here has its Problem from `expand`.
                if raw in bare:
                    self.problems.append(member_without_a_group(raw, bare))
                elif raw.words[0] not in INCLUDES:
                    self.unknown(raw, table)
                scan.other.append(statement(raw))
                continue
            value, fits = known[1:] if known else self.remembered(keyword, raw, table)
            main = keyword.same_as or keyword.name
            if not keyword.repeats:
                if main in seen:
                    self.twice(seen[main], raw, table.keywords[main])
                seen[main] = raw
            if not fits:
                scan.other.append(statement(raw))
            elif keyword.opens is not None and typed is not None and keyword.name in typed:
                scan.opened.append((keyword, raw))
            elif keyword.field is not None and value is not None:
                earlier = scan.values.get(keyword.field)
                if earlier is None or not stays(earlier, keyword):
                    scan.values[keyword.field] = value
                    scan.places.append((main, origin(raw)))
                if keyword.name == "auth_pass":
                    self.problems += password_cut(raw, value)
                if raw.before or raw.after or raw.close_before or raw.close_after:
                    scan.notes += own_notes(raw, main)
            else:
                if keyword.opens is not None:
                    self.check_block(raw, blocks()[keyword.opens])
                scan.other.append(statement(raw))
        return scan

    def check_block(self, raw: Raw, table: Block) -> None:
        """Adds the problems of a block that is kept as Statements."""
        if table.lines is None:
            self.scan(raw.children or [], table.name)
            return
        for child in raw.children or ():
            check_line(child, table, self.problems)

    def remembered(self, keyword: Keyword, raw: Raw, table: Block) -> tuple[Any, bool]:
        """Like `read`, but reuses the result of an equal statement that had no problem."""
        before = len(self.problems)
        value, fits = self.read(keyword, raw, table)
        often = keyword.opens is None or len(raw.words) == 1
        if often and fits and len(self.problems) == before and table.name != ROOT:
            self.known[table.name, raw.words, raw.children is None] = keyword, value, True
        return value, fits

    def read(self, keyword: Keyword, raw: Raw, table: Block) -> tuple[Any, bool]:
        """The value of a keyword's words, and whether all of it fits."""
        if keyword.since and not self.target.has(keyword.since):
            message = (
                f"{keyword.name} came with keepalived {keyword.came}; {self.target} ignores it"
            )
            self.add(raw, 0, "newer-keyword", "warning", message)
        words = [unquote(w) for w in raw.words[1:]]
        if keyword.opens is not None and raw.children is None:
            self.add(raw, 0, "block-missing", "error", f"{keyword.name} needs a block: {{ … }}")
            return None, False
        if keyword.opens is None and raw.children is not None:
            message = f"{keyword.name} takes no block; keepalived loses count of the braces here"
            self.add(raw, 0, "block-unexpected", "error", message)
            return None, False
        value = keyword.value_in(self.target.has)
        if len(words) < value.least:
            message = f"{keyword.name} needs {value.shape}"
            self.add(raw, 0, "value-missing", "error", message)
            return None, False
        if len(words) > value.most:
            self.problems.append(too_many(raw, keyword.name, value.most))
        if isinstance(value, Ip) and "/" in words[0]:
            self.prefix(raw)
        if keyword.old:
            self.old(keyword, raw)
        odd: list[BadValue] = []
        try:
            found = read_words(value, words, odd)
            if keyword.name == "virtual_server" and table.name == ROOT:
                self.head_of_service(raw, words)
                found = None
        except BadValue as error:
            self.problems.append(refused(raw, keyword, value, error))
            return None, False
        self.problems += (refused(raw, keyword, value, one) for one in odd)
        return found, True

    def head_of_service(self, raw: Raw, words: list[str]) -> None:
        """Checks the words that identify a virtual_server. Raises BadValue if none do."""
        if words[0] in BY_NAME and len(words) > 1:
            return
        if not is_ip(words[0]):
            needed = "needs an IP address and a port, or fwmark N, or group NAME"
            raise BadValue(needed, instead=group_meant(words))
        Endpoint().read(words[:2])
        if len(words) > 2:
            message = "virtual_server: keepalived ignores what stands after the port"
            self.problems.append(superfluous(raw, 3, message))

    # --- problems ----------------------------------------------------------------------------

    def unknown(self, raw: Raw, table: Block) -> None:
        verdict = verdict_on(raw, table)
        span = raw.spans[0]
        fix = successor(raw, table, verdict)
        severity: Severity = "warning"
        message = verdict.message
        if raw.children is not None and table.name != ROOT:
            severity = "error"
            message += f", and takes its closing brace for the end of {place_name(table.name)}"
        self.problems.append(
            at_span(raw.line, span, verdict.code, severity, message, hint=verdict.hint, fix=fix)
        )

    def prefix(self, raw: Raw) -> None:
        """Warns of a prefix length where keepalived uses only the address."""
        word = raw.words[0]
        start, end = raw.spans[1]
        fix = None
        if raw.line.macro is None and not raw.words[1].startswith('"'):
            fix = Fix("remove the prefix length", start + raw.words[1].index("/"), end, "")
        message = f"{word} is an address without a prefix length; keepalived cuts it off"
        self.problems.append(
            at_span(raw.line, raw.spans[1], "prefix-ignored", "warning", message, fix=fix)
        )

    def old(self, keyword: Keyword, raw: Raw) -> None:
        """Warns of a deprecated keyword, which keepalived still accepts."""
        message = f"{keyword.name} is an old word"
        fix = None
        if keyword.successor is not None and raw.line.macro is None:
            fix = Fix(f"write {keyword.successor}", *raw.spans[0], keyword.successor)
        self.problems.append(
            at_span(
                raw.line,
                raw.spans[0],
                "deprecated-keyword",
                "warning",
                message,
                hint=keyword.old,
                fix=fix,
            )
        )

    def twice(self, first: Raw, again: Raw, keyword: Keyword) -> None:
        line = first.line.source.file_line(first.start)
        counts = COUNTS.get(keyword.keeps, f"{keyword.keeps} counts")
        message = f"{keyword.name} stands here again (first on line {line}); {counts}"
        self.add(again, 0, "written-twice", "warning", message)

    def add(self, raw: Raw, index: int, code: str, severity: Severity, message: str) -> None:
        span = raw.spans[min(index, len(raw.spans) - 1)]
        self.problems.append(at_span(raw.line, span, code, severity, message))


def _named_by(raw: Raw) -> dict[str, Any]:
    """What names a virtual_server: an address and perhaps a port, a mark, or a group."""
    words = [unquote(word) for word in raw.words[1:]]
    if words[0] == "group":
        return {"ip": "", "group": words[1]}
    if words[0] == "fwmark":
        return {"ip": "", "fwmark": FWMARK.read(words[1:])}
    ip, port = Endpoint().read(words)
    return {"ip": ip, "port": port}
