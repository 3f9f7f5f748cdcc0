"""Every verb with every kind of wrong input: one sentence, the right exit code, no traceback."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from hanode.cli.options import UsageError
from hanode.cli.run_options import arguments, parser
from tests.proc.harness import CONFIG, PROJECT, Node, until
from tests.proc.test_cli import NOBODY, hanode, refused

ESCAPE = "\x1b[31mred\x07"
ASKING = ("status", "events", "reload", "stop", "release", "take", "announce", "maintenance")
ALL = (*ASKING, "run", "simulate", "check", "fmt", "diff", "merge", "explain")


def one_sentence(result: subprocess.CompletedProcess[str]) -> str:
    sentence = refused(result)
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1, result.stderr
    assert sentence.isprintable()
    return sentence


NEEDED = {"simulate": "x", "check": "x", "fmt": "x", "diff": "x y", "merge": "A=x"}


@pytest.mark.parametrize("verb", ALL)
def test_unknown_option(verb: str) -> None:
    assert "--wings" in one_sentence(hanode(verb, *NEEDED.get(verb, "").split(), "--wings"))


@pytest.mark.parametrize("verb", ASKING)
def test_no_engine(tmp_path: Path, verb: str) -> None:
    assert "no engine runs here" in one_sentence(hanode(verb, "--run-dir", str(tmp_path)))


@pytest.mark.needs("root", "netns")
def test_running_engine(node: Node) -> None:
    node.enrolment = None  # its agent, who is nobody, may ask
    node.start()
    until(lambda: node.state() == "MASTER")
    run_dir = ("--run-dir", str(node.directory / "run"))
    for verb in ("release", "take", "announce"):
        sentence = one_sentence(hanode(verb, "Nobody", *run_dir))
        assert sentence.endswith("there is no instance Nobody; there is HA_Group")
    for verb in ASKING:
        assert "ask as root" in one_sentence(hanode(verb, *run_dir, prefix=NOBODY))
    for verb in ("status", "events", "reload", "stop"):
        assert "unrecognized" in one_sentence(hanode(verb, "HA_Group", *run_dir))
    assert "no number of events" in one_sentence(hanode("events", "-n", "few", *run_dir))
    assert "perhaps" in one_sentence(hanode("maintenance", "perhaps", *run_dir))
    assert node.state() == "MASTER", "nothing of it did anything"
    node.file.write_text(CONFIG.replace("state MASTER", ESCAPE).replace("id 51", "id 999"))
    refusal = hanode("reload", *run_dir)
    assert refusal.returncode == 2
    assert all(line.isprintable() for line in refusal.stderr.splitlines())


FILES = {"missing": "No such file", "folder": "Is a directory", "faulty": "virtual_router_id"}


@pytest.mark.parametrize("kind", list(FILES))
@pytest.mark.parametrize("verb", ["simulate", "check", "fmt", "run"])
def test_wrong_file(tmp_path: Path, verb: str, kind: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "faulty").write_text(CONFIG.replace("id 51", "id 999"))
    file = str(tmp_path / kind)
    words = ["-n", "--state-dir", str(tmp_path / "s"), "--run-dir", str(tmp_path / "r"), "-f"]
    result = hanode(verb, *(words if verb == "run" else []), file)
    if (verb, kind) in (("check", "faulty"), ("fmt", "faulty")):
        assert result.returncode == {"check": 1, "fmt": 0}[verb], "it is what was asked for"
        return
    assert result.returncode == (6 if (verb, kind) == ("run", "missing") else 2)
    assert result.stderr.count("\n") == 1
    assert re.search(FILES[kind], result.stderr, re.IGNORECASE) or "no such file" in result.stderr


@pytest.mark.parametrize("words", [["-t"], ["-n"]])
def test_what_a_file_says_does_not_speak_to_the_terminal(tmp_path: Path, words: list[str]) -> None:
    file = tmp_path / "k.conf"
    file.write_text(CONFIG.replace("state MASTER", ESCAPE).replace("id 51", f"id {ESCAPE}"))
    places = ["--state-dir", str(tmp_path / "s"), "--run-dir", str(tmp_path / "r")]
    result = hanode("run", *words, "-f", str(file), *places)
    assert result.returncode in (2, 5)
    assert all(line.isprintable() for line in result.stderr.splitlines())
    assert "red" in result.stderr or words == ["-n"]


# keepalived's own options


def theirs() -> list[tuple[tuple[str, ...], str]]:
    """Each option's names and its value ("", "FILE", "[=FILE]"), of `keepalived --help`."""
    done = subprocess.run(
        ["/usr/sbin/keepalived", "--help"], capture_output=True, text=True, check=False
    )
    found = []
    for line in (done.stdout + done.stderr).splitlines():
        match = re.match(r"\s+(?:(-\w), )?(--[\w-]+)(\[?=\S+| id)?", line)
        if match is not None:
            names = tuple(name for name in (match[1], match[2]) if name)
            found.append((names, (match[3] or "").strip()))
    return found


SAMPLES = {"--umask": "022", "--log-facility": "local3", "--signum": "JSON"}
FIRST = {"--genhash": "there is no genhash here"}
"""Asked for, it is refused: the one option that this engine cannot start without serving."""


@pytest.mark.needs("keepalived")
def test_every_option_takes_a_value_where_keepaliveds_does() -> None:
    options = theirs()
    assert len(options) > 30
    for names, value in options:
        long = names[-1]
        if long == "--help":
            continue
        sample = SAMPLES.get(long, "some")
        for name in names:
            joined = [f"{name}={sample}" if name.startswith("--") else name + sample]
            forms = {"": [[name]], "[": [[name], joined]}.get(value[:1], [[name, sample], joined])
            if long == "--core-dump-pattern":
                forms = [[name], joined]  # its help names no bracket, its getopt has one
            for words in forms:
                if long in FIRST:
                    with pytest.raises(UsageError, match=FIRST[long]):
                        arguments(words)
                else:
                    arguments(words)
            if not value and long not in FIRST:
                with pytest.raises(UsageError):
                    arguments([f"{long}=some"])


HEAD = """\
# keepalived's options, and what they do here

Every option of `keepalived --help` 2.2.7, in its order, as `hanode run --help` explains it. Made by
`KEEPSIGHT_REWRITE=1 python -m pytest tests/proc/test_cli_mistakes.py -k table`.

| option | here |
|---|---|
"""


@pytest.mark.needs("keepalived")
def test_the_table_of_options_is_true() -> None:
    """docs/options.md, against keepalived's own help and our parser."""
    ours = {name: action for action in parser()._actions for name in action.option_strings}
    lines = []
    for names, value in theirs():
        action = ours[names[-1]]
        assert all(ours[name] is action for name in names), names
        shown = ", ".join(f"`{name}`" for name in names)
        given = f" `{value}`" if value else ""
        lines.append(f"| {_cell(shown + given)} | {_cell(action.help or '')} |\n")
    table = HEAD + "".join(lines)
    path = PROJECT / "docs" / "options.md"
    if os.environ.get("KEEPSIGHT_REWRITE") == "1":
        path.write_text(table)
    assert path.read_text() == table


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
