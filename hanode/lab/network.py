"""Builds the lab's network: a switch, and one device ens33 per machine that leads to it.

SYSTEM. `build` makes all namespaces of a topology or none; `remove` removes all of them.
"""

from __future__ import annotations

import json
import os
import shutil

from hanode.lab import netns
from hanode.lab.netns import NamespaceError
from hanode.lab.topology import DEVICE, PREFIX, VIP, Host, Topology


def why_not() -> str | None:
    """The sentence that says why this machine cannot run the lab; None when it can."""
    if os.geteuid() != 0:
        return "the lab makes network namespaces, and that needs root"
    if shutil.which("ip") is None:
        return "the lab needs the program `ip` (Debian's package iproute2)"
    return None


def build(plan: Topology) -> None:
    """Make the namespaces, the switch and the cables. Raises NamespaceError, leaving nothing."""
    try:
        for name in plan.namespaces:
            netns.create(name)
        _lay_cables(plan)
        for host in plan.real_servers:
            _prepare_real_server(host)
    except (NamespaceError, OSError) as error:
        remove(plan)
        raise NamespaceError(f"the lab's network cannot be made: {error}") from None


def remove(plan: Topology) -> None:
    """Remove every namespace of the topology, with whatever still runs in it."""
    for name in reversed(plan.namespaces):
        netns.delete(name)


def unplug(host: Host, switch: str) -> None:
    """Cut a machine's power: its cable is silent, and its kernel forgets what an engine made."""
    netns.ip_batch([f"link set {host.port} down"], switch)
    links = json.loads(netns.ip("-j", "addr", namespace=host.namespace))
    for link in links:
        if link["ifname"] not in ("lo", DEVICE):
            netns.ip("link", "del", link["ifname"], namespace=host.namespace)
    if host.kind == "director":
        netns.ip_batch([f"addr flush dev {DEVICE}", _own_address(host)], host.namespace)


def plug(host: Host, switch: str) -> None:
    """Give a machine its power back."""
    netns.ip_batch([f"link set {host.port} up"], switch)


def _own_address(host: Host) -> str:
    return f"addr add {host.address}/{PREFIX} broadcast + dev {DEVICE}"


def _lay_cables(plan: Topology) -> None:
    netns.ip_batch(
        # Snooping off: adverts are multicast, and there is no IGMP querier.
        [
            "link add switch type bridge stp_state 0 mcast_snooping 0 forward_delay 0",
            "link set switch up",
        ],
        plan.switch,
    )
    for host in plan.hosts:
        netns.ip_batch(
            [
                f"link add {DEVICE} type veth peer name {host.port} netns {plan.switch}",
                f"link set {DEVICE} up",
                _own_address(host),
            ],
            host.namespace,
        )
    netns.ip_batch(
        [f"link set {host.port} master switch up" for host in plan.hosts],
        plan.switch,
    )


def _prepare_real_server(host: Host) -> None:
    """Direct routing: the server holds the VIP on its loopback and must not answer ARP for it."""
    netns.set_sysctl(
        host.namespace, {"ipv4/conf/all/arp_ignore": "1", "ipv4/conf/all/arp_announce": "2"}
    )
    netns.ip_batch([f"addr add {VIP}/32 dev lo"], host.namespace)
