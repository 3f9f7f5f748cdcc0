"""A text with a problem, and what people do to it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from hanode.conf import Problem

FREE = {4: "192.0.2.77/24", 6: "2001:db8::77/64"}
"""Addresses that no text of the cases has."""


@dataclass(frozen=True)
class Task:
    """A text and one problem in it, and the edits that people make."""

    text: str
    problem: Problem
    others: tuple[str, ...] = ()
    """The texts of the other nodes, where it is about a cluster."""

    @property
    def lines(self) -> list[str]:
        return self.text.split("\n")

    @property
    def at(self) -> int:
        """The index of the problem's line."""
        return self.problem.line - 1

    def end_of(self, first: int) -> int:
        """The index behind the statement that begins in a line, its block included."""
        depth = 0
        for index in range(first, len(self.lines)):
            depth += self.lines[index].count("{") - self.lines[index].count("}")
            if depth <= 0:
                return index + 1
        return len(self.lines)

    def around(self, index: int) -> int:
        """The index of the line that opens the block around a line."""
        depth = 0
        for above in range(index - 1, -1, -1):
            depth += self.lines[above].count("}") - self.lines[above].count("{")
            if depth < 0:
                return above
        raise AssertionError(f"no block around line {index + 1}")

    def block(self, head: str) -> int:
        """The index of the first line that opens such a block."""
        return next(i for i, line in enumerate(self.lines) if re.match(rf"\s*{head}\b", line))

    def owner(self, keyword: str) -> int:
        """The index of the head of the block around the problem that has this keyword."""
        index = self.at
        while not re.match(rf"\s*{keyword}\b", self.lines[index]):
            index = self.around(index)
        return index

    def put(self, first: int, last: int, *new: str) -> str:
        """The text with other lines instead of these."""
        return "\n".join((*self.lines[:first], *new, *self.lines[last:]))

    def indent(self, index: int) -> str:
        line = self.lines[index]
        return line[: len(line) - len(line.lstrip())]

    def write(self, statement: str, at: int | None = None) -> str:
        """Another statement in the place of the one with the problem."""
        first = self.at if at is None else at
        return self.put(first, self.end_of(first), self.indent(first) + statement)

    def remove(self, at: int | None = None) -> str:
        """Without the statement that begins in a line, the problem's if none is named."""
        first = self.at if at is None else at
        return self.put(first, self.end_of(first))

    def add(self, opener: int, *statements: str) -> str:
        """With more lines at the beginning of the block that a line opens."""
        inner = self.indent(opener) + "    "
        new = [inner + line for statement in statements for line in statement.split("\n")]
        return self.put(opener + 1, opener + 1, *new)

    def append(self, opener: int, *statements: str) -> str:
        """With more lines at the end of the block that a line opens."""
        close = self.end_of(opener) - 1
        inner = self.indent(opener) + "    "
        return self.put(close, close, *(inner + line for line in statements))

    def say(self, opener: int, statement: str) -> str:
        """A block with this statement: in the place of that of the same keyword, or more."""
        word = statement.split()[0]
        for index in range(opener + 1, self.end_of(opener) - 1):
            if self.lines[index].split()[:1] == [word] and self.around(index) == opener:
                return self.write(statement, index)
        return self.add(opener, statement)

    def behind(self, words: str, at: int | None = None) -> str:
        """With more words at the end of a line."""
        first = self.at if at is None else at
        return self.put(first, first + 1, f"{self.lines[first]} {words}")

    def every(self, old: str, new: str | Callable[[re.Match[str]], str]) -> str:
        """With all occurrences of a pattern replaced."""
        found = re.sub(old, new, self.text, flags=re.M)
        assert found != self.text, old
        return found

    def word(self, new: str) -> str:
        """Another word in the place that the problem names."""
        line, problem = self.lines[self.at], self.problem
        assert problem.end_line == problem.line
        return self.put(
            self.at, self.at + 1, line[: problem.column - 1] + new + line[problem.end_column - 1 :]
        )


Deed = Callable[[Task, re.Match[str]], Iterable[str]]


def instance(task: Task) -> int:
    return task.owner("vrrp_instance")


def service(task: Task) -> int:
    return task.owner("virtual_server")


def to_the_root(task: Task, block: str) -> str:
    """A block above everything else."""
    return f"{block}\n{task.text}"


def defined_above(task: Task, _: re.Match[str]) -> Iterable[str]:
    """What is tracked, defined where keepalived knows it already."""
    name = task.lines[task.at].split()[0]
    kind = task.lines[task.around(task.at)].split()[0]
    root, word = {"track_script": ("vrrp_script", "script /bin/true")}[kind]
    text = re.sub(rf"^{root} {name} \{{\n(?:.*\n)*?\}}\n", "", task.text, flags=re.M)
    new = f"{root} {name} {{\n    {word}\n}}\n"
    head = text.index("vrrp_sync_group") if "vrrp_sync_group" in text else 0
    yield text[:head] + new + text[head:]


def joined(task: Task, _: re.Match[str]) -> Iterable[str]:
    """Two virtual servers as one: here they are equal, so one is left."""
    yield task.remove()


def moved(task: Task, match: re.Match[str]) -> Iterable[str]:
    """A line in the block that is its home."""
    line = task.lines[task.at].strip()
    rest = Task(task.remove(), task.problem)
    yield rest.add(rest.block(match[1]), line)


def in_all_members(task: Task, statement: str | None, word: str) -> str:
    """A statement in each vrrp_instance; None: none of them has it."""
    text = task.text
    for index in reversed([i for i, x in enumerate(task.lines) if x.startswith("vrrp_instance")]):
        now = Task(text, task.problem)
        if statement is not None:
            text = now.say(index, statement)
            continue
        for line in range(now.end_of(index) - 1, index, -1):
            if now.lines[line].split()[:1] == [word]:
                now = Task(now.remove(line), task.problem)
        text = now.text
    return text


def half_moved(task: Task, _: re.Match[str]) -> Iterable[str]:
    """The addresses behind the first twenty in virtual_ipaddress_excluded."""
    start = task.block("~SEQ|virtual_ipaddress")
    line = next(i for i, x in enumerate(task.lines) if "~SEQ" in x)
    del start
    fewer = task.lines[line].replace("30)", "29)")
    text = Task(task.put(line, line + 1, fewer), task.problem)
    yield text.append(instance(text), "virtual_ipaddress_excluded {", "    192.0.2.30/24", "}")


def at_most(task: Task, words: str, value: str) -> str:
    """A value of one of the keywords, where it stands or in the block around the problem."""
    word = words.split()[-1]
    line = task.lines[task.at].split()
    if line[:1] == [word]:
        return task.write(f"{word} {value}")
    opener = task.at if task.lines[task.at].rstrip().endswith("{") else task.around(task.at)
    return task.say(opener, f"{word} {value}")


def second_named(task: Task, _: re.Match[str]) -> Iterable[str]:
    """Another name for the block with the problem."""
    yield task.put(task.at, task.at + 1, re.sub(r" \S+ \{", " two {", task.lines[task.at]))


def peers_written(task: Task, _: re.Match[str]) -> Iterable[str]:
    """unicast_peer with the other node, and without anything."""
    opener = instance(task)
    if "unicast_peer" in "".join(task.lines[opener : task.end_of(opener)]):
        at = next(i for i in range(opener, len(task.lines)) if "unicast_peer" in task.lines[i])
        yield task.add(at, "192.0.2.2")
        if "or remove the block" in (task.problem.hint or ""):
            yield task.remove(at)
    else:
        yield task.add(opener, "unicast_peer {\n    192.0.2.2\n}")


def freely(task: Task, _: re.Match[str]) -> Iterable[str]:
    """A free address of the same kind."""
    line = task.lines[task.at]
    yield task.write("fe80::77/64" if "fe80" in line else FREE[6 if ":" in line else 4])


def in_the_group(task: Task, name: str, group: str, also: str | None) -> str:
    """What the sync group tracks, and its members no more."""
    fewer = re.sub(rf"^    track_script \{{\s*{name}\n    \}}\n", "", task.text, flags=re.M)
    rest = Task(fewer, task.problem)
    lines = [f"track_script {{\n    {name}\n}}", *([also] if also else [])]
    return rest.add(rest.block(f"vrrp_sync_group {group}"), *lines)


def closed_above(task: Task, _: re.Match[str]) -> Iterable[str]:
    """The brace that is missing before the last block of the root above the problem."""
    head = max(
        i for i, line in enumerate(task.lines[: task.at + 1]) if re.match(r"[a-z_]+ ?.*\{", line)
    )
    yield task.put(head, head, "}")


def longer_loop(task: Task, value: str) -> str:
    """A delay_loop where it counts: the innermost that is written, else in the virtual_server."""
    index = task.at
    while True:
        words = [line.split()[:1] for line in task.lines[index : task.end_of(index)]]
        if ["delay_loop"] in words or task.lines[index].startswith("virtual_server"):
            return task.say(index, f"delay_loop {value}")
        index = task.around(index)


GROUP_OF = "virtual_server_group %s {\n    192.0.2.10 80\n}\n"


def portless(task: Task, also: str | None) -> str:
    """A real server without its port; its checks get it."""
    head = task.lines[task.at]
    text = Task(task.put(task.at, task.at + 1, re.sub(r" \d+ \{", " {", head)), task.problem)
    if also is None:
        return text.text
    checks = [
        i
        for i in range(task.at, text.end_of(task.at))
        if re.search(r"_(CHECK|GET) \{", text.lines[i])
    ]
    for index in reversed(checks):
        text = Task(text.add(index, also), task.problem)
    return text.text
