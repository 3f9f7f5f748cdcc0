"""The limit on wrong passwords is exact at any speed, and shuts out nobody who belongs here."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import authenticate, forms
from django.db import connections
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from webapp.accounts import sign_ins
from webapp.accounts.models import AuditEntry, SignInTry, User
from webapp.accounts.services import sign_in_path

FAST = ["django.contrib.auth.hashers.MD5PasswordHasher"]
RIGHT = "correct horse"
HERE, THERE = "192.0.2.1", "198.51.100.7"


@pytest.fixture(autouse=True)
def ada(admin: User, settings: Any) -> User:
    settings.PASSWORD_HASHERS = FAST
    admin.set_password(RIGHT)
    admin.save()
    return admin


def sign_in(password: str, address: str = HERE, name: str = "ada", client: Any = None) -> str:
    """The page's text; "" after a sign-in."""
    form = {"username": name, "password": password}
    client = client or Client()
    answer = client.post(reverse("sign-in"), form, REMOTE_ADDR=address)
    return "" if answer.status_code == 302 else str(answer.content.decode())


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The passwords that were tried, by whatever request."""
    found: list[str] = []
    lock = threading.Lock()

    def counted(*args: Any, **credentials: Any) -> Any:
        with lock:
            found.append(credentials["password"])
        return authenticate(*args, **credentials)

    monkeypatch.setattr(forms, "authenticate", counted)
    return found


@pytest.mark.django_db(transaction=True)
def test_of_eighty_wrong_passwords_at_once_ten_are_tried(tried: list[str]) -> None:
    gate = threading.Barrier(80)

    def guess(number: int) -> str:
        gate.wait(60)
        try:
            return sign_in(f"wrong {number}")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(80) as pool:
        said = list(pool.map(guess, range(80)))
    assert len(tried) == 10
    assert sum("Too many wrong passwords" in page for page in said) == 70
    assert sum("do not belong together" in page for page in said) == 10
    assert AuditEntry.objects.filter(verb=sign_ins.REFUSED).count() == 10
    assert not SignInTry.objects.exists()
    assert sign_in(RIGHT, THERE) == ""  # and the administrator comes in from elsewhere


@pytest.mark.django_db
def test_a_right_password_takes_no_place_of_the_wrong_ones(tried: list[str]) -> None:
    for _ in range(9):
        sign_in("wrong")
    for _ in range(5):
        assert sign_in(RIGHT) == ""
    assert "do not belong" in sign_in("wrong")
    assert "Too many" in sign_in(RIGHT)
    assert len(tried) == 9 + 5 + 1


@pytest.mark.django_db
def test_a_browser_that_signed_in_before_is_judged_by_its_own_mistakes() -> None:
    mine = Client()
    assert sign_in(RIGHT, client=mine) == ""
    mine.post(reverse("sign-out"))
    for _ in range(12):
        sign_in("wrong")
    assert "Too many" in sign_in(RIGHT)  # another browser at the same address
    for _ in range(9):
        assert "do not belong" in sign_in("wrong", client=mine)
    assert sign_in(RIGHT, client=mine) == ""
    mine.post(reverse("sign-out"))
    for _ in range(10):  # a right password begins a new count
        assert "do not belong" in sign_in("wrong", client=mine)
    assert "Too many" in sign_in(RIGHT, client=mine)


@pytest.mark.django_db
@pytest.mark.parametrize("mark", ["another's", "made up", "old", "empty"])
def test_a_mark_counts_for_its_name_only(mark: str, monkeypatch: pytest.MonkeyPatch) -> None:
    value = {"another's": sign_ins.new_mark("rita"), "made up": "WyJhZGEi:x:y", "empty": ""}
    if mark == "old":
        monkeypatch.setattr(sign_ins, "DEVICE_DAYS", -1)
    for _ in range(10):
        sign_in("wrong")
    client = Client()
    client.cookies[sign_ins.DEVICE_COOKIE] = value.get(mark, sign_ins.new_mark("ada"))
    assert "Too many" in sign_in(RIGHT, client=client)


@pytest.mark.django_db
def test_the_mark_is_no_script_s_and_comes_with_a_link_too(ada: User) -> None:
    client = Client()
    client.get(sign_in_path(ada), REMOTE_ADDR=HERE)
    cookie = client.cookies[sign_ins.DEVICE_COOKIE]
    assert (cookie["httponly"], cookie["secure"], cookie["samesite"]) == (True, True, "Lax")
    assert cookie["max-age"] == 180 * 24 * 3600
    assert "ada" not in cookie.value
    assert AuditEntry.objects.get(verb="sign in").detail == {"address": HERE}


@pytest.mark.django_db
def test_who_guesses_with_many_machines_is_stopped_and_a_known_address_is_not() -> None:
    assert sign_in(RIGHT, HERE) == ""
    for number in range(sign_ins.REFUSALS_OF_NAME_MAX):
        assert "do not belong" in sign_in("wrong", f"203.0.113.{number}")
    assert "Too many wrong passwords for this name" in sign_in("wrong", "203.0.113.200")
    assert sign_in(RIGHT, HERE) == ""
    assert "do not belong" in sign_in("wrong", "203.0.113.200", name="rita")
    earlier = timezone.now() - timedelta(minutes=sign_ins.REFUSALS_MINUTES, seconds=1)
    AuditEntry.objects.filter(verb=sign_ins.REFUSED).update(at=earlier)
    assert sign_in(RIGHT, "203.0.113.200") == ""


@pytest.mark.django_db
def test_a_try_whose_process_was_lost_holds_its_place_for_a_minute_only() -> None:
    for _ in range(10):
        sign_ins.begin("ada", HERE)
    assert "Too many" in sign_in(RIGHT)
    SignInTry.objects.update(at=timezone.now() - timedelta(seconds=61))
    assert sign_in(RIGHT) == ""
