"""The sign-in form."""

from __future__ import annotations

from django.contrib.auth.forms import AuthenticationForm


class SignInForm(AuthenticationForm):
    """Django's, with one sentence for every wrong pair."""

    error_messages = {  # noqa: RUF012 (Django declares it on the instance)
        "invalid_login": "This name and password do not belong together; try again.",
        "inactive": "This account is switched off; ask an administrator.",
    }
