"""Virtual servers by whatever they are named: an address, a firewall mark or a group.

PURE. The rules and the diff look at all of them alike. Those by mark or group stay Statements in
the model; here they are read into the classes that those by address have.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

from hanode.conf.lexer import unquote
from hanode.conf.model import (
    Config,
    Origin,
    RealServer,
    Statement,
    TcpCheck,
    VirtualServer,
)
from hanode.conf.schema import blocks
from hanode.conf.values import BadValue, Endpoint, family, is_ip


@dataclass(frozen=True, slots=True)
class Service:
    """A virtual server, and to what it listens."""

    by: str
    """`address`, `fwmark` or `group`."""
    name: str
    """`192.0.2.10:80/TCP`, `fwmark 3`, `group web`."""
    server: VirtualServer
    """What it says; of one by mark or group without ip and port."""
    families: frozenset[int]
    """4, 6, or none where nothing says it."""
    ports: frozenset[int]
    """Those of its addresses; 0: every port. A mark has none."""

    @property
    def key(self) -> str:
        """Equal keys are the same entry in the kernel."""
        if self.by != "group":
            return self.name
        return f"{self.name}/{self.server.protocol or 'UDP'}"


def services(config: Config) -> Iterator[Service]:
    """All virtual servers; those by address first."""
    for server in config.virtual_servers:
        port = server.port or 0
        yield Service(
            "address", server.key, server, frozenset((family(server.ip),)), frozenset((port,))
        )
    for block in config.other:
        if block.keyword == "virtual_server" and block.children is not None:
            words = [unquote(word) for word in block.words]
            if len(words) > 2 and words[1] in ("fwmark", "group"):
                yield _by_name(config, block, words[1], words[2])


def _by_name(config: Config, block: Statement, by: str, name: str) -> Service:
    server = _server(block)
    said = {s.words[1] for s in server.other if s.keyword == "ip_family" and len(s.words) > 1}
    families = frozenset(6 if word == "inet6" else 4 for word in said)
    ports: frozenset[int] = frozenset()
    if by == "group":
        members = [m for one in group_blocks(config, name) for m in group_lines(one)]
        families |= frozenset(m.family for m in members if m.family)
        ports = frozenset(m.port for m in members if m.port is not None)
    return Service(by, f"{by} {name}", server, families, ports)


@dataclass(frozen=True, slots=True)
class Member:
    """A line of virtual_server_group: an address (or a range of them) with its port, or a mark."""

    text: str
    family: int
    """0: a mark that does not say it."""
    port: int | None
    """None: a mark; 0: every port."""
    origin: Origin


def group_blocks(config: Config, name: str) -> list[Statement]:
    """The virtual_server_group blocks of that name."""
    return [
        s
        for s in config.other
        if s.keyword == "virtual_server_group"
        and len(s.words) > 1
        and unquote(s.words[1]) == name
        and s.children is not None
    ]


def group_lines(block: Statement) -> Iterator[Member]:
    """The lines of a group that can be read."""
    for line in block.children or ():
        words = [unquote(word) for word in line.words]
        text = " ".join(words)
        if words[:1] == ["fwmark"] and len(words) > 1:
            version = {"inet": 4, "inet6": 6}.get(words[2], 0) if len(words) > 2 else 0
            yield Member(text, version, None, line.origin)
        elif words and is_ip(ip := words[0].partition("-")[0].partition("/")[0]):
            port = words[1] if len(words) > 1 else "0"
            if port.isdecimal() and len(port) < 6:
                yield Member(text, family(ip), int(port), line.origin)


def _server(block: Statement) -> VirtualServer:
    inside = block.children or ()
    said = _fields(inside, "virtual_server", VirtualServer)
    reals = tuple(
        real
        for s in inside
        if s.keyword == "real_server" and s.children is not None and (real := _real(s)) is not None
    )
    return VirtualServer("", None, real_servers=reals, origin=block.origin, **said)


def _real(block: Statement) -> RealServer | None:
    try:
        ip, port = Endpoint().read([unquote(word) for word in block.words[1:3]])
    except (BadValue, IndexError):
        return None
    inside = block.children or ()
    said = _fields(inside, "real_server", RealServer)
    checks = [s for s in inside if s.keyword == "TCP_CHECK" and s.children is not None]
    check = None
    if checks:
        check = TcpCheck(
            origin=checks[0].origin, **_fields(checks[0].children or (), "TCP_CHECK", TcpCheck)
        )
    return RealServer(ip, port, check=check, origin=block.origin, **said)


def _fields(inside: tuple[Statement, ...], name: str, owner: type[Any]) -> dict[str, Any]:
    """The values of the fields that a block's statements say, the rest, and their places."""
    own = {f.name for f in fields(owner)}
    table = blocks()[name].keywords
    found: dict[str, Any] = {}
    places: list[tuple[str, Origin]] = []
    other: list[Statement] = []
    for statement in inside:
        keyword = table.get(unquote(statement.keyword))
        field = keyword.field if keyword is not None else None
        if keyword is not None and field in own and statement.children is None:
            words = [unquote(word) for word in statement.words[1:]]
            try:
                value = keyword.value.read(words[: keyword.value.most])
            except (BadValue, IndexError):
                value = None
            if field is not None and value is not None:
                found[field] = value
                places.append((keyword.same_as or keyword.name, statement.origin))
                continue
        if statement.keyword not in ("real_server", "TCP_CHECK") or statement.children is None:
            other.append(statement)
    return {**found, "other": tuple(other), "places": tuple(places)}
