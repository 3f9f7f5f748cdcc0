"""An incremental check gives the result of a full check, but faster."""

from __future__ import annotations

import time
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hanode.conf import Checked, Checker, check
from hanode.conf.check.incremental import cut
from tests.bench.conf import many_servers

BLOCKS = (
    "global_defs {\n    router_id one\n}\n",
    "vrrp_instance A {\n    state MASTER\n    interface eth0\n    virtual_router_id 51\n"
    "    priority 100\n    virtual_ipaddress {\n        192.0.2.1/24\n    }\n}\n",
    "vrrp_instance B {\n    interface $IF\n    virtual_router_id 51\n@a    priority 90\n"
    "@b    priority 80\n    state MASTER\n    state BACKUP\n}\n",
    "virtual_server 192.0.2.9 80 {\n    lb_algo wrr\n    nat_mask 255.255.255.0\n"
    "    real_server 192.0.2.10 80 {\n        weight 1\n    }\n}\n",
    "virtual_server 192.0.2.8 80 {\n~SEQ(N, 1, 3) real_server 192.0.2.$N 80 { weight $N }\n}\n",
    "$IF=eth0\n",
    "$BODY=vrrp_script up {\\\n    script /bin/true\\\n}\n",
    "$BODY\n",
    "# a comment\n",
    "! another\n\n",
    "static_ipaddress {\n    192.0.2.3/24\n}\n",
    "vrrp_sync_group G {\n    group {\n        A\n        B\n    }\n}\n",
)
SCRAPS = (
    "}\n",
    "{",
    "}",
    "\n",
    "#",
    '"',
    "$IF",
    "@a ",
    " x",
    "priority 300\n",
    "include a\n",
    "~",
    "\\\n",
)

edit = st.tuples(st.integers(0, 2_000), st.integers(0, 30), st.sampled_from(SCRAPS + BLOCKS))
document = st.lists(st.sampled_from(BLOCKS), max_size=8).map("".join)


def places(checked: Checked) -> list[Any]:
    """The places of everything in the model."""
    model = checked.model
    found: list[Any] = [model.globals.origin, model.globals.places, model.notes]
    for one in (*model.instances, *model.virtual_servers):
        found += [one.origin, one.places, one.notes]
    found += [(s.origin, s.notes) for s in model.other]
    return found


@settings(max_examples=150, deadline=None)
@given(document, st.lists(edit, max_size=5))
def test_a_change_gives_what_a_fresh_check_gives(
    text: str, edits: list[tuple[int, int, str]]
) -> None:
    checkers = [Checker(node=node) for node in (None, "a")]
    for at, length, new in [(0, 0, ""), *edits]:
        at %= len(text) + 1
        text = text[:at] + new + text[at + length :]
        for checker in checkers:
            again, fresh = checker.update(text), check(text, node=checker.node)
            assert again.model == fresh.model
            assert again.problems == fresh.problems
            assert places(again) == places(fresh)
            assert again.document.text() == text


@given(document, edit)
def test_parts_are_the_whole(text: str, change: tuple[int, int, str]) -> None:
    at = change[0] % (len(text) + 1)
    text = text[:at] + change[2] + text[at:]
    assert "".join(cut(text)) == text


def test_equal_blocks_stand_at_their_own_places() -> None:
    text = BLOCKS[1] * 3
    checked = Checker().update(text)
    assert [one.origin.line for one in checked.model.instances] == [1, 10, 19]
    assert checked.problems == check(text).problems


def test_what_did_not_change_is_not_read_again() -> None:
    text = many_servers(2_000)
    checker = Checker()
    checker.update(text)
    changed = text.replace("weight 1", "weight 2", 1)
    fresh = min(timed(lambda: check(changed)) for _ in range(3))
    again = min(timed(lambda: checker.update(text)) for _ in range(3))
    assert again < fresh / 3


def test_time_grows_with_the_size_only() -> None:
    """The limit is generous: other work on the machine must not make the test fail."""
    small, large = many_servers(3_000), many_servers(6_000)
    ratios = []
    for _ in range(3):
        ratios.append(timed(lambda: check(large)) / timed(lambda: check(small)))
    assert min(ratios) < 3


def timed(work: Any) -> float:
    """Seconds of CPU time of this process."""
    begin = time.process_time()
    work()
    return time.process_time() - begin
