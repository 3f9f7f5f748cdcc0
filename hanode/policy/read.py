"""Reads the policy's files: TOML, every key known, every value of the right form.

PURE. A word that is not known is an error, because a misspelt rule would protect nothing.
"""

from __future__ import annotations

import ipaddress
import re
import tomllib
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from hanode.wire import NodePolicy

DEFAULT_PATH = "/etc/hanode/policy.toml"
"""Beside it, `policy.d/*.toml` are read too, in the order of their names."""

DEFAULT = NodePolicy(
    add_programs=True,
    users=("keepalived_script", "nobody"),
    programs=(
        "/etc/keepalived",
        "/usr/bin",
        "/usr/sbin",
        "/bin",
        "/sbin",
        "/usr/libexec/keepalived",
        "/usr/lib/keepalived",
        "/usr/local/bin",
        "/usr/local/sbin",
    ),
    root_programs=("/etc/keepalived", "/usr/libexec/keepalived"),  # no shell is among them
    written=("/tmp", "/run/keepalived", "/var/lib/keepalived"),  # noqa: S108 - keepalived's place
    fifos=("/tmp", "/run/keepalived", "/var/lib/keepalived"),  # noqa: S108
    read=("/",),
    keys=("/etc/keepalived", "/etc/ssl/certs", "/etc/pki/tls/certs"),
    includes=("/etc/keepalived",),
    interfaces=("*",),
    addresses=("0.0.0.0/0", "::/0"),
)
"""What holds where no file says otherwise: nothing that is pushed runs as root."""

_TABLES: dict[str, dict[str, str]] = {
    "programs": {
        "add": "add_programs",
        "users": "users",
        "groups": "groups",
        "directories": "programs",
        "root_directories": "root_programs",
    },
    "files": {
        "written": "written",
        "fifos": "fifos",
        "read": "read",
        "keys": "keys",
        "includes": "includes",
    },
    "network": {
        "interfaces": "interfaces",
        "addresses": "addresses",
        "namespaces": "namespaces",
    },
}
"""Table and key in the file, and the field of NodePolicy."""

_PATHS = ("programs", "root_programs", "written", "fifos", "read", "keys", "includes")
_WORD = re.compile(r"[^\s/]+")
_HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?")


class PolicyError(Exception):
    """A policy's file is wrong; the text says which, where and what to do."""


def from_toml(files: Iterable[tuple[str, str]]) -> NodePolicy:
    """The policy of the files (name, text), in order. Raises PolicyError.

    What no file says has its default. Lists of several files add up; of `add` the last counts.
    """
    values: dict[str, Any] = {}
    names: list[str] = []
    for name, text in files:
        names.append(name)
        for field, value in _values(name, text):
            if isinstance(value, tuple):
                value = tuple(dict.fromkeys((*values.get(field, ()), *value)))
            values[field] = value
    return replace(DEFAULT, files=tuple(names), **values)


def _values(name: str, text: str) -> Iterable[tuple[str, Any]]:
    try:
        tables = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise PolicyError(f"{name} is no TOML: {error}") from None
    for table, rows in tables.items():
        known = _TABLES.get(table)
        if known is None or not isinstance(rows, dict):
            raise PolicyError(f"{name}: there is no [{table}]; the tables are {_list(_TABLES)}")
        for key, value in rows.items():
            if key not in known:
                raise PolicyError(f"{name}: [{table}] has no {key}; it has {_list(known)}")
            yield known[key], _value(f"{name}: {key} in [{table}]", known[key], value)


def _value(what: str, field: str, value: Any) -> bool | tuple[str, ...]:
    if field == "add_programs":
        if not isinstance(value, bool):
            raise PolicyError(f"{what} is true or false")
        return value
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise PolicyError(f'{what} is a list of words: ["…", "…"]')
    for one in value:
        _check(what, field, one)
    return tuple(value)


def _check(what: str, field: str, one: str) -> None:
    if field in _PATHS:
        if not one.startswith("/") or ".." in one.split("/"):
            raise PolicyError(f"{what} has whole paths without ..; {one!r} is none")
    elif field == "addresses":
        try:
            ipaddress.ip_network(one, strict=False)
        except ValueError:
            if not _HOST.fullmatch(one) or re.fullmatch(r"[0-9./:]+", one):
                raise PolicyError(f"{what} has networks and hosts; {one!r} is none") from None
    elif not _WORD.fullmatch(one):
        raise PolicyError(f"{what} has names; {one!r} is none")


def _list(words: Iterable[str]) -> str:
    return ", ".join(words)
