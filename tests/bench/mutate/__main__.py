"""How many planted mistakes the tests near a module find.

`python -m tests.bench.mutate hanode/check`, by hand: docs/MUTATION.md says how, and how to read it.
Everything happens in a copy of the tree in the temporary directory; nothing is left behind in the
project.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from tests.bench.mutate import values
from tests.bench.mutate.scopes import SCOPES, near

PROJECT = Path(__file__).resolve().parents[3]
NICE = 10
"""Other work on the machine goes first."""
TIMES_OF_BASELINE = 5
"""A mutant that takes so many times as long, and the seconds below, loops for ever: found."""
SPARE_S = 10
WANTED = 0.9
PYTEST = ("-o", "addopts=--import-mode=importlib -p no:cacheprovider", "--hypothesis-seed=0")
"""The same examples for every mutant, and for the run without any."""

Found = list[str]


def main(argv: Sequence[str]) -> int:
    """0: enough mutants were found in every target."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.mutate")
    parser.add_argument(
        "targets", nargs="+", help="files or folders: hanode/check, hanode/apply.py"
    )
    parser.add_argument("--tests", nargs="+", help="instead of the tests near the target")
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--only", choices=["functions", "values"], help="one half alone")
    parser.add_argument("--keep", action="store_true", help="leave the copy for `mutmut browse`")
    given = parser.parse_args(argv)
    if find_spec("mutmut") is None:
        parser.error("mutmut is not installed in this Python; docs/MUTATION.md says how")
    os.nice(NICE)
    enough = True
    for target in given.targets:
        target = Path(target).as_posix()
        tests = tuple(given.tests or near(target))
        if not tests:
            parser.error(
                f"which tests are near {target}? name them with --tests; known are "
                f"{', '.join(SCOPES)}"
            )
        with _copy(keep=given.keep) as folder:
            survivors, count = [], 0
            for name, half in (("functions", _functions), ("values", _values)):
                if given.only in (None, name):
                    begun_s = time.monotonic()
                    left, made = half(folder, target, tests, given.cores)
                    survivors += left
                    count += made
                    took_s = time.monotonic() - begun_s
                    print(
                        _line(f"{target} ({name})", made, len(left)), f"{took_s:.0f} s", flush=True
                    )
        print(*survivors, sep="\n")
        print(_line(target, count, len(survivors)))
        enough = enough and len(survivors) <= (1 - WANTED) * count
    return 0 if enough else 1


def _line(what: str, made: int, left: int) -> str:
    share = (made - left) / made if made else 1.0
    return f"{what}: {made} mutants, {left} survive, {share:.1%} found"


@contextmanager
def _copy(*, keep: bool) -> Iterator[Path]:
    """The tree as it is now, with what is not committed yet, but nothing that git ignores."""
    names = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"],
        cwd=PROJECT, capture_output=True, text=True, check=True,
    ).stdout.split("\0")  # fmt: skip
    folder = Path(tempfile.mkdtemp(prefix="mutate-"))
    try:
        for name in filter(None, names):
            if (PROJECT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(PROJECT / name, folder / name)
        yield folder
    finally:
        if keep:
            print(f"the copy is {folder}")
        else:
            shutil.rmtree(folder)


def _pytest_words(target: str) -> tuple[str, ...]:
    """Django takes a second to load, and only its own tests need it."""
    return PYTEST if target.startswith("webapp") else (*PYTEST, "-p", "no:django")


def _functions(folder: Path, target: str, tests: tuple[str, ...], cores: int) -> tuple[Found, int]:
    """Bodies of functions and methods, by mutmut: diffs of the survivors, count of all."""
    pattern = target if target.endswith(".py") else f"{target}/*"
    rooms = sorted(path.name for path in folder.iterdir() if path.name not in ("tests", ".git"))
    source = target.split("/")[0]
    settings = {
        "source_paths": [source],
        "only_mutate": [pattern],
        "also_copy": [room for room in rooms if room != source],
        "pytest_add_cli_args": _pytest_words(target),
        "pytest_add_cli_args_test_selection": tests,
    }
    lines = [f"{key}=\n    " + "\n    ".join(words) for key, words in settings.items()]
    (folder / "setup.cfg").write_text("[mutmut]\n" + "\n".join(lines) + "\n")
    _mutmut(folder, "run", "--max-children", str(cores))
    _mutmut(folder, "export-cicd-stats")
    counts = json.loads((folder / "mutants" / "mutmut-cicd-stats.json").read_text())
    said = _mutmut(folder, "results").splitlines()
    named = [line.split(": ") for line in said if ": " in line]
    left = [name.strip() for name, how in named if how in ("survived", "no tests", "suspicious")]
    return [_diff(_mutmut(folder, "show", name)) for name in left], int(counts["total"])


def _diff(shown: str) -> str:
    """The name, and the lines that differ."""
    name, *rest = shown.strip().splitlines()
    lines = [line for line in rest if line[:1] in "+-" and line[:3] not in ("+++", "---")]
    return "\n".join([name, *lines])


def _mutmut(folder: Path, *words: str) -> str:
    ran = subprocess.run(
        [sys.executable, "-m", "mutmut", *words],
        cwd=folder, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": ""},
    )  # fmt: skip
    if ran.returncode:
        raise SystemExit(f"mutmut {' '.join(words)} failed:\n{ran.stdout[-3000:]}{ran.stderr}")
    return ran.stdout


def _values(folder: Path, target: str, tests: tuple[str, ...], _cores: int) -> tuple[Found, int]:
    """What mutmut leaves alone, each in a pytest of its own."""
    path = folder / target
    files = [path] if path.is_file() else sorted(path.rglob("*.py"))
    run = _runner(folder, target, tests)
    begun_s = time.monotonic()
    if not run(600):
        raise SystemExit(f"{' '.join(tests)} fail without any mutant")
    limit_s = SPARE_S + TIMES_OF_BASELINE * (time.monotonic() - begun_s)
    left, count = [], 0
    for file in files:
        text = file.read_text()
        for mutant in values.mutants(file.relative_to(folder).as_posix(), text):
            file.write_text(mutant.text)
            count += 1
            if run(limit_s):
                left.append(str(mutant))
        file.write_text(text)
    return left, count


def _runner(folder: Path, target: str, tests: tuple[str, ...]) -> Callable[[float], bool]:
    command = [sys.executable, "-B", "-m", "pytest", "-qx", *_pytest_words(target), *tests]

    def passes(limit_s: float) -> bool:
        with subprocess.Popen(
            command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": str(folder)}, start_new_session=True,
        ) as process:  # fmt: skip
            try:
                return process.wait(limit_s) == 0
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, 9)
                return False

    return passes


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
