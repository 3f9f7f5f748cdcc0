"""axe finds nothing on any page, in both themes, at three widths; and no width cuts a node off."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.urls import reverse

from tests.web.pages.conftest import Say
from tests.web.pages.stage import ORIGIN, Stage, on_stage
from tests.web.pages.test_doors import EDIT, READ, address
from webapp.inventory.models import Cluster
from webapp.live.views import PARTS

pytestmark = pytest.mark.needs("chromium", "axe")

AXE = "node_modules/axe-core/axe.min.js"
WIDTHS = (390, 1024, 1440)
RUN = """async () => (await axe.run()).violations.flatMap(
    (one) => one.nodes.map((node) => `${one.id}: ${node.html.slice(0, 160)}`))"""
CUT = """() => [...document.querySelectorAll('table')].filter(
    (one) => one.getBoundingClientRect().right > document.documentElement.clientWidth + 1
    ).map((one) => one.outerHTML.slice(0, 120))"""


@pytest.fixture
def pages(
    cluster: Cluster,
    as_editor: Client,
    say: Say,
    happened: Any,
    lab: Any,
    settings: Any,
) -> dict[str, Any]:
    """Every page as an editor sees it, something on each of them."""
    settings.HEARTBEAT_S = 3600
    say("NodeA", "MASTER", real_up=False)
    say("NodeB", "BACKUP", real_up=False)
    wrong = {"version": 1, "NodeA-priority": "300", "vrid": ""}
    group = address("group-edit", cluster)
    as_editor.post(group, {"version": 1, "address": "192.168.192.201/24"})
    names = [address(name, cluster) for name in (*READ, *EDIT) if name != "config-pending"]
    names += [reverse("home"), reverse("import")]
    found: dict[str, Any] = {where: as_editor.get(where) for where in names}
    found["/refused"] = as_editor.post(group, wrong)
    text = {"version": 1, "was": "a\nb", "text": "vrrp_instance X {"}
    found["/stale"] = as_editor.post(address("config-text", cluster), text)
    found["/signed-out"] = Client().get(reverse("sign-in"))
    for part in PARTS:
        where = reverse("cluster-live", args=[cluster.slug, part])
        found[where] = as_editor.get(where)
    return found


def whole(pages: dict[str, Any]) -> list[str]:
    return [where for where, answer in pages.items() if b"<html" in answer.content]


def seen(stage: Stage, script: str) -> list[str]:
    return list(stage.page.evaluate(script))


def test_axe_finds_nothing(pages: dict[str, Any]) -> None:
    axe = (django_settings.BASE_DIR / AXE).read_text()
    found: set[str] = set()
    tried = 0
    with on_stage(pages, reverse("home")) as stage:
        for where in whole(pages):
            stage.page.goto(ORIGIN + where)
            stage.page.wait_for_timeout(100)
            stage.page.evaluate(axe)
            for theme in ("light", "dark"):
                stage.page.emulate_media(color_scheme=theme)
                for width in WIDTHS:
                    stage.page.set_viewport_size({"width": width, "height": 900})
                    found |= {f"{where} {theme} {width}: {one}" for one in seen(stage, RUN)}
                    tried += 1
    assert not found, "\n".join(sorted(found))
    assert tried > 60


def test_no_width_cuts_a_column_off(pages: dict[str, Any], cluster: Cluster) -> None:
    """At 1024 and 390 pixels NodeB's column of the real servers was out of sight."""
    where = reverse("cluster", args=[cluster.slug])
    with on_stage(pages, where) as stage:
        for width in WIDTHS:
            stage.page.set_viewport_size({"width": width, "height": 900})
            box = stage.page.locator(".servers-box").first
            assert box.evaluate("(e) => e.scrollWidth <= e.clientWidth + 1"), width
            for name in ("NodeA", "NodeB"):
                cell = box.locator(f"td[data-of={name}]").first.bounding_box()
                assert cell
                assert 0 <= cell["x"] <= cell["x"] + cell["width"] <= width
                assert cell["width"] > 60


def test_enter_on_a_lab_button_keeps_the_focus(pages: dict[str, Any], cluster: Cluster) -> None:
    where = reverse("cluster", args=[cluster.slug])
    again = pages[reverse("cluster-live", args=[cluster.slug, "lab"])].content.decode()
    with on_stage(pages, where) as stage:
        stage.post = lambda request: ("text/html", again.replace("running", "stopped"))
        stage.page.focus("#lab-NodeA-stop")
        stage.page.keyboard.press("Enter")
        stage.until(lambda: "stopped" in stage.page.inner_text("#lab-NodeA-stop >> xpath=../.."))
        stage.until(lambda: stage.page.evaluate("document.activeElement.id") == "lab-NodeA-stop")


def test_without_javascript_it_says_what_is_not_pushed(
    pages: dict[str, Any], cluster: Cluster
) -> None:
    for name in ("cluster", "config"):
        assert "Not pushed yet" in pages[address(name, cluster)].content.decode()
