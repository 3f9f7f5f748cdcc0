"""Compares how the nodes of a cluster sign (auth_hmac): who refuses whose adverts.

PURE.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import permutations

from hanode.conf.model import queries
from hanode.conf.model.model import Config, VrrpInstance, place
from hanode.conf.rules.base import problem
from hanode.conf.text.problems import Problem

Group = Mapping[str, tuple[Config, VrrpInstance]]


def same_signatures(name: str, group: Group) -> Iterator[Problem]:
    """Who refuses the other's adverts becomes master beside it. No fix: it would reveal a key.

    Nodes need not be equal: while keys change and auth_hmac is rolled out, they are not.
    """
    signs = {
        node: queries.signing(one, strict=queries.strict(one, config) is not None)
        for node, (config, one) in group.items()
    }
    refused: dict[tuple[str, str], list[str]] = {}
    for sender, receiver in permutations(group, 2):
        if why := signs[receiver].refuses(signs[sender]):
            refused.setdefault((receiver, why), []).append(sender)
    for (receiver, why), senders in refused.items():
        at, who = place(group[receiver][1], "auth_hmac"), " and ".join(senders)
        send = "sends" if len(senders) == 1 else "send"
        message = f"{name}: {receiver} refuses {why}, and {who} {send} them (auth_hmac)"
        text = f"{message}: {receiver} becomes master beside {who}"
        hint = "give all the same keys; mode receive-only on all, then permissive, then enforce"
        yield problem(at, "auth-differs", "error", text, hint)
