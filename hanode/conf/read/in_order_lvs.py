"""Problems that keepalived reports while it reads virtual servers, their groups and checks.

PURE. The rules of `in_order` for virtual_server and virtual_server_group.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from hanode.conf.keywords import blocks
from hanode.conf.language.values import family, is_ip
from hanode.conf.read import option_lines
from hanode.conf.read.blocks import Raw
from hanode.conf.read.remarks import at_close, inside, lacks, name_of, number, say, takes, value
from hanode.conf.text.lexer import unquote
from hanode.conf.text.problems import Problem

FOR_SCHEDULER = {
    "hashed": ("sh", "mh"), "sh-port": ("sh",), "sh-fallback": ("sh",),
    "mh-port": ("mh",), "mh-fallback": ("mh",),
}  # fmt: skip


@dataclass(slots=True)
class Known:
    """The names that are defined above in the file."""

    bfds: set[str] = field(default_factory=set)
    """The bfd_instances that a BFD_CHECK can name."""
    files: set[str] = field(default_factory=set)


def service(raw: Raw) -> Iterator[Problem]:
    """Keywords of a virtual_server that count only after another one."""
    scheduler, sorry = "", False
    address = name_of(raw)
    for child in raw.children or ():
        if not child.words:
            continue
        word = child.keyword
        if word in ("lb_algo", "lvs_sched") and len(child.words) > 1:
            scheduler = unquote(child.words[1])
        elif word in FOR_SCHEDULER and scheduler not in FOR_SCHEDULER[word]:
            message = f"{word} counts only after lb_algo {FOR_SCHEDULER[word][0]}; it is ignored"
            yield say(child, "scheduler-option", message)
        elif word == "sorry_server":
            sorry = True
        elif word in ("sorry_server_inhibit", "sorry_server_lvs_method") and not sorry:
            message = f"{word} counts only after a sorry_server; keepalived ignores it"
            yield say(child, "sorry-server-missing", message)
        elif word == "ip_family" and len(child.words) > 1 and is_ip(address):
            wanted = 6 if unquote(child.words[1]) == "inet6" else 4
            if wanted != family(address):
                message = f"ip_family {child.words[1]} contradicts {address}; it is ignored"
                yield say(child, "family-mixed", message, 1)


def group(raw: Raw) -> Iterator[Problem]:
    """A virtual_server_group needs a line that can be read."""
    table = blocks()["virtual_server_group"]
    if all(option_lines.read(line, table).broken for line in raw.children or () if line.words):
        message = f"the group {name_of(raw)} has no addresses; keepalived removes it"
        yield at_close(raw, "group-empty", message)
    sorts = set()
    for line in raw.children or ():
        words = [unquote(word) for word in line.words]
        if words[:1] == ["fwmark"]:
            sorts.add("a mark" if len(words) < 3 else f"a mark for {words[2]}")
        elif words:
            sorts.add("IPv6" if ":" in words[0] else "IPv4")
    if sorts >= {"IPv4", "IPv6", "a mark"}:
        message = f"{name_of(raw)} has IPv4, IPv6 and a mark for neither; keepalived removes it"
        yield at_close(raw, "family-mixed", message)


def real_server(raw: Raw, known: Known) -> Iterator[Problem]:
    """The checks of a real_server, each as a whole."""
    for check in raw.children or ():
        if not check.words or check.children is None:
            continue
        word = check.keyword
        if word in ("HTTP_GET", "SSL_GET"):
            yield from _pages(check)
        elif word == "BFD_CHECK":
            yield from _names(check, "name", known.bfds, "bfd_instance")
        elif word == "FILE_CHECK":
            yield from _names(check, "track_file", known.files, "track_file")
        elif word == "MISC_CHECK":
            yield from lacks(check, word, "check-without-script", "misc_path")
        elif word == "UDP_CHECK":
            least = number(value(check, "min_reply_length")) or 0
            most = number(value(check, "max_reply_length"))
            if least > (255 if most is None else most):
                message = "min_reply_length is above max_reply_length: the check always fails"
                yield at_close(check, "reply-length", message)
        if word != "MISC_CHECK" and word.endswith(("_CHECK", "_GET")):
            yield from _connection(check, name_of(raw))


def _pages(check: Raw) -> Iterator[Problem]:
    pages = 0
    for url in inside(check, "url"):
        if any(takes(path, "url") for path in inside(url, "path")):
            pages += 1
        elif url.children is not None:
            message = "this url names no path; keepalived leaves it out"
            yield at_close(url, "check-incomplete", message)
    if not pages:
        message = f"{check.keyword} names no url with a path; keepalived removes it"
        yield at_close(check, "check-incomplete", message)


def _names(check: Raw, word: str, known: set[str], what: str) -> Iterator[Problem]:
    """A check needs the name of something that is defined above."""
    found = False
    for name in inside(check, word):
        if len(name.words) > 1 and unquote(name.words[1]) not in known:
            message = f"there is no {what} {name.words[1]} above; the check is ignored"
            yield say(name, "tracked-unknown", message, 1)
        found |= len(name.words) > 1 and (word == "name" or unquote(name.words[1]) in known)
    if not found:
        message = f"{check.keyword} names no {what} that there is; keepalived removes it"
        yield at_close(check, "check-incomplete", message)


def _connection(check: Raw, server: str) -> Iterator[Problem]:
    """The addresses from and to which a check connects must fit each other."""
    to = value(check, "connect_ip") or server
    to = to.partition("/")[0]
    for own in inside(check, "bindto"):
        ip = unquote(own.words[1]).partition("/")[0] if len(own.words) > 1 else ""
        if is_ip(ip) and is_ip(to) and family(ip) != family(to):
            message = f"bindto {ip} and {to} are of different IP versions; keepalived ignores it"
            yield say(own, "family-mixed", message, 1)
    local = to.lower().startswith(("fe8", "fe9", "fea", "feb")) and is_ip(to)
    if local and value(check, "connect_ip") and value(check, "bind_if") is None:
        message = f"{to} is valid on one link only"
        hint = "write bind_if and the interface in it"
        yield at_close(check, "check-incomplete", message, hint)
