"""A keyword is understood in one place: however it is written, the engines are given the same.

Every keyword that the engine carries out is taken from the tables, so that a new one is tested by
itself: at its least, its greatest and its default value, plain, in quotes and made by a macro.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from hanode import conf
from hanode.build import build
from hanode.conf.language.schema import Block, Keyword
from hanode.conf.language.values import BadValue, Script, read_words
from tests.build import values
from tests.build.values import Said
from tests.build.worlds import BESIDE, BODIES, HERE, PLACES, WORLDS

IDLE: dict[str, str] = {
    "no_virtual_ipaddress": "says only that it is meant that there are no addresses",
    "global_tracking": "an old word; the group's trackers count without it",
    "inet": "IPv4 is what a line without an IPv6 address is about",
    "prepend": "is what happens anyhow",
}
"""Keywords that change nothing."""

ALIKE: dict[str, str] = {
    "skip_check_adv_addr": "keepalived: the word in an instance switches it on, whatever follows",
    "dynamic_interfaces": "the engine lets interfaces change without further permission",
    "timer_expired_backup": "without a number it is the greatest",
    "thread_timer_expired": "without a number it is the greatest",
    "pref": "a number without a meaning is medium to the kernel",
}
"""Keywords of which two values come to the same."""

NO_DEFAULT: dict[str, str] = {
    "vrrp_rlimit_rttime": "the engine leaves its limit alone",
    "persistence_timeout": "is what it means without a number; without it there is none",
    "preference": "is what the kernel chooses",
    "table": "None is the main table; of a local route it is the local one",
}
"""Keywords whose default is not what they mean where they are not written."""


@dataclass(frozen=True)
class Outcome:
    """What a text comes to: its mistakes, and what the engines are given."""

    mistakes: tuple[str, ...]
    settings: str
    """Without the lines of routes and rules as people see them."""
    errors: tuple[str, ...]
    ignored: tuple[str, ...]


@functools.cache
def outcome(text: str) -> Outcome:
    checked = conf.check(text, target=conf.NEWEST)
    mistakes = tuple(str(p) for p in checked.problems if p.severity == "error")
    built = build(checked.model)
    settings = re.sub(r", text=('[^']*'|\"[^\"]*\")", "", f"{built.vrrp} {built.checker}")
    return Outcome(mistakes, settings, built.errors, built.ignored)


@pytest.fixture(autouse=True)
def _no_outcomes_of_other_tests() -> None:
    """Each test builds what it looks at: nothing is left of a run before it in this process."""
    outcome.cache_clear()


def keywords() -> Iterator[tuple[Block, Keyword]]:
    """What the engine carries out; other spellings are tried with the main one."""
    for table in conf.blocks().values():
        for keyword in table.keywords.values():
            main = table.keywords[keyword.same_as or keyword.name]
            assert main.engine == keyword.engine, f"{table.name}: {keyword.name}, {main.name}"
            if keyword.engine == "runs" and keyword is main:
                yield table, keyword


def world(table: Block, keyword: Keyword, statement: str, top: str = "") -> str:
    """The keyword's small configuration with the statement in it."""
    text = PLACES.get(table.name, {}).get(keyword.name) or WORLDS[table.name]
    names = {keyword.name, *spelt(table, keyword)}
    lines = []
    for line in text.splitlines():
        found = re.fullmatch(r"unless ([^:]*): (.*)", line)
        if found is None:
            lines.append(line)
        elif not names & set(found[1].split()):
            lines.append(found[2])
    beside = BESIDE.get(table.name, {}).get(keyword.name)
    before = f"{beside}\n" if beside else ""
    return top + "\n".join(lines).replace(HERE, before + statement) + "\n"


def spelt(table: Block, keyword: Keyword) -> list[str]:
    """The other spellings of a keyword."""
    return [k.name for k in table.keywords.values() if k.same_as == keyword.name]


def bodies(keyword: Keyword) -> tuple[str, ...]:
    return (
        ("",)
        if keyword.opens is None
        else tuple(f" {{\n{body}\n}}" for body in BODIES[keyword.opens])
    )


def quoted(keyword: Keyword, body: str) -> str:
    """The body of a block of lines with each word in quotes; others have keywords of their own."""
    if keyword.opens is None or conf.blocks()[keyword.opens].lines is None:
        return body
    inner = body.removeprefix(" {\n").removesuffix("\n}")
    return " {\n" + "\n".join(map(values.in_quotes, inner.splitlines())) + "\n}"


def again(table: Block) -> bool:
    """Whether the options of a block's lines are those of a block before it."""
    if table.lines is None:
        return False
    first = next(b for b in conf.blocks().values() if b.lines == table.lines)
    return first is not table


def spellings(table: Block, keyword: Keyword, said: Said, body: str) -> Iterator[tuple[str, str]]:
    """(definitions before the text, the statement) of each way to write one and the same."""
    name = keyword.name
    one = f"{name} {said.text}".rstrip()
    yield "", f'"{name}" {said.text}{body}'
    for other in spelt(table, keyword):
        yield "", f"{other} {said.text}{body}"
    if not isinstance(keyword.value, Script):
        yield "", f"{name} {values.in_quotes(said.text)}{quoted(keyword, body)}"
    if said.text:
        yield f"$VALUE={said.text}\n", f"{name} $VALUE{body}"
    if not again(table):
        for text in said.same:
            yield "", f"{name} {text}{body}"
        if said.text:
            yield f"$A={said.text}\n$VALUE=${{A}}\n", f"{name} ${{VALUE}}{body}"
    lines = f"{one}{body}".splitlines()
    yield "$LINE=" + " \\\n".join(lines) + "\n", "$LINE"


def run(table: Block, keyword: Keyword) -> dict[str, Outcome]:
    """What each value comes to, after a comparison of its spellings."""
    found: dict[str, Outcome] = {}
    for said, body in itertools.product(values.of(table, keyword), bodies(keyword)):
        plain = f"{keyword.name} {said.text}{body}"
        text = world(table, keyword, plain)
        expected = found[f"{said.text}{body}"] = outcome(text)
        assert expected.mistakes == (), text
        for top, statement in spellings(table, keyword, said, body):
            other = outcome(world(table, keyword, statement, top))
            assert other == expected, f"{top}{statement}\nis not\n{plain}\nin\n{text}"
    return found


ALL = [pytest.param(t, k, id=f"{t.name}-{k.name}") for t, k in keywords()]


@pytest.mark.parametrize(("table", "keyword"), ALL)
def test_however_it_is_written_the_engines_are_given_the_same(
    table: Block, keyword: Keyword
) -> None:
    without = outcome(world(table, keyword, ""))
    found = run(table, keyword)
    for text, told in found.items():
        assert told.errors == (), f"{keyword.name} {text}: the check finds no mistake"
        assert set(told.ignored) <= set(without.ignored), f"{keyword.name} {text}"
    settings = {text: told.settings for text, told in found.items()}
    if keyword.name in IDLE:
        assert set(settings.values()) == {without.settings}, IDLE[keyword.name]
    else:
        assert set(settings.values()) != {without.settings}, f"{keyword.name} is read by nobody"
        for one, other in itertools.combinations(settings, 2):
            assert keyword.name in ALIKE or settings[one] != settings[other], (
                f"{keyword.name} {one} means {other}"
            )
    if keyword.name not in NO_DEFAULT and _is_value(keyword, keyword.default):
        default = outcome(world(table, keyword, f"{keyword.name} {keyword.default}"))
        assert default == without, "the default, written out, is no default"


def _is_value(keyword: Keyword, default: str | None) -> bool:
    """Whether a default is a value, and no sentence about one."""
    words = (default or "").split()
    try:
        read_words(keyword.value, words)
    except BadValue:
        return False
    return bool(words) and len(words) <= keyword.value.most


def test_the_exceptions_are_about_keywords_that_run() -> None:
    names = {keyword.name for _, keyword in keywords()}
    assert {*IDLE, *ALIKE, *NO_DEFAULT} <= names
