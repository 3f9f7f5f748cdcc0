"""Kinds of values that name something of the machine: files, users, interfaces, addresses.

PURE. A node's policy judges what these name (`hanode.policy`), wherever they stand in the tables. A
keyword with a path, a user, an interface or an address has one of these kinds, or one whose
`things` says what it names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from hanode.conf.language.values import (
    InterfaceName,
    Script,
    Sort,
    Thing,
    Value,
    Word,
    Words,
    is_ip,
)


def addresses_in(words: Sequence[str]) -> Iterator[Thing]:
    """The words that are an address, a network (`IP/len`) or a range (`IP-IP`, `IP-9`)."""
    for word in words:
        if is_ip(re.split("[-/]", word, maxsplit=1)[0]):
            yield "address", word


class AddressValue(Value):
    """A value that names addresses of machines or networks."""

    __slots__ = ()

    def things(self, words: Sequence[str]) -> Iterable[Thing]:
        return addresses_in(words)


@dataclass(frozen=True, slots=True)
class Path(Word):
    """A path of the machine's files. Unless it says otherwise, a file that is written there."""

    what: str = "a path"
    sort: Sort = "written"
    written_with: str = ""
    """The keyword beside it that makes keepalived write the file."""

    def things(self, words: Sequence[str]) -> Iterable[Thing]:
        return ((self.sort, words[0]),) if words else ()


@dataclass(frozen=True, slots=True)
class Interface(InterfaceName):
    """The name of an interface that is used, not only watched."""

    def things(self, words: Sequence[str]) -> Iterable[Thing]:
        return (("interface", words[0]),) if words else ()


@dataclass(frozen=True, slots=True)
class Namespace(Word):
    """The name of a network namespace."""

    what: str = "a name"

    def things(self, words: Sequence[str]) -> Iterable[Thing]:
        return (("namespace", words[0]),) if words else ()


@dataclass(frozen=True, slots=True)
class AgentSocket(Word):
    """Where an SNMP agent listens: `unix:/path`, `/path`, `tcp:HOST:PORT`."""

    what: str = "an address"

    def things(self, words: Sequence[str]) -> Iterable[Thing]:
        said = words[0] if words else ""
        transport, colon, rest = said.partition(":")
        if not colon or transport not in ("unix", "tcp", "udp", "tcp6", "udp6"):
            rest = said
        if rest.startswith("/"):
            return (("read", rest),)
        host = rest if is_ip(rest) else rest.rpartition(":")[0] or rest
        return (("address", host.strip("[]")),) if host else ()


class Include(Value):
    """A pattern of files that are read in the place of the line."""

    __slots__ = ()

    def things(self, words: Sequence[str]) -> Iterable[Thing]:
        return (("include", " ".join(words)),) if words else ()


@dataclass(frozen=True, slots=True)
class User(Words):
    """A user, and perhaps a group, that programs run as."""

    what: str = "a user, perhaps a group"


@dataclass(frozen=True, slots=True)
class Fifo(Words):
    """A FIFO that is made where there is none, and perhaps the user and the group that own it."""

    what: str = "a path, perhaps a user and a group"


class Watched(Script):
    """A command line that running processes are compared with; it is not run."""

    __slots__ = ()

    runs: ClassVar[bool] = False

    @property
    def shape(self) -> str:
        return (
            "a process's name of at most 15 characters; or, with full_command, its path, and its "
            "arguments as words of their own"
        )
