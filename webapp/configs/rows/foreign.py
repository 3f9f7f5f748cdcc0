"""What is made of foreign text: runs in a user's own process (`webapp.common.workers`).

Plain values go in and come out, and no more comes out than pages show or rows keep. Nothing here
asks the database.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from hanode import conf
from hanode.conf import MASK, Change, Problem, Source, Unwritable, mask_secrets
from webapp.common.collector import uncollected
from webapp.configs import language
from webapp.configs.errors import UnreadableRow
from webapp.configs.language import Found, found_of
from webapp.configs.models.shapes import Json
from webapp.configs.rows import summary
from webapp.configs.rows.absorb import fields_by_node
from webapp.configs.rows.compile import Rows, models_of

LISTING_CHARS = 200_000
"""Characters of a document or a difference that a page shows beside other things."""
EXCERPT_CHARS = 200
"""Characters of a line that are shown before, in and after the place of a problem."""
CHANGES_SHOWN = 500
WORDS_SHOWN = 60


def node_ids(text: str) -> tuple[str, ...]:
    """The nodes that a document names in its conditional lines."""
    return conf.node_ids(text.replace("\r\n", "\n"))


def masked(texts: dict[str, str]) -> dict[str, str]:
    """The texts without secrets."""
    return {name: mask_secrets(text) for name, text in texts.items()}


@uncollected
def problems(text: str, nodes: Iterable[str]) -> Found:
    """What is wrong with a text as the document of these nodes."""
    return found_of(language.understand(text, nodes).problems)


@dataclass(frozen=True, slots=True)
class Read:
    """A text that may become a cluster's rows."""

    found: Found
    fields: dict[str, Json]
    """By node; empty: the text is refused."""
    written: Found
    """What is wrong with the document that the rows then make: the same at other lines."""


@uncollected
def read(text: str, nodes: tuple[str, ...]) -> Read:
    """The text's meaning for each node, as rows keep it."""
    seen = language.understand(text, nodes)
    found = found_of(seen.problems)
    if found.refused:
        return Read(found, {}, found)
    written = _written(seen.models)[1]
    return Read(found, fields_by_node(seen.models), written)


def _written(models: dict[str, conf.Config]) -> tuple[str, Found]:
    """The document of these models, and its problems."""
    try:
        text = language.document_of(models)
    except Unwritable as error:
        return "", found_of((language.unwritable(error),))
    return text, found_of(language.understand(text, models).problems)


@dataclass(frozen=True, slots=True)
class Drawn:
    """The draft as pages show it."""

    text: str
    masked: str
    """For those who may not see secrets."""
    found: Found
    kept: tuple[summary.Kept, ...]
    """Keywords that no form shows."""
    formless: tuple[summary.ServerRow, ...]
    """Virtual servers by mark or group."""


@uncollected
def draw(rows: Rows) -> Drawn:
    """The document of the rows, its problems, and what its forms do not show.

    Raises UnreadableRow, Unwritable.
    """
    models = models_of(rows)
    text = language.document_of(models)
    found = found_of(language.understand(text, models).problems)
    formless = tuple(one for one in summary.servers(models) if not one.has_form)
    return Drawn(text, mask_secrets(text), found, _kept(models), formless[: summary.ROWS_SHOWN])


@uncollected
def document(rows: Rows) -> str:
    """The document of the rows. Raises UnreadableRow, Unwritable."""
    return language.document_of(models_of(rows))


@uncollected
def check_rows(rows: Rows) -> Found:
    """What is wrong with the document of the rows. Raises UnreadableRow."""
    return _written(models_of(rows))[1]


def _kept(models: Mapping[str, conf.Config]) -> tuple[summary.Kept, ...]:
    return tuple(
        replace(one, words=(*one.words[:WORDS_SHOWN], "…")) if len(one.words) > WORDS_SHOWN else one
        for one in summary.kept(models)[: summary.ROWS_SHOWN]
    )


@dataclass(frozen=True, slots=True)
class FileDrawn:
    """A node's file as a push would send it, and how it differs from the one before."""

    text: str
    diff: str
    """Unified, secrets masked; empty: nothing changes."""
    changes: tuple[Change, ...]
    more_changes: int
    problems: tuple[Problem, ...]
    """Problems of writing the file."""


@dataclass(frozen=True, slots=True)
class PushDrawn:
    """Everything that a push would send."""

    document: str
    found: Found
    files: dict[str, FileDrawn]


@uncollected
def draw_push(rows: Rows, old_texts: dict[str, str]) -> PushDrawn:
    """The document and each node's file; `old_texts` are the files that the nodes have.

    Raises UnreadableRow, Unwritable.
    """
    models = models_of(rows)
    made = {node: language.file_of(model) for node, model in models.items()}
    changes = language.changes(old_texts, {node: file.text for node, file in made.items()})
    files = {n: _file(n, old_texts[n], file, changes.get(n, ())) for n, file in made.items()}
    text = language.document_of(models)
    return PushDrawn(text, found_of(language.understand(text, models).problems), files)


def _file(node: str, old: str, new: language.NodeFile, changes: tuple[Change, ...]) -> FileDrawn:
    if old == new.text:
        return FileDrawn(new.text, "", (), 0, new.problems)
    names = (f"{node} as it runs", f"{node} after the push")
    return FileDrawn(
        new.text,
        _listed(language.unified_diff(old, new.text, *names)),
        changes[:CHANGES_SHOWN],
        max(0, len(changes) - CHANGES_SHOWN),
        new.problems[:CHANGES_SHOWN],
    )


def _listed(text: str) -> str:
    """As many whole lines as a page shows, and the number of the others."""
    if len(text) <= LISTING_CHARS:
        return text
    end = text.rfind("\n", 0, LISTING_CHARS) + 1 or LISTING_CHARS
    return f"{text[:end]}… and {text.count(chr(10), end) + 1} lines more"


@dataclass(frozen=True, slots=True)
class ImportDrawn:
    """Nodes' files as an import would take them."""

    files: dict[str, str]
    """By node name; with the fixes where they were asked for."""
    text: str
    """The merged document."""
    listing: str
    """As much of it as a page shows, secrets masked."""
    unlisted: int
    """The number of its other lines."""
    found: Found
    excerpts: tuple[dict[str, Any], ...]
    """Each problem with its line of the node's own file; secrets masked."""
    groups: tuple[summary.GroupRow, ...]
    more_groups: int
    servers: tuple[summary.ServerRow, ...]
    more_servers: int
    kept: tuple[summary.Kept, ...]
    fields: dict[str, Json]
    """By node; empty: the files are refused."""
    numbers: frozenset[int]
    """The VRIDs of its instances."""
    ips: frozenset[str]
    """Their addresses."""


@uncollected
def draw_import(
    files: dict[str, str], fixes: bool, others: dict[str, Rows] | None = None
) -> ImportDrawn:
    """Check and merge the files, by node name; compare them with the rows of other clusters."""
    files = language.with_fixes(files) if fixes else dict(files)
    seen = language.understand_files(files)
    found = found_of((*seen.problems, *_met(seen.models, others or {})))
    instances = [one for config in seen.models.values() for one in config.instances]
    groups, servers = summary.groups(seen.models), summary.servers(seen.models)
    return ImportDrawn(
        files,
        seen.text,
        mask_secrets(seen.text[:LISTING_CHARS]),
        seen.text.count("\n", LISTING_CHARS),
        found,
        tuple(_excerpts(found, files)),
        groups[: summary.ROWS_SHOWN],
        max(0, len(groups) - summary.ROWS_SHOWN),
        servers[: summary.ROWS_SHOWN],
        max(0, len(servers) - summary.ROWS_SHOWN),
        _kept(seen.models),
        {} if found.refused else fields_by_node(seen.models),
        frozenset(one.vrid for one in instances),
        frozenset(conf.canonical(a.ip) for one in instances for a in (*one.vips, *one.excluded)),
    )


@uncollected
def meetings(
    text: str, nodes: tuple[str, ...], others: dict[str, Rows]
) -> tuple[language.NodeProblem, ...]:
    """The problems of a document with other clusters, whose rows are given by name."""
    return _met(language.understand(text, nodes).models, others)


def _met(
    models: dict[str, conf.Config], others: dict[str, Rows]
) -> tuple[language.NodeProblem, ...]:
    compared: dict[str, dict[str, conf.Config]] = {}
    for name, rows in others.items():
        with contextlib.suppress(UnreadableRow):  # that cluster's own page says so
            compared[name] = models_of(rows)
    found = conf.meetings(models, compared)
    return tuple(language.NodeProblem(problem, ()) for problem in found)


def _excerpts(found: Found, files: dict[str, str]) -> Iterable[dict[str, Any]]:
    sources = {node: Source(node, mask_secrets(text)) for node, text in files.items()}
    for each in found.problems:
        yield {"problem": each.problem, **_excerpt(each.problem, sources)}


def _excerpt(problem: Problem, sources: dict[str, Source]) -> dict[str, str]:
    source = sources.get(problem.file)
    line = source.line_text(problem.line) if source else ""
    if not line.strip() or MASK in line:  # a mask moves the columns behind it
        return {"before": line[:EXCERPT_CHARS], "marked": "", "after": ""}
    begin = min(problem.column - 1, len(line))
    end = problem.end_column - 1 if problem.end_line == problem.line else len(line)
    return {
        "before": line[:begin].lstrip()[-EXCERPT_CHARS:],
        "marked": line[begin:end][:EXCERPT_CHARS],
        "after": line[max(begin, end) :][:EXCERPT_CHARS],
    }
