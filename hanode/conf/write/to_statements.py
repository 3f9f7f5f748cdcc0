"""Turns the model back into statements, in the order and spelling of the canonical layout.

PURE. The inverse of `bind`. Fields become statements in the order of the schema's tables, then
the kept statements follow in their own order; comments keep their places. If a target is given,
what it does not know is left out, with a Problem for each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from hanode.conf.keywords import blocks
from hanode.conf.language.releases import Target
from hanode.conf.language.schema import ROOT, Keyword
from hanode.conf.language.values import BadValue
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
from hanode.conf.read import address_lines
from hanode.conf.read.bind import JOINED
from hanode.conf.read.unknown import place_name
from hanode.conf.text.lexer import Unwritable, quote, unquote
from hanode.conf.text.macros import begins_a_macro
from hanode.conf.text.problems import Problem
from hanode.conf.text.source import NOWHERE, Origin
from hanode.conf.text.tree import INCLUDES

Owner = GlobalDefs | VrrpInstance | TcpCheck | RealServer | VirtualServer


def layout(config: Config, target: Target | None) -> tuple[tuple[Statement, ...], list[Problem]]:
    """The statements of a file, and Problems for what the target cannot express.

    Raises Unwritable for a model that no file can express; `bind` never returns such a model.
    """
    run = _Layout(target)
    statements = run.root(config)
    _one_line_each(statements)
    tail = [n for n in config.notes if any("\n" in line for line in n.before)]
    if tail:
        raise Unwritable("a comment is one line")
    return statements, run.problems


def _one_line_each(statements: tuple[Statement, ...]) -> None:
    """Raises Unwritable for words or comments that would begin a line of their own."""
    for statement in statements:
        comments = [c for n in statement.notes for c in (*n.before, n.after) if c]
        if any("\n" in text for text in (*statement.words, *comments)):
            raise Unwritable("a statement and its comment are one line each")
        if begins_a_macro(statement.words[0] if statement.words else ""):
            raise Unwritable("a statement begins with a word, not with a condition or a macro")
        if any(comment[0] not in "#!" for comment in comments):
            raise Unwritable("a comment begins with # or !")
        _one_line_each(statement.children or ())


def problem_at(where: Origin, code: str, message: str) -> Problem:
    """A warning at the place that a part of the model came from."""
    line, column = max(1, where.line), max(1, where.column)
    end = max(column, where.end_column)
    return Problem(code, "warning", where.file, line, column, line, end, message)


class _Notes:
    """An object's comments, by the statement they belong to."""

    def __init__(self, notes: tuple[Note, ...]) -> None:
        self.notes = notes

    def under(self, at: str) -> tuple[Note, ...]:
        """The comments of one statement, as the statement itself would hold them."""
        found = []
        for note in self.notes:
            if note.at == at:
                found.append(Note("", note.before, note.after))
            elif note.at == (f"{at}/}}" if at else "}"):
                found.append(Note("}", note.before, note.after))
        return tuple(found)


class _Layout:
    def __init__(self, target: Target | None) -> None:
        self.target = target
        self.problems: list[Problem] = []

    def root(self, config: Config) -> tuple[Statement, ...]:
        out: list[Statement] = []
        inner = [*self.fields(config.globals, "global_defs")]
        inner += self.kept(config.globals.other, "global_defs")
        if inner or config.globals.notes:
            out.append(self.block(("global_defs",), inner, config.globals))
        out += self.kept(config.other, ROOT)
        out += (self.instance(instance) for instance in config.instances)
        out += (self.virtual_server(server) for server in config.services)
        return tuple(out)

    def block(self, words: tuple[str, ...], inner: Iterable[Statement], owner: Owner) -> Statement:
        return Statement(words, tuple(inner), _Notes(owner.notes).under(""), owner.origin)

    def instance(self, instance: VrrpInstance) -> Statement:
        notes = _Notes(instance.notes)
        inner = [*self.fields(instance, "vrrp_instance")]
        auth = [*self.fields(instance, "authentication", prefix="authentication/")]
        auth += self.split(instance.other, "authentication")
        if auth:
            inner.append(Statement(("authentication",), tuple(auth), notes.under("authentication")))
        for name, addresses in (
            ("virtual_ipaddress", instance.vips),
            ("virtual_ipaddress_excluded", instance.excluded),
        ):
            lines = [self.address(a) for a in addresses]
            lines += self.split(instance.other, name)
            if lines:
                inner.append(Statement((name,), tuple(lines), notes.under(name)))
        rest = [s for s in instance.other if not any(_is_block(s, name) for name in JOINED)]
        inner += self.kept(rest, "vrrp_instance")
        return self.block(("vrrp_instance", quote(instance.name)), inner, instance)

    def split(self, other: tuple[Statement, ...], name: str) -> list[Statement]:
        """The kept lines of a block whose other lines are fields: they return into that block."""
        lines = [c for s in other if _is_block(s, name) for c in s.children or ()]
        return [*self.kept(lines, name)]

    def virtual_server(self, server: VirtualServer) -> Statement:
        inner = [*self.fields(server, "virtual_server")]
        inner += self.kept(server.other, "virtual_server")
        inner += (self.real_server(real) for real in server.real_servers)
        return self.block(_head(server), inner, server)

    def real_server(self, real: RealServer) -> Statement:
        inner = [*self.fields(real, "real_server")]
        if real.check is not None:
            inner.append(self.tcp_check(real.check))
        inner += self.kept(real.other, "real_server")
        inner += (self.tcp_check(check) for check in real.further_checks)
        return self.block(_endpoint("real_server", real.ip, real.port), inner, real)

    def tcp_check(self, check: TcpCheck) -> Statement:
        inner = [*self.fields(check, "TCP_CHECK"), *self.kept(check.other, "TCP_CHECK")]
        return self.block(("TCP_CHECK",), inner, check)

    def address(self, vip: Address) -> Statement:
        options: list[str] = []
        words = iter(vip.options)
        for word in words:
            pair = [word]
            if unquote(word) in Address.WITH_VALUE and (value := next(words, None)) is not None:
                pair.append(value)
            if self.target is not None and not address_lines.knows(unquote(word)):
                message = f"{word} is no option of an address; it is left out for {self.target}"
                self.problems.append(problem_at(vip.origin, "left-out", message))
                continue
            options += pair
        dev = ("dev", quote(vip.dev)) if vip.dev else ()
        return Statement(
            (quote(str(vip)), *dev, *options), None, _Notes(vip.notes).under(""), vip.origin
        )

    def fields(self, owner: Owner, name: str, prefix: str = "") -> Iterable[Statement]:
        notes, places = _Notes(owner.notes), dict(owner.places)
        for keyword in blocks()[name].keywords.values():
            if keyword.field is None or keyword.same_as is not None:
                continue
            value = getattr(owner, keyword.field)
            default = owner.__dataclass_fields__[keyword.field].default
            if value is None or value == default:
                continue
            if keyword.name == "auth_pass":
                value = self.sent(value, owner)
            words = (keyword.name, *map(quote, keyword.value.write(value)))
            where = places.get(keyword.name, NOWHERE)
            yield Statement(words, None, notes.under(prefix + keyword.name), where)

    def sent(self, auth_pass: str, owner: Owner) -> str:
        """The part of the password that a target sends."""
        if self.target is None or not isinstance(owner, VrrpInstance):
            return auth_pass
        short = owner.auth_bytes.decode(errors="ignore")
        if short != auth_pass:
            message = f"auth_pass of {owner.name}: the 8 characters that are sent are written"
            self.problems.append(problem_at(owner.origin, "auth-pass-cut", message))
        return short

    def kept(self, statements: Iterable[Statement], name: str) -> Iterable[Statement]:
        """The statements unchanged, or, with a target, without what it does not know."""
        if self.target is None:
            return statements
        judge = self.line_fits if blocks()[name].lines is not None else self.keyword_fits
        out = []
        for kept in statements:
            inner = judge(kept, name)
            if inner is not None:
                out.append(inner)
        return out

    def line_fits(self, kept: Statement, name: str) -> Statement | None:
        if kept.children is None and kept.words:
            lines = blocks()[name].lines
            if lines != "an address" or address_lines.readable(kept.words):
                return kept
        self.left_out(kept, name)
        return None

    def keyword_fits(self, kept: Statement, name: str) -> Statement | None:
        keyword = blocks()[name].keywords.get(kept.keyword)
        assert self.target is not None
        if kept.words and kept.words[0] in INCLUDES and kept.children is None:
            return kept
        if keyword is None or not self.target.has(keyword.since):
            self.left_out(kept, name)
            return None
        if self.target.program == "hanode" and not self.engine_keeps(keyword, kept, name):
            return None
        if (keyword.opens is None) != (kept.children is None):
            self.left_out(kept, name)
            return None
        value = keyword.value_in(self.target.has)
        if not _readable(kept, value.least, value.most, value.read):
            self.left_out(kept, name)
            return None
        if keyword.successor is not None:
            kept = replace(kept, words=(keyword.successor, *kept.words[1:]))
        if keyword.opens is None or kept.children is None:
            return kept
        children = tuple(self.kept(kept.children, keyword.opens))
        return Statement(kept.words, children, kept.notes, kept.origin)

    def engine_keeps(self, keyword: Keyword, kept: Statement, name: str) -> bool:
        """Leaves out what our engine ignores; keeps, with a Problem, what it does not do yet."""
        if keyword.engine == "ignored":
            self.left_out(kept, name)
        elif keyword.engine == "planned":
            where = f"{keyword.name} in {place_name(name)}"
            message = f"{where} is kept, but {self.target} does not do it yet"
            self.problems.append(problem_at(kept.origin, "not-yet", message))
        return keyword.engine != "ignored"

    def left_out(self, kept: Statement, name: str) -> None:
        word = kept.keyword or "a block without a name"
        message = f"{word} in {place_name(name)} is left out: {self.target} cannot use it"
        self.problems.append(problem_at(kept.origin, "left-out", message))


def _is_block(kept: Statement, name: str) -> bool:
    """Whether it is a block with the lines that did not fit, and not a single word."""
    return kept.words == (name,) and kept.children is not None


def _readable(kept: Statement, least: int, most: int, read: Callable[[list[str]], object]) -> bool:
    words = [unquote(word) for word in kept.words[1:]]
    if len(words) < least:
        return False
    try:
        read(words[:most])
    except BadValue:
        return False
    return True


def _head(server: VirtualServer) -> tuple[str, ...]:
    """The words before a virtual_server's block."""
    if server.group is not None:
        return "virtual_server", "group", quote(server.group)
    if server.fwmark is not None:
        return "virtual_server", "fwmark", str(server.fwmark)
    return _endpoint("virtual_server", server.ip, server.port)


def _endpoint(keyword: str, ip: str, port: int | None) -> tuple[str, ...]:
    return (keyword, quote(ip)) if port is None else (keyword, quote(ip), str(port))
