"""What each hint asks for, as edits of a text: one text for each way that the hint offers.

A hint that is not here fails `test_advice`: then it gets an entry, or is reworded until it can be
done. Deeds use the hint's own words wherever it has any.
"""

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


NEEDED = {
    "script": "/bin/true", "file": "/run/tracked", "process": "nginx",
    "neighbor_ip": "192.0.2.2", "misc_path": "/bin/true",
}  # fmt: skip


HINTS: tuple[tuple[str, Deed], ...] = (
    # --- words ---
    (r"did you mean ([^?]+)\?", lambda t, m: [t.word(m[1])]),
    (r"remove the line", lambda t, m: [t.remove()]),
    (r"leave the line out: .*", lambda t, m: [t.remove()]),
    (r"remove the(?: authentication)? block", lambda t, m: [t.remove(t.owner("authentication"))]),
    (r"move it to (\w+).*", moved),
    (r"(\w+)'s word for it is (\w+)", lambda t, m: [t.word(m[2])]),
    (r"write it on a line of its own", lambda t, m: [t.every(r"^(\s*@\w+) @\w+ ", r"\1 ")]),
    (
        r"write (script|file|process|neighbor_ip|misc_path) in it",
        lambda t, m: [t.add(t.around(t.at), f"{m[1]} {NEEDED[m[1]]}")],
    ),
    (
        r"write bind_if and the interface in it",
        lambda t, m: [t.add(t.around(t.at), "bind_if eth0")],
    ),
    (r"write one address on each line.*", lambda t, m: [t.write("192.0.2.10/24")]),
    (r"correct the braces above.*", closed_above),
    (
        r"write before it what the block is, or remove it and its \}",
        lambda t, m: [
            t.put(t.at, t.at + 2, "    track_interface {", "        eth1", "    }"),
            t.remove(),
        ],
    ),
    (r"shorten it to what is sent.*", lambda t, m: [t.every(r"(auth_pass .{8}).*", r"\1")]),
    (
        r"write (\w+) at the root, with the interface in it",
        lambda t, m: [to_the_root(Task(t.remove(), t.problem), f"{m[1]} {{\n    eth0\n}}")],
    ),
    # --- instances ---
    (
        r"write virtual_router_id with a number.*",
        lambda t, m: [t.add(instance(t), "virtual_router_id 77")],
    ),
    (r"write interface NAME", lambda t, m: [t.add(instance(t), "interface eth1")]),
    (r"write the interface on which .*", lambda t, m: [t.write("interface eth0")]),
    (r"give it another name", second_named),
    (r"write the members of both into one of them", lambda t, m: [t.remove()]),
    (r"use another number", lambda t, m: [t.write("virtual_router_id 77")]),
    (r"write auth_pass", lambda t, m: [t.add(t.owner("authentication"), "auth_pass secret")]),
    (r"write auth_type PASS", lambda t, m: [t.add(t.owner("authentication"), "auth_type PASS")]),
    (r"use a priority up to 254", lambda t, m: [t.say(instance(t), "priority 254")]),
    (
        r"use a priority up to 254, or state MASTER",
        lambda t, m: [t.write("priority 254"), t.say(instance(t), "state MASTER")],
    ),
    (r"write (state BACKUP) on every node .*", lambda t, m: [t.say(instance(t), m[1])]),
    (r"write (state BACKUP), or remove it", lambda t, m: [t.say(instance(t), m[1]), t.remove()]),
    (r"remove one of the two", lambda t, m: [t.remove(), t.every(r"^ +nopreempt\n", "")]),
    (
        r"write (version 3), or (advert_int \S+)",
        lambda t, m: [t.say(instance(t), m[1]), t.write(m[2])],
    ),
    (r"write (advert_int \S+)", lambda t, m: [t.write(m[1])]),
    (r"write (\S+) or less", lambda t, m: [t.write(f"advert_int {m[1]}")]),
    (r"write (?:unicast_peer with )?the other nodes' addresses.*", peers_written),
    (r"unicast_peer lists the other nodes only", lambda t, m: [t.remove()]),
    (r"write the line without what repeats it", lambda t, m: [t.every(r"~SEQ\([^)]*\) ", "")]),
    (r"remove one of the lines", lambda t, m: [t.remove()]),
    (r"write another address in one of them", freely),
    (r"use a free address", freely),
    (
        r"write an address such as fe80::1 first",
        lambda t, m: [t.put(t.at, t.at, "        fe80::1/64")],
    ),
    (r"move those from here on to virtual_ipaddress_excluded, on every node", half_moved),
    (
        r"switch strict mode off(, or remove the line)?",
        lambda t, m: [
            t.every(r"^ *(?:vrrp_strict|strict_mode)\n", ""),
            *([t.remove()] if m[1] else []),
        ],
    ),
    (
        r"remove strict mode unless .*",
        lambda t, m: [t.every(r"^ *(?:vrrp_strict|strict_mode)\n", "")],
    ),
    # --- tracking ---
    (r"define it, above its use", defined_above),
    (r"write vrrp in its bfd_instance too", lambda t, m: [t.add(t.block("bfd_instance"), "vrrp")]),
    (
        r"write a priority of at (?:most|least) (\d+)",
        lambda t, m: [t.say(instance(t), f"priority {m[1]}")],
    ),
    (
        r"write weight 0 behind (\S+), which means FAULT, or track it in (\w+)(?:, with (\w+))?",
        lambda t, m: [t.behind("weight 0"), in_the_group(t, m[1], m[2], m[3])],
    ),
    (r"track it in the group only", lambda t, m: [t.remove()]),
    (
        r"write weight 0 behind (\S+), which means FAULT, or remove nopreempt",
        lambda t, m: [t.behind("weight 0"), t.every(r"^ +nopreempt\n", "")],
    ),
    (
        r"write weight 0 noreverse behind (\S+)",
        lambda t, m: [t.write(f"{m[1]} weight 0 noreverse")],
    ),
    (
        r"write no_track behind the addresses on (\S+), .*",
        lambda t, m: [t.every(rf"(dev {m[1]}\b.*)$", r"\1 no_track")],
    ),
    # --- sync groups ---
    (r"write the name of a vrrp_instance, or remove the line", lambda t, m: [t.remove()]),
    (r"keep it in one group", lambda t, m: [t.remove(t.owner("vrrp_sync_group"))]),
    (
        r"name its instances",
        lambda t, m: [t.every(r"^    group \{\n", "    group {\n        one\n        two\n")],
    ),
    (r"write the same state in all members", lambda t, m: [in_all_members(t, "state BACKUP", "")]),
    (
        r"use priorities up to 254 in all members",
        lambda t, m: [in_all_members(t, "priority 254", "")],
    ),
    (
        r"write nopreempt in all members or in none",
        lambda t, m: [in_all_members(t, "nopreempt", ""), in_all_members(t, None, "nopreempt")],
    ),
    # --- virtual servers ---
    (r"join the two blocks", joined),
    (r"remove one of them", lambda t, m: [t.remove()]),
    (r"write a real_server", lambda t, m: [t.add(service(t), "real_server 192.0.2.21 80 {\n}")]),
    (
        r"write ((?:protocol|lb_algo|lb_kind|persistence_timeout) \w+)",
        lambda t, m: [t.add(service(t), m[1])],
    ),
    (
        r"write (weight 1) in one of them",
        lambda t, m: [Task(t.text, t.problem).say(t.block("    real_server"), m[1])],
    ),
    (
        r"keep one of ops and persistence_timeout",
        lambda t, m: [t.remove(), t.every(r"^ +persistence_timeout 9\n", "")],
    ),
    (r"write another scheduler, such as (\w+)", lambda t, m: [t.write(f"lb_algo {m[1]}")]),
    (r"write the group", lambda t, m: [t.text + GROUP_OF % t.lines[t.at].split()[2]]),
    (
        r"write an address of the same IP version(?:, or (lb_kind TUN), .*)?",
        lambda t, m: [
            t.every("2001:db8::(?:22|30)", "192.0.2.77"),
            *([t.say(service(t), m[1])] if m[1] else []),
        ],
    ),
    (
        r"leave the port out(?:, and write (connect_port \d+) in its checks, .*)?",
        lambda t, m: [portless(t, m[1])],
    ),
    (
        r"write a virtual_server_group for each port, or (lb_kind NAT)",
        lambda t, m: [t.every(r"^( +192.0.2.10)(?: 0)?$", r"\1 80"), t.say(service(t), m[1])],
    ),
    (
        r"use the same port, or NAT",
        lambda t, m: [
            t.every(r"(192.0.2.(?:22|30)) 81", r"\1 80"),
            t.say(service(t), "lb_kind NAT"),
        ],
    ),
    (
        r"write (a|an) (\w+)(?: and an interval)? of at (?:most|least) (\d+)",
        lambda t, m: [at_most(t, m[2], m[3])],
    ),
    (
        r"write a (\w+) of at most ([\d.]+), or a (delay_loop of at least ([\d.]+))",
        lambda t, m: [at_most(t, m[1], m[2]), longer_loop(t, m[4])],
    ),
    (
        r"remove the line, or write another server",
        lambda t, m: [t.remove(), t.every(r"(sorry_server) \S+", r"\1 192.0.2.99")],
    ),
    (
        r"write (\S+) into a virtual_ipaddress, unless .*",
        lambda t, m: [t.append(t.block("    virtual_ipaddress"), m[1])],
    ),
    # --- addresses, routes ---
    (r"write brd \+, which takes that of the network", lambda t, m: [t.every(r"brd \S+", "brd +")]),
    (r"leave brd out", lambda t, m: [t.every(r" brd \S+", "")]),
    (
        r"write dev and an interface, or no_track, behind it",
        lambda t, m: [t.behind("dev eth0"), t.behind("no_track")],
    ),
    (r"write no_track behind it", lambda t, m: [t.behind("no_track")]),
    (r"write priority and a number behind it", lambda t, m: [t.behind("priority 500")]),
    (
        r"keep it in one of them, or write a metric of its own behind each",
        lambda t, m: [t.remove(t.around(t.at)), t.behind("metric 77")],
    ),
    # --- commands ---
    (r"write (\S+) instead of (\S+)", lambda t, m: [t.every(rf'"{m[2]}\b', f'"{m[1]}')]),
    (r"write a program's path", lambda t, m: [t.every("/usr/bin$", "/usr/bin/sound")]),
    (r"write the path of (\w+)", lambda t, m: [t.every(rf'"{m[1]}\b', f'"/bin/{m[1]}')]),
    (
        r"leave quorum_down out, or sorry_server",
        lambda t, m: [t.remove(), t.every(r"^ +sorry_server .*\n", "")],
    ),
    (r"write root behind the command", lambda t, m: [t.every(r'(" )nobody$', r"\1root")]),
    (r"write user root in vrrp_script", lambda t, m: [t.say(t.around(t.at), "user root")]),
    (
        r"write the commands into a file of their own, and run that",
        lambda t, m: [t.write('script "/bin/true"')],
    ),
    (
        r"write the program and its arguments in one pair of quotes",
        lambda t, m: [t.write(f'{t.lines[t.at].split()[0]} "/bin/echo a b"')],
    ),
    (
        r"write (process .*), or (full_command) behind it",
        lambda t, m: [t.write(m[1]), t.add(t.around(t.at), m[2])],
    ),
    (
        r"write (lvs_sync_daemon) in global_defs, with the interface and the instance",
        lambda t, m: [Task(t.remove(), t.problem).add(t.block("global_defs"), f"{m[1]} eth0 one")],
    ),
    (
        r"write (.+) in global_defs",
        lambda t, m: [t.add(t.block("global_defs"), *m[1].split(" and "))],
    ),
    # --- text as people paste it ---
    (r"save it as UTF-8 without a BOM", lambda t, m: [t.text.removeprefix("\ufeff")]),
    (r"write plain blanks", lambda t, m: [t.every("\u00a0", " ")]),
    (r"remove it", lambda t, m: [t.every("\u200b", "")]),
    (r"write the plain sign", lambda t, m: [t.every("[\u201c\u201d]", '"')]),
    (
        r"fill it in first; .*",
        lambda t, m: [
            t.every(r"\{\{ priority \}\}|<IP>", lambda f: "99" if "{" in f[0] else "192.0.2.10")
        ],
    ),
    (r"begin comments with #", lambda t, m: [t.every(r"//|/\*", "#")]),
    (r"statements end with their line; remove the ;", lambda t, m: [t.every(r" ?;$", "")]),
    (
        r"write a value that holds # or ! in double quotes",
        lambda t, m: [t.write('process "nginx#2"')],
    ),
    (
        r"start it with the config id of one of them, or write lines for this node",
        lambda t, m: [t.every("include other", "@NodeA $MORE=1")],
    ),
    (
        r"write the secret itself, or leave the line as it was",
        lambda t, m: [t.every("\u2022+", "secret")],
    ),
    # --- the statement as it shall be ---
    (r"write (\w+)", lambda t, m: [t.every(rf"^(\s*){t.lines[t.at].split()[0]}\b", rf"\1{m[1]}")]),
    (r"write (script_user root)", lambda t, m: [t.every(r"script_user \S+", m[1])]),
    (r"write ((?:notify\w*|script|process|unicast_src_ip) .+)", lambda t, m: [t.write(m[1])]),
)


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


def done(task: Task) -> list[str]:
    """The texts after doing what the hint says. Raises KeyError for a hint that nobody can do."""
    hint = task.problem.hint
    assert hint is not None
    for pattern, deed in HINTS:
        match = re.fullmatch(pattern, hint)
        if match is not None:
            return list(deed(task, match))
    raise KeyError(f"nothing here does what the hint says: {hint}")
