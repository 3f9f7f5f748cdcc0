"""What a person types, as values; whether the whole document is sound, the service decides.

Ranges, choices, defaults and help come from the language's tables
(`webapp.configs.keyword_help`). Times are typed in seconds and kept in whole microseconds.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.core.files.uploadedfile import UploadedFile

from hanode.conf import node_ids
from hanode.conf.language.values import Int, Timer
from webapp.configs import keyword_help
from webapp.configs.language import (
    INTERFACE_CHARS_MAX,
    INTERFACE_NAME,
    TEXT_CHARS_MAX,
    NodeProblem,
)

REFUSALS: tuple[str, ...] = ("required", "invalid", "invalid_choice", "min_value", "max_value")
REFUSALS += ("max_digits", "max_decimal_places", "max_whole_digits")


def of_table(block: str, name: str) -> dict[str, Any]:
    """A field's help, and its one sentence for everything that the table does not allow."""
    sentence = f"Write {keyword_help.shape(keyword_help.keyword(block, name))}."
    messages = dict.fromkeys(REFUSALS, sentence)
    return {"help_text": keyword_help.hint(block, name), "error_messages": messages}


class SecondsField(forms.DecimalField):
    """Seconds for the person, microseconds for the row; the range is the table's."""

    def __init__(self, label: str, block: str, name: str) -> None:
        value = keyword_help.keyword(block, name).value
        assert isinstance(value, Timer)
        super().__init__(
            label=label,
            required=False,
            max_digits=SECONDS_DIGITS,
            decimal_places=6,
            min_value=Decimal(value.low_us) / 1_000_000,
            max_value=Decimal(value.high_us) / 1_000_000,
            **of_table(block, name),
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


SECONDS_DIGITS = 20
"""As many as the largest value of the tables has."""


def whole(label: str, block: str, name: str, *, required: bool = False) -> forms.IntegerField:
    """A whole number in the table's range."""
    value = keyword_help.keyword(block, name).value
    assert isinstance(value, Int)
    return forms.IntegerField(
        label=label,
        min_value=value.low,
        max_value=value.high,
        required=required,
        **of_table(block, name),
    )


def one_of(label: str, block: str, name: str) -> forms.ChoiceField:
    """One of the table's words, or nothing written."""
    keyword = keyword_help.keyword(block, name)
    default = f"not written ({keyword.default})" if keyword.default else "not written"
    choices = [("", default), *((each, each) for each in keyword_help.options(keyword.value))]
    return forms.ChoiceField(label=label, required=False, choices=choices, **of_table(block, name))


def port(label: str) -> forms.IntegerField:
    """A port; the table has it inside of another value. keepalived takes 0 for every port."""
    sentence = "Write a whole number from 0 to 65535."
    messages = dict.fromkeys(("invalid", "min_value", "max_value"), sentence)
    return forms.IntegerField(
        label=label, min_value=0, max_value=65535, required=False, error_messages=messages
    )


class InterfaceField(forms.RegexField):
    """A network interface's name, as Linux and keepalived's language allow it."""

    def __init__(self, **kwargs: Any) -> None:
        sentence = "Write a network interface's name, at most 15 characters, for example ens33."
        messages = dict.fromkeys(("required", "invalid", "max_length"), sentence)
        super().__init__(
            INTERFACE_NAME, max_length=INTERFACE_CHARS_MAX, error_messages=messages, **kwargs
        )


class VersionedForm(forms.Form):
    """Carries the draft's version that the person saw, so that nobody overwrites unseen work."""

    problems: tuple[NodeProblem, ...] = ()
    """Why the service refused the whole document."""

    version = forms.IntegerField(widget=forms.HiddenInput(attrs={"id": False}))

    def values(self) -> dict[str, Any]:
        """What was typed, without the version."""
        return {k: v for k, v in self.cleaned_data.items() if k != "version"}


class GroupForm(VersionedForm):
    """What the nodes of a vrrp_instance have in common."""

    vrid = whole("Virtual router id", "vrrp_instance", "virtual_router_id", required=True)
    advert_int_us = SecondsField("Advert interval (s)", "vrrp_instance", "advert_int")
    auth_type = one_of("Authentication", "authentication", "auth_type")
    auth_pass = forms.CharField(
        label="Password",
        required=False,
        max_length=64,
        strip=True,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=keyword_help.hint("authentication", "auth_pass")
        + " Empty: the one that is set stays.",
    )
    nopreempt = forms.BooleanField(
        label="Do not take the addresses back (nopreempt)",
        required=False,
        help_text=keyword_help.hint("vrrp_instance", "nopreempt"),
    )

    def values(self) -> dict[str, Any]:
        """Without the password where none was typed: then the old one stays."""
        values = super().values()
        values["auth_type"] = values["auth_type"] or None
        if values["auth_type"] is None:
            values["auth_pass"] = None
        elif not values["auth_pass"]:
            del values["auth_pass"]
        return values


class GroupNodeForm(VersionedForm):
    """What is one node's own in a group."""

    state = one_of("Initial state", "vrrp_instance", "state")
    priority = whole("Priority", "vrrp_instance", "priority")
    interface = InterfaceField(
        label="Interface", help_text=keyword_help.hint("vrrp_instance", "interface")
    )

    def values(self) -> dict[str, Any]:
        """None where nothing is written."""
        return {k: None if v == "" else v for k, v in super().values().items()}


class VipForm(VersionedForm):
    """One more virtual address."""

    address = forms.CharField(
        label="Address",
        max_length=60,
        widget=forms.TextInput(attrs={"placeholder": "192.168.192.201/24", "autocomplete": "off"}),
        error_messages={"required": "Write an address with its prefix, e.g. 192.168.192.201/24."},
    )
    dev = InterfaceField(
        label="Device",
        required=False,
        widget=forms.TextInput(attrs={"placeholder": "the group's interface"}),
    )

    def clean_address(self) -> str:
        """An address as a person writes it; the prefix may be left out as in keepalived."""
        typed = str(self.cleaned_data["address"]).strip()
        try:
            ipaddress.ip_interface(typed)
        except ValueError:
            raise forms.ValidationError(
                f"“{typed}” is no address; write one with its prefix, e.g. 192.168.192.201/24."
            ) from None
        return typed

    def values(self) -> dict[str, Any]:
        """None where no device is written."""
        return {**super().values(), "dev": self.cleaned_data["dev"] or None}


class AddressField(forms.GenericIPAddressField):
    """An IP address, IPv4 or IPv6, with one sentence for everything else."""

    def __init__(self, **kwargs: Any) -> None:
        sentence = "Write an IP address, for example 192.168.192.112."
        messages = {"required": sentence, "invalid": sentence}
        super().__init__(label="Address", error_messages=messages, **kwargs)


class VirtualServerForm(VersionedForm):
    """A virtual_server's own lines."""

    ip = AddressField()
    port = port("Port")
    protocol = one_of("Protocol", "virtual_server", "protocol")
    lb_algo = one_of("Scheduler", "virtual_server", "lb_algo")
    lb_kind = one_of("Forwarding", "virtual_server", "lb_kind")
    delay_loop_us = SecondsField("Check every (s)", "virtual_server", "delay_loop")

    def values(self) -> dict[str, Any]:
        """None where nothing is written."""
        return {k: None if v == "" else v for k, v in super().values().items()}


class RealServerForm(VersionedForm):
    """A real_server and its TCP_CHECK."""

    ip = AddressField()
    port = port("Port")
    weight = whole("Weight", "real_server", "weight")
    checked = forms.BooleanField(
        label="Check it with TCP_CHECK",
        required=False,
        help_text=keyword_help.hint("real_server", "TCP_CHECK"),
    )
    connect_port = whole("Check port", "TCP_CHECK", "connect_port")
    connect_timeout_us = SecondsField("Connect timeout (s)", "TCP_CHECK", "connect_timeout")
    retry = whole("Retries", "TCP_CHECK", "retry")
    delay_before_retry_us = SecondsField(
        "Wait before a retry (s)", "TCP_CHECK", "delay_before_retry"
    )

    def values(self) -> dict[str, Any]:
        """The row's fields; `check_json` is None for a server that is never checked."""
        values = super().values()
        names = ("connect_port", "connect_timeout_us", "retry", "delay_before_retry_us")
        check = {name: values.pop(name) for name in names}
        checked = values.pop("checked")
        return {**values, "check_json": check if checked else None}


class TextForm(VersionedForm):
    """The whole document as text."""

    text = forms.CharField(
        label="Configuration text",
        max_length=TEXT_CHARS_MAX,
        strip=False,
        required=False,
        widget=forms.Textarea(
            attrs={"rows": 30, "spellcheck": "false", "autocomplete": "off", "wrap": "off"}
        ),
    )

    def clean_text(self) -> str:
        """Browsers send CRLF; the document has LF."""
        return str(self.cleaned_data["text"]).replace("\r\n", "\n")


class ImportForm(forms.Form):
    """The names; the files come as ImportFileForm, one per node."""

    name = forms.CharField(
        label="Name of the cluster",
        max_length=60,
        error_messages={"required": "Give the cluster a name, for example Web front."},
    )
    fixes = forms.BooleanField(
        label="Apply the fixes that are safe",
        required=False,
        help_text="Keepsight rewrites the lines that have an offered fix, and shows the result.",
    )


class ImportFileForm(forms.Form):
    """One node: its name and its file, uploaded or pasted; or one document of all nodes."""

    odd_line: int | None = None
    """The first line of an upload that is not UTF-8, and was read as Latin-1."""

    node = forms.CharField(
        label="Node",
        max_length=60,
        required=False,
        help_text="Empty for one document of all nodes, with lines that begin with @NODE.",
    )
    upload = forms.FileField(
        label="keepalived.conf",
        required=False,
        error_messages={"empty": "This file is empty; choose the node's keepalived.conf."},
    )
    text = forms.CharField(
        label="or paste it here",
        required=False,
        strip=False,
        max_length=TEXT_CHARS_MAX,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false", "wrap": "off"}),
    )

    def clean(self) -> dict[str, Any]:
        """An upload becomes the text, so that the next page can hold it; half a node is refused."""
        data: dict[str, Any] = super().clean() or {}
        upload: UploadedFile[Any] | None = data.get("upload")
        if upload is not None and not self.errors:
            data["text"] = self._read(upload)
        node, text = str(data.get("node", "")).strip(), str(data.get("text", ""))
        if text.strip() and not node and not nodes_of(text):
            self.add_error("node", "Which node is this file of? Write its name, e.g. NodeA.")
        if node and not text.strip() and not self.errors:
            self.add_error("text", f"The file of {node} is missing; choose or paste it.")
        return {**data, "node": node, "text": text.replace("\r\n", "\n")}

    def _read(self, upload: UploadedFile[Any]) -> str:
        if (upload.size or 0) > TEXT_CHARS_MAX:
            self.add_error("upload", "This file is over 4 MB; that is no keepalived.conf.")
            return ""
        raw: bytes = upload.read()
        if b"\0" in raw:
            self.add_error("upload", "This is no text file; choose a keepalived.conf.")
            return ""
        try:
            return raw.decode()
        except UnicodeDecodeError as error:
            # Each byte stays a character: nothing is lost, though the letter may be another one.
            self.odd_line = raw.count(b"\n", 0, error.start) + 1
            return raw.decode("latin-1")


def nodes_of(document: str) -> tuple[str, ...]:
    """The nodes that a document of several names in its conditional lines."""
    return node_ids(document.replace("\r\n", "\n"))


class ImportFileSet(forms.BaseFormSet[ImportFileForm]):
    """All the nodes' files together."""

    default_error_messages: ClassVar = {
        **forms.BaseFormSet.default_error_messages,
        "too_many_forms": "At most %(num)d nodes can be imported together.",
    }

    def clean(self) -> None:
        """A node has one file; a document of all nodes stands alone."""
        seen: set[str] = set()
        filled = [form for form in self.forms if form.is_valid() and form.cleaned_data.get("text")]
        for form in filled if len(filled) > 1 else ():
            if not form.cleaned_data["node"]:
                form.add_error("node", "A document of all nodes stands alone: empty the others.")
        for form in self.forms:
            node = form.cleaned_data.get("node", "") if form.is_valid() else ""
            if node and node in seen:
                form.add_error("node", f"There are two files of {node}; rename or empty one.")
            seen.add(node)


def files_of(forms_: list[ImportFileForm]) -> Mapping[str, str]:
    """The files by node name, in the order of the page; a document is every node's file."""
    files: dict[str, str] = {}
    for each in forms_:
        node, text = (str(each.cleaned_data.get(name, "")) for name in ("node", "text"))
        names = (node,) if node else nodes_of(text) if text.strip() else ()
        files |= dict.fromkeys(names, text)
    return files
