"""The style rules hold in the whole tree, and each rule finds a planted violation."""

from __future__ import annotations

import itertools
import re
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
    """And the README's picture: no wheel, no database, nothing that a tool left behind."""
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
    (rules.impure, "hanode/events.py", "import time\n"),
    (rules.impure, "hanode/events.py", "from hanode import codec, system\n"),
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


STAGES = "text language keywords model read rules check recover write docs".split()
"""The rooms of hanode/conf, the lowest first; `compare` is level with `write`."""

CONFIG_ARROWS = [
    ("models", "rows"),
    ("rows", "forms"),
    ("rows", "services"),
    ("forms", "editor"),
    ("forms", "revisions"),
    ("editor", "revisions"),
    ("revisions", "overview"),
]
"""Forbidden imports between the rooms of webapp/configs: (the importer, the imported room)."""

IMPORTS = [
    ("hanode/vrrp/planted_1.py", "hanode.system"),
    ("hanode/conf/planted_2.py", "hanode.wire"),
    ("hanode/vrrp/planted_3.py", "hanode.check"),
    ("hanode/system/planted_4.py", "django"),
    ("hanode/proc/planted_5.py", "webapp.settings"),
    ("webapp/common/planted_6.py", "webapp.accounts"),
    ("webapp/live/planted_7.py", "webapp.configs"),
    ("webapp/api/planted_8.py", "hanode.vrrp"),
    ("hanode/build/planted_9.py", "hanode.conf.model.model"),
    ("webapp/configs/planted_10.py", "hanode.conf.language.values"),
    ("webapp/api/planted_11.py", "hanode.sim"),
    ("webapp/live/planted_12.py", "hanode.watch"),
    ("hanode/simulate/planted_13.py", "hanode.system"),
    ("hanode/vrrp/planted_15.py", "hanode.kernel"),
    ("hanode/kernel/planted_16.py", "hanode.system"),
    ("hanode/kernel/planted_17.py", "hanode.watch"),
    ("hanode/supervision/planted_18.py", "hanode.system"),
    ("hanode/supervision/planted_19.py", "hanode.kernel"),
    ("hanode/sim/planted_14.py", "hanode.simulate"),
    *(
        (f"hanode/conf/{low}/planted_up_to_{high}.py", f"hanode.conf.{high}")
        for low, high in [*itertools.pairwise(STAGES), ("compare", "docs"), ("write", "compare")]
    ),
    *(
        (f"webapp/configs/{low}/planted_{low}_up_to_{high}.py", f"webapp.configs.{high}")
        for low, high in CONFIG_ARROWS
    ),
    ("webapp/configs/planted_in_no_layer.py", "webapp.configs.rows"),
    ("hanode/events.py", "hanode.wire"),
    ("hanode/codec.py", "hanode.events"),
    # Two files that import each other inside functions.
    ("hanode/watch/planted_ring.py", "hanode.watch.planted_too"),
    ("hanode/watch/planted_too.py", "hanode.watch.planted_ring"),
]
ALLOWED = ("webapp/api/planted_and_allowed.py", "hanode.simulate")
"""The control plane simulates through the façade."""


@pytest.fixture(scope="module")
def complaints(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The output of lint-imports on the tree with every violation planted in it."""
    copy = tmp_path_factory.mktemp("planted")
    for room in ("hanode", "webapp"):
        shutil.copytree(PROJECT / room, copy / room, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PROJECT / ".importlinter", copy)
    for path, module in (*IMPORTS, ALLOWED):
        with (copy / path).open("a") as file:
            file.write(f"\n\ndef hidden() -> None:\n    import {module}\n")
    ran = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=copy,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1, ran.stdout + ran.stderr
    return ran.stdout


@pytest.mark.parametrize(("path", "module"), IMPORTS)
def test_import_contracts_catch_a_planted_violation(
    path: str, module: str, complaints: str
) -> None:
    name = path.removesuffix(".py").replace("/", ".")
    stem = Path(path).stem  # the contract about circles names it alone
    wanted = rf"\.{stem}\b" if "planted" in stem else rf"{re.escape(name)} -> "
    assert re.search(wanted, complaints), complaints


def test_import_contracts_leave_alone_what_is_allowed(complaints: str) -> None:
    assert Path(ALLOWED[0]).stem not in complaints
