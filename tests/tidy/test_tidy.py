"""The style rules hold in the whole tree, and each was seen to fail on a planted violation."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tidy import rules

PROJECT = Path(__file__).resolve().parents[2]


def _tracked() -> list[str]:
    names = subprocess.run(
        ["git", "ls-files"], cwd=PROJECT, capture_output=True, text=True, check=True
    ).stdout.split("\n")
    return [name for name in names if name and (PROJECT / name).is_file()]


def _texts(*suffixes: str, under: tuple[str, ...] = ("",)) -> list[tuple[str, str]]:
    return [
        (name, (PROJECT / name).read_text(errors="replace"))
        for name in _tracked()
        if name.endswith(suffixes) and name.startswith(under) and "/migrations/" not in name
    ]


CODE = ("hanode/", "webapp/")


def _all(rule: object, texts: list[tuple[str, str]]) -> list[str]:
    assert callable(rule)
    return [sentence for path, text in texts for sentence in rule(path, text)]


def test_no_function_outgrows_its_budget() -> None:
    assert _all(rules.long_functions, _texts(".py", under=CODE)) == []


def test_no_file_outgrows_its_budget() -> None:
    files = [*_texts(".py", under=CODE), *_texts(".js", under=("static/js/",))]
    assert _all(rules.long_file, files) == []


def test_pure_rooms_are_pure() -> None:
    pure = [(path, text) for path, text in _texts(".py", under=("hanode/",)) if rules.is_pure(path)]
    assert _all(rules.impure, pure) == []


def test_every_module_of_the_node_says_its_kind() -> None:
    assert _all(rules.kind_not_said, _texts(".py", under=("hanode/",))) == []


def test_celery_stays_in_its_rooms() -> None:
    assert _all(rules.celery_out_of_place, _texts(".py", under=CODE)) == []


def test_no_registry_addresses_and_no_paths_of_one_machine() -> None:
    texts = [
        (name, (PROJECT / name).read_text(errors="replace"))
        for name in _tracked()
        if not name.endswith((".png", ".ico", ".woff2")) and not name.startswith("tests/tidy/")
    ]
    assert _all(rules.foreign_addresses, texts) == []


def test_only_files_that_people_write_are_kept() -> None:
    """And the README's picture: no wheel, no database, nothing that a tool left here."""
    binary = [name for name in _tracked() if b"\0" in (PROJECT / name).read_bytes()]
    assert binary == ["docs/screenshot.png"]


def test_no_inline_script_in_templates() -> None:
    assert _all(rules.inline_script, _texts(".html", under=("templates/",))) == []


PLANTED = [
    (rules.long_functions, "hanode/x.py", "def f():\n" + "    pass\n" * 61),
    (rules.long_file, "webapp/x.py", "\n" * 401),
    (rules.long_file, "static/js/x.js", "\n" * 81),
    (rules.impure, "hanode/conf/x.py", "import os\n"),
    (rules.impure, "hanode/vrrp/x.py", "from hanode.system import clock\n"),
    (rules.impure, "hanode/kernel/x.py", "from hanode.system import sysctl\n"),
    (rules.impure, "hanode/supervision/x.py", "import time\n"),
    (rules.impure, "hanode/wire.py", "print(1)\n"),
    (rules.kind_not_said, "hanode/proc/x.py", '"""Something."""\n'),
    (rules.celery_out_of_place, "webapp/live/ingest.py", "from celery import Celery\n"),
    (rules.foreign_addresses, "x.txt", "https://files." + "pythonhosted.org/a/b." + "whl\n"),
    (rules.foreign_addresses, "x.txt", "see /" + "root/x\n"),
    (rules.inline_script, "templates/x.html", "<script>alert(1)</script>\n"),
    (rules.inline_script, "templates/x.html", '<button onclick="x()">\n'),
]


@pytest.mark.parametrize(("rule", "path", "text"), PLANTED)
def test_each_rule_catches_a_planted_violation(rule: object, path: str, text: str) -> None:
    assert callable(rule)
    assert rule(path, text) != []


IMPORTS = [
    ("hanode/vrrp/planted.py", "import hanode.system\n"),
    ("hanode/conf/planted.py", "import hanode.wire\n"),
    ("hanode/vrrp/planted.py", "import hanode.check\n"),
    ("hanode/vrrp/planted.py", "import hanode.kernel\n"),
    ("hanode/kernel/planted.py", "import hanode.system\n"),
    ("hanode/kernel/planted.py", "import hanode.watch\n"),
    ("hanode/supervision/planted.py", "import hanode.system\n"),
    ("hanode/supervision/planted.py", "import hanode.kernel\n"),
    ("hanode/system/planted.py", "import django\n"),
    ("hanode/proc/planted.py", "import webapp.settings\n"),
    ("webapp/common/planted.py", "import webapp.accounts\n"),
    ("webapp/live/planted.py", "import webapp.configs\n"),
    ("webapp/api/planted.py", "import hanode.vrrp\n"),
]


@pytest.mark.parametrize(("path", "text"), IMPORTS)
def test_import_contracts_catch_a_planted_violation(path: str, text: str, tmp_path: Path) -> None:
    for room in ("hanode", "webapp"):
        shutil.copytree(
            PROJECT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy(PROJECT / ".importlinter", tmp_path)
    (tmp_path / path).write_text(text)
    ran = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert "planted" in ran.stdout, ran.stdout
