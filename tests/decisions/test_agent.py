"""What the agent decides: which envelopes it passes on, and when events are sent again."""

from __future__ import annotations

import hashlib

import pytest

from hanode.supervision.delivery import (
    NOTHING_STORED,
    RESEND_AFTER,
    STREAM_ENTRIES_MAX,
    WINDOW,
    Delivery,
    Receipt,
    changes_status,
    receipt,
)
from hanode.supervision.envelopes import (
    SETTLED_MAX,
    EnvelopeInbox,
    PassOn,
    Refuse,
    Revisions,
    Verb,
)
from hanode.supervision.liveness import LATE_AFTER_US, Liveness
from hanode.wire import Bundle, Confirmation, Enrolment, Signed, to_json

ME = Enrolment("node-a", "NodeA", "cluster-1", "redis://broker", "key", 10.0)
RUNS = Revisions(live=3, confirmed=2)


def inbox() -> EnvelopeInbox:
    return EnvelopeInbox(ME, lambda envelope: envelope.signature == "right")


def bundle(
    revision: int, *, node: str = "node-a", cluster: str = "cluster-1", config: str = "text"
) -> bytes:
    message = Bundle(cluster, node, revision, config, 0, 0.0)
    return to_json(Signed("bundle", to_json(message), "right")).encode()


def confirmation(revision: int) -> bytes:
    message = Confirmation("cluster-1", "node-a", revision)
    return to_json(Signed("confirmation", to_json(message), "right")).encode()


def test_a_new_bundle_is_passed_on_once() -> None:
    one, text = inbox(), bundle(4)
    assert one.is_news(text)
    decision = one.received("apply", text, RUNS)
    assert isinstance(decision, PassOn)
    assert (decision.verb, decision.envelope.kind) == ("apply", "bundle")
    assert one.is_news(text), "the supervisor may not have answered"
    one.settled(text)
    assert not one.is_news(text)


def test_an_older_one_is_passed_on_too_because_the_supervisor_decides() -> None:
    assert isinstance(inbox().received("apply", bundle(1), RUNS), PassOn)


def test_what_runs_already_is_not_passed_on() -> None:
    one = inbox()
    assert one.received("apply", bundle(3), RUNS) is None
    assert not one.is_news(bundle(3))
    assert one.received("confirm", confirmation(2), RUNS) is None
    assert not one.is_news(confirmation(2))


def test_a_confirmation_waits_for_its_bundle() -> None:
    one, text = inbox(), confirmation(4)
    assert one.received("confirm", text, RUNS) is None
    assert one.is_news(text), "it is looked at again"
    assert isinstance(one.received("confirm", text, Revisions(4, 2)), PassOn)


def test_what_is_not_for_this_node_is_refused_with_a_reason() -> None:
    unsigned = to_json(Signed("bundle", "{}", "")).encode()
    refused = {
        bundle(4, node="node-b"): "it is for the node 'node-b' of the cluster 'cluster-1'",
        bundle(4, cluster="other"): "it is for the node 'node-a' of the cluster 'other'",
        unsigned: "its signature is not that of the control plane this node trusts",
        confirmation(4): "it is a 'confirmation', not a bundle",
    }
    for text, why in refused.items():
        assert inbox().received("apply", text, RUNS) == Refuse(
            f"the agent did not pass it on: {why}"
        )
    assert isinstance(inbox().received("apply", b"\x00 {", RUNS), Refuse)
    assert isinstance(inbox().received("confirm", bundle(4), RUNS), Refuse)


NONSENSE = {
    "no UTF-8": b"\xff\xfe\x80",
    "half a character": "é".encode()[:1],
    "NUL": b"\0",
    "deep": b"[" * 100_000,
    "a long number": b'{"v":' + b"9" * 5_000 + b"}",
    "no object": b"[]",
    "half a pair in the payload": b'{"kind":"bundle","payload":"\\ud800","signature":"right"}',
    "half a pair in the config": to_json(
        Signed(
            "bundle", '{"cluster":"\\ud800","node":"","revision":1,"config":"","created_us":0}', ""
        )
    ).encode(),
    "a number of 5,000 digits": to_json(
        Signed("bundle", '{"revision":' + "9" * 5_000 + "}", "right")
    ).encode(),
}


@pytest.mark.parametrize("name", NONSENSE)
@pytest.mark.parametrize("verb", ["apply", "confirm"])
def test_no_bytes_in_a_key_do_more_than_be_refused(name: str, verb: Verb) -> None:
    refused = inbox().received(verb, NONSENSE[name], RUNS)
    assert isinstance(refused, Refuse)
    refused.cause.encode()  # it goes to the supervisor as UTF-8
    assert inbox().is_news(NONSENSE[name])


def test_another_content_under_the_number_that_is_live_is_passed_on_to_be_refused() -> None:
    """Or the control plane would never hear why the node does not run it."""
    runs = Revisions(3, 3, hashlib.sha256(b"text").hexdigest())
    assert inbox().received("apply", bundle(3), runs) is None
    assert isinstance(inbox().received("apply", bundle(3, config="other"), runs), PassOn)


def test_there_may_be_no_envelope() -> None:
    assert not inbox().is_news(b"")


def test_only_so_many_answers_are_remembered() -> None:
    one = inbox()
    for number in range(SETTLED_MAX + 2):
        one.settled(b"%d" % number)
    assert not one.is_news(b"%d" % (SETTLED_MAX + 1))
    assert one.is_news(b"0"), "the supervisor is asked once more: no harm is done"


def test_a_receipt_is_a_journal_and_a_number() -> None:
    assert receipt(b"j-1 42") == Receipt("j-1", 42)
    odd = (
        "j-1 ²".encode(),
        "j-1 ٣".encode(),
        b"j-1 " + b"9" * 5_000,
        b"\xff\xfe \x80",
        b"j-1 \xff",
    )
    for value in (None, b"", b"j-1", b"j-1 x", b"j-1 -2", *odd):
        assert receipt(value) == NOTHING_STORED


def event(seq: int, kind: str = "transition") -> dict[str, object]:
    return {"seq": seq, "kind": kind}


def test_a_window_of_events_is_on_its_way_and_no_more() -> None:
    delivery = Delivery()
    delivery.begin("j-1", Receipt("j-1", 10))
    assert delivery.sent == 10
    delivery.events_sent([event(seq) for seq in range(11, 11 + WINDOW)])
    assert not delivery.must_wait(Receipt("j-1", 10))
    delivery.events_sent([event(11 + WINDOW)])
    assert delivery.must_wait(Receipt("j-1", 10))
    assert not delivery.must_wait(Receipt("j-1", 11))
    assert delivery.must_wait(Receipt("another journal", 10_000)), "which says nothing of ours"
    assert WINDOW < STREAM_ENTRIES_MAX, "the stream must not drop what is on its way"


def test_a_receipt_of_another_journal_means_that_nothing_is_stored() -> None:
    delivery = Delivery()
    delivery.begin("j-2", Receipt("j-1", 10))
    assert delivery.sent == 0


def test_events_without_a_receipt_are_sent_again_before_the_stream_drops_them() -> None:
    delivery = Delivery()
    delivery.begin("j-1", NOTHING_STORED)
    delivery.events_sent([event(1)])
    again = [delivery.status_sent("j-1", None) for _ in range(RESEND_AFTER + 1)]
    assert again == [False] * (RESEND_AFTER - 1) + [True, False], "one entry was the event"
    assert RESEND_AFTER < STREAM_ENTRIES_MAX


def test_with_a_receipt_nothing_is_sent_again() -> None:
    delivery = Delivery()
    delivery.begin("j-1", NOTHING_STORED)
    delivery.events_sent([event(1), event(2)])
    assert not any(delivery.status_sent("j-1", b"j-1 2") for _ in range(2 * RESEND_AFTER))
    delivery.events_sent([event(3)])
    for number in range(RESEND_AFTER - 1):
        assert not delivery.status_sent("j-1", b"j-1 2"), (
            f"the calm before does not count: {number}"
        )
    assert delivery.status_sent("j-1", b"j-1 2")
    for number in range(2 * RESEND_AFTER):
        assert not delivery.status_sent("j-1", b"j-1 %d" % (number % 2)), "receipts still move"


def test_a_warning_changes_no_status() -> None:
    assert not changes_status([event(1, "warning")])
    assert changes_status([event(1, "warning"), event(2, "address")])


SECOND = 1_000_000


def test_a_task_that_does_not_come_round_is_named_in_every_status() -> None:
    one = Liveness(SECOND, -20 * SECOND)
    assert set(one.late(0)) == {"orders", "events", "nudges"}, "what never came is late too"
    one.came("orders", 0)
    one.came("nudges", 5 * SECOND)
    one.came("events", 20 * SECOND)
    assert one.late(LATE_AFTER_US) == {}
    assert one.late(LATE_AFTER_US + 1) == {"orders": LATE_AFTER_US / SECOND + 1e-6}
    both = one.late(20 * SECOND)
    assert both == {"orders": 20.0, "nudges": 15.0}
    assert one.sentences(20 * SECOND) == [
        "the agent has not looked for what this node should run for 20 s",
        "the agent has not listened for nudges for 15 s; pushes wait for a heartbeat",
    ]
    one.came("orders", 20 * SECOND)
    assert set(one.late(20 * SECOND)) == {"nudges"}


def test_slow_heartbeats_are_not_late() -> None:
    one = Liveness(60 * SECOND, 0)
    one.came("events", 181 * SECOND)
    one.came("nudges", 181 * SECOND)
    assert one.late(180 * SECOND) == {}
    assert set(one.late(181 * SECOND)) == {"orders"}


def test_events_are_late_if_some_wait_and_none_is_sent() -> None:
    one = Liveness(SECOND, 0)

    def at(second: int, newest: int, sent: int, held_back: bool = False) -> set[str]:
        one.events(newest=newest, sent=sent, held_back=held_back, now_us=second * SECOND)
        return set(one.late(second * SECOND)) & {"events"}

    assert at(0, 5, 5) == at(100, 5, 5) == set(), "nothing waits, however long"
    assert at(101, 6, 5) == at(105, 6, 5) == set()
    assert at(111, 6, 5) == {"events"}
    assert at(112, 9, 6) == set(), "it moves again"
    assert at(121, 9, 6) == set()
    assert at(140, 9, 6, held_back=True) == set(), "the control plane has not stored the others"
    assert at(149, 9, 6) == set()
    assert at(151, 9, 6) == {"events"}
