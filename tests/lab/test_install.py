"""Preparing a checkout: consistent pins, and stamps that are used only while they are true."""

from __future__ import annotations

import re
from pathlib import Path

from hanode.lab import install

REQUIREMENTS = install.PROJECT / "requirements"


def pins(name: str) -> set[str]:
    return set(re.findall(r"(?m)^[\w.\[\]-]+==\S+", (REQUIREMENTS / name).read_text()))


def test_tests_run_on_the_very_versions_that_the_demo_runs_on() -> None:
    """One environment serves both, so dev.txt must contain every pin of web.txt, and web node's."""
    assert pins("web.txt") - pins("dev.txt") == set()
    assert pins("node.txt") - pins("web.txt") == set()


def test_every_pin_has_a_hash() -> None:
    for file in REQUIREMENTS.glob("*.txt"):
        blocks = re.split(r"(?m)^(?=[\w.\[\]-]+==)", file.read_text())[1:]
        assert blocks, file
        assert [b.splitlines()[0] for b in blocks if "--hash=sha256:" not in b] == []


def test_stamp_fits_only_its_own_value(tmp_path: Path) -> None:
    assert not install._stamped(tmp_path, "web", "one")
    install._stamp(tmp_path, "web", "one")
    assert install._stamped(tmp_path, "web", "one")
    assert not install._stamped(tmp_path, "web", "two")
    assert not install._stamped(tmp_path, "dev", "one")
