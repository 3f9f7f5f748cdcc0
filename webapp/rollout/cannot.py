"""PURE. What of a file a node has said that its machine cannot carry out."""

from __future__ import annotations

from collections.abc import Mapping


def sentences(text: str, cannot: Mapping[str, str]) -> list[str]:
    """One for each such keyword, with the first line that has it; `cannot`: keyword → why."""
    found = []
    for keyword, why in cannot.items():
        for number, line in enumerate(text.split("\n"), 1):
            if keyword in line.partition("#")[0].partition("!")[0].split():
                found.append(f"line {number}: {keyword} cannot run on this node: {why}")
                break
    return found
