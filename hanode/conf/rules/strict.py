"""Rules for strict mode (`vrrp_strict`, `strict_mode`): what it refuses, changes and blocks.

PURE.
"""

from __future__ import annotations

from collections.abc import Iterator

from hanode.conf.model import queries
from hanode.conf.model.attributes import written
from hanode.conf.model.model import Config, VrrpInstance, place
from hanode.conf.rules.base import Case, Rule, problem
from hanode.conf.text.problems import Problem
from hanode.conf.text.source import Origin

_REFUSED = {
    "preempt_delay": "is ignored",
    "vmac_xmit_base": "is ignored",
    "higher_prio_send_advert": "is ignored",
    "garp_lower_prio_repeat": "is ignored",
    "garp_lower_prio_delay": "is ignored",
}


def strict_conflicts(case: Case) -> Iterator[Problem]:
    """Finds settings of an instance that strict mode refuses or changes."""
    for one in case.config.instances:
        if queries.strict(one, case.config) is None:
            continue
        for keyword, what in conflicts(one, case.config):
            message = f"{one.name} runs in strict mode: {what}"
            where = place(one, keyword)
            hint = "switch strict mode off"
            if keyword in _REFUSED:
                hint += ", or remove the line"
            fix = case.remove(where, f"remove {keyword}") if keyword in _REFUSED else None
            yield problem(where, "strict-conflict", "warning", message, hint, fix)


def conflicts(one: VrrpInstance, config: Config) -> Iterator[tuple[str, str]]:
    """(keyword, what strict mode does with it) for each setting that conflicts."""
    version = queries.version(one, config)
    if one.auth_type is not None and version == 2:
        yield "authentication", "authentication is not allowed"
    if one.state == "MASTER" and queries.priority(one) != 255:
        yield "state", "state MASTER is for priority 255 only; it begins as BACKUP"
    if queries.peers(one):
        yield "unicast_peer", "unicast is not allowed"
    if version == 2 and one.accept:
        yield "accept", "accept is not allowed in VRRPv2"
    for keyword, what in _REFUSED.items():
        if _is_on(one, keyword):
            yield keyword, f"{keyword} {what}"
    times = one.down_timer_adverts
    if times not in (None, 3):
        yield "down_timer_adverts", "down_timer_adverts is 3"


def _is_on(one: VrrpInstance, keyword: str) -> bool:
    """Whether the keyword is written and not switched off."""
    return written(one, keyword) and getattr(one, keyword, None) is not False


def strict_unreachable(case: Case) -> Iterator[Problem]:
    """In strict mode only the owner of an address accepts packets to it."""
    found: dict[Origin, list[str]] = {}
    for one in case.config.instances:
        where = queries.strict(one, case.config)
        if where is None or queries.priority(one) == 255 or not (one.vips or one.excluded):
            continue
        if not (one.accept and queries.version(one, case.config) == 3):
            found.setdefault(where, []).append(one.name)
    for where, names in found.items():
        message = (
            f"strict mode: no packet to the addresses of {' and '.join(names)} is accepted, "
            "neither a ping nor a service's"
        )
        hint = "remove strict mode unless the node only forwards"
        yield problem(where, "strict-unreachable", "warning", message, hint)


RULES: tuple[Rule, ...] = (strict_conflicts, strict_unreachable)
