"""The sign-in form."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError

from webapp.accounts import services


class SignInForm(AuthenticationForm):
    """Django's, with one sentence for every wrong pair, and an end to guessing."""

    error_messages = {  # noqa: RUF012 (Django declares it on the instance)
        "invalid_login": "This name and password do not belong together; try again.",
        "inactive": "This account is switched off; ask an administrator.",
    }

    def clean(self) -> dict[str, Any]:
        """Wrong pairs are written down; too many of a name or an address are not even tried."""
        name = str(self.cleaned_data.get("username") or "")
        address = self.request.META.get("REMOTE_ADDR", "") if self.request else ""
        if refusal := services.guessing(name, address):
            raise ValidationError(refusal)
        try:
            return super().clean()
        except ValidationError:
            services.note_refusal(name, address)
            raise
