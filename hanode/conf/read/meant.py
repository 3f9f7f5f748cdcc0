"""What people mean by words that are no keywords where they stand: edits that write it.

PURE.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from hanode.conf.language.nearest import nearest
from hanode.conf.language.schema import Block
from hanode.conf.read.blocks import Raw, at_span
from hanode.conf.read.unknown import Verdict, judge
from hanode.conf.text.lexer import unquote
from hanode.conf.text.problems import Fix, Problem
from hanode.conf.text.tree import INCLUDES


def verdict_on(raw: Raw, table: Block) -> Verdict:
    """The verdict on a statement whose first word is no keyword here."""
    words = [unquote(word) for word in raw.words]
    verdict = judge(words[0], table.name)
    if verdict.instead == "native_ipv6" and words[1:] != ["inet6"]:
        return replace(
            verdict, hint="remove the line: IPv4 needs no word", instead=None, remove=True
        )
    return verdict


def group_meant(words: Sequence[str]) -> str | None:
    """`group web` for a virtual_server that is named like a group; None: it is not."""
    plain = len(words) == 1 and re.fullmatch("[A-Za-z_][A-Za-z0-9_-]*", words[0])
    return f"group {words[0]}" if plain else None


def successor(raw: Raw, table: Block, verdict: Verdict) -> Fix | None:
    """The edit that writes the keyword that is meant, or removes a line that means nothing."""
    if raw.line.macro is not None:
        return None
    if verdict.instead:
        span = raw.spans[0]
        keyword = table.keywords.get(verdict.instead)
        if keyword is not None and not keyword.value.most and raw.children is None:
            span = (raw.start, raw.end)  # it stands alone: the old word's value goes
        return Fix(f"write {verdict.instead}", *span, verdict.instead)
    if verdict.remove and raw.children is None:
        whole = raw.line.source.whole_line(raw.start, raw.end)
        return Fix("remove the line", *(whole or (raw.start, raw.end)), "")
    return None


def bare_members(raws: Sequence[Raw], table: Block) -> tuple[Raw, ...]:
    """The lines of a sync group that hold one word that looks like an instance's name."""
    return tuple(
        raw
        for raw in raws
        if len(raw.words) == 1
        and raw.children is None
        and raw.words[0] not in INCLUDES
        and (word := unquote(raw.words[0])) not in table.keywords
        and nearest(word, table.keywords) is None
        and word[:1].isalnum()
    )


def member_without_a_group(raw: Raw, bare: Sequence[Raw]) -> Problem:
    """An instance that stands straight in its sync group; the first edit takes all that do."""
    word = raw.words[0]
    names = [one.words[0] for one in bare]
    message = f"{word} stands straight in the sync group, where keepalived ignores it"
    hint = f"write group {{ with {' and '.join(names)} in it, one on each line"
    first, last = bare[0], bare[-1]
    source = raw.line.source
    fix = None
    between = source.text[first.start : last.end] if first.line.source is source else ""
    whole = between.split() == names and not any(one.line.macro for one in bare)
    if raw is first and whole:
        line = source.text.rfind("\n", 0, first.start) + 1
        indent = source.text[line : first.start]
        if not indent.strip():
            inner = "".join(f"{indent}    {name}\n" for name in names)
            fix = Fix("write group { }", first.start, last.end, f"group {{\n{inner}{indent}}}")
    return at_span(
        raw.line, raw.spans[0], "unknown-keyword", "warning", message, hint=hint, fix=fix
    )
