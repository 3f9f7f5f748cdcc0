"""The form of the push page."""

from __future__ import annotations

from django import forms


class PushForm(forms.Form):
    """It carries the draft's version, so that only what the user saw is pushed."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    message = forms.CharField(
        label="What is this change for?",
        required=False,
        max_length=500,
        help_text="Stands in the list of revisions. You may leave it empty.",
    )
    at_once = forms.BooleanField(
        label="Switch all nodes at one time",
        required=False,
        help_text="All are sent it together, and none keeps it unless all run it: if one does not, "
        "the others go back by themselves. Otherwise one after the other, backups first.",
    )
