"""The whole document as one text, in a form."""

from __future__ import annotations

from django import forms

from webapp.configs.forms.versioned import VersionedForm
from webapp.configs.language import TEXT_CHARS_MAX

WAS_CHARS_MAX = 1_000_000


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

    was = forms.CharField(
        required=False,
        strip=False,
        max_length=WAS_CHARS_MAX,
        widget=forms.HiddenInput(attrs={"id": False}),
    )
    """What the page showed first; "": too much to send twice."""

    def clean_was(self) -> str:
        """With LF."""
        return str(self.cleaned_data["was"]).replace("\r\n", "\n")

    def clean_text(self) -> str:
        """With LF: browsers send CRLF."""
        return str(self.cleaned_data["text"]).replace("\r\n", "\n")
