"""Reads a page as a strict reader would: what it loads, what it names, what lacks a label."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}


@dataclass
class Markup(HTMLParser):
    """Faults of one page, each a sentence; and its forms' values."""

    text: str
    faults: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    labels: set[str] = field(default_factory=set)
    controls: list[dict[str, str]] = field(default_factory=list)
    open: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.text)
        for name in {name for name in self.ids if self.ids.count(name) > 1}:
            self.faults.append(f"id {name} stands twice")
        for control in self.controls:
            named = control.get("id") in self.labels or "aria-label" in control
            if not named:
                self.faults.append(f"{control} has no label")
        if self.open:
            self.faults.append(f"never closed: {self.open}")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        have = {name: value or "" for name, value in attrs}
        if tag not in VOID:
            self.open.append(tag)
        if tag == "script" and not have.get("src", "").startswith("/static/"):
            self.faults.append(f"inline or foreign script: {have}")
        if tag == "style" or "style" in have:
            self.faults.append(f"inline style on {tag}")
        self.faults += [f"{tag} has {name}" for name in have if name.startswith(("on", "hx-on"))]
        if have.get("href", "").startswith(("javascript:", "http")):
            self.faults.append(f"link leads away: {have['href']}")
        if "id" in have:
            self.ids.append(have["id"])
        if tag == "label":
            self.labels.add(have.get("for", ""))
        if tag in ("input", "select", "textarea") and have.get("type") != "hidden":
            self.controls.append(have)

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> closes nothing, line {self.getpos()[0]}")
