"""What the agent decides: which envelopes it passes on, and when events are sent again."""

from __future__ import annotations

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
from hanode.supervision.envelopes import SETTLED_MAX, EnvelopeInbox, PassOn, Refuse, Revisions
from hanode.wire import Bundle, Confirmation, Enrolment, Signed, to_json

ME = Enrolment("node-a", "NodeA", "cluster-1", "redis://broker", "key", 10.0)
RUNS = Revisions(live=3, confirmed=2)


def inbox() -> EnvelopeInbox:
    return EnvelopeInbox(ME, lambda envelope: envelope.signature == "right")


def bundle(revision: int, *, node: str = "node-a", cluster: str = "cluster-1") -> str:
    message = Bundle(cluster, node, revision, "text", 0, 0.0)
    return to_json(Signed("bundle", to_json(message), "right"))


def confirmation(revision: int) -> str:
    message = Confirmation("cluster-1", "node-a", revision)
    return to_json(Signed("confirmation", to_json(message), "right"))


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
    unsigned = to_json(Signed("bundle", "{}", ""))
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
    assert isinstance(inbox().received("apply", "\x00 {", RUNS), Refuse)
    assert isinstance(inbox().received("confirm", bundle(4), RUNS), Refuse)


def test_there_may_be_no_envelope() -> None:
    assert not inbox().is_news("")


def test_only_so_many_answers_are_remembered() -> None:
    one = inbox()
    for number in range(SETTLED_MAX + 2):
        one.settled(str(number))
    assert not one.is_news(str(SETTLED_MAX + 1))
    assert one.is_news("0"), "the supervisor is asked once more: no harm is done"


def test_a_receipt_is_a_journal_and_a_number() -> None:
    assert receipt("j-1 42") == Receipt("j-1", 42)
    for text in (None, "", "j-1", "j-1 x", "j-1 -2"):
        assert receipt(text) == NOTHING_STORED


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
    assert not any(delivery.status_sent("j-1", "j-1 2") for _ in range(2 * RESEND_AFTER))
    delivery.events_sent([event(3)])
    for number in range(RESEND_AFTER - 1):
        assert not delivery.status_sent("j-1", "j-1 2"), f"the calm before does not count: {number}"
    assert delivery.status_sent("j-1", "j-1 2")
    for number in range(2 * RESEND_AFTER):
        assert not delivery.status_sent("j-1", f"j-1 {number % 2}"), "receipts still move"


def test_a_warning_changes_no_status() -> None:
    assert not changes_status([event(1, "warning")])
    assert changes_status([event(1, "warning"), event(2, "address")])
