"""Every pair of colours that the house puts on each other can be read, in both themes (WCAG AA)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings

TOKENS = (Path(settings.BASE_DIR) / "static/css/tokens.css").read_text()
SURFACES = ("bg", "surface", "raised")
TEXTS = ("ink", "muted", "accent", "ok", "info", "warn", "bad", "unknown")
TONES = ("ok", "info", "warn", "bad", "unknown")
AA_TEXT = 4.5
AA_SHAPE = 3.0
"""WCAG 1.4.11: borders of fields, the focus ring, shapes."""


def colour(name: str, theme: int) -> str:
    """`#rrggbb` of a token: theme 0 is light, 1 is dark."""
    found = re.search(rf"--{name}: light-dark\((#\w{{6}}), (#\w{{6}})\)", TOKENS)
    assert found, f"tokens.css has no --{name}"
    return found.groups()[theme]


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one: str, other: str) -> float:
    """From 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_the_formula_knows_its_ends() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") < AA_TEXT < contrast("#767676", "#ffffff")


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("text", TEXTS)
def test_text_can_be_read(text: str, surface: str, theme: int) -> None:
    assert contrast(colour(text, theme), colour(surface, theme)) >= AA_TEXT


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("tone", TONES)
def test_a_state_can_be_read_on_its_own_tint(tone: str, theme: int) -> None:
    tint = colour(f"{tone}-soft", theme)
    assert contrast(colour(tone, theme), tint) >= AA_TEXT
    assert contrast(colour("ink", theme), tint) >= AA_TEXT
    assert contrast(colour("muted", theme), tint) >= AA_TEXT


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_buttons_alarms_borders_and_focus_can_be_seen(theme: int) -> None:
    assert contrast(colour("accent-ink", theme), colour("accent", theme)) >= AA_TEXT
    assert contrast("#ffffff", colour("bad-solid", theme)) >= AA_TEXT
    for name in ("line-strong", "focus"):
        for surface in SURFACES:
            assert contrast(colour(name, theme), colour(surface, theme)) >= AA_SHAPE
