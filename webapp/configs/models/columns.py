"""A column of a row, declared once: the database's field, the keyword it holds, and its label.

A row's class (`models.vrrp`, `models.lvs`) declares its columns with the functions below, one line
each. Everything else asks `columns_of`: what absorb and compile copy, what the forms show and
what an edit may set. So a new column is one line in the row's class, and a migration.

A column may hold a keyword that is a field of the row's class in `hanode.conf`; every other
keyword stays in the row's `extra` until it has such a field.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from django.db import models

from webapp.vault.fields import SealedText

WIDTH = 255
"""Characters of a word, a name or an address."""

Kind = Literal[
    "name", "ip", "address", "port", "word", "whole", "seconds", "flag", "secret", "interface",
    "check",
]  # fmt: skip

F = TypeVar("F", bound="models.Field[Any, Any]")


@dataclass(frozen=True, slots=True)
class Column:
    """The declaration of a column, without the database's field."""

    name: str
    """Of the column, and of its field in a form."""
    kind: Kind
    block: str = ""
    keyword: str = ""
    """Where the language's tables have its range, choices, default and help."""
    label: str = ""
    """In a form; "": no form shows it."""
    field: str = ""
    """In the class of `hanode.conf`; "": the column's own name."""
    required: bool = False

    @property
    def language_field(self) -> str:
        """The name of its field in the class of `hanode.conf`."""
        return self.field or self.name


Declaration = tuple[Kind, str, str, str, str, bool]


@functools.cache
def columns_of(row: type[models.Model]) -> tuple[Column, ...]:
    """The row's columns, in the order of their declaration."""
    return tuple(
        Column(field.name, *declared)
        for field in row._meta.local_concrete_fields
        if (declared := getattr(field, "declared", None)) is not None
    )


@functools.cache
def checks_of(row: type[models.Model]) -> tuple[Column, ...]:
    """Those of its columns that hold a check as JSON."""
    return tuple(column for column in columns_of(row) if column.kind == "check")


def in_forms(columns: Iterable[Column]) -> tuple[Column, ...]:
    """The columns that a form shows."""
    return tuple(column for column in columns if column.label)


def _declare(
    made: F,
    kind: Kind,
    block: str = "",
    keyword: str = "",
    label: str = "",
    *,
    field: str = "",
    required: bool = False,
) -> F:
    declared: Declaration = (kind, block, keyword, label, field, required)
    vars(made)["declared"] = declared
    return made


def name_of_row() -> models.CharField[str, str]:
    """The name by which the language knows the row."""
    return _declare(models.CharField(max_length=WIDTH), "name")


def ip(label: str) -> models.CharField[str, str]:
    """An IP address."""
    return _declare(models.CharField(max_length=WIDTH), "ip", label=label, required=True)


def address(label: str) -> models.CharField[str, str]:
    """An IP address with its prefix, as written."""
    return _declare(models.CharField(max_length=WIDTH), "address", label=label, required=True)


def port(label: str) -> models.PositiveIntegerField[int | None, int | None]:
    """A port; null: none is written."""
    return _declare(models.PositiveIntegerField(null=True, blank=True), "port", label=label)


def word(block: str, keyword: str, label: str) -> models.CharField[str | None, str | None]:
    """One of the table's words; null: not written."""
    return _declare(_text_or_null(), "word", block, keyword, label)


def secret(block: str, keyword: str, label: str) -> SealedText:
    """A password, which the database has sealed; null: not written."""
    return _declare(SealedText(null=True, blank=True), "secret", block, keyword, label)


def whole(block: str, keyword: str, label: str) -> models.IntegerField[int | None, int | None]:
    """A whole number; null: not written."""
    return _declare(models.IntegerField(null=True, blank=True), "whole", block, keyword, label)


def small(
    block: str, keyword: str, label: str = ""
) -> models.PositiveSmallIntegerField[int | None, int | None]:
    """A whole number from 0 to 32767; null: not written."""
    made = models.PositiveSmallIntegerField(null=True, blank=True)
    return _declare(made, "whole", block, keyword, label)


def needed(block: str, keyword: str, label: str) -> models.PositiveIntegerField[int, int]:
    """A whole number that must be written; 0 where it is not yet."""
    made = models.PositiveIntegerField(default=0)
    return _declare(made, "whole", block, keyword, label, required=True)


def seconds(block: str, keyword: str, label: str) -> models.BigIntegerField[int | None, int | None]:
    """A time: seconds in the form and in the language, microseconds here; null: not written."""
    return _declare(models.BigIntegerField(null=True, blank=True), "seconds", block, keyword, label)


def flag(block: str, keyword: str, label: str) -> models.BooleanField[bool, bool]:
    """A keyword without a value: whether it is written."""
    return _declare(models.BooleanField(default=False), "flag", block, keyword, label)


def interface(block: str, keyword: str, label: str) -> models.CharField[str, str]:
    """A network interface that must be written; "" where it is not yet."""
    made = models.CharField(max_length=WIDTH, blank=True)
    return _declare(made, "interface", block, keyword, label, required=True)


def device(label: str) -> models.CharField[str | None, str | None]:
    """A network interface; null: not written."""
    return _declare(_text_or_null(), "interface", label=label)


def check(label: str, field: str) -> models.JSONField[Any, Any]:
    """A `hanode.conf.TcpCheck` as JSON; null: there is none."""
    made: models.JSONField[Any, Any] = models.JSONField(null=True, blank=True, default=None)
    return _declare(made, "check", label=label, field=field)


def _text_or_null() -> models.CharField[str | None, str | None]:
    return models.CharField(max_length=WIDTH, null=True, blank=True)
