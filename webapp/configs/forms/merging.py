"""Two people at one form: a change of either is kept; where both changed one field, both are shown.

A form sends what its page showed first (`RowForm.remember_what_was_shown`). So what was typed
is known apart from what was only shown, and is made again on what the row says now.
"""

from __future__ import annotations

import json
from typing import TypeVar

from django import forms
from django.forms.boundfield import BoundField
from django.http import QueryDict
from django.utils.crypto import salted_hmac

from webapp.configs.forms.versioned import RowForm
from webapp.configs.models.row import Row

F = TypeVar("F", bound=RowForm)


def rebased(form: F, now: F, version: int) -> F | None:
    """What was typed into `form`, on the values of `now`, the same form of today's row.

    A field that both changed has an error with both values, and keeps what was typed, which is
    saved when it is sent again. None: the page did not send what it had shown.
    """
    assert isinstance(form.data, QueryDict)
    data = form.data.copy()
    clashes: dict[str, str] = {}
    for name, field in form.fields.items():
        if name == "version":
            continue
        typed, current = _text(form[name], form[name].data), _text(now[name], now[name].value())
        if isinstance(field.widget, forms.PasswordInput):
            if typed:
                clashes[name] = "Somebody saved meanwhile. Type the password again to set it."
            continue
        base = data.get(form.add_initial_prefix(name))
        if base is None:
            return None
        if typed == base:
            data[form.add_prefix(name)] = current
            if isinstance(field, forms.BooleanField) and current == "False":
                del data[form.add_prefix(name)]
        elif current not in (base, typed):
            clashes[name] = f"Changed meanwhile to {_word(current)}; yours is {_word(typed)}."
        data[form.add_initial_prefix(name)] = current
    data[form.add_prefix("version")] = str(version)
    merged = type(form)(data, prefix=form.prefix)
    for name, sentence in clashes.items():
        merged.add_error(name, f"{sentence} Save again to keep yours, or write the other.")
    return merged


def _text(field: BoundField, value: object) -> str:
    """A value as its hidden field has it."""
    if isinstance(field.field, forms.BooleanField):
        return str(bool(value))
    return "" if value is None else str(value).strip()


def _word(text: str) -> str:
    return {"": "nothing", "True": "on", "False": "off"}.get(text, text)


def mark_of(row: Row) -> str:
    """A mark of all that the row says; it tells nobody what that is. Raises UnreadableRow."""
    stored = row.read()
    said = [stored.columns, stored.fields, stored.nodes, list(stored.absent)]
    return salted_hmac("a row as a page showed it", json.dumps(said, sort_keys=True)).hexdigest()
