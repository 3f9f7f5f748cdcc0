"""The sign-in form."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError

from webapp.accounts import sign_ins


class SignInForm(AuthenticationForm):
    """Django's form; it does not say which of name and password was wrong, and limits failures."""

    error_messages = {  # noqa: RUF012 (Django declares it on the instance)
        "invalid_login": "This name and password do not belong together; try again.",
        "inactive": "This account is switched off; ask an administrator.",
    }

    def clean(self) -> dict[str, Any]:
        """Record each failure; after too many of them, do not try the password."""
        name = str(self.cleaned_data.get("username") or "")
        address = self.request.META.get("REMOTE_ADDR", "") if self.request else ""
        mark = self.request.COOKIES.get(sign_ins.DEVICE_COOKIE, "") if self.request else ""
        try:
            attempt = sign_ins.begin(name, address, mark)
        except sign_ins.TooMany as error:
            raise ValidationError(str(error)) from None
        try:
            cleaned = super().clean()
        except ValidationError:
            attempt.failed()
            raise
        except BaseException:
            attempt.ended()
            raise
        attempt.ended()
        return cleaned
