"""Checks that nodes reach each other: own addresses, and unicast peers on both sides.

PURE.
"""

from __future__ import annotations

from collections.abc import Iterator

from hanode.conf.check.pairs_words import Group, both, normalised, two_masters
from hanode.conf.model import queries
from hanode.conf.model.model import place
from hanode.conf.rules.addresses import canonical
from hanode.conf.rules.base import inserted, problem
from hanode.conf.text.problems import Problem


def same_way(name: str, group: Group) -> Iterator[Problem]:
    """All nodes use unicast or none does, and each node is among the others' peers."""
    shared = dict(sources_of_several(group))
    for ip, nodes in shared.items():
        second = group[nodes[1]][1]
        word = "unicast_src_ip" if second.unicast_src_ip is not None else "mcast_src_ip"
        message = (
            f"{name}: {both(nodes)} send from the same address {ip}, but an address is one node's "
            "own: the others cannot send, or take its adverts for their own"
        )
        hint = f"write into {word} of {both(nodes[1:])} the node's own address"
        if queries.peers(second):
            hint += ", and the addresses of the others into its unicast_peer"
        yield problem(place(second, word), "source-shared", "error", message, hint)
    talks = {node: {p.ip for p in queries.peers(one)} for node, (_, one) in group.items()}
    unicast = [node for node, peers in talks.items() if peers]
    if not unicast:
        return
    for node, (_, one) in group.items():
        if not talks[node]:
            message = f"{name}: {unicast[0]} speaks to its peers only and {node} to everybody"
            hint = f"write the addresses of the other nodes into unicast_peer of {node}"
            yield two_masters(one.origin, "unicast-differs", message, hint=hint)
    yield from one_list(name, group, talks)
    if not shared:
        yield from one_sided(name, group, talks)


def sources_of_several(group: Group) -> Iterator[tuple[str, list[str]]]:
    """Each source address that more than one node names, with these nodes."""
    named: dict[str, list[str]] = {}
    for node, (_, one) in group.items():
        own = queries.source_ip(one)
        if own is not None:
            named.setdefault(canonical(own[0]), []).append(node)
    yield from ((ip, nodes) for ip, nodes in named.items() if len(nodes) > 1)


def one_list(name: str, group: Group, talks: dict[str, set[str]]) -> Iterator[Problem]:
    """Nodes with one list of peers: without their own addresses nobody can say who is missing."""
    lists = {frozenset(peers) for peers in talks.values()}
    if len(lists) != 1 or any(queries.source_ip(one) is not None for _, one in group.values()):
        return
    (peers,) = lists
    last = list(group)[-1]
    where = place(group[last][1], "unicast_peer")
    hint = "write into unicast_peer of each node the addresses of the others"
    if len(peers) < len(group):
        reached = f"{peer_list(peers)} alone"
        message = (
            f"{name}: {both(group)} all send to {reached}, so one of them sends to itself and is "
            "not heard by the others: two become master"
        )
        if len(group) == 2:
            message = (
                f"{name}: {both(group)} both send to {reached}, so one of them sends to itself "
                "and never to the other: both become master"
            )
        yield problem(where, "peers-one-sided", "error", message, hint)
    else:
        message = (
            f"{name}: {both(group)} have the same peers {peer_list(peers)}, so each of them sends "
            "to itself too"
        )
        yield problem(where, "peer-is-self", "warning", message, hint)


def peer_list(peers: frozenset[str]) -> str:
    """The peers in order."""
    return both(sorted(peers))


def alone(group: Group, deaf: str, other: str) -> str:
    """What becomes of a node that hears nothing from another, which does hear it."""
    config, one = group[deaf]
    hears = queries.source_ip(group[other][1])
    reached = hears is None or hears[0] in {peer.ip for peer in queries.peers(one)}
    if reached and queries.healthy(one, config) > queries.healthy(group[other][1], group[other][0]):
        return "takes over from it at once, whatever nopreempt and preempt_delay say"
    return "both become master"


def one_sided(name: str, group: Group, talks: dict[str, set[str]]) -> Iterator[Problem]:
    """A node that is not among the peers of another hears nothing from it."""
    for node, (_, one) in group.items():
        own = queries.source_ip(one)
        if own is None or not talks[node]:
            continue
        for other, (_, there) in group.items():
            if other != node and talks[other] and own[0] not in talks[other]:
                message = (
                    f"{name}: {node} sends from {own[0]}, which is not among the peers of {other}: "
                    f"{node} hears nothing from it, and {alone(group, node, other)}"
                )
                where = place(there, "unicast_peer")
                hint = f"write {own[0]} into unicast_peer of {other}"
                fix = None
                theirs = normalised((*there.vips, *there.excluded))
                if own[1].file != there.origin.file and canonical(own[0]) not in theirs:
                    last = queries.peers(there)[-1].origin
                    fix = inserted(last, [own[0]], f"add {own[0]} to the peers of {other}")
                yield problem(where, "peers-one-sided", "error", message, hint, fix)
