"""Which of the files on a command line are nodes of one cluster, and what the nodes are called.

PURE. Files whose instances have the same address are nodes of one cluster; others only happen to be
checked together. Names of instances say nothing: in unrelated files they are all called VI_1.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

from hanode.conf import Config, canonical


def labels(names: Sequence[str]) -> dict[str, str]:
    """The name of each file's node: the file's name, with as many directories as make it unique."""
    parts = {name: PurePath(name).with_suffix("").parts or (name,) for name in names}
    found: dict[str, str] = {}
    for name, path in parts.items():
        size = 1
        while size < len(path) and any(
            other[-size:] == path[-size:] for key, other in parts.items() if key != name
        ):
            size += 1
        found[name] = "/".join(path[-size:])
    return found


def clusters(models: dict[str, Config]) -> list[dict[str, Config]]:
    """The nodes of each cluster among the files; two or more."""
    together: list[tuple[frozenset[str], dict[str, Config]]] = []
    for name, model in models.items():
        moved = frozenset(canonical(vip.ip) for one in model.instances for vip in one.vips)
        joined = [each for each in together if each[0] & moved]
        apart = [each for each in together if not each[0] & moved]
        nodes = {key: value for _, found in joined for key, value in found.items()}
        whole = moved.union(*(found for found, _ in joined))
        together = [*apart, (whole, {**nodes, name: model})]
    return [found for _, found in together if len(found) > 1]
