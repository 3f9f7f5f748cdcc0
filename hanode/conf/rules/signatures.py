"""Rules for auth_hmac: what switches it off, and keys that do not count.

PURE. Each says what keepalived 2.4.3 does instead. No message contains a key.
"""

from __future__ import annotations

from collections.abc import Iterator

from hanode.conf.language.kinds_keys import IN_FILE
from hanode.conf.model import queries
from hanode.conf.model.attributes import place
from hanode.conf.model.model import VrrpInstance
from hanode.conf.model.typed.vrrp import AuthHmac
from hanode.conf.rules.base import Case, Rule, problem
from hanode.conf.text.problems import Problem

SINCE = "2.4.0"
GROUP_OR_OTHERS = 0o077
UNSIGNED = "adverts are sent unsigned, and signed ones are refused"


def switched_off(case: Case) -> Iterator[Problem]:
    """Without a key to sign with there is no auth_hmac."""
    for one, hmac in _signed(case):
        numbers = sorted({key.number for key in hmac.key})
        active = hmac.active_key
        if active in numbers:
            continue
        where = place(hmac, "active_key" if active is not None else "auth_hmac")
        what = f"has no key {active}" if active is not None else "names no active_key"
        if not numbers:
            what = "has no key that can be used"
        hint, fix = "write key 1 and a key of 32 to 64 bytes, and active_key 1", None
        if numbers:
            hint = f"write active_key {numbers[0]}"
            add = active is None
            fix = case.insert(hmac.origin, hint[6:]) if add else case.write(where, hint[6:])
        message = f"auth_hmac of {one.name} {what}, so it is off: {UNSIGNED}"
        yield problem(where, "hmac-off", "error", message, hint, fix)


def twice(case: Case) -> Iterator[Problem]:
    """Of two keys with one number the first counts."""
    for one, hmac in _signed(case):
        seen: set[int] = set()
        for key in hmac.key:
            if key.number in seen:
                message = f"auth_hmac of {one.name} has two keys {key.number}: the first counts"
                hint = "give each key a number of its own"
                yield problem(key.origin, "hmac-key-twice", "error", message, hint)
            seen.add(key.number)


def beside_authentication(case: Case) -> Iterator[Problem]:
    """auth_hmac takes the place of authentication."""
    for one, _ in _signed(case):
        if one.auth_type is None or not one.auth_pass or queries.version(one, case.config) != 2:
            continue
        if queries.strict(one, case.config) is not None:
            continue  # strict mode has dropped it before
        where = place(one, "authentication")
        message = f"{one.name} has auth_hmac, so its authentication is not used"
        fix = None if where is one.origin else case.remove(where, "remove the block")
        hint = "remove authentication; a node that still has it is not heard any more"
        yield problem(where, "hmac-with-auth", "warning", message, hint, fix)


def strict_mode(case: Case) -> Iterator[Problem]:
    """Strict mode takes signed adverts only."""
    for one, hmac in _signed(case):
        if queries.strict(one, case.config) is None or hmac.mode in (None, "enforce"):
            continue
        where = place(hmac, "mode")
        message = f"{one.name} runs in strict mode: mode of auth_hmac is enforce"
        hint = "write mode enforce once every node signs, and strict mode only then"
        fix = case.write(where, "mode enforce")
        yield problem(where, "strict-conflict", "error", message, hint, fix)


def key_files(case: Case) -> Iterator[Problem]:
    """A key's file must be there, and nobody else may read it."""
    stat = case.machine.stat
    if stat is None:
        return
    for one, hmac in _signed(case):
        for key in hmac.key:
            path = key.secret.removeprefix(IN_FILE)
            if path == key.secret or not path.startswith("/"):
                continue
            file = stat(path)
            if file is None:
                signs = key.number == hmac.active_key
                then = f", so auth_hmac is off: {UNSIGNED}" if signs else ": it does not count"
                message = f"auth_hmac of {one.name}: {path}, key {key.number}, does not exist{then}"
                hint = f"put a text of 32 to 64 bytes into {path}, or hex: and twice as many digits"
                yield problem(key.origin, "hmac-key-file", "error", message, hint)
            elif file.mode & GROUP_OR_OTHERS:
                message = f"others than its owner can read {path}, which holds a key"
                hint = f"chmod go-rwx {path}"
                yield problem(key.origin, "secret-readable", "warning", message, hint)


def _signed(case: Case) -> Iterator[tuple[VrrpInstance, AuthHmac]]:
    if not case.target.has(SINCE):
        return
    for one in case.config.instances:
        hmac = one.auth_hmac
        if hmac is not None:
            yield one, hmac


RULES: tuple[Rule, ...] = (switched_off, twice, beside_authentication, strict_mode, key_files)
