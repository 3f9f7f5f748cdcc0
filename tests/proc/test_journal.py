"""The journal: no number twice, nothing lost that was written, a bounded disk."""

from __future__ import annotations

import os
from pathlib import Path

from hanode.system.journal import RECENT, Journal
from hanode.wire import Event


def event(word: str = "x") -> Event:
    return Event("warning", word, "because", 1, 2, {"n": 1})


def seqs(journal: Journal, after: int = 0) -> list[int]:
    return [e.seq for e in journal.after(after, limit=100_000)]


def test_numbers_grow_and_survive(tmp_path: Path) -> None:
    first = Journal(tmp_path, boot="b")
    assert [first.append(event()).seq for _ in range(3)] == [1, 2, 3]
    # Not closed: as after kill -9.
    second = Journal(tmp_path, boot="b")
    assert second.id == first.id
    assert second.append(event()).seq == 4
    assert seqs(second, after=0) == [1, 2, 3, 4]
    assert seqs(second, after=2) == [3, 4]
    assert seqs(second, after=4) == []


def test_torn_line_is_dropped_and_its_number_given_again(tmp_path: Path) -> None:
    first = Journal(tmp_path, boot="b")
    first.append(event())
    with (tmp_path / "events.jsonl").open("ab") as file:
        file.write(b'{"kind":"warn')
    second = Journal(tmp_path, boot="b")
    assert second.append(event()).seq == 2
    assert seqs(Journal(tmp_path, boot="b")) == [1, 2]


def test_numbers_that_a_power_cut_took_are_not_given_again(tmp_path: Path) -> None:
    first = Journal(tmp_path, boot="before")
    for _ in range(5):
        first.append(event())
    os.truncate(tmp_path / "events.jsonl", 0)  # what the disk never got
    second = Journal(tmp_path, boot="after")
    assert second.id == first.id
    assert second.append(event()).seq > 5


def test_disk_is_bounded_and_keeps_the_newest(tmp_path: Path) -> None:
    journal = Journal(tmp_path, boot="b", file_bytes_max=20_000)
    for number in range(2_000):
        journal.append(event(str(number)))
    sizes = [path.stat().st_size for path in tmp_path.glob("events*.jsonl")]
    assert len(sizes) == 2
    assert max(sizes) <= 20_000
    kept = seqs(Journal(tmp_path, boot="b", file_bytes_max=20_000))
    assert kept == list(range(kept[0], 2_001))
    assert len(kept) > 100


def test_what_is_no_longer_in_memory_comes_from_the_disk(tmp_path: Path) -> None:
    journal = Journal(tmp_path, boot="b")
    for _ in range(RECENT + 50):
        journal.append(event())
    assert seqs(journal, after=10) == list(range(11, RECENT + 51))
    assert [e.seq for e in journal.after(10, limit=3)] == [11, 12, 13]


def test_rotation_right_before_a_restart_keeps_counting(tmp_path: Path) -> None:
    journal = Journal(tmp_path, boot="b")
    journal.append(event())
    journal._rotate()
    assert Journal(tmp_path, boot="b").append(event()).seq == 2


def test_full_disk_does_not_stop_the_telling(tmp_path: Path) -> None:
    journal = Journal(tmp_path, boot="b")
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, journal._handle)
    os.close(full)
    assert journal.append(event()).seq == 1
    assert "No space left" in journal.fault
    assert seqs(journal) == [1]


def test_broken_mark_begins_a_new_journal(tmp_path: Path) -> None:
    first = Journal(tmp_path, boot="b")
    (tmp_path / "journal.json").write_text("[")
    assert Journal(tmp_path, boot="b").id != first.id


def test_line_longer_than_what_is_read_at_the_end(tmp_path: Path) -> None:
    journal = Journal(tmp_path, boot="b")
    journal.append(event())
    journal.append(event("long " * 50_000))
    assert Journal(tmp_path, boot="b").append(event()).seq == 3


def test_number_in_an_events_own_words_is_not_taken_for_its_number(tmp_path: Path) -> None:
    journal = Journal(tmp_path, boot="b")
    journal.append(Event("warning", '"seq":900', 'x "seq":901,', 1, 2, {"seq": 902}))
    assert Journal(tmp_path, boot="b").append(event()).seq == 2
    assert seqs(Journal(tmp_path, boot="b"), after=0) == [1, 2]


def test_only_a_torn_line_is_an_empty_journal(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_bytes(b'{"kind":"x","seq":7')
    assert Journal(tmp_path, boot="b").append(event()).seq == 1


def test_last_of_a_kind_reaches_behind_a_restart(tmp_path: Path) -> None:
    def move(word: str) -> Event:
        return Event("transition", word, "because", 1, 2, {})

    first = Journal(tmp_path, boot="b")
    for number in range(5):
        first.append(move(str(number)))
        first.append(event('"kind":"transition"'))
    second = Journal(tmp_path, boot="b")
    assert [e.subject for e in second.last("transition", limit=3)] == ["2", "3", "4"]
    second.append(move("5"))
    assert [e.subject for e in second.last("transition", limit=3)] == ["3", "4", "5"]
    assert [e.subject for e in second.last("transition", limit=50)] == list("012345")
    assert second.last("nothing", limit=5) == []


def test_last_of_a_kind_bears_a_torn_line_and_a_long_file(tmp_path: Path) -> None:
    journal = Journal(tmp_path, boot="b")
    for number in range(3_000):
        journal.append(Event("transition", str(number), "because " * 20, 1, 2, {}))
    again = Journal(tmp_path, boot="b")
    found = again.last("transition", limit=10_000)
    assert 500 < len(found) < 3_000
    assert [e.seq for e in found] == list(range(found[0].seq, 3_001))
