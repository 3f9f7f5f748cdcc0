"""Measures the VRRP engine: `python -m tests.bench.vrrp [--peer keepalived] [--only PART]`.

Needs root. Both engines run the same files in the same run, in turn; keepalived with `-G`.
"""

from __future__ import annotations

import argparse
import json
import os
from typing import Any

from tests.bench.vrrp import failover, flood, quiet, scale
from tests.bench.vrrp.two_nodes import KEEPALIVED

PARTS = ("kill", "stop", "scale", "throughput", "flood", "quiet")


def measured(args: argparse.Namespace, kinds: list[str]) -> dict[str, dict[str, Any]]:
    """The results of the requested parts, by part and engine."""
    found: dict[str, dict[str, Any]] = {}
    for part in args.only or PARTS:
        if part in ("kill", "stop"):
            found[part] = failover.measure(kinds, part, args.runs)
        elif part == "scale":
            found[part] = {kind: scale.all_of_them(kind) for kind in kinds}
        elif part == "throughput":
            found[part] = {kind: scale.throughput(kind) for kind in kinds}
        elif part == "flood":
            found[part] = {kind: flood.keeps_its_beat(kind) for kind in kinds}
        else:
            found[part] = {kind: quiet.false_failovers(kind, args.seconds) for kind in kinds}
    return found


def table(found: dict[str, dict[str, Any]], kinds: list[str]) -> str:
    """The results as Markdown: one line for each figure, one column for each engine."""
    lines = [f"| what | {' | '.join(kinds)} |", "|---" * (len(kinds) + 1) + "|"]
    for part, by_kind in found.items():
        for figure in by_kind[kinds[0]]:
            cells = [f"{by_kind[kind][figure]:,.2f}".removesuffix(".00") for kind in kinds]
            lines.append(f"| {part}: {figure} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.vrrp", description=__doc__)
    parser.add_argument("--peer", choices=["keepalived"], help="measure it beside ours")
    parser.add_argument("--only", choices=PARTS, action="append")
    parser.add_argument("--runs", type=int, default=100, help="failovers of each kind")
    parser.add_argument(
        "--seconds", type=float, default=600, help="how long to wait for a false failover"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    args = parser.parse_args()
    if os.geteuid() != 0:
        parser.error("network namespaces need root")
    if args.peer and KEEPALIVED is None:
        parser.error("keepalived is not installed")
    kinds = [args.peer, "ours"] if args.peer else ["ours"]
    found = measured(args, kinds)
    print(json.dumps(found, indent=2) if args.json else table(found, kinds))


if __name__ == "__main__":
    main()
