"""What keepalived notices while it reads, because of what stood before.

PURE. Rules over the statements in the order of the file: an option of a scheduler that was not
named before it, a tracker tracked twice, a value that contradicts an earlier one. Each says what
keepalived does then. Rules about the finished model are in `lint`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from hanode.conf.blocks import Raw, at_span
from hanode.conf.lexer import unquote
from hanode.conf.problems import Problem
from hanode.conf.values import family, is_ip

TRACKERS = ("track_interface", "track_script", "track_file", "track_process", "track_bfd")
FOR_SCHEDULER = {
    "hashed": ("sh", "mh"), "sh-port": ("sh",), "sh-fallback": ("sh",),
    "mh-port": ("mh",), "mh-fallback": ("mh",),
}  # fmt: skip
GARP_PACES = ("garp_interval", "gna_interval")


def read_in_order(statements: list[Raw]) -> list[Problem]:
    """The problems of all statements at the root."""
    found: list[Problem] = []
    bfds: set[str] = set()
    not_for_vrrp: set[str] = set()
    paced: set[str] = set()
    for raw in statements:
        if not raw.words or raw.children is None:
            continue
        word = raw.words[0]
        if word == "bfd_instance":
            if len(raw.words) > 1:
                name, words = unquote(raw.words[1]), {c.words[0] for c in raw.children if c.words}
                if "checker" in words or "vrrp" not in words:
                    bfds.add(name)
                if "checker" in words and "vrrp" not in words:
                    not_for_vrrp.add(name)
        elif word == "garp_group":
            found += _garp_group(raw, paced)
            continue
        rule = _RULES.get(word)
        if rule is not None:
            found += rule(raw)
        if not_for_vrrp and word in ("vrrp_instance", "vrrp_sync_group"):
            found += _bfds(raw, not_for_vrrp)
        if word == "virtual_server":
            for server in _inside(raw, "real_server"):
                found += _real_server(server, bfds)
    return found


def _say(raw: Raw, code: str, message: str, index: int = 0) -> Problem:
    span = raw.spans[min(index, len(raw.spans) - 1)]
    return at_span(raw.line, span, code, "warning", message)


def _at_close(raw: Raw, code: str, message: str) -> Problem:
    """At the block's closing brace, where keepalived looks at the whole block."""
    return at_span(
        raw.line, (max(raw.start, raw.close_end - 1), raw.close_end), code, "warning", message
    )


def _inside(raw: Raw, word: str) -> Iterator[Raw]:
    for child in raw.children or ():
        if child.words and child.words[0] == word:
            yield child


def _value(raw: Raw, *names: str) -> str | None:
    """The first word after the last of these keywords."""
    value = None
    for child in raw.children or ():
        if len(child.words) > 1 and child.words[0] in names:
            value = unquote(child.words[1])
    return value


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.lstrip("-").isdecimal() else None


def _tracking(raw: Raw) -> Iterator[Problem]:
    """keepalived ignores a tracker's second mention."""
    seen: set[tuple[str, str]] = set()
    name = unquote(raw.words[1]) if len(raw.words) > 1 else ""
    for child in raw.children or ():
        if not child.words or child.words[0] not in TRACKERS:
            continue
        for line in child.children or ():
            if not line.words:
                continue
            key = (child.words[0], unquote(line.words[0]))
            if key in seen:
                message = f"{name} tracks {key[1]} already; keepalived ignores the second mention"
                yield _say(line, "tracked-twice", message)
            seen.add(key)


def _bfds(raw: Raw, not_for_vrrp: set[str]) -> Iterator[Problem]:
    """A bfd_instance with the word `checker` alone is none for VRRP."""
    for tracked in _inside(raw, "track_bfd"):
        for line in tracked.children or ():
            if line.words and unquote(line.words[0]) in not_for_vrrp:
                message = (
                    f"{line.words[0]} is only for checkers: write vrrp in its bfd_instance too"
                )
                yield _say(line, "tracked-unknown", message)


def _instance(raw: Raw) -> Iterator[Problem]:
    yield from _tracking(raw)
    words = {c.words[0] for c in raw.children or () if c.words}
    if "unicast_peer" not in words and "unicast_ttl" in words:
        message = "unicast_ttl means nothing without unicast_peer; keepalived takes it back"
        yield _at_close(raw, "unicast-without-peers", message)


def _garp_group(raw: Raw, paced: set[str]) -> Iterator[Problem]:
    for one in raw.children or ():
        if not one.words:
            continue
        if one.words[0] == "interface" and len(one.words) > 1:
            name = unquote(one.words[1])
            if name in paced:
                message = f"{name} is in a garp_group already; keepalived ignores it here"
                yield _say(one, "garp-group-twice", message, 1)
            paced.add(name)
        elif one.words[0] == "interfaces":
            names = [unquote(inner.words[0]) for inner in one.children or () if inner.words]
            again = [n for at, n in enumerate(names) if n in paced or n in names[:at]]
            if again:
                message = f"{again[0]} is in a garp_group already; keepalived ignores it here"
                yield _at_close(one, "garp-group-twice", message)
            paced.update(names)
    if not any(c.words and c.words[0] in GARP_PACES for c in raw.children or ()):
        message = "this garp_group names no interval; keepalived removes it"
        yield _at_close(raw, "garp-group-idle", message)


def _lacks(raw: Raw, code: str, names: tuple[str, ...], what: str) -> Iterator[Problem]:
    """At its closing brace, that a block lacks the word without which it is nothing."""
    if not any(True for name in names for _ in _inside(raw, name)):
        name = unquote(raw.words[1]) if len(raw.words) > 1 else raw.words[0]
        yield _at_close(raw, code, f"{name} names no {what}; keepalived removes it")


def _file(raw: Raw) -> Iterator[Problem]:
    yield from _lacks(raw, "file-missing", ("file",), "file")


def _globals(raw: Raw) -> Iterator[Problem]:
    for inner in _inside(raw, "notification_email"):
        if inner.children is not None and not inner.children:
            yield _at_close(inner, "email-empty", "notification_email names nobody")


def _script(raw: Raw) -> Iterator[Problem]:
    yield from _lacks(raw, "script-not-named", ("script",), "script")


def _bfd(raw: Raw) -> Iterator[Problem]:
    yield from _lacks(raw, "neighbor-missing", ("neighbor_ip", "neighbour_ip"), "neighbor_ip")
    hops = _number(_value(raw, "max_hops"))
    address = _value(raw, "neighbor_ip", "neighbour_ip")
    usual = 64 if address and is_ip(address) and family(address) == 6 else 255
    ttl = _number(_value(raw, "ttl", "hoplimit")) or usual
    if hops is not None and not 0 <= hops <= ttl:
        message = f"max_hops {hops} is above the TTL of {ttl}; keepalived takes the TTL"
        yield _at_close(raw, "bfd-hops", message)


def _process(raw: Raw) -> Iterator[Problem]:
    yield from _lacks(raw, "process-missing", ("process",), "process")
    least: int | None = None
    most: int | None = None
    for child in raw.children or ():
        number = _number(unquote(child.words[1])) if len(child.words) > 1 else None
        if number is None or child.words[0] not in ("quorum", "quorum_max"):
            continue
        if child.words[0] == "quorum":
            if most is not None and number > most:
                yield _say(child, "quorum-range", f"quorum is above quorum_max {most}: ignored", 1)
                continue
            least = number
        elif least is not None and number < least:
            yield _say(
                child, "quorum-range", "quorum_max is below quorum: keepalived ignores it", 1
            )
        else:
            most = number


def _service(raw: Raw) -> Iterator[Problem]:
    scheduler, sorry = "", False
    address = unquote(raw.words[1]) if len(raw.words) > 1 else ""
    for child in raw.children or ():
        if not child.words:
            continue
        word = child.words[0]
        if word in ("lb_algo", "lvs_sched") and len(child.words) > 1:
            scheduler = unquote(child.words[1])
        elif word in FOR_SCHEDULER and scheduler not in FOR_SCHEDULER[word]:
            message = f"{word} counts only after lb_algo {FOR_SCHEDULER[word][0]}; it is ignored"
            yield _say(child, "scheduler-option", message)
        elif word == "sorry_server":
            sorry = True
        elif word in ("sorry_server_inhibit", "sorry_server_lvs_method") and not sorry:
            message = f"{word} counts only after a sorry_server; keepalived ignores it"
            yield _say(child, "sorry-server-missing", message)
        elif word == "ip_family" and len(child.words) > 1 and is_ip(address):
            wanted = 6 if child.words[1] == "inet6" else 4
            if wanted != family(address):
                message = f"ip_family {child.words[1]} contradicts {address}; it is ignored"
                yield _say(child, "family-mixed", message, 1)


def _real_server(raw: Raw, bfds: set[str]) -> Iterator[Problem]:
    for check in raw.children or ():
        if not check.words or check.children is None:
            continue
        if check.words[0] == "BFD_CHECK":
            for name in _inside(check, "name"):
                if len(name.words) > 1 and unquote(name.words[1]) not in bfds:
                    message = (
                        f"there is no bfd_instance {name.words[1]} above; the check is ignored"
                    )
                    yield _say(name, "tracked-unknown", message, 1)
        elif check.words[0] == "MISC_CHECK":
            yield from _lacks(check, "check-without-script", ("misc_path",), "misc_path")
        elif check.words[0] == "UDP_CHECK":
            least = _number(_value(check, "min_reply_length")) or 0
            most = _number(_value(check, "max_reply_length"))
            if least > (255 if most is None else most):
                message = "min_reply_length is above max_reply_length: the check always fails"
                yield _at_close(check, "reply-length", message)


_RULES: dict[str, Callable[[Raw], Iterator[Problem]]] = {
    "vrrp_instance": _instance,
    "vrrp_sync_group": _tracking,
    "bfd_instance": _bfd,
    "vrrp_track_process": _process,
    "virtual_server": _service,
    "vrrp_script": _script,
    "track_file": _file,
    "vrrp_track_file": _file,
    "global_defs": _globals,
}
