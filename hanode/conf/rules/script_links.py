"""Programs behind a symbolic link: newer releases of keepalived do not run them.

PURE. Found with keepalived 2.3.3 and 2.3.4: where a folder of the path is a link (`/bin`, on most
machines), they say "insecure" and leave the script out, with enable_script_security and without.
"""

from __future__ import annotations

from collections.abc import Iterator

from hanode.conf.rules.base import Case, Rule, problem
from hanode.conf.rules.machine import Stat
from hanode.conf.rules.scripts import commands
from hanode.conf.text.problems import Problem

SINCE = "2.3.0"
KEEPS_LINKS = "2.4.0"
"""Since then use_symlink_paths lets them run."""


def behind_links(case: Case) -> Iterator[Problem]:
    """The path of a program must not lead through a link."""
    stat, target = case.machine.stat, case.target
    if stat is None or target.program != "keepalived" or not target.has(SINCE):
        return
    if target.has(KEEPS_LINKS) and case.config.globals.use_symlink_paths:
        return
    for path, where in commands(case.config):
        link = _link_above(path, stat)
        if link is not None:
            message = f"{target} does not run {path}, because {link} is a symbolic link"
            hint = f"write the path without a link: readlink -f {path} shows it"
            yield problem(where, "script-behind-link", "error", message, hint)


def _link_above(path: str, stat: Stat) -> str | None:
    """The first folder of a path that is a link; None: there is none."""
    parts = path.split("/")
    for count in range(2, len(parts)):
        folder = "/".join(parts[:count])
        found = stat(folder)
        if found is not None and found.link:
            return folder
    return None


RULES: tuple[Rule, ...] = (behind_links,)
