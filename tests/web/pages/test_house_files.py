"""What the browser is given: no inline script anywhere, every static file that is named exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.template.loader import render_to_string

ROOT = Path(settings.BASE_DIR)
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_template_has_no_inline_script_or_style(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"<script(?![^>]*\bsrc=)", text)
    assert not re.search(
        r"<style|\sstyle=|\son(click|load|submit|change|error|input|focus|blur|key\w+|mouse\w+)=|hx-on|hx-vals='js",
        text,
    )
    assert "|safe" not in text
    assert "autoescape off" not in text


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_named_file_exists(path: Path) -> None:
    for name in re.findall(r"{% static '([^']+)' %}", path.read_text()):
        if not name.startswith(("build/", "django_htmx/")):
            assert (ROOT / "static" / name).is_file(), name


def test_every_element_is_small_and_is_loaded() -> None:
    main = (ROOT / "static/js/main.js").read_text()
    for path in (ROOT / "static/js").glob("*.js"):
        text = path.read_text()
        code = [line for line in text.splitlines() if line and not line.startswith("//")]
        assert len(code) <= 80, path.name
        if "customElements.define" in text:
            assert f"./{path.name}" in main


def test_every_icon_that_is_named_is_drawn() -> None:
    sprite = (ROOT / "static/img/icons.svg").read_text()
    for path in TEMPLATES:
        for name in re.findall(r'{% icon "([^"]+)" %}', path.read_text()):
            assert f'id="{name}"' in sprite, f"{path.name}: {name}"


def test_the_page_for_our_own_faults_needs_nothing_that_may_be_broken() -> None:
    assert "Something went wrong here" in render_to_string("500.html")
