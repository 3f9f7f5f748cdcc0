"""Judges what a configuration names by a node's policy: one sentence for each violation.

PURE. Facts about the node come from outside. Paths are compared without symbolic links, so that a
link in an allowed directory leads nowhere else; a path with `..` is refused as it stands.
"""

from __future__ import annotations

import fnmatch
import ipaddress
import posixpath
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from hanode.conf import (
    Named,
    NamedProgram,
    NamedThing,
    NamedUser,
    Origin,
    Problem,
    Severity,
    in_order,
)
from hanode.policy.read import DEFAULT_PATH
from hanode.wire import NodePolicy

CODE = "policy"
"""Of every Problem that comes from here."""
OWN = ("/etc/hanode", "/var/lib/hanode", "/run/hanode")
"""Where the engine keeps its own files; no push writes there, whatever a policy says."""
DEFAULT_USER = "keepalived_script"
EVERYWHERE = {"default": 0, "any": 0, "all": 0, "default6": 6}

Command = tuple[tuple[str, ...], str | None]
"""A command's words, and whom it runs as."""
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Facts:
    """What the node knows of itself."""

    uid: Callable[[str], int | None]
    """The number of a user, who is named by name or number; None: there is none."""
    gid: Callable[[str], int | None]
    own_group: Callable[[int], int | None]
    """The group of a user's own, by the user's number."""
    program: Callable[[str], str | None]
    """The path of a program that is named without one; None: there is none."""
    real: Callable[[str], str]
    """The path without symbolic links, as far as it exists."""
    open_part: Callable[[str, int], str | None]
    """The part of an existing path that others than root and this user can change; None: none."""


def present(named: Iterable[Named]) -> frozenset[Command]:
    """The commands that a configuration has, for `judge`'s `running`."""
    return frozenset((one.argv, one.user) for one in named if isinstance(one, NamedProgram))


def judge(
    named: Iterable[Named],
    policy: NodePolicy,
    *,
    facts: Facts | None = None,
    running: frozenset[Command] | None = None,
    own: tuple[str, ...] = OWN,
) -> tuple[Problem, ...]:
    """The violations as Problems of the code `policy`, in the order of the text.

    `running`: the commands that the node runs already; None: not known. `own`: the engine's own
    directories and files. Without `facts` links, modes and numbers of users are not looked at.
    """
    if policy.fault:
        return (_problem(Origin(), f"this node takes no push: {policy.fault}"),)
    judging = _Judge(policy, facts, running, own)
    return in_order([problem for one in named for problem in judging.one(one)])


class _Judge:
    def __init__(
        self,
        policy: NodePolicy,
        facts: Facts | None,
        running: frozenset[Command] | None,
        own: tuple[str, ...],
    ) -> None:
        self.policy = policy
        self.facts = facts
        self.running = running
        self.own = own
        self.networks = [net for word in policy.addresses if (net := _network(word)) is not None]

        self.file = policy.files[0] if policy.files else DEFAULT_PATH

    def key(self, name: str) -> str:
        """A list of the policy, and the file to write it in."""
        return f"{name} in {self.file}"

    def one(self, named: Named) -> Iterator[Problem]:
        match named:
            case NamedUser():
                why = self.user(named.user, named.group)
                if why:
                    yield _problem(named.origin, f"{named.keyword}: {why}")
            case NamedProgram():
                yield from self.program(named)
            case NamedThing():
                why = self.thing(named)
                if why:
                    yield _problem(named.origin, f"{named.keyword}: {why}")

    # --- users and programs ------------------------------------------------------------------

    def user(self, user: str, group: str | None) -> str | None:
        """Why a user or group is refused; None: it is allowed."""
        uid = self.uid(user)
        if not self.listed(user, uid, self.policy.users, self.uid):
            what = f"{user} (root)" if uid == 0 and user != "root" else user
            return (
                f"no pushed program runs as {what} on this node; "
                f"name another user, or add it to {self.key('users')}"
            )
        if group is None:
            return None
        gid = self.gid(group)
        if self.facts is None and group == user:
            return None  # a group of the user's own, most likely; the node knows
        own = None if self.facts is None or uid is None else self.facts.own_group(uid)
        if gid is not None and gid == own:
            return None
        if not self.listed(group, gid, self.policy.groups, self.gid):
            return (
                f"no pushed program runs in the group {group} on this node; "
                f"leave the group out, or add it to {self.key('groups')}"
            )
        return None

    def listed(
        self,
        name: str,
        number: int | None,
        allowed: tuple[str, ...],
        number_of: Callable[[str], int | None],
    ) -> bool:
        """Whether the list has it, by name or by number: `toor` and `0` are root."""
        if number is None:
            return name in allowed
        return any(number_of(one) == number for one in allowed)

    def uid(self, user: str) -> int | None:
        return self.facts.uid(user) if self.facts is not None else _number(user)

    def gid(self, group: str) -> int | None:
        return self.facts.gid(group) if self.facts is not None else _number(group)

    def program(self, named: NamedProgram) -> Iterator[Problem]:
        policy, place = self.policy, named.origin
        command, user = named.shown, named.user
        if user is None:
            user = self.default_user()
            if user is not None and self.user(user, None):
                yield _problem(
                    place,
                    f"{named.keyword} {command}: it would run as {user}, because no script_user "
                    f"is written and this node has no user {DEFAULT_USER}; write script_user, "
                    f"make that user, or add {user} to {self.key('users')}",
                )
                return
        elif self.user(user, named.group):
            return  # said where the user is written
        if not policy.add_programs and (named.argv, named.user) not in (self.running or ()):
            known = self.running is not None
            why = "which does not run it" if known else "unless it runs it already"
            yield _problem(
                place,
                f"{named.keyword} {command}: a push may not add programs to this node, {why}; "
                f"leave it out, or set add = true in [programs] of {self.file}",
                "error" if known else "warning",
            )
            return
        root = user is not None and self.uid(user) == 0
        refused = self.path_of_program(named.argv[0], root=root, uid=self.uid(user or "") or 0)
        if refused:
            yield _problem(place, f"{named.keyword} {command}: {refused}")

    def default_user(self) -> str | None:
        """Whom a command runs as that names nobody; None: not known here."""
        if self.facts is not None:
            return DEFAULT_USER if self.facts.uid(DEFAULT_USER) is not None else "root"
        return self.policy.script_user or None

    def path_of_program(self, word: str, *, root: bool, uid: int) -> str | None:
        path: str | None = word
        if "/" not in word:
            if self.facts is None:
                return None  # where it is, only the node knows
            path = self.facts.program(word)
            if path is None:
                return f"there is no program {word} on this node; write its whole path"
        key = "root_directories" if root else "directories"
        allowed = self.policy.root_programs if root else self.policy.programs
        what = "a program that runs as root" if root else "a program"
        return self.place(path or word, allowed, what, key, uid)

    # --- everything else ---------------------------------------------------------------------

    def thing(self, named: NamedThing) -> str | None:
        """Why it is refused; None: it is allowed."""
        policy, text = self.policy, named.text
        match named.sort:
            case "written" | "fifo":
                key = "written" if named.sort == "written" else "fifos"
                allowed = policy.written if named.sort == "written" else policy.fifos
                what = "a file that is written" if named.sort == "written" else "a FIFO"
                return self.own_place(text) or self.place(text, allowed, what, key, 0)
            case "read":
                return self.place(text, policy.read, "a file that is read", "read", 0)
            case "key":
                return self.place(text, policy.keys, "a key or certificate", "keys", 0)
            case "include":
                return self.place(_fixed(text), policy.includes, "an include", "includes", 0)
            case "namespace":
                if text not in policy.namespaces:
                    return (
                        f"a push may not use the network namespace {text} of this node; "
                        f"leave it out, or add it to {self.key('namespaces')}"
                    )
            case "interface":
                if not any(fnmatch.fnmatchcase(text, one) for one in policy.interfaces):
                    return (
                        f"a push may not use the interface {text} of this node; "
                        f"name another, or add it to {self.key('interfaces')}"
                    )
            case "address":
                if not self.address_allowed(text):
                    return (
                        f"a push may not use the address {text} on this node; "
                        f"name another, or add it to {self.key('addresses')}"
                    )
        return None

    def own_place(self, path: str) -> str | None:
        for real in {posixpath.normpath(path), self.real(path)}:
            if any(_inside(real, self.real(one)) or _inside(real, one) for one in self.own):
                return f"{path} is among the engine's own files, where no push writes; name another"
        return None

    def place(
        self, path: str, allowed: tuple[str, ...], what: str, key: str, uid: int
    ) -> str | None:
        """Why a path is refused; None: it is in one of the places, and nobody can change it."""
        if not path.startswith("/") or ".." in path.split("/"):
            return f"{path or 'nothing'} is no whole path without ..; write it from / on"
        said = posixpath.normpath(path)
        if not any(_inside(said, one) for one in allowed):
            return (
                f"{what} may not be at {path} on this node; "
                f"move it to {_places(allowed)}, or add its directory to {self.key(key)}"
            )
        if self.facts is None:
            return None
        real = self.facts.real(path)
        if not any(_inside(real, self.facts.real(one)) for one in allowed):
            return (
                f"{path} leads to {real}, where {what} may not be on this node; "
                f"name the file itself, or add its directory to {self.key(key)}"
            )
        if key == "read":
            return None
        part = self.facts.open_part(real, uid)
        if part is not None:
            return (
                f"{part} can be changed by others than root, so {what} may not be there; "
                f"chown root {part} and chmod go-w {part}"
            )
        return None

    def real(self, path: str) -> str:
        return self.facts.real(path) if self.facts is not None else posixpath.normpath(path)

    def address_allowed(self, text: str) -> bool:
        if text in self.policy.addresses:
            return True
        if text in EVERYWHERE:
            version = EVERYWHERE[text]
            return any(net.prefixlen == 0 and version in (0, net.version) for net in self.networks)
        wanted = _ends(text)
        if wanted is None:
            return {net.version for net in self.networks if net.prefixlen == 0} == {4, 6}
        first, last = wanted
        return any(
            first in net and last in net
            for net in self.networks  # False for the other version
        )


def _problem(place: Origin, message: str, severity: Severity = "error") -> Problem:
    line, column = max(1, place.line), max(1, place.column)
    if place.macro is not None:
        message = f"{message} (made by {place.macro})"
    end = max(column, place.end_column)
    return Problem(CODE, severity, place.file or "policy", line, column, line, end, message)


def _number(text: str) -> int | None:
    """The number that a user or group is without any facts: root is 0."""
    if text == "root":
        return 0
    return int(text) if text.isdecimal() else None


def _places(allowed: tuple[str, ...]) -> str:
    return allowed[0] if allowed else "a place that the policy names (it names none)"


def _inside(path: str, place: str) -> bool:
    place = posixpath.normpath(place)
    return place == "/" or path == place or path.startswith(place + "/")


def _fixed(pattern: str) -> str:
    """The part of a pattern that is the same for all files it finds; relative to keepalived's."""
    path = pattern if pattern.startswith("/") else f"/etc/keepalived/{pattern}"
    parts = path.split("/")
    for at, part in enumerate(parts):
        if any(sign in part for sign in "*?[{~"):
            rest = ["..", *parts[:at]] if ".." in parts[at:] else parts[:at]
            return "/".join(rest) or "/"
    return path


def _network(word: str) -> Network | None:
    try:
        return ipaddress.ip_network(word, strict=False)
    except ValueError:
        return None


Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def _ends(text: str) -> tuple[Address, Address] | None:
    """The first and the last address of `IP`, `IP/len` or `IP-END`; None: it is a host's name.

    Of an address with its network's length (`192.0.2.5/24`) only the address counts.
    """
    first, dash, last = text.partition("-")
    try:
        if dash:
            low = ipaddress.ip_address(first)
            return low, _end_of_range(low, last)
        whole = ipaddress.ip_interface(text)
    except ValueError:
        return None
    if whole.ip == whole.network.network_address:
        return whole.network.network_address, whole.network.broadcast_address
    return whole.ip, whole.ip


def _end_of_range(low: Address, last: str) -> Address:
    if "." in last or ":" in last:
        return ipaddress.ip_address(last)
    most, base = (0xFF, 10) if low.version == 4 else (0xFFFF, 16)
    number = (int(low) & ~most) | (int(last, base) & most)
    return type(low)(number)
