"""A row of a document: columns, and `extra` for everything that has no column.

A row's columns have the values of the first node. The row's `extra` has what other nodes have
instead:

    {"shape": 1,                                        # models.shapes
     "fields": {…what has no column: comments, unknown statements…},
     "nodes": {"NodeB": {"vrid": 52, "@position": 1}},  # what this node has instead
     "absent": ["NodeC"]}                               # the parent's nodes without this row

`@position` stands only at the rows of a node whose order cannot be read from the rows' order.

It is sealed in the database, since any of it may be a secret: keys of auth_hmac, a node's own
auth_pass, words in scripts' arguments. It is read by `Row.read` and nowhere else: that upgrades
older shapes, and refuses what it does not know, so that nothing is dropped unseen.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from django.db import models

from webapp.configs.errors import UnreadableRow
from webapp.configs.models import shapes
from webapp.configs.models.columns import checks_of, columns_of
from webapp.configs.models.shapes import NUMBER, SHAPE, Json
from webapp.configs.models.strict import UNKNOWN, Misfit, fields_of, refuse_unknown
from webapp.vault.fields import SealedJson

POSITION = "@position"


@dataclass(frozen=True, slots=True)
class Stored:
    """All values of a row, by the names of the fields in the row's class of `hanode.conf`."""

    columns: Json
    fields: Json
    """What has no column."""
    nodes: dict[str, Json]
    """What a node has instead."""
    absent: tuple[str, ...]

    def without(self, names: Iterable[str]) -> Stored:
        """The same without these fields, which a form sets for all nodes."""
        gone = set(names)
        nodes = {node: _left(said, gone) for node, said in self.nodes.items()}
        return replace(self, fields=_left(self.fields, gone), nodes=nodes)


def _left(said: Json, gone: set[str]) -> Json:
    return {name: value for name, value in said.items() if name not in gone}


def extra_of(fields: Json, nodes: dict[str, Json], absent: Iterable[str]) -> Json:
    """A row's `extra`, without empty parts."""
    nodes = {node: said for node, said in nodes.items() if said}
    parts: Json = {"fields": fields, "nodes": nodes, "absent": list(absent)}
    return {NUMBER: SHAPE, **{name: part for name, part in parts.items() if part}}


class Row(models.Model):
    """What every row of a document has."""

    LANGUAGE: ClassVar[Any]
    """The class of `hanode.conf` that the row stores; None: the row has columns only."""
    ELSEWHERE: ClassVar[frozenset[str]] = frozenset()
    """Fields of that class that other rows or columns store, and `extra` therefore may not."""

    extra = SealedJson(default=shapes.no_extra)

    class Meta:
        abstract = True

    @property
    def called(self) -> str:
        """The name of the row in a sentence."""
        return f"{self._meta.verbose_name} {self}"

    def read(self) -> Stored:
        """The values of the row, in the current shape. Raises UnreadableRow."""
        kind = type(self)
        said = {column.name: getattr(self, column.name) for column in checks_of(kind)}
        try:
            said = shapes.upgraded(kind.__name__, {"extra": self.extra, **said})
            for column in checks_of(kind):
                hint = fields_of(self.LANGUAGE)[column.language_field][0]
                refuse_unknown(hint, said[column.name], column.name)
            fields, nodes, absent = self._parts(said["extra"])
        except Misfit as misfit:
            raise UnreadableRow(self.called, misfit.field, misfit.why) from None
        values = {c.language_field: getattr(self, c.name) for c in columns_of(kind)}
        values |= {column.language_field: said[column.name] for column in checks_of(kind)}
        return Stored(values, fields, nodes, tuple(absent))

    def write(self, stored: Stored) -> None:
        """Set all JSON of the row; saves nothing."""
        self.extra = extra_of(stored.fields, stored.nodes, stored.absent)
        for column in checks_of(type(self)):
            setattr(self, column.name, stored.columns[column.language_field])

    def _parts(self, extra: Json) -> tuple[Json, dict[str, Json], list[str]]:
        for name in extra:
            if name not in ("fields", "nodes", "absent"):
                raise Misfit(f"extra.{name}", UNKNOWN)
        fields, nodes = extra.get("fields", {}), extra.get("nodes", {})
        absent = extra.get("absent", [])
        if not isinstance(nodes, dict) or not isinstance(absent, list):
            raise Misfit("extra", "has nodes or absent that are no object and no list")
        self._refuse(fields, "extra.fields")
        for node, said in nodes.items():
            self._refuse(said, f"extra.nodes.{node}", besides=POSITION)
        return fields, nodes, absent

    def _refuse(self, said: Any, where: str, besides: str = "") -> None:
        if not isinstance(said, dict):
            raise Misfit(where, "is no object")
        known = {} if self.LANGUAGE is None else fields_of(self.LANGUAGE)
        for name, value in said.items():
            if name == besides:
                continue
            if name not in known or name in self.ELSEWHERE:
                raise Misfit(f"{where}.{name}", UNKNOWN)
            refuse_unknown(known[name][0], value, f"{where}.{name}")
