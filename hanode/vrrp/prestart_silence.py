"""Whose silence, before the engine had its settings, counts.

PURE. RFC 9568 section 6.4.1 sets the Master_Down_Timer when an instance starts, so that it listens
for a whole Master_Down_Interval before it speaks. Whoever has listened since the engine was
started, while it read its file, has done a part of that already.
"""

from __future__ import annotations

from collections.abc import Container, Mapping

from hanode.vrrp.settings import InstanceKey, InstanceSettings, VrrpSettings

GROUPS = {4: "224.0.0.18", 6: "ff02::12"}
"""What was listened to, by family."""
SOMEWHERE = ""
"""An interface that is gone: whoever spoke there may have spoken anywhere."""


def quiet_since(
    settings: VrrpSettings,
    indexes: Mapping[str, int],
    *,
    since_us: int,
    interfaces: Mapping[str, int],
    speakers: Container[tuple[str, int, int]],
) -> dict[InstanceKey, int]:
    """The instances for which nobody spoke since then, each with that time.

    `indexes` are those of the interfaces that there are, by name; `interfaces`, alike, those that
    were listened on: one that was made anew meanwhile was not. `speakers`: (interface, family,
    VRID) of every advert that came.
    """
    quiet = {}
    for one in settings.instances:
        there = indexes.get(one.interface)
        if there is None or interfaces.get(one.interface) != there or not _was_heard(one):
            continue
        heard = ((at, one.family, one.vrid) in speakers for at in (one.interface, SOMEWHERE))
        if not any(heard):
            quiet[one.key] = since_us
    return quiet


def _was_heard(one: InstanceSettings) -> bool:
    """Whether a master of this instance would have been noticed by who knew no settings.

    Not behind an authentication header, in a group of its own, on any interface, or where a virtual
    one, which was made only now, is what hears it.
    """
    virtual = one.vmac is not None or one.ipvlan is not None
    if one.auth_type == "AH" or one.roams or virtual:
        return False
    return one.unicast or one.mcast_group == GROUPS[one.family]
