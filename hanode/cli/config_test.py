"""`hanode run -t`: keepalived's configuration test, with its exit codes.

DRIVER. For scripts that ask `keepalived -t` before they reload; `hanode check` explains more.
"""

from __future__ import annotations

import sys
from pathlib import Path

from hanode.cli.options import UsageError, plain
from hanode.proc.supervisor.options import built_of, checked, errors_of, read_start_file
from hanode.vrrp.engine_settings import VrrpSettings

OK = 0
UNREADABLE = 4
FAULTY = 5
"""keepalived would start all the same, without the faulty statements."""
INSECURE = 6
"""The file runs programs that other users may change."""

COMPLAINTS = frozenset({"unknown-keyword", "include-not-found"})
"""Warnings of ours that keepalived's test counts as errors."""


def config_test(path: Path, node: str, log: str, all_includes: bool) -> int:
    """The exit code; sentences go to stderr, or to the file `log`. Raises UsageError."""
    code, sentences = _judged(path, node, all_includes)
    text = "".join(plain(sentence) + "\n" for sentence in sentences)
    if not log:
        sys.stderr.write(text)
        return code
    try:
        Path(log).write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{log}: {error.strerror}") from None
    return code


def _judged(path: Path, node: str, all_includes: bool) -> tuple[int, list[str]]:
    try:
        file = read_start_file(path, node)
    except OSError as error:
        return UNREADABLE, [f"{path}: {error.strerror}"]
    if file is None:
        return UNREADABLE, [f"{path}: there is no such file; name the configuration with -f"]
    errors = list(errors_of(file, node, all_includes=all_includes))
    found = checked(file, node).problems
    complaints = [str(p) for p in found if p.severity == "warning" and p.code in COMPLAINTS]
    if errors or complaints:
        return FAULTY, errors + [text for text in complaints if text not in errors]
    settings = built_of(file, node).vrrp
    if runs_programs(settings) and not settings.script_security:
        return INSECURE, [
            f"{path}: programs are run without enable_script_security, so others may change them"
        ]
    return OK, []


def runs_programs(settings: VrrpSettings) -> bool:
    """Whether a tracker or a notification runs a program."""
    notified = [instance.notify for instance in settings.instances]
    notified += [group.notify for group in settings.sync_groups]
    return bool(settings.scripts) or any(
        (n.master, n.backup, n.fault, n.stop, n.deleted, n.master_rx_lower_pri, n.any)
        != (None,) * 7
        for n in notified
    )
