"""The whole document as one text, in a form."""

from __future__ import annotations

from django import forms

from webapp.configs.forms.versioned import VersionedForm
from webapp.configs.language import TEXT_CHARS_MAX


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
        """With LF: browsers send CRLF."""
        return str(self.cleaned_data["text"]).replace("\r\n", "\n")
