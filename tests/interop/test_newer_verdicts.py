"""We complain about the lines that `keepalived -t` of 2.3.3 and 2.3.4 complains about."""

from __future__ import annotations

import pytest

from tests.conf.differential import corpora, measure, percent
from tests.conf.differential_generate import generate
from tests.interop.releases import RELEASES, Release

pytestmark = pytest.mark.needs("root", "netns", "newer")

FEW = 9
"""It hangs on some files, where it looks for a host's name in its empty tree."""


@pytest.mark.parametrize("release", RELEASES, ids=str)
def test_ours_and_newer_keepalived_agree_on_999_lines_of_1000(release: Release) -> None:
    files = [*generate(200, 20), *corpora()]
    tallies, differences, _ = measure(files, release)
    whole = tallies["all"]
    shown = [f"{d.file}:{d.line} {d.text.strip()} | {d.its} | {d.ours}" for d in differences[:30]]
    assert whole.files >= len(files) - FEW
    assert whole.agree >= 0.999 * whole.lines, (percent(whole.agree, whole.lines), shown)
    assert whole.answered >= 0.985 * whole.complaints, (whole.answered, whole.complaints, shown)
    assert whole.confirmed >= 0.98 * whole.errors, (whole.confirmed, whole.errors, shown)
