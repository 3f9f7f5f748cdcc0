"""Advice about a failover: what a hint promises is what `simulate` then shows.

Each case of the rules between nodes, and each case of one node whose advice is about who is master
(beside an equal node of lower priority), is simulated before and after its advice is followed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from random import Random

import pytest

from hanode import conf
from hanode.conf import Problem
from hanode.conf.check.check import check
from hanode.conf.check.codes import PAIRS as CODES
from hanode.simulate import InstanceOutcome, simulate
from tests.conf.advice.deeds import Task
from tests.conf.advice.real import keepalived_says
from tests.conf.cases import elsewhere
from tests.conf.cases.base import PairCase
from tests.conf.test_codes import PAIRS, between

Texts = dict[str, str]
HALF_S = 500_000


def block_of(text: str, head: str, keyword: str) -> tuple[int, int] | None:
    """The lines (first, behind the last) of a statement in a block; None: it has none."""
    task = Task(text, NOTHING)
    opener = next(i for i, line in enumerate(task.lines) if line.startswith(head))
    for index in range(opener + 1, task.end_of(opener) - 1):
        if task.lines[index].split()[:1] == [keyword] and task.around(index) == opener:
            return index, task.end_of(index)
    return None


NOTHING = Problem("", "info", "", 1, 1, 1, 1, "")
SAME = {
    "vrid-differs": ("virtual_router_id",),
    "version-differs": ("version",),
    "advert-int-differs": ("advert_int",),
    "auth-differs": ("authentication",),
    "vips-differ": ("virtual_ipaddress", "virtual_ipaddress_excluded"),
    "service-differs": ("real_server", "lb_kind", "lb_algo", "persistence_timeout"),
}
"""By code: the statements that it is about."""


def head_of(text: str, line: int) -> str:
    """The head of the root's block around a line."""
    return next(x for x in reversed(text.split("\n")[:line]) if re.match(r"(?:vrrp|virtual)_", x))


def same(texts: Texts, problem: Problem, _: re.Match[str]) -> Iterator[Texts]:
    """The statement of one node on the other."""
    to = problem.file
    like = next(node for node in texts if node != to)
    head = head_of(texts[to], problem.line)
    source = next(
        x for x in texts[like].split("\n") if x == head or x.split()[:2] == head.split()[:2]
    ) if head in texts[like] else "vrrp_instance h"  # fmt: skip
    text = texts[to]
    for keyword in SAME[problem.code]:
        there, here = block_of(texts[like], source, keyword), block_of(text, head, keyword)
        lines = text.split("\n")
        new = [] if there is None else texts[like].split("\n")[there[0] : there[1]]
        if here is not None:
            lines[here[0] : here[1]] = new
        else:
            at = lines.index(head) + 1
            lines[at:at] = new
        text = "\n".join(lines)
    yield texts | {to: text}


def in_file(edit: Callable[[Task, re.Match[str]], list[str]]) -> Callable[..., Iterator[Texts]]:
    """A deed in the file of the problem."""

    def made(texts: Texts, problem: Problem, match: re.Match[str]) -> Iterator[Texts]:
        for text in edit(Task(texts[problem.file], problem), match):
            yield texts | {problem.file: text}

    return made


def everywhere(pattern: str, new: str) -> Callable[[Texts], Texts]:
    return lambda texts: {n: re.sub(pattern, new, t, flags=re.M) for n, t in texts.items()}


def weighed(texts: Texts, problem: Problem, match: re.Match[str]) -> Iterator[Texts]:
    """Other weights: with the value on every node, and without weight."""
    values = [*([match["weight"]] if match.groupdict().get("weight") else []), "0"]
    for value in values:
        yield everywhere(rf"^(        {match['name']})$", rf"\1 weight {value}")(texts)
    if "remove nopreempt" in str(problem.hint):
        yield everywhere(r"^    nopreempt\n", "")(texts)


def peer_added(texts: Texts, _: Problem, match: re.Match[str]) -> Iterator[Texts]:
    text = texts[match[2]]
    first = block_of(text, "vrrp_instance g", "unicast_peer")
    assert first is not None
    yield texts | {match[2]: Task(text, NOTHING).add(first[0], match[1])}


def own_source(texts: Texts, problem: Problem, _: re.Match[str]) -> Iterator[Texts]:
    text = texts[problem.file].replace("unicast_src_ip 192.0.2.101", "unicast_src_ip 192.0.2.102")
    yield texts | {problem.file: text}


def highest(texts: Texts, _: Problem, match: re.Match[str]) -> Iterator[Texts]:
    yield texts | {
        match[1]: re.sub(r"^    priority \d+$", "    priority 200", texts[match[1]], flags=re.M)
    }


HINTS: tuple[tuple[str, Callable[..., Iterator[Texts]]], ...] = (
    (r"write the same on all nodes", same),
    (r"use one name on all nodes", lambda ts, p, m: iter([
        {n: t.replace("vrrp_instance i", "vrrp_instance g").replace("        i\n", "        g\n")
         for n, t in ts.items()}])),
    (r"use a free address, the same on all nodes", lambda ts, p, m: iter([
        {n: t.replace("        192.0.2.1/24", "        192.0.2.77/24").replace(
            "server 192.0.2.1 80", "server 192.0.2.77 80") for n, t in ts.items()}])),
    (r"write a higher priority on one of them", lambda ts, p, m: iter([
        ts | {"A": ts["A"].replace("priority 110", "priority 120", 1)}])),
    (r"write BACKUP on all but one", in_file(lambda t, m: [t.write("state BACKUP")])),
    (r"write (state BACKUP) here", in_file(lambda t, m: [t.write(m[1])])),
    (r"write the addresses of the other nodes into unicast_peer of (\w)", lambda ts, p, m: iter([
        ts | {m[1]: Task(ts[m[1]], p).add(
            ts[m[1]].split("\n").index("vrrp_instance g {"),
            "unicast_peer {\n    192.0.2.101\n    192.0.2.103\n}")}])),
    (r"write (\S+) into unicast_peer of (\w)", peer_added),
    (r"write into unicast_src_ip of B the node's own address, .*", own_source),
    (r"write weight (?P<weight>-?\d+) or (?:more|less) behind (?P<name>\w+) on .*", weighed),
    (r"write weight 0 behind (?P<name>\w+), .*", weighed),
    (r"write (state BACKUP) and (preempt_delay 60) on (\w), .*", lambda ts, p, m: iter([
        ts | {m[3]: re.sub(r"^    state \w+$", f"    {m[1]}\n    {m[2]}", ts[m[3]], flags=re.M)}])),
    (r"write preempt_delay on A only, or weight 0 behind (?P<name>\w+)", lambda ts, p, m: iter([
        ts | {p.file: Task(ts[p.file], p).remove()}, next(weighed(ts, p, m))])),
    (r"write the highest priority of all members on (\w)", highest),
)  # fmt: skip


def followed(texts: Texts, problem: Problem) -> Iterator[Texts]:
    """The texts after doing what the hint says, for each way that it offers."""
    if problem.hint is None:
        return
    for pattern, deed in HINTS:
        match = re.fullmatch(pattern, problem.hint)
        if match is not None:
            yield from deed(texts, problem, match)
            return
    raise KeyError(f"nothing here does what the hint says: {problem.hint}")


def mended(case: PairCase) -> Iterator[tuple[str, Texts]]:
    for problem in between(case.texts):
        if problem.code != case.code:
            continue
        if problem.fix is not None:
            node = problem.file
            yield "fix", case.texts | {node: conf.apply_fixes(case.texts[node], [problem])}
        for number, texts in enumerate(followed(case.texts, problem), 1):
            yield f"hint {number}", texts


@pytest.mark.parametrize("case", PAIRS, ids=str)
def test_who_follows_the_advice_hears_no_more_of_it(case: PairCase) -> None:
    before = Counter(p.code for p in between(case.texts))
    for how, texts in mended(case):
        after = Counter(p.code for p in between(texts))
        assert after[case.code] < before[case.code], (how, texts)
        assert not after - before, (how, after - before, texts)
        for node, text in texts.items():
            alone = {p.code for p in check(text, node=node).problems}
            known = {p.code for p in check(case.texts[node], node=node).problems}
            assert alone <= known, (how, alone - known)


@pytest.mark.needs("root", "netns", "keepalived")
def test_keepalived_is_silent_about_what_was_done_as_advised() -> None:
    texts: Texts = {}
    for case in PAIRS:
        texts |= {f"{case} sound A": case.first, f"{case} sound B": case.second}
        for how, after in mended(case):
            texts |= {
                f"{case} {how} {node}": text
                for node, text in after.items()
                if not check(text, node=node).problems
            }
    assert {label: lines for label, lines in keepalived_says(texts).items() if lines} == {}


# --- what was promised ---------------------------------------------------------------------------


def told(texts: Texts, *faults: str) -> dict[str, InstanceOutcome]:
    """By name of the instance: what became of it, and of others of its name on other networks."""
    models = {node: check(text, name=node, node=node).model for node, text in texts.items()}
    done = simulate(models, faults, chance=Random(1).random, length_us=60_000_000)
    found: dict[str, InstanceOutcome] = {}
    for one in done.instances:
        found[one.name if one.name not in found else f"{one.name} of VRID {one.vrid}"] = one
    return found


def apart(texts: Texts) -> Texts:
    """Without sync groups, in which one member that hears the other node holds the rest."""
    group = r"^vrrp_sync_group both \{\n(?:    .*\n)*\}\n"
    return {node: re.sub(group, "", text, flags=re.M) for node, text in texts.items()}


def masters(one: InstanceOutcome) -> list[str]:
    return [node.node for node in one.nodes if node.state == "MASTER"]


def lasting(one: InstanceOutcome) -> bool:
    """Whether it had several masters for more than a moment."""
    return any(span.ended_us - span.began_us > HALF_S for span in one.several_masters)


def one_master(before: Texts, after: Texts) -> None:
    """There were two masters; now there is one, and the other takes over from it."""
    before, after = apart(before), apart(after)
    assert any(lasting(one) for one in told(before).values()) or len(told(before)) > len(
        told(after)
    ), before
    for name, one in told(after).items():
        assert len(masters(one)) == 1, (name, after)
        assert not lasting(one), (name, after)
        (master,) = masters(one)
        (heir,) = masters(told(after, f"kill {master} at 20s")[name])
        assert heir != master


def becomes_master(before: Texts, after: Texts) -> None:
    """The other node's adverts did not arrive: whoever is lower became master too."""

    def lower(texts: Texts) -> Texts:
        lowered = apart(texts)
        return lowered | {"A": lowered["A"].replace("priority 110", "priority 90")}

    assert any(lasting(one) for t in (apart(before), lower(before)) for one in told(t).values())
    for texts in (apart(after), lower(after)):
        assert not any(lasting(one) for one in told(texts).values()), texts


def moves_when_it_fails(before: Texts, after: Texts) -> None:
    """Nothing moved when the script failed; now it does, and within 10 s."""
    (leader,) = masters(told(before)["g"])
    fails = f"script {leader} service fails at 50s"
    assert masters(told(before, fails)["g"]) == [leader]
    assert masters(told(after)["g"]) == [leader]
    (heir,) = masters(told(after, fails)["g"])
    assert heir != leader


def comes_back_later(before: Texts, after: Texts) -> None:
    """It moved back at once; now only after the delay."""
    (leader,) = masters(told(before)["g"])
    story = (f"script {leader} service fails at 10s", f"script {leader} service works at 20s")
    assert masters(told(before, *story)["g"]) == [leader]
    (heir,) = masters(told(after, *story)["g"])
    assert heir != leader


def agrees(before: Texts, after: Texts) -> None:
    """The node whose group had moved away did not get it back; now it does."""
    (leader,) = masters(told(before)["g"])
    story = (f"kill {leader} at 10s", f"start {leader} at 20s")
    assert all(masters(one) not in ([], [leader]) for one in told(before, *story).values())
    assert all(masters(one) == [leader] for one in told(after, *story).values())


def still_works(_: Texts, after: Texts) -> None:
    """One master each, and no second one."""
    for name, one in told(after).items():
        assert len(masters(one)) == 1, name
        assert not lasting(one), name


PROMISED: dict[str, Callable[[Texts, Texts], None]] = {
    "advert-int-differs": one_master,
    "auth-differs": one_master,
    "peers-one-sided": becomes_master,
    "source-shared": one_master,
    "unicast-differs": one_master,
    "version-differs": one_master,
    "vips-differ": still_works,
    "vrid-differs": one_master,
    "track-weight-small": moves_when_it_fails,
    "track-nopreempt": moves_when_it_fails,
    "track-delayed": moves_when_it_fails,
    "track-returns": comes_back_later,
    "sync-disagree": agrees,
    "priority-equal": still_works,
    "two-masters": still_works,
    "master-lower": still_works,
    "name-differs": still_works,
    "vip-is-peer": still_works,
    "service-differs": still_works,
}


def test_every_code_between_nodes_has_a_promise_or_no_advice() -> None:
    advised = {case.code for case in PAIRS for _ in mended(case)}
    assert advised == set(PROMISED)
    alone = {"group-alone", "service-alone"}
    assert set(CODES) - advised <= alone | {c.code for c in elsewhere.CASES}


@pytest.mark.parametrize("case", PAIRS, ids=str)
def test_simulate_shows_what_the_hint_promised(case: PairCase) -> None:
    for _, texts in mended(case):
        PROMISED[case.code](case.texts, texts)
