"""The ways in and out."""

from __future__ import annotations

from django.test import Client
from django.urls import reverse

from webapp.accounts.models import User
from webapp.accounts.services import sign_in_path


def test_a_link_signs_in_once(admin: User) -> None:
    link = sign_in_path(admin)
    first = Client()
    assert first.get(link).headers["Location"] == reverse("home")
    assert first.get(reverse("home")).status_code == 200
    again = Client().get(link)
    assert again.status_code == 403
    assert "This link no longer works" in again.content.decode()


def test_a_link_survives_a_preview_by_head(admin: User) -> None:
    link = sign_in_path(admin)
    assert Client().head(link).status_code == 405
    assert Client().get(link).status_code == 302


def test_a_made_up_link_is_refused(db: None) -> None:
    assert Client().get(reverse("sign-in-link") + "?sesame=made-up").status_code == 403


def test_a_wrong_password_is_one_sentence_and_keeps_the_name(admin: User) -> None:
    page = Client().post(reverse("sign-in"), {"username": "ada", "password": "wrong"})
    text = page.content.decode()
    assert "do not belong together" in text
    assert 'value="ada"' in text


def test_signing_in_leads_back_to_where_one_wanted_to_go(admin: User) -> None:
    admin.set_password("right")
    admin.save()
    form = {"username": "ada", "password": "right", "next": "/import/"}
    assert Client().post(reverse("sign-in"), form).headers["Location"] == "/import/"


def test_it_leads_to_no_other_site(admin: User) -> None:
    admin.set_password("right")
    admin.save()
    form = {"username": "ada", "password": "right", "next": "https://evil.example/"}
    assert Client().post(reverse("sign-in"), form).headers["Location"] == reverse("home")


def test_signing_out_twice_is_harmless(as_editor: Client) -> None:
    assert as_editor.post(reverse("sign-out")).status_code == 302
    assert as_editor.post(reverse("sign-out")).status_code == 302
    assert as_editor.get(reverse("home")).status_code == 302
