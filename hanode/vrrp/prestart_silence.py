"""For which instances no advert came before the engine had its settings.

PURE. RFC 9568 section 6.4.1 sets the Master_Down_Timer when an instance starts, so that it listens
for a whole Master_Down_Interval before it sends. The listener that runs from the start of the
engine, while it reads its file, has done a part of that already.
"""

from __future__ import annotations

from collections.abc import Container, Mapping

from hanode.vrrp.engine_settings import InstanceKey, InstanceSettings, VrrpSettings

GROUPS = {4: "224.0.0.18", 6: "ff02::12"}
"""The multicast groups that were listened to, by family."""
SOMEWHERE = ""
"""Stands for an interface that is gone: an advert that came there may have come on any."""


def silent_since(
    settings: VrrpSettings,
    indexes: Mapping[str, int],
    *,
    since_us: int,
    interfaces: Mapping[str, int],
    speakers: Container[tuple[str, int, int]],
) -> dict[InstanceKey, int]:
    """The instances for which no advert came since `since_us`, each with that time.

    `indexes`: kernel indexes of the interfaces that there are, by name. `interfaces`: the same of
    those that were listened on; one that was made anew meanwhile was not. `speakers`: (interface,
    family, VRID) of every advert that came.
    """
    silent = {}
    for one in settings.instances:
        there = indexes.get(one.interface)
        if there is None or interfaces.get(one.interface) != there or not _would_be_received(one):
            continue
        spoke = ((at, one.family, one.vrid) in speakers for at in (one.interface, SOMEWHERE))
        if not any(spoke):
            silent[one.key] = since_us
    return silent


def _would_be_received(one: InstanceSettings) -> bool:
    """Whether a listener that knows no settings would have received a master of this instance.

    Not one that sends an authentication header, or to another multicast group; not where the
    instance has no interface, or receives on a virtual one, which was made only now.
    """
    virtual = one.vmac is not None or one.ipvlan is not None
    if one.auth_type == "AH" or one.roams or virtual:
        return False
    return one.unicast or one.mcast_group == GROUPS[one.family]
