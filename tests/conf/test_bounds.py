"""What the language costs grows as the text does, whatever the text is made of.

Each shape is read at a size and at four times that size: four times as long is right, sixteen times
would be the square. Processor time counts, and the best of a few tries.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from hanode import conf
from hanode.build import build
from hanode.conf.text import expand, macro_lines
from hanode.conf.text.problems import LISTED_MAX
from tests.conf.shapes import SHAPES

SIZE = 250
TIMES = 4
MOST = 11.0
LEAST_S = 0.05
"""Less is not measured: everything is fast enough then."""
TRIES = 5

Work = Callable[[str], Callable[[], object]]


def check(text: str) -> Callable[[], object]:
    return lambda: conf.check(text, node="A", target=conf.NEWEST)


def two(text: str) -> dict[str, str]:
    """The text, and one that differs in many lines."""
    other = text.replace("priority 100", "priority 90").replace("eth", "ens")
    return {"A": text, "B": other.replace("TCP_CHECK", "SMTP_CHECK")}


def models(text: str) -> dict[str, conf.Config]:
    return {n: conf.check(t, node=n, target=conf.NEWEST).model for n, t in two(text).items()}


def pair(text: str) -> Callable[[], object]:
    found = models(text)
    return lambda: conf.check_pair(found)


def merge(text: str) -> Callable[[], object]:
    return lambda: conf.merge(two(text), target=conf.NEWEST)


def diff(text: str) -> Callable[[], object]:
    old, new = models(text).values()
    return lambda: (conf.diff(old, new), conf.render(new, target=conf.NEWEST))


def run(text: str) -> Callable[[], object]:
    checked = conf.check(text, node="A", target="hanode")
    return lambda: (build(checked.model), conf.recover(checked, "A"))


def mask(text: str) -> Callable[[], object]:
    return lambda: conf.mask_secrets(text)


def type_on(text: str) -> Callable[[], object]:
    def again() -> None:
        checker = conf.Checker(node="A", target=conf.NEWEST)
        checker.update(text)
        checker.update(f"{text}\n")

    return again


WORK: tuple[Work, ...] = (check, pair, merge, diff, run, mask, type_on)


def taken_s(work: Work, text: str) -> float:
    ready = work(text)
    began = time.process_time()
    ready()
    return time.process_time() - began


@pytest.mark.parametrize("shape", SHAPES)
def test_four_times_the_text_takes_four_times_as_long(shape: str) -> None:
    make = SHAPES[shape]
    for work in WORK:
        ratios = []
        for _ in range(TRIES):
            long_s = taken_s(work, make(SIZE * TIMES))
            if long_s < LEAST_S:
                break
            ratios.append(long_s / max(taken_s(work, make(SIZE)), 1e-3))
            if ratios[-1] < MOST:
                break
        else:
            raise AssertionError(f"{work.__name__}: {TIMES} times the text: {min(ratios):.1f}")


INSTANCE = """$INSTANCE{a} = \\
vrrp_instance VI_{a}_${{B}} {{ \\
  interface eth{a} \\
  virtual_router_id ${{B}} \\
  priority 100 \\
  version 3 \\
  virtual_ipaddress {{ \\
    10.{a}.${{B}}.1/24 \\
  }} \\
}}
""".replace(" = \\", "= \\")


def test_two_thousand_instances_of_a_few_lines_are_read_within_a_second() -> None:
    text = "".join(INSTANCE.format(a=a) for a in range(8))
    text += "".join(f"~SEQ(B, 1, 250) $INSTANCE{a}\n" for a in range(8))
    assert text.count("\n") < 96
    best_s = 99.0
    for _ in range(TRIES):
        began = time.process_time()
        checked = conf.check(text, node="A", target=conf.NEWEST)
        best_s = min(best_s, time.process_time() - began)
    assert len(checked.model.instances) == 2_000
    assert checked.problems == ()
    assert best_s < 1.0


def test_macros_that_make_more_than_anybody_reads_are_a_problem_at_their_line() -> None:
    doubled = "$A0=xxxxxxxx\n" + "".join(f"$A{i}=$A{i - 1} $A{i - 1}\n" for i in range(1, 16))
    text = doubled + "router_id $A15\n" * 200
    found = [p for p in conf.check(text, node="A").problems if p.code == "too-long"]
    assert [p.line for p in found] == [17 + macro_lines.MAX_MADE // (9 * 2**15 - 1)]
    assert f"more than {macro_lines.MAX_MADE} characters" in found[0].message


def test_files_that_include_each_other_end() -> None:
    def read(name: str, _including: str) -> tuple[tuple[str, str], ...]:
        return ((name, f"include {name}\n" * 4),)

    found = conf.check("include a\n", node="A", read=read).problems
    assert f"more than {expand.MAX_FILES} files" in next(
        p.message for p in found if p.code == "too-long"
    )


def test_of_very_many_problems_the_first_are_kept_and_the_others_counted() -> None:
    text = "vrrp_instance A {\n" + "gone\n" * 30_000 + "virtual_router_id 900\n}\n"
    found = conf.check(text, node="A").problems
    (many,) = [p for p in found if p.code == "problems-many"]
    count = int(many.message.split()[0].replace(",", ""))
    assert 30_000 - LISTED_MAX <= count < 30_000 - LISTED_MAX + 5
    assert [p.line for p in found if p.code == "bad-value"] == [30_002]  # no error is left out
    assert len(found) <= 2 * LISTED_MAX + 1
