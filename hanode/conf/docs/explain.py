"""`explain_word`: what a keyword or a problem's code means, for `hanode explain WORD`.

PURE. All texts come from the schema's tables.
"""

from __future__ import annotations

from dataclasses import dataclass

from hanode.conf.check.codes import CODES
from hanode.conf.keywords import blocks, homes, lines_with
from hanode.conf.language.nearest import nearest
from hanode.conf.language.schema import Keyword
from hanode.conf.read.unknown import RETIRED, place_name

_ENGINE = {
    "runs": "Our node engine does it.",
    "planned": "Our node engine does not do it yet; keepalived does.",
    "ignored": "Our node engine ignores it.",
}


LONGEST = 40
"""Characters of an unknown word that are repeated in the answer."""


@dataclass(frozen=True, slots=True)
class Explained:
    """Whether the word is known, and the text to show."""

    found: bool
    text: str


def explain_word(word: str) -> Explained:
    """The meaning of a keyword in each block that has it, or of a problem's code."""
    places = homes(word) or lines_with(word)
    if places:
        table = blocks()
        return Explained(
            True, "\n\n".join(explain(table[name].keywords[word], name) for name in places)
        )
    if word in CODES:
        return Explained(True, f"{word}, a problem: {CODES[word]}")
    if word in RETIRED:
        return Explained(True, f"{word}: {RETIRED[word]}; keepalived ignores the line.")
    every = {name for block in blocks().values() for name in block.keywords}
    guess = nearest(word, sorted(every | set(CODES)))
    hint = f"; did you mean {guess}?" if guess else ""
    said = word if len(word) <= LONGEST else f"{word[:LONGEST]}…"
    return Explained(
        False, f"{said} is no word of keepalived's configuration and no problem's code{hint}"
    )


def explain(keyword: Keyword, block: str) -> str:
    """The meaning of one keyword in one block, in several lines."""
    lines = [f"{keyword.name} in {place_name(block)}: {keyword.help}"]
    if keyword.same_as is not None:
        lines.append(f"Another word for {keyword.same_as}.")
    if keyword.opens is not None:
        lines.append("It opens a block.")
    else:
        lines.append(f"Value: {keyword.value.shape}.")
    if keyword.before is not None:
        release, value = keyword.before
        lines.append(f"Before keepalived {release}: {value.shape}.")
    if keyword.default is not None:
        lines.append(f"Not written: {keyword.default}.")
    if keyword.since:
        lines.append(f"In keepalived since {keyword.came}.")
    lines.append(_ENGINE[keyword.engine])
    return "\n  ".join(lines)
