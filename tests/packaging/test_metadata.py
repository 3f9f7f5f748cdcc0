"""The project's metadata in pyproject.toml agrees with other files."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement

from hanode.version import VERSION

PROJECT = Path(__file__).resolve().parents[2]
METADATA = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
RELEASE = re.compile(r"^## (\S+)(?: — (\d{4}-\d{2}-\d{2}))?$", re.MULTILINE)
GROUPS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def wanted(name: str) -> list[Requirement]:
    """The requirements that a file contains itself."""
    lines = (PROJECT / "requirements" / f"{name}.in").read_text().splitlines()
    said = [line.partition("#")[0].strip() for line in lines]
    return [Requirement(line) for line in said if line and not line.startswith("-r ")]


def test_an_installation_gets_what_node_and_control_plane_ask_for() -> None:
    needed = [Requirement(line) for line in METADATA["dependencies"]]
    assert sorted(map(str, needed)) == sorted(map(str, [*wanted("node"), *wanted("web")]))


def test_the_pins_of_the_tests_are_what_an_installation_may_get() -> None:
    pins = dict(
        re.findall(r"^([\w.-]+)==([\w.]+)", (PROJECT / "requirements/web.txt").read_text(), re.M)
    )
    for line in METADATA["dependencies"]:
        requirement = Requirement(line)
        pinned = pins[requirement.name.replace("_", "-").lower()]
        assert requirement.specifier, f"{line}: no range"
        assert requirement.specifier.contains(pinned), f"{line}, but {pinned} is pinned"


def test_the_release_is_the_changelogs_newest() -> None:
    text = (PROJECT / "CHANGELOG.md").read_text()
    (first, undated), *releases = RELEASE.findall(text)
    assert (first, undated) == ("Unreleased", "")
    assert releases[0][0] == VERSION
    assert all(date for _, date in releases)
    dates = [date for _, date in releases]
    assert dates == sorted(dates, reverse=True)


def test_every_change_stands_in_a_group() -> None:
    text = (PROJECT / "CHANGELOG.md").read_text()
    assert set(re.findall(r"^### (.*)$", text, re.MULTILINE)) <= GROUPS
    for release in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        before_the_first_group = release.split("### ")[0]
        assert "\n* " not in before_the_first_group, before_the_first_group


def test_the_licence_is_the_one_that_is_named() -> None:
    text = (PROJECT / METADATA["license-files"][0]).read_text()
    assert METADATA["license"] == "Apache-2.0"
    assert "Apache License\n                           Version 2.0, January 2004" in text
    assert f"Copyright 2026 {METADATA['authors'][0]['name']}\n" in text
