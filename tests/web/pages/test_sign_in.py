"""The ways in and out."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from webapp.accounts.models import AuditEntry, User
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


def test_who_came_in_and_who_did_not_is_written_down(reader: User) -> None:
    reader.set_password("correct horse")
    reader.save()
    where = reverse("sign-in")
    Client().post(where, {"username": "rita", "password": "wrong"})
    Client().post(where, {"username": "rita", "password": "correct horse"})
    reader.refresh_from_db()  # a link belongs to the last sign-in
    Client().get(sign_in_path(reader))
    rows = AuditEntry.objects.filter(verb__startswith="sign").order_by("id")
    assert [(row.actor_name, row.verb, row.target) for row in rows] == [
        ("system", "sign-in refused", "rita"),
        ("rita", "sign in", "by password"),
        ("rita", "sign in", "by link"),
    ]


@pytest.mark.parametrize("name", ["rita", "nobody"])
def test_guessing_ends_after_ten_wrong_passwords(reader: User, name: str, settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # fast
    reader.set_password("correct horse")
    reader.save()
    where = reverse("sign-in")
    for _ in range(10):
        Client().post(where, {"username": name, "password": "wrong"})
    answer = Client().post(where, {"username": name, "password": "correct horse"})
    assert "Too many wrong passwords for this name; wait 5 minutes" in answer.content.decode()
    assert AuditEntry.objects.filter(verb="sign-in refused").count() == 10
    AuditEntry.objects.update(at=timezone.now() - timedelta(minutes=6))
    answer = Client().post(where, {"username": "rita", "password": "correct horse"})
    assert answer.status_code == 302


def test_guessing_many_names_from_one_address_ends_too(db: None, settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # fast
    where = reverse("sign-in")

    def guess(number: int, address: str) -> str:
        form = {"username": f"name{number}", "password": "wrong"}
        return Client(REMOTE_ADDR=address).post(where, form).content.decode()

    for number in range(50):
        assert "Too many" not in guess(number, f"2001:db8::{number}")
    assert "Too many wrong passwords from your address" in guess(50, "2001:db8::beef")
    assert "Too many" not in guess(51, "2001:db8:0:1::1")
    assert "Too many" not in guess(52, "192.0.2.1")
    assert AuditEntry.objects.filter(target="name52").get().detail == {"address": "192.0.2.1"}


@pytest.mark.parametrize("address", ["", "no address", "::ffff:192.0.2.7"])
def test_a_request_without_an_ordinary_address_is_no_error(db: None, address: str) -> None:
    form = {"username": "x", "password": "wrong"}
    answer = Client(REMOTE_ADDR=address).post(reverse("sign-in"), form)
    assert "do not belong together" in answer.content.decode()
    said = AuditEntry.objects.get().detail["address"]
    assert said == ("192.0.2.7" if ":" in address else "")
