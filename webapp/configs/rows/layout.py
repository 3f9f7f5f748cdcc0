"""A node's new file in the layout of its old one: what does not change keeps its bytes.

Decides only. The rows have no layout, so the file that is written from them is compared with what
would have been written before, and the difference is made in the file that the node has. The
result is taken only if it means the same; otherwise the written file stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from hanode import conf
from hanode.conf import Config, Unwritable
from webapp.configs import language
from webapp.configs.rows.node_overlay import fields_of
from webapp.configs.threeway import spans

CHARS_MAX = 200_000
"""A longer file is written as a whole: to compare it several times would take seconds."""
COMMENT = re.compile(r"(?:^|(?<=\s))[#!].*$")

Lines = list[str]


def in_old_layout(old: Mapping[str, str], made: Mapping[str, str]) -> dict[str, str]:
    """By node: the new file, from the file that the node has and the one that the rows make."""
    nodes = [n for n in made if old[n].strip() and old[n] != made[n]]
    nodes = [n for n in nodes if max(len(old[n]), len(made[n])) <= CHARS_MAX]
    if not nodes:
        return dict(made)
    before, after = language.models_of(dict(old)), language.models_of(dict(made))
    bases = list(_written_before(before))
    found = dict(made)
    for node in nodes:
        others = [text for name, text in old.items() if name != node]
        theirs = made[node].splitlines()
        base = min((b[node].splitlines() for b in bases), key=lambda b: _distance(b, theirs))
        foreign = _comments(others) - _comments([old[node]])
        merged = _merged(base, old[node].splitlines(), theirs, foreign)
        text = "\n".join(merged) + "\n"
        if _same(text, node, after[node], made[node]):
            found[node] = text
        else:
            found[node] = "\n".join(_without(theirs, foreign)) + "\n"
    return found


def _written_before(models: dict[str, Config]) -> Iterator[dict[str, str]]:
    """What would have been written before: from the files, and from the one document of them.

    In the document comments belong to all nodes; who saved it as text has given each to all.
    """
    try:
        yield {node: language.file_of(model).text for node, model in models.items()}
        seen = language.understand(language.document_of(models), models)
        yield {node: language.file_of(model).text for node, model in seen.models.items()}
    except Unwritable:
        return


def _distance(a: Lines, b: Lines) -> int:
    return len(a) + len(b) - 2 * len(conf.aligned(_keys(a), _keys(b), conf.Budget()))


def _keys(lines: Lines) -> Lines:
    """The lines without their layout."""
    return [" ".join(line.split()) for line in lines]


def _merged(base: Lines, mine: Lines, theirs: Lines, foreign: frozenset[str]) -> Lines:
    """The change from `base` to `theirs` in `mine`; comments of other nodes stay out."""
    mine = list(mine)
    base, theirs = _only_in_both(base, mine, theirs)
    base = _substituted(base, mine, theirs)
    out: Lines = []
    for was, one, other in spans(_keys(base), _keys(mine), _keys(theirs)):
        changed = _keys(base[was]) != _keys(theirs[other])
        out += _without(theirs[other], foreign) if changed else mine[one]
    return out


def _only_in_both(base: Lines, mine: Lines, theirs: Lines) -> tuple[Lines, Lines]:
    """Without the empty lines and comments that both have and the file has not."""
    has = set(_keys(mine))
    pairs = conf.aligned(_keys(base), _keys(theirs), conf.Budget())
    idle = [(a, b) for a, b in pairs if base[a].strip()[:1] in ("", "#", "!")]
    gone = [(a, b) for a, b in idle if base[a].strip() not in has]
    left, right = {a for a, _ in gone}, {b for _, b in gone}
    return (
        [line for i, line in enumerate(base) if i not in left],
        [line for i, line in enumerate(theirs) if i not in right],
    )


def _substituted(base: Lines, mine: Lines, theirs: Lines) -> Lines:
    """Change in `mine` each line that is another one now and stands once, wherever that is.

    The order of statements in the file may be another than ours. Returns the base that is left.
    """
    base = list(base)
    keys, there = _keys(base), _keys(mine)
    pairs = conf.aligned(keys, _keys(theirs), conf.Budget())
    i = j = 0
    for a, b in [*pairs, (len(base), len(theirs))]:
        if a - i == b - j:
            for at, new in zip(range(i, a), theirs[j:b], strict=True):
                if keys.count(keys[at]) == there.count(keys[at]) == 1:
                    place = there.index(keys[at])
                    indent = mine[place][: len(mine[place]) - len(mine[place].lstrip())]
                    mine[place] = indent + new.strip()
                    base[at] = new
        i, j = a + 1, b + 1
    return base


def _comments(texts: list[str]) -> frozenset[str]:
    """The comments in files, without their marks."""
    found = (COMMENT.search(line) for text in texts for line in text.splitlines())
    return frozenset(_bare(one[0]) for one in found if one)


def _bare(comment: str) -> str:
    return comment.strip().lstrip("#!").strip()


def _without(lines: Lines, foreign: frozenset[str]) -> Lines:
    """The lines without those comments, also where the document names the node before one."""
    kept: Lines = []
    for line in lines:
        found = COMMENT.search(line)
        bare = _bare(found[0]) if found else ""
        if found and bare and (bare in foreign or bare.partition(": ")[2] in foreign):
            line = line[: found.start()].rstrip()
            if not line:
                continue
        kept.append(line)
    return kept


def _same(text: str, node: str, model: Config, written: str) -> bool:
    """Whether the text means this model, and nothing more is wrong with it than with `written`."""
    seen = language.understand(text, [node])
    if _meaning(fields_of(seen.models[node])) != _meaning(fields_of(model)):
        return False
    return len(seen.problems) <= len(language.understand(written, [node]).problems)


def _meaning(value: Any) -> Any:
    """The fields without their comments."""
    if isinstance(value, dict):
        return {k: _meaning(v) for k, v in value.items() if k != "notes"}
    return [_meaning(item) for item in value] if isinstance(value, list) else value
