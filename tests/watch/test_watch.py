"""Reloads, notices, and what of the vrrp settings is watched at all."""

from __future__ import annotations

from hanode.vrrp.engine_settings import (
    Command,
    FifoSettings,
    FileTracker,
    InstanceSettings,
    NotifySettings,
    ProcessTracker,
    ScriptTracker,
    SmtpSettings,
    SyncGroupSettings,
    Tracked,
    VrrpSettings,
)
from hanode.watch.messages import (
    Abandon,
    Ended,
    Notice,
    RunNotify,
    RunScript,
    SendMail,
    TrackerResult,
    WriteFifo,
)
from hanode.watch.watch import Seen, Watch
from hanode.watch.watch_settings import Target, WatchSettings, watched

TRUE, FALSE = Command(("/bin/true",)), Command(("/bin/false",))


def started(settings: WatchSettings) -> Watch:
    watch = Watch()
    watch.configure(settings, now_us=0, unusable={})
    return watch


def up(watch: Watch, name: str) -> bool | None:
    return next((news.up for news in watch.results if news.name == name), None)


def test_a_reload_keeps_what_is_known_of_an_unchanged_command() -> None:
    watch = started(WatchSettings(scripts=(ScriptTracker("a", TRUE, fall=2),)))
    watch.tick(now_us=0)
    watch.run_ended(Ended("a", 0))
    again = WatchSettings(scripts=(ScriptTracker("a", TRUE, fall=5, weight=3),))
    assert watch.configure(again, now_us=500_000, unusable={}) == []
    assert up(watch, "a") is True
    assert watch.deadline_us == 1_000_000  # not earlier, because of the reload
    for number in range(1, 6):
        watch.tick(now_us=number * 1_000_000)
        effects = watch.run_ended(Ended("a", 1))
        assert bool(effects) is (number == 5)


def test_a_reload_that_changes_the_command_begins_anew_and_drops_the_old_run() -> None:
    watch = started(WatchSettings(scripts=(ScriptTracker("a", TRUE),)))
    watch.tick(now_us=0)
    watch.run_ended(Ended("a", 0))
    watch.tick(now_us=1_000_000)
    changed = WatchSettings(scripts=(ScriptTracker("a", FALSE),))
    assert watch.configure(changed, now_us=1_100_000, unusable={}) == [Abandon("a")]
    assert up(watch, "a") is None
    assert watch.tick(now_us=1_100_000) == [RunScript("a", FALSE)]


def test_a_running_script_is_not_started_twice_by_a_reload() -> None:
    settings = WatchSettings(scripts=(ScriptTracker("a", TRUE),))
    watch = started(settings)
    watch.tick(now_us=0)
    watch.configure(settings, now_us=100, unusable={})
    assert watch.tick(now_us=100) == []
    assert [type(e) for e in watch.run_ended(Ended("a", 0))] == [TrackerResult]


def test_what_is_not_tracked_any_more_is_forgotten() -> None:
    watch = started(
        WatchSettings(
            scripts=(ScriptTracker("a", TRUE, init_fail=True),),
            processes=(ProcessTracker("p", "x"),),
            files=(FileTracker("f", "/x"),),
        )
    )
    watch.seen([Seen(7, "x")], now_us=0)
    watch.read("f", b"3")
    assert {news.name for news in watch.results} == {"a", "p", "f"}
    assert watch.pids == {7}
    watch.configure(WatchSettings(), now_us=0, unusable={})
    assert watch.results == []
    assert watch.pids == frozenset()
    assert watch.deadline_us is None
    assert watch.read("f", b"4") == []


def test_an_unusable_script_is_not_run_and_can_come_back() -> None:
    settings = WatchSettings(scripts=(ScriptTracker("a", TRUE),))
    watch = Watch()
    (news,) = watch.configure(settings, now_us=0, unusable={"a": "it is gone"})
    assert news == TrackerResult("script", "a", True, cause="not run: it is gone")
    assert watch.tick(now_us=0) == []
    watch.configure(settings, now_us=0, unusable={})
    assert watch.tick(now_us=0) == [RunScript("a", TRUE)]


def test_one_process_can_count_for_two_trackers_and_its_end_for_both() -> None:
    settings = WatchSettings(
        processes=(ProcessTracker("p", "x"), ProcessTracker("q", "x", quorum=2))
    )
    watch = started(settings)
    watch.seen([Seen(1, "x"), Seen(2, "x"), Seen(3, "y")], now_us=0)
    assert (up(watch, "p"), up(watch, "q")) == (True, True)
    watch.gone(1, now_us=1)
    assert (up(watch, "p"), up(watch, "q")) == (True, False)
    watch.gone(2, now_us=1)
    assert up(watch, "p") is False


def test_a_file_is_told_once_for_each_number() -> None:
    watch = started(WatchSettings(files=(FileTracker("f", "/x"),)))
    said = [watch.read("f", text) for text in (None, b"0", b"5", b"5\n", b"99999999999", b"6")]
    assert [[e.value for e in effects if isinstance(e, TrackerResult)] for effects in said] == [
        [0], [], [5], [], [], [6],
    ]  # fmt: skip


FIFO = FifoSettings("/run/f")
SMTP = SmtpSettings(to=("a@b",), server="mail")


def told(notify: NotifySettings, notice: Notice, **more: object) -> list[object]:
    target = Target("INSTANCE" if notice.kind == "INSTANCE" else "GROUP", notice.name, notify)
    watch = started(WatchSettings(targets=(target,), **more))  # type: ignore[arg-type]
    return list(watch.notice(notice, now_us=0))


def test_a_state_s_own_script_comes_before_notify_which_gets_four_words() -> None:
    own = Command(("/n", "one", "two three"), "daemon")
    any_ = Command(("/n", "x"))
    notify = NotifySettings(master=own, any=any_)
    first, second = told(notify, Notice("INSTANCE", "VI 1", "MASTER", 110))
    assert first == RunNotify("VI 1 MASTER", own)
    assert second == RunNotify(
        "VI 1 MASTER", Command(("/n", "x", "INSTANCE", "VI 1", "MASTER", "110"))
    )


def test_each_state_has_its_script() -> None:
    commands = {
        name: Command((f"/{name}",))
        for name in ("master", "backup", "fault", "stop", "deleted", "master_rx_lower_pri")
    }
    for name, command in commands.items():
        notice = Notice("INSTANCE", "VI", name.upper(), 1)
        assert told(NotifySettings(**commands), notice) == [
            RunNotify(f"VI {name.upper()}", command)
        ]


def test_pipes_get_every_line_and_notify_only_transitions() -> None:
    notify = NotifySettings(any=TRUE)
    for state in ("MASTER_RX_LOWER_PRI", "MASTER_PRIORITY", "BACKUP_PRIORITY"):
        notice = Notice("INSTANCE", "VI_1", state, 90)
        line = WriteFifo(FIFO, f'INSTANCE "VI_1" {state} 90\n')
        assert told(notify, notice, fifos=(FIFO,)) == [line]


def test_mail_of_a_group_and_no_mail_where_none_is_wanted() -> None:
    wants = NotifySettings(smtp_alert=True)
    (message,) = told(wants, Notice("GROUP", "G1", "FAULT", 0), smtp=SMTP)
    assert message == SendMail(
        "VRRP Group G1 - Entering FAULT state",
        "=> All VRRP group instances are now in FAULT state <=",
    )
    fault = Notice("INSTANCE", "VI", "FAULT", 1)
    assert told(wants, fault, smtp=SmtpSettings(to=("a@b",), server="m", no_faults=True)) == []
    assert told(wants, fault, smtp=SmtpSettings(to=("a@b",))) == []
    assert told(NotifySettings(), fault, smtp=SMTP) == []


def test_only_what_is_tracked_or_wants_to_be_told_is_watched() -> None:
    one = InstanceSettings(
        "one",
        "e0",
        1,
        tracked=(
            Tracked("script", "fault"),
            Tracked("script", "bonus", weight=10),
            Tracked("script", "malus", weight=-10),
            Tracked("script", "turned", weight=10, reverse=True),
            Tracked("script", "turned fault", reverse=True),
            Tracked("file", "f", weight=1),
        ),
    )
    two = InstanceSettings("two", "e0", 2, notify=NotifySettings(any=TRUE))
    settings = VrrpSettings(
        instances=(one, two),
        sync_groups=(SyncGroupSettings("g", ("one", "two"), NotifySettings(smtp_alert=True)),),
        scripts=tuple(
            ScriptTracker(n, TRUE)
            for n in ("fault", "bonus", "malus", "turned", "turned fault", "unused")
        ),
        processes=(ProcessTracker("unused", "x"),),
        files=(FileTracker("f", "/f"),),
    )
    found = watched(settings)
    assert [s.name for s in found.scripts] == [
        "fault", "bonus", "malus", "turned", "turned fault",
    ]  # fmt: skip
    assert found.processes == ()
    assert [f.name for f in found.files] == ["f"]
    assert [t.name for t in found.targets] == ["two", "g"]
    assert found.harmless_down == ("bonus", "turned", "turned fault")


def test_a_reload_tells_the_pipes_all_states_where_that_is_wanted() -> None:
    settings = WatchSettings(fifos=(FIFO,), fifo_states_on_reload=True)
    watch = started(settings)
    for notice in (
        Notice("INSTANCE", "a", "BACKUP", 90),
        Notice("INSTANCE", "b", "MASTER", 100),
        Notice("INSTANCE", "a", "BACKUP_PRIORITY", 80),
        Notice("INSTANCE", "b", "FAULT", 100),
        Notice("INSTANCE", "c", "MASTER", 1),
        Notice("INSTANCE", "c", "DELETED", 1),
    ):
        watch.notice(notice, now_us=0)
    said = watch.configure(settings, now_us=0, unusable={})
    lines = [effect.text for effect in said if isinstance(effect, WriteFifo)]
    assert lines == ['INSTANCE "a" BACKUP 90\n', 'INSTANCE "b" FAULT 100\n']
    quiet = WatchSettings(fifos=(FIFO,))
    assert watch.configure(quiet, now_us=0, unusable={}) == []


def test_a_script_of_what_a_reload_removes_is_run_all_the_same() -> None:
    """The vrrp process takes the same reload at its own pace: its last word may come later."""
    target = Target("INSTANCE", "VI", NotifySettings(deleted=TRUE))
    watch = started(WatchSettings(targets=(target,)))
    watch.configure(WatchSettings(), now_us=0, unusable={})
    deleted = Notice("INSTANCE", "VI", "DELETED", 100)
    assert watch.notice(deleted, now_us=1) == [RunNotify("VI DELETED", TRUE)]
    watch.configure(WatchSettings(), now_us=2, unusable={})
    assert watch.notice(deleted, now_us=3) == []


def test_a_script_of_what_a_reload_brings_is_run_though_the_word_came_earlier() -> None:
    target = Target("INSTANCE", "VI", NotifySettings(backup=TRUE))
    watch = started(WatchSettings(fifos=(FIFO,)))
    early = Notice("INSTANCE", "VI", "BACKUP", 100)
    assert [type(e) for e in watch.notice(early, now_us=0)] == [WriteFifo]
    new = WatchSettings(targets=(target,), fifos=(FIFO,))
    assert watch.configure(new, now_us=1_000, unusable={}) == [RunNotify("VI BACKUP", TRUE)]
    assert watch.configure(new, now_us=2_000, unusable={}) == []
    late = started(WatchSettings())
    late.notice(early, now_us=0)
    assert late.configure(new, now_us=60_000_000, unusable={}) == []
