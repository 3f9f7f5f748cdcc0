"""The form's field for each kind of column.

Ranges, choices, defaults and help come from the language's tables
(`webapp.configs.keyword_help`), the label from the column. Times are typed in seconds and kept in
whole microseconds.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django import forms

from hanode.conf import MASK, Int, Timer
from webapp.configs import keyword_help
from webapp.configs.language import INTERFACE_CHARS_MAX, INTERFACE_NAME
from webapp.configs.models.columns import Column, Kind

REFUSALS: tuple[str, ...] = ("required", "invalid", "invalid_choice", "min_value", "max_value")
REFUSALS += ("max_digits", "max_decimal_places", "max_whole_digits")

SECONDS_DIGITS = 20
"""As many as the largest value of the tables has."""
PASSWORD_CHARS = 64
ADDRESS_CHARS = 60


def field_of(column: Column) -> forms.Field:
    """The form's field for the column."""
    return MADE_BY_KIND[column.kind](column)


def of_table(column: Column) -> dict[str, Any]:
    """A field's help, and its one sentence for everything that the table does not allow."""
    keyword = keyword_help.keyword(column.block, column.keyword)
    messages = dict.fromkeys(REFUSALS, f"Write {keyword_help.shape(keyword)}.")
    help_text = keyword_help.hint(column.block, column.keyword)
    return {"help_text": help_text, "error_messages": messages}


class SecondsField(forms.DecimalField):
    """Seconds for the person, microseconds for the row; the range is the table's."""

    def __init__(self, column: Column) -> None:
        value = keyword_help.keyword(column.block, column.keyword).value
        assert isinstance(value, Timer)
        super().__init__(
            label=column.label,
            required=column.required,
            max_digits=SECONDS_DIGITS,
            decimal_places=6,
            min_value=Decimal(value.low_us) / 1_000_000,
            max_value=Decimal(value.high_us) / 1_000_000,
            **of_table(column),
        )

    def prepare_value(self, value: Any) -> Any:
        """Microseconds of a row become seconds; what was typed stays as it was typed."""
        if isinstance(value, int):
            return f"{(Decimal(value) / 1_000_000).normalize():f}"
        return value

    def clean(self, value: Any) -> int | None:
        """Whole microseconds, or None where nothing was typed."""
        seconds = super().clean(value)
        return None if seconds is None else int(seconds * 1_000_000)


class InterfaceField(forms.RegexField):
    """A network interface's name, as Linux and keepalived's language allow it."""

    def __init__(self, **kwargs: Any) -> None:
        sentence = "Write a network interface's name, at most 15 characters, for example ens33."
        messages = dict.fromkeys(("required", "invalid", "max_length"), sentence)
        super().__init__(
            INTERFACE_NAME, max_length=INTERFACE_CHARS_MAX, error_messages=messages, **kwargs
        )


class AddressField(forms.CharField):
    """An address as a person writes it; the prefix may be left out as in keepalived."""

    def __init__(self, column: Column) -> None:
        super().__init__(
            label=column.label,
            max_length=ADDRESS_CHARS,
            widget=forms.TextInput(
                attrs={"placeholder": "192.168.192.201/24", "autocomplete": "off"}
            ),
            error_messages={
                "required": "Write an address with its prefix, e.g. 192.168.192.201/24."
            },
        )

    def clean(self, value: Any) -> str:
        """The address without the spaces around it."""
        typed = str(super().clean(value)).strip()
        try:
            ipaddress.ip_interface(typed)
        except ValueError:
            raise forms.ValidationError(
                f"“{typed}” is no address; write one with its prefix, e.g. 192.168.192.201/24."
            ) from None
        return typed


def _seconds(column: Column) -> forms.Field:
    return SecondsField(column)


def _whole(column: Column) -> forms.Field:
    value = keyword_help.keyword(column.block, column.keyword).value
    assert isinstance(value, Int)
    return forms.IntegerField(
        label=column.label,
        min_value=value.low,
        max_value=value.high,
        required=column.required,
        **of_table(column),
    )


def _word(column: Column) -> forms.Field:
    """One of the table's words, or nothing written."""
    keyword = keyword_help.keyword(column.block, column.keyword)
    default = f"not written ({keyword.default})" if keyword.default else "not written"
    options = keyword_help.options(keyword.value)
    choices = [("", default), *((each, each) for each in options)]
    return forms.ChoiceField(
        label=column.label, required=column.required, choices=choices, **of_table(column)
    )


def _port(column: Column) -> forms.Field:
    """A port; the table has it inside of another value. keepalived takes 0 for every port."""
    sentence = "Write a whole number from 0 to 65535."
    messages = dict.fromkeys(("invalid", "min_value", "max_value"), sentence)
    return forms.IntegerField(
        label=column.label, min_value=0, max_value=65535, required=False, error_messages=messages
    )


def _flag(column: Column) -> forms.Field:
    help_text = keyword_help.hint(column.block, column.keyword)
    return forms.BooleanField(label=column.label, required=False, help_text=help_text)


def _secret(column: Column) -> forms.Field:
    """No page shows a password: where none is typed the old one stays."""
    help_text = keyword_help.hint(column.block, column.keyword)
    return forms.CharField(
        label=column.label,
        required=False,
        max_length=PASSWORD_CHARS,
        strip=True,
        validators=[_no_mask],
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=f"{help_text} Empty: the one that is set stays.",
    )


def _no_mask(typed: str) -> None:
    """A page's mask, copied back into the field."""
    if MASK[0] * 2 in typed or typed == MASK[0]:
        raise forms.ValidationError(
            "These dots are the mask of a password, not the password; type the password, or leave "
            "the field empty to keep the one that is set."
        )


def _interface(column: Column) -> forms.Field:
    if column.required:
        help_text = keyword_help.hint(column.block, column.keyword)
        return InterfaceField(label=column.label, help_text=help_text)
    placeholder = forms.TextInput(attrs={"placeholder": "the group's interface"})
    return InterfaceField(label=column.label, required=False, widget=placeholder)


def _ip(column: Column) -> forms.Field:
    """An IP address, IPv4 or IPv6, with one sentence for everything else."""
    sentence = "Write an IP address, for example 192.168.192.112."
    messages = {"required": sentence, "invalid": sentence}
    return forms.GenericIPAddressField(
        label=column.label, required=column.required, error_messages=messages
    )


MADE_BY_KIND: dict[Kind, Callable[[Column], forms.Field]] = {
    "address": AddressField,
    "flag": _flag,
    "interface": _interface,
    "ip": _ip,
    "port": _port,
    "secret": _secret,
    "seconds": _seconds,
    "whole": _whole,
    "word": _word,
}
"""A name and a check are no single field: no form changes the one, RealServerForm has the other."""
