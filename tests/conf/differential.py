"""Compares our check with `keepalived -t` 2.2.7, line by line, on generated files and the corpora.

    python -m tests.conf.differential --count 2000 --seed 1 [--suite trixie]

keepalived's exit code mixes errors with warnings about this machine, so its messages are
classified. A message at a line counts as a complaint unless it is about the machine. A line agrees
if we report an error or a warning and keepalived complains, or if keepalived is silent and we
report no error. A message about an object without a line excuses our errors in its block.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hanode import conf
from hanode.conf.check.check import DEFAULT_TARGET
from tests.conf.differential_generate import generate
from tests.conf.differential_items import Generated
from tests.interop.releases import FOLDER, RELEASES, Release

RUN = """
ip link set lo up
for name in ens33 eth0 eth1; do
    ip link add $name type veth peer name p$name && ip link set $name up && ip link set p$name up
done
ip address add 192.168.192.100/24 dev ens33
mount -t tmpfs none /run
exec "$@"
"""
"""A network of its own, in which a command is run."""
ALL = """
ulimit -v 1000000
ls | grep conf$ | xargs -P 2 -I@ sh -c \
    'timeout 5 keepalived --config-test --use-file=@ --config-id=a >@.said 2>&1; echo $? >@.code'
"""

MACHINE = re.compile(
    r"doesn't exist|does not exist|Non-existent interface|keepalived_script|SECURITY"
    r"|script_security|Unable to access script"
    r"|nable to (?:find|open|set|get)|not executable|isn't executable"
    r"|[Ii]p_?vs|IPVS|No such file|NETLINK|proc connector|process events|Disabling track script"
    r"|cannot access|Can't (?:open|initialize)|Permission denied|kernel|/proc/|Address family"
    r"|cannot be found|is not a regular|Ignoring LVS|etting? (?:global script )?uid/gid"
    r"|set uid/gid|default user for|onfig files missing|unknown interface"
    r"|VRF \S+ (?:not found|is not a VRF)"
)
"""Messages about this machine: its interfaces, users, scripts and kernel."""

LINE = re.compile(r"\((?:(?P<file>[^()]*): )?Line (?P<line>\d+)\) (?P<said>.*)")


@dataclass(slots=True)
class KeepalivedOutput:
    """The messages of keepalived about one file."""

    code: int
    lines: dict[int, list[str]] = field(default_factory=dict)
    loose: list[str] = field(default_factory=list)
    """Messages about the configuration that name no line."""
    machine: list[str] = field(default_factory=list)
    machine_lines: set[int] = field(default_factory=set)
    """Lines with messages about the machine: they count neither as a complaint nor as silence."""

    @property
    def gave_up(self) -> bool:
        """Whether a keyword without its value made it exit (code 2) before it read the rest."""
        return any(text.startswith("***") for said in self.lines.values() for text in said)


def classify(code: int, output: str) -> KeepalivedOutput:
    """Classifies the messages."""
    said = KeepalivedOutput(code)
    for text in dict.fromkeys(output.splitlines()):
        match = LINE.match(text)
        if not text.strip():
            continue
        if MACHINE.search(text) and not text.startswith("Virtual router "):
            said.machine.append(text)
            said.machine_lines |= {int(match["line"])} if match else set()
        elif match:
            said.lines.setdefault(int(match["line"]), []).append(match["said"])
        else:
            said.loose.append(text)
    return said


def keepalived_says(
    texts: dict[str, str], release: Release | None = None
) -> dict[str, KeepalivedOutput]:
    """Runs `keepalived -t` on all files, in a network namespace of its own.

    `release`: a newer one than this machine's.
    """
    with tempfile.TemporaryDirectory() as folder:
        for name, text in texts.items():
            (Path(folder) / name).write_bytes(text.encode(errors="surrogateescape"))
        command = ["sh", "-c", ALL]
        if release is not None:
            command = release.inside(Path(folder), "sh", "-c", f"cd {FOLDER}\n{ALL}")
        subprocess.run(
            ["unshare", "--net", "--mount", "sh", "-c", RUN, "sh", *command],
            cwd=folder,
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
            timeout=1800,
        )
        found = {}
        for name in texts:
            output = (Path(folder) / f"{name}.said").read_bytes().decode(errors="replace")
            code = int((Path(folder) / f"{name}.code").read_text())
            found[name] = classify(code, output)
    return found


@dataclass(slots=True)
class Tally:
    """The results for some files."""

    files: int = 0
    clean: int = 0
    """Files without any difference."""
    lines: int = 0
    agree: int = 0
    complaints: int = 0
    answered: int = 0
    errors: int = 0
    confirmed: int = 0

    def row(self, name: str) -> str:
        """A line of the table."""
        return (
            f"{name:20} {self.files:6} {self.clean:6} {self.lines:8} "
            f"{percent(self.agree, self.lines):>8} {self.complaints:6} "
            f"{percent(self.answered, self.complaints):>8} {self.errors:6} "
            f"{percent(self.confirmed, self.errors):>8}"
        )


HEAD = (
    f"{'kind':20} {'files':>6} {'equal':>6} {'lines':>8} {'agree':>8} {'its':>6} {'ours too':>8} "
    f"{'errors':>6} {'its too':>8}"
)


def percent(part: int, whole: int) -> str:
    """A percentage with two decimals."""
    return f"{100 * part / whole:.2f}%" if whole else "-"


@dataclass(frozen=True, slots=True)
class Difference:
    """A line on which we and keepalived disagree."""

    file: str
    kind: str
    line: int
    text: str
    its: str
    ours: str

    @property
    def sort(self) -> str:
        """The message without its particulars, for counting."""
        sentence = self.its or f"ours: {self.ours}"
        return re.sub(r"'[^']*'|\([^)]*\)|[0-9.]+|\"[^\"]*\"", "…", sentence)[:110]


def compare(
    made: Generated, said: KeepalivedOutput, tally: Tally, target: str = DEFAULT_TARGET
) -> list[Difference]:
    """The lines that differ; also counts them in the tally."""
    problems = conf.check(made.text, name=made.name, node="a", target=target).problems
    lines = made.text.split("\n")
    noticed: dict[int, str] = {}
    errors: dict[int, str] = {}
    for p in problems:
        if p.severity == "info":
            continue
        for line in range(p.line, max(p.line, p.reaches) + 1):
            noticed[line] = f"{p.severity} {p.code}: {p.message}"
        if p.severity == "error":
            errors[p.line] = f"{p.code}: {p.message}"
    found: list[Difference] = []
    for number, text in enumerate(lines, 1):
        its = said.lines.get(number)
        if not text.strip() and not its and number not in errors:
            continue
        tally.lines += 1
        agree = True
        if its:
            tally.complaints += 1
            agree = number in noticed
            tally.answered += agree
        if number in errors:
            tally.errors += 1
            known = bool(its) or number in said.machine_lines or excused(number, lines, said)
            tally.confirmed += known
            agree = agree and known
        tally.agree += agree
        if not agree:
            ours = errors.get(number) or ""
            found.append(Difference(made.name, made.kind, number, text, "; ".join(its or ()), ours))
    tally.files += 1
    tally.clean += not found
    return found


def excused(number: int, lines: list[str], said: KeepalivedOutput) -> bool:
    """Whether keepalived reported, without a line, the object whose block contains the line."""
    if said.gave_up or any(word in text for text in said.loose for word in _NO_PLACE):
        return True
    above = number
    while above > 1 and lines[above - 1][:1] in (" ", "}", ""):
        above -= 1
    words = re.findall(r"[\w.:-]+", lines[above - 1]) + re.findall(r"[\w.:-]+", lines[number - 1])
    names = {w for w in words[1:] if len(w) > 2}
    return any(name in text for text in said.loose for name in names)


_NO_PLACE = ("missing '}'", "There are", "Missing '}'")


def corpora() -> list[Generated]:
    """Debian's samples, ours, and the shared folder's files if it exists."""
    from tests.conf.samples import corpus, text_of
    from tests.conftest import SHARED

    paths = corpus(SHARED if SHARED.is_dir() else None)
    return [Generated(f"{n:03d}.{p.name}.conf", "corpora", text_of(p)) for n, p in enumerate(paths)]


def measure(
    files: Sequence[Generated], release: Release | None = None
) -> tuple[dict[str, Tally], list[Difference], dict[str, KeepalivedOutput]]:
    """The tallies by kind ("all" is the sum), the differences, and keepalived's messages."""
    said = keepalived_says({f.name: f.text for f in files}, release)
    target = DEFAULT_TARGET if release is None else f"keepalived-{release.found}"
    tallies: dict[str, Tally] = {}
    differences: list[Difference] = []
    for file in files:
        if said[file.name].code in (124, 137, 139):
            continue
        differences += compare(
            file, said[file.name], tallies.setdefault(file.kind, Tally()), target
        )
    total = Tally()
    for tally in tallies.values():
        for name in Tally.__slots__:
            setattr(total, name, getattr(total, name) + getattr(tally, name))
    tallies["all"] = total
    return tallies, differences, said


def main() -> int:
    """Measures, and prints the table and the differences by frequency."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, default=25, help="how many kinds of differences")
    parser.add_argument("--suite", help="Debian's suite of a newer release: trixie, forky")
    options = parser.parse_args()
    files = [*generate(options.count, options.seed), *corpora()]
    release = next((r for r in RELEASES if r.suite == options.suite), None)
    tallies, differences, said = measure(files, release)
    print(HEAD)
    for kind, tally in tallies.items():
        print(tally.row(kind))
    hung = [name for name, one in said.items() if one.code in (124, 137, 139)]
    if hung:
        print(f"not counted, since keepalived hung or crashed: {', '.join(hung)}")
    counted = Counter(d.sort for d in differences)
    for sort, number in counted.most_common(options.show):
        first = next(d for d in differences if d.sort == sort)
        print(f"{number:5} {sort}")
        print(f"{'':8}{first.file}:{first.line} [{first.kind}] {first.text.strip()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
