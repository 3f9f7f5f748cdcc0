"""Sign-in by password or by one-time link, and sign-out."""

from __future__ import annotations

from django.contrib.auth import login, logout
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST
from sesame.utils import get_user

from webapp.accounts.forms import SignInForm
from webapp.accounts.models import User
from webapp.accounts.services import audit


class SignIn(LoginView):
    """Sign-in by name and password."""

    template_name = "accounts/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """Sign in, and record it in the audit trail."""
        answer = super().form_valid(form)
        audit(_user_of(form), "sign in", "by password")
        return answer


def _user_of(form: AuthenticationForm) -> User:
    """The user whose name and password the form has."""
    user = form.get_user()
    assert isinstance(user, User)
    return user


@login_not_required
@never_cache
@require_GET
def sign_in_link(request: HttpRequest) -> HttpResponse:
    """Sign in the user of a fresh link; refuse a used or expired one. HEAD does not use it up."""
    user = get_user(request)
    if not isinstance(user, User):
        return render(request, "accounts/link_refused.html", status=403)
    login(request, user, backend="sesame.backends.ModelBackend")
    audit(user, "sign in", "by link")
    return redirect("home")


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session; without one, do nothing."""
    logout(request)
    return redirect("sign-in")
