"""The tables of all keywords, and the ways to ask them.

PURE. One file of tables for each part of the language.
"""

from __future__ import annotations

import functools

from hanode.conf.keywords import (
    authentication,
    bfd,
    checkers,
    globals,
    line_options,
    lvs,
    static,
    tracking,
    vrrp,
)
from hanode.conf.language.kinds import Init
from hanode.conf.language.kinds_machine import Fifo, User
from hanode.conf.language.schema import ROOT, Block
from hanode.conf.language.values import Script

ALL = (
    *static.BLOCKS,
    *globals.BLOCKS,
    *vrrp.BLOCKS,
    *authentication.BLOCKS,
    *tracking.BLOCKS,
    *bfd.BLOCKS,
    *lvs.BLOCKS,
    *checkers.BLOCKS,
    *line_options.BLOCKS,
)


@functools.cache
def blocks() -> dict[str, Block]:
    """All blocks by name."""
    return {b.name: b for b in ALL}


@functools.cache
def homes(name: str) -> tuple[str, ...]:
    """The blocks in which a word is a keyword."""
    return tuple(b.name for b in blocks().values() if b.lines is None and name in b.keywords)


@functools.cache
def lines_with(name: str) -> tuple[str, ...]:
    """The blocks of lines in which a word is an option."""
    return tuple(b.name for b in blocks().values() if b.lines is not None and name in b.keywords)


@functools.cache
def root_words() -> frozenset[str]:
    """The words that open a block at the root and are keywords nowhere else."""
    return frozenset(
        k.name
        for k in blocks()[ROOT].keywords.values()
        if k.opens is not None and homes(k.name) == (ROOT,)
    )


@functools.cache
def script_words() -> frozenset[str]:
    """The words after which both kinds of quotes count."""
    return frozenset(
        k.name
        for b in blocks().values()
        for k in b.keywords.values()
        if isinstance(k.value, Script)
    )


@functools.cache
def machine_words() -> frozenset[str]:
    """The words that make root run a program, or as whom, or write a file or a FIFO."""
    return frozenset(
        k.name
        for b in blocks().values()
        for k in b.keywords.values()
        if (isinstance(k.value, Script) and k.value.runs)
        or isinstance(k.value, (User, Fifo))
        or any(sort == "written" for sort, _ in k.value.things(("/x",)))
        or isinstance(k.value, Init)
    )


@functools.cache
def secret_words() -> frozenset[str]:
    """The words whose value nobody may see."""
    return frozenset(k.name for b in blocks().values() for k in b.keywords.values() if k.secret)
