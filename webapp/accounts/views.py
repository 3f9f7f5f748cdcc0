"""Sign-in by password or by one-time link, and sign-out."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.contrib.auth import login, logout
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST
from sesame.utils import get_user

from webapp.accounts import sign_ins
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
        return _signed_in(self.request, answer, _user_of(form), "by password")


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
    return _signed_in(request, redirect("home"), user, "by link")


def _signed_in(request: HttpRequest, answer: HttpResponse, user: User, how: str) -> HttpResponse:
    """Record it, and give the browser the mark of one that this user signs in with."""
    client = sign_ins.client_of(request.META.get("REMOTE_ADDR", ""))
    audit(user, sign_ins.SIGNED_IN, how, address=client)
    answer.set_cookie(
        sign_ins.DEVICE_COOKIE,
        sign_ins.new_mark(user.get_username()),
        max_age=timedelta(days=sign_ins.DEVICE_DAYS),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return answer


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session; without one, do nothing."""
    logout(request)
    return redirect("sign-in")
