"""What a configuration names of the machine: programs, users, files, interfaces, addresses.

PURE. Found by the kinds of values in the tables, so that a new keyword is found by itself. Nothing
is left out because keepalived would ignore it: a statement that is written twice, or that does not
fit, is named too. A node's policy (`hanode.policy`) and the page of a push judge by this list.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hanode.conf.keywords import blocks, root_words, script_words
from hanode.conf.language.kinds_machine import Fifo, Path, User, addresses_in
from hanode.conf.language.schema import ROOT, Block, Keyword
from hanode.conf.language.secrets import MASK, mask_arguments, secret_names
from hanode.conf.language.values import Script, Sort, Thing
from hanode.conf.model.typed.line_values import command
from hanode.conf.read.blocks import Raw, build
from hanode.conf.read.kept import origin, statement
from hanode.conf.read.option_lines import read as read_options
from hanode.conf.text.expand import expand
from hanode.conf.text.lexer import unquote
from hanode.conf.text.logical import Reader
from hanode.conf.text.source import Origin
from hanode.conf.text.tree import INCLUDES, parse

_ADDRESS_LINES = "an address"
_GLOBALS = "global_defs"


@dataclass(frozen=True, slots=True)
class NamedProgram:
    """A command that keepalived runs."""

    keyword: str
    argv: tuple[str, ...]
    user: str | None
    """Whom it runs as, as far as the text says: None: keepalived_script, else root."""
    group: str | None
    shown: str
    """The command as it may be shown: what is a secret in its arguments is masked."""
    origin: Origin


@dataclass(frozen=True, slots=True)
class NamedUser:
    """A user, and perhaps a group, that commands run as: script_user, or user of a block."""

    keyword: str
    user: str
    group: str | None
    origin: Origin


@dataclass(frozen=True, slots=True)
class NamedThing:
    """A file, a namespace, an interface or an address."""

    keyword: str
    sort: Sort
    text: str
    origin: Origin


Named = NamedProgram | NamedUser | NamedThing


def named(
    text: str, *, name: str = "keepalived.conf", node: str | None = None, read: Reader | None = None
) -> tuple[Named, ...]:
    """Everything that the text names, as `node` reads it, in order. Raises nothing.

    `read` follows includes; what the included files name is then named, and so are the includes.
    """
    document = parse(text, name)
    roots, scripts = root_words(), script_words()
    walk = _Walk()
    if read is not None:  # an include that is followed leaves no line behind
        kept = expand(document, node=node).lines
        walk.includes(build(kept, roots, scripts).statements)
    expanded = expand(document, node=node, read=read)
    values = (expanded.definitions.get(one, "") for one in secret_names(text))
    walk.secrets = sorted(filter(None, values), key=len, reverse=True)
    walk.block(build(expanded.lines, roots, scripts).statements, blocks()[ROOT])
    return tuple(_with_users(walk.found, walk.script_user))


class _Walk:
    """Goes through the statements block by block."""

    def __init__(self) -> None:
        self.found: list[Named] = []
        self.script_user: tuple[str, str | None] | None = None
        """The last script_user, which counts for all commands that name nobody."""
        self.secrets: list[str] = []
        """What definitions put into arguments where a secret stands; the longest first."""

    def block(self, raws: list[Raw], table: Block) -> None:
        if table.lines is not None:
            for raw in raws:
                self.line(raw, table)
            return
        beside = {raw.keyword for raw in raws}
        user = self.users(raws, table)
        for raw in raws:
            keyword = table.keywords.get(raw.keyword) if raw.words else None
            if keyword is not None:
                self.statement(raw, keyword, beside, user)
            elif raw.keyword in INCLUDES:
                self.includes([raw])

    def includes(self, raws: list[Raw]) -> None:
        """The includes among statements, and inside them."""
        include = blocks()[ROOT].keywords[INCLUDES[0]].value
        for raw in raws:
            if raw.keyword in INCLUDES:
                for thing in include.things(raw.words[1:]):
                    self.thing(raw.keyword, thing, origin(raw))
            self.includes(raw.children or [])

    def users(self, raws: list[Raw], table: Block) -> tuple[str, str | None] | None:
        """Whom the commands of a block run as, where the block says so: the last one counts."""
        user = None
        for raw in raws:
            keyword = table.keywords.get(raw.keyword) if raw.words else None
            if keyword is None or not isinstance(keyword.value, User) or len(raw.words) < 2:
                continue
            words = [unquote(word) for word in raw.words[1:]]
            user = words[0], words[1] if len(words) > 1 else None
            self.found.append(NamedUser(keyword.name, *user, origin(raw)))
        if table.name == _GLOBALS and user is not None:
            self.script_user = user
        return user

    def statement(
        self, raw: Raw, keyword: Keyword, beside: set[str], user: tuple[str, str | None] | None
    ) -> None:
        place, value = origin(raw), keyword.value
        if isinstance(value, Script):
            if value.runs:
                self.program(raw, keyword, user)
            return
        if isinstance(value, Fifo):
            argv = command(statement(raw)).argv
            self.thing(keyword.name, ("fifo", argv[0] if argv else ""), place)
        words = [unquote(word) for word in raw.words[1:]]
        for sort, word in value.things(words):
            written = isinstance(value, Path) and value.written_with in beside
            self.thing(keyword.name, ("written" if written else sort, word), place)
        if keyword.opens is not None:
            self.block(raw.children or [], blocks()[keyword.opens])

    def program(self, raw: Raw, keyword: Keyword, user: tuple[str, str | None] | None) -> None:
        made = command(statement(raw))
        if not made.argv:
            return
        runs_as: tuple[str | None, str | None] = made.user, made.group
        if user is not None and (keyword.name == "script" or made.user is None):
            runs_as = user
        place, shown = origin(raw), mask_arguments(made.argv)
        for secret in self.secrets:
            shown = shown.replace(secret, MASK)
        self.found.append(NamedProgram(keyword.name, made.argv, *runs_as, shown, place))
        if made.user is not None:
            self.found.append(NamedUser(keyword.name, made.user, made.group, place))

    def line(self, raw: Raw, table: Block) -> None:
        """A line that is no keyword: what its words and the values of its options name."""
        if not raw.words or raw.children is not None:
            return
        words = [unquote(word) for word in raw.words]
        things: dict[Thing, str] = dict.fromkeys(addresses_in(words), table.name)
        first = 1 if table.lines == _ADDRESS_LINES else 0
        known = table.keywords
        for option in read_options(raw, table, first).options:
            kind = known[option.name].value if option.name in known else table.spare
            if kind is not None:
                for thing in kind.things(list(option.words)):
                    things.setdefault(thing, option.name or table.name)
        place = origin(raw)
        for thing, keyword in things.items():
            self.thing(keyword, thing, place)

    def thing(self, keyword: str, thing: Thing, place: Origin) -> None:
        self.found.append(NamedThing(keyword, *thing, place))


def _with_users(found: list[Named], script_user: tuple[str, str | None] | None) -> Iterator[Named]:
    """The same, with script_user for the commands that name nobody."""
    for one in found:
        if isinstance(one, NamedProgram) and one.user is None and script_user is not None:
            yield NamedProgram(one.keyword, one.argv, *script_user, one.shown, one.origin)
        else:
            yield one
