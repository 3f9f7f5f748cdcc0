"""Generates docs/keywords.md and docs/problems.md: every keyword, and every problem's code.

PURE. Made from the tables by `hanode explain --markdown`, with `--problems` for the codes; a test
compares the pages with the tables.
"""

from __future__ import annotations

from collections.abc import Iterator

from hanode.conf.check.codes import LINTS, PAIRS, READING, WRITING
from hanode.conf.keywords import blocks
from hanode.conf.language.schema import ROOT, Block, Keyword
from hanode.conf.language.values import Flag
from hanode.conf.read.unknown import place_name

HEAD = """# The words of keepalived.conf

Every block and keyword of keepalived 2.2.7 and of its current release, in our own words. Find one
with your browser's search, or ask at a prompt: `hanode explain WORD`. This page is made from the
tables in `hanode/conf/keywords`, which also drive parser, checks, completion and forms: do not edit
it, run `python -m hanode explain --markdown > docs/keywords.md`.

**Since** names the first release with the word; nothing there means that 2.2.7 has it, and "after
2.4.3" that no release up to that one does (the next one's number is not known). The releases were
compared tag by tag: none took a word of 2.2.7 away, so there is no column for a last one.

**Engine**:
● our node engine does it, ○ not yet (keepalived does), – it has no use for it. Times: seconds.
"""

_ENGINE = {"runs": "●", "planned": "○", "ignored": "–"}


PROBLEMS = """# What `hanode check` finds

Every problem has a code, a place and a sentence, often a hint, and where it is safe an edit that
removes it. Ask at a prompt: `hanode explain CODE`. This page is made from
`hanode/conf/check/codes.py`; do not edit it, run
`python -m hanode explain --markdown --problems > docs/problems.md`. For each code
`tests/conf/cases` has a text with the mistake and one nearly equal without.
"""
_GROUPS = (
    ("One node", "The words fit; what they say together does not.", LINTS),
    ("Between nodes", "Each node is sound by itself, but they are not one cluster.", PAIRS),
    ("While reading", "What does not fit the language, and what keepalived does then.", READING),
    ("While writing", "What cannot be said for a target, or for all nodes at once.", WRITING),
)


def problems_markdown() -> str:
    """docs/problems.md."""
    parts = [PROBLEMS]
    for title, sentence, codes in _GROUPS:
        parts += [f"## {title}", "", sentence, "", "| code | what it means |", "|---|---|"]
        parts += [f"| `{code}` | {text} |" for code, text in sorted(codes.items())]
        parts.append("")
    return "\n".join(parts).rstrip() + "\n"


def keywords_markdown() -> str:
    """docs/keywords.md."""
    table = blocks()
    parts = [HEAD, "## Blocks\n", *_contents(table)]
    for block in table.values():
        parts += ["", *_section(block)]
    return "\n".join(parts).rstrip() + "\n"


def _title(block: Block) -> str:
    """The block's heading. One keyword opens two blocks, so each of these has its own heading."""
    if block.name == ROOT:
        return "The root of the file"
    return "track_file at the root" if block.name == "track_file_block" else block.name


def _anchor(block: Block) -> str:
    """The anchor that GitHub gives the heading."""
    return _title(block).lower().replace(" ", "-")


def _contents(table: dict[str, Block]) -> Iterator[str]:
    for block in table.values():
        count = len(block.keywords)
        what = f"{count} words" if count > 1 else ""
        if block.lines is not None:
            what = f"each line: {block.lines}" + (f", {count} options" if count > 1 else "")
        yield f"* [{_title(block)}](#{_anchor(block)})" + (f" · {what}" if what else "")


def _section(block: Block) -> Iterator[str]:
    yield f"## {_title(block)}\n"
    openers = _openers(block)
    if openers:
        yield f"Opened by {', '.join(openers)}.\n"
    if block.lines is not None:
        yield f"No keywords: each line is {block.lines}{_line_form(block)}."
        if not block.keywords:
            return
        yield ""
    yield "| word | value | not written | what it does | since | engine |"
    yield "|---|---|---|---|---|---|"
    for keyword in block.keywords.values():
        yield _row(keyword)


def _line_form(block: Block) -> str:
    """The words that begin a line, and whether options may follow."""
    parts = [f"{what} ({value.shape})" for what, value in block.head]
    if block.keywords:
        parts.append("options")
    return ": " + ", then ".join(parts) if parts else ""


def _openers(block: Block) -> list[str]:
    return [
        f"`{keyword.name}` in {place_name(outer.name)}"
        for outer in blocks().values()
        for keyword in outer.keywords.values()
        if keyword.opens == block.name and keyword.same_as is None
    ]


def _row(keyword: Keyword) -> str:
    what = keyword.help
    if keyword.same_as is not None:
        what = f"Another word for `{keyword.same_as}`."
    if keyword.old:
        what += f" *Old: {keyword.old}.*"
    if keyword.opens is not None:
        what += f" Opens [{_title(blocks()[keyword.opens])}](#{_anchor(blocks()[keyword.opens])})."
    value = keyword.value.shape
    if keyword.opens is not None and isinstance(keyword.value, Flag):
        value = "a block"
    if keyword.before is not None:
        value += f"; before {keyword.before[0]} {keyword.before[1].shape}"
    cells = (
        f"`{keyword.name}`",
        value,
        keyword.default or "",
        what,
        keyword.came,
        _ENGINE[keyword.engine],
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
