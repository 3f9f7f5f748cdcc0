"""The push's one form."""

from __future__ import annotations

from django import forms


class PushForm(forms.Form):
    """What is pushed is what the person saw: the draft's version comes back with it."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    message = forms.CharField(
        label="What is this change for?",
        required=False,
        max_length=500,
        help_text="Stands in the list of revisions. You may leave it empty.",
    )
