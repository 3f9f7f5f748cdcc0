"""Any edit of any document, for all nodes or one, changes what it should and nothing else."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from hanode import conf
from hanode.conf import EditRefused
from hanode.conf.keywords import blocks, root_words, script_words
from hanode.conf.read.blocks import Raw, build
from hanode.conf.text.expand import expand
from hanode.conf.text.lexer import quote, unquote
from tests.conf.samples import configs, messy_texts


@dataclass
class Node:
    """A mutable statement: the result that an edit should have."""

    words: list[str]
    children: list[Node] | None


def tree(text: str, node: str | None) -> list[Node]:
    """The statements that a node reads, without comments."""

    def grown(raws: list[Raw]) -> list[Node]:
        return [
            Node(
                [unquote(w) for w in raw.words],
                None if raw.children is None else grown(raw.children),
            )
            for raw in raws
        ]

    lines = expand(conf.parse(text), node=node).lines
    return grown(build(lines, root_words(), script_words()).statements)


def blocks_at(statements: list[Node], path: tuple[tuple[str, ...], ...]) -> list[Node]:
    """All blocks that the path leads to."""
    found = [Node([], statements)]
    for part in path:
        found = [
            child
            for block in found
            for child in block.children or ()
            if tuple(child.words) == part and child.children is not None
        ]
    return found


def paths(
    statements: list[Node], around: tuple[tuple[str, ...], ...] = ()
) -> Iterator[tuple[tuple[str, ...], ...]]:
    for one in statements:
        if one.words:
            yield (*around, tuple(one.words))
            yield from paths(one.children or [], (*around, tuple(one.words)))


def append(statements: list[Node], path: tuple[tuple[str, ...], ...], new: Node) -> None:
    """Adds the node at the end of a block, which is created if it needs no name."""
    for depth in range(len(path), -1, -1):
        owners = blocks_at(statements, path[:depth])
        if not owners:
            part = path[depth - 1]
            keyword = blocks()[block_of(path[: depth - 1])].keywords.get(part[0])
            if len(part) > 1 or keyword is None or not keyword.opens or keyword.value.least:
                return
            new = Node(list(part), [new])
            continue
        assert owners[-1].children is not None
        owners[-1].children.append(new)
        return


def block_of(path: tuple[tuple[str, ...], ...]) -> str:
    """The name of the block's table of keywords."""
    name = "root"
    for part in path:
        name = blocks()[name].keywords[part[0]].opens or ""
    return name


def only_kept(owners: list[Node], word: str) -> list[Node]:
    """Removes all statements of a keyword but the one that counts; returns those that were."""
    found = [c for owner in owners for c in owner.children or () if c.words[:1] == [word]]
    gone = found[1:] if kept_is_first(owners, word) else found[:-1]
    for owner in owners:
        assert owner.children is not None
        owner.children[:] = [c for c in owner.children if not any(c is f for f in gone)]
    return found


OPENS = {"track_file": "track_file_block", "vrrp_track_file": "track_file_block"}
"""Blocks that are not called as the keyword that opens them."""


def kept_is_first(owners: list[Node], word: str) -> bool:
    """Whether keepalived keeps the first value of this keyword in these blocks."""
    opener = owners[0].words[0] if owners and owners[0].words else "root"
    table = blocks().get(OPENS.get(opener, opener))
    keyword = None if table is None else table.keywords.get(word)
    return keyword is not None and keyword.keeps == "first"


def quoted(part: tuple[str, ...]) -> str:
    return " ".join(map(quote, part))


SYNONYMS = {
    name
    for block in blocks().values()
    for keyword in block.keywords.values()
    if keyword.same_as is not None
    for name in (keyword.name, keyword.same_as)
}
NODES = (None, "a", "b", "c")


@st.composite
def documents(draw: st.DrawFn) -> str:
    """A cluster's document: lines for all nodes, for some, and for all but one."""
    files = {"a": draw(configs), "b": draw(configs)}
    if draw(st.booleans()):
        files["b"] = files["a"]
    text = conf.merge(files).text
    return text.replace("@a ", "@^b ") if draw(st.integers(0, 3)) == 0 else text


def kept_lines(before: str, after: str, limit: int) -> None:
    """All but a few lines are unchanged and in the same order."""
    changed = sum(
        max(i2 - i1, j2 - j1)
        for tag, i1, i2, j1, j2 in SequenceMatcher(
            None, before.split("\n"), after.split("\n"), autojunk=False
        ).get_opcodes()
        if tag != "equal"
    )
    assert changed <= limit


@given(st.data(), documents(), st.sampled_from([None, "a", "b"]))
@settings(max_examples=60, deadline=None)
def test_a_value_that_is_set_is_what_the_nodes_read_and_nothing_else(
    data: st.DataObject, text: str, node: str | None
) -> None:
    seen = tree(text, node)
    all_paths = [path for path in paths(seen) if not blocks_at(seen, path)]
    assume(all_paths)
    *around, last = data.draw(st.sampled_from(all_paths))
    assume(last[0] not in SYNONYMS)
    path = (*map(quoted, around), quote(last[0]))
    try:
        done = conf.set_value(conf.parse(text), path, "seven", node=node).text()
    except EditRefused:
        event("refused")
        return
    event("done")
    for one in NODES:
        expected, actual = tree(text, one), tree(done, one)
        if node in (None, one):
            # A value that does not count for this node may count for another, and then is changed
            # too.
            owners = blocks_at(expected, tuple(around))
            count = len(only_kept(owners, last[0]))
            only_kept(blocks_at(actual, tuple(around)), last[0])
            if owners and not count:
                append(expected, tuple(around), Node([last[0]], None))
            for child in (c for o in owners for c in o.children or ()):
                if child.words[:1] == [last[0]]:
                    child.words = [last[0], "seven"]
        assert actual == expected, (path, node, one, done)
    kept_lines(text, done, 8)


@given(st.data(), documents(), st.sampled_from([None, "a", "b"]))
@settings(max_examples=60, deadline=None)
def test_what_is_removed_is_gone_and_nothing_else(
    data: st.DataObject, text: str, node: str | None
) -> None:
    all_paths = list(paths(tree(text, node)))
    assume(all_paths)
    *around, last = data.draw(st.sampled_from(all_paths))
    assume(last[0] not in SYNONYMS)
    try:
        done = conf.remove(conf.parse(text), (*map(quoted, around), quoted(last)), node=node).text()
    except EditRefused:
        event("refused")
        return
    event("done")
    for one in NODES:
        expected = tree(text, one)
        if node in (None, one):
            owners = blocks_at(expected, tuple(around)) if around else [Node([], expected)]
            inside = [child for owner in owners for child in owner.children or ()]
            named = [c for c in inside if tuple(c.words[: len(last)]) == last]
            exact = [c for c in named if c.children is not None and tuple(c.words) == last]
            for owner in owners:
                assert owner.children is not None
                owner.children[:] = [c for c in owner.children if c not in (exact or named)]
        assert tree(done, one) == expected, (around, last, node, one, done)


@given(st.data(), documents(), st.sampled_from([None, "a", "b"]))
@settings(max_examples=60, deadline=None)
def test_a_line_that_is_added_is_the_last_of_its_block(
    data: st.DataObject, text: str, node: str | None
) -> None:
    opened = [()] + [
        path
        for path in paths(tree(text, node))
        if all(blocks_at(tree(text, node), path[:n]) for n in range(1, len(path) + 1))
    ]
    around = data.draw(st.sampled_from(opened))
    lines = ("new {", "one 1", "inner {", "}", "}")
    try:
        done = conf.add(conf.parse(text), tuple(map(quoted, around)), *lines, node=node).text()
    except EditRefused:
        event("refused")
        return
    event("done")
    new = Node(["new"], [Node(["one", "1"], None), Node(["inner"], [])])
    for one in NODES:
        expected = tree(text, one)
        if node in (None, one):
            append(expected, around, new)
        assert tree(done, one) == expected, (around, node, one, done)
    kept_lines(text, done, 20)


@given(st.data(), messy_texts, st.sampled_from([None, "a", "b"]))
@settings(max_examples=150, deadline=None)
def test_no_text_makes_an_edit_raise_anything_else(
    data: st.DataObject, text: str, node: str | None
) -> None:
    document = conf.parse(text)
    known = [tuple(quoted(part) for part in path) for path in paths(tree(text, node))]
    path = data.draw(st.sampled_from([*known, ("vrrp_instance g", "priority"), ()]))
    for change in (
        lambda: conf.set_value(document, path, "1", node=node),
        lambda: conf.remove(document, path, node=node),
        lambda: conf.add(document, path, "one {", "}", node=node),
        lambda: conf.add_address(document, "g", "192.0.2.1", node=node),
        lambda: conf.remove_address(document, "g", "192.0.2.1", node=node),
    ):
        with contextlib.suppress(EditRefused):
            change()
