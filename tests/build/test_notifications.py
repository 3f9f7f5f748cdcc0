"""Whom the node tells of transitions: commands, pipes and mail."""

from __future__ import annotations

import pytest

from hanode.vrrp.engine_settings import (
    Command,
    FifoSettings,
    NotifySettings,
    SmtpSettings,
    VrrpSettings,
)
from tests.vrrp.words import GLOBALS, built, instance, text

WORDS = ("master", "backup", "fault", "stop")


def common(*lines: str) -> VrrpSettings:
    result = built(GLOBALS.format("\n".join(lines)))
    assert result.errors == ()
    return result.vrrp


def group(*lines: str) -> NotifySettings:
    (made,) = built(
        "vrrp_sync_group G {\ngroup {\nV\n}\n" + "\n".join(lines) + "\n}\n" + text()
    ).vrrp.sync_groups
    return made.notify


def test_every_command_of_an_instance() -> None:
    lines = [f"notify_{word} /bin/{word}" for word in WORDS]
    lines += ["notify /bin/any", "notify_deleted /bin/deleted"]
    lines += ["notify_master_rx_lower_pri /bin/lower"]
    assert instance("\n".join(lines)).notify == NotifySettings(
        master=Command(("/bin/master",)),
        backup=Command(("/bin/backup",)),
        fault=Command(("/bin/fault",)),
        stop=Command(("/bin/stop",)),
        deleted=Command(("/bin/deleted",)),
        master_rx_lower_pri=Command(("/bin/lower",)),
        any=Command(("/bin/any",)),
        tell_deleted=True,
    )


def test_every_command_of_a_group() -> None:
    assert group(*(f"notify_{word} /bin/{word}" for word in WORDS), "notify /bin/any") == (
        NotifySettings(
            master=Command(("/bin/master",)),
            backup=Command(("/bin/backup",)),
            fault=Command(("/bin/fault",)),
            stop=Command(("/bin/stop",)),
            any=Command(("/bin/any",)),
        )
    )


def test_nobody_is_told_unless_it_is_written() -> None:
    assert instance().notify == NotifySettings()
    assert group() == NotifySettings()


@pytest.mark.parametrize(
    ("all_mail", "vrrp_mail", "own", "alert"),
    [
        ("", "", "", False),
        ("smtp_alert", "", "", True),
        ("smtp_alert", "smtp_alert_vrrp off", "", False),
        ("smtp_alert off", "smtp_alert_vrrp", "", True),
        ("smtp_alert", "smtp_alert_vrrp", "smtp_alert off", False),
        ("smtp_alert off", "smtp_alert_vrrp off", "smtp_alert", True),
    ],
)
def test_the_innermost_word_about_mail_counts(
    all_mail: str, vrrp_mail: str, own: str, alert: bool
) -> None:
    before = GLOBALS.format(f"{all_mail}\n{vrrp_mail}\nrouter_id me")
    assert instance(own, before=before).notify.smtp_alert is alert


@pytest.mark.parametrize(
    ("common_word", "own", "told"),
    [
        ("", "", False),
        ("vrrp_notify_priority_changes", "", True),
        ("vrrp_notify_priority_changes", "notify_priority_changes off", False),
        ("", "notify_priority_changes", True),
    ],
)
def test_an_instance_s_word_about_changes_of_priority_comes_first(
    common_word: str, own: str, told: bool
) -> None:
    before = GLOBALS.format(f"{common_word}\nrouter_id me")
    assert instance(own, before=before).notify.priority_changes is told


def test_both_pipes_and_their_readers() -> None:
    settings = common(
        "notify_fifo /run/all",
        'notify_fifo_script "/bin/reader 1" bob staff',
        "vrrp_notify_fifo /run/vrrp bob staff",
    )
    assert settings.fifos == (
        FifoSettings("/run/all", script=Command(("/bin/reader", "1"), "bob", "staff")),
        FifoSettings("/run/vrrp", "bob", "staff"),
    )


def test_a_reader_without_its_pipe_is_not_started() -> None:
    assert common("notify_fifo_script /bin/reader").fifos == ()


def test_everything_about_mail() -> None:
    assert common(
        "notification_email {\na@example.org\nb@example.org\n}",
        "notification_email_from Ops <ops@example.org>",
        "smtp_server mail.example.org 26",
        "smtp_helo_name me",
        "smtp_connect_timeout 5",
        "no_email_faults",
    ).smtp == SmtpSettings(
        to=("a@example.org", "b@example.org"),
        sender="Ops <ops@example.org>",
        server="mail.example.org",
        port=26,
        helo="me",
        connect_timeout_us=5_000_000,
        no_faults=True,
    )


def test_mail_without_any_word() -> None:
    assert common("router_id me").smtp == SmtpSettings()
    assert SmtpSettings().port == 25
