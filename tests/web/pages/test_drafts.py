"""What is typed is kept by the browser until it is saved: a real one, with our pages."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Dialog, Request

from tests.web.pages.stage import ORIGIN, Stage, on_stage
from tests.web.pages.test_doors import address
from webapp.inventory.models import Cluster

pytestmark = pytest.mark.needs("chromium")

BACK = "What you had typed here is back"


@pytest.fixture
def pages(cluster: Cluster, as_editor: Client) -> dict[str, Any]:
    """The pages with forms, the push, and what the text page answers after a save."""
    names = ("config-text", "group-edit", "real-server-edit", "push", "config")
    found: dict[str, Any] = {address(n, cluster): as_editor.get(address(n, cluster)) for n in names}
    return found


def note(stage: Stage) -> bool:
    return stage.page.locator("[data-f=restored]").is_visible()


def type_text(stage: Stage, text: str) -> None:
    stage.page.click("config-editor .cm-content")
    stage.page.keyboard.press("Control+Home")
    stage.page.keyboard.type(text)


def text_of(stage: Stage) -> str:
    return str(stage.page.evaluate("document.querySelector('config-editor')?.text?.() ?? ''"))


@pytest.mark.parametrize("away", ["reload", "push and back"])
def test_typed_text_comes_back(away: str, cluster: Cluster, pages: dict[str, Any]) -> None:
    where, push = address("config-text", cluster), address("push", cluster)
    with on_stage(pages, where) as stage:
        asked: list[str] = []

        def leave(dialog: Dialog) -> None:
            asked.append(dialog.type)
            dialog.accept()

        stage.page.on("dialog", leave)
        assert not note(stage)
        type_text(stage, "# mine\n")
        if away == "reload":
            stage.page.reload()
        else:
            stage.page.click(f".tabs a[href='{push}']")
            stage.page.wait_for_url(f"**{push}")
            stage.page.go_back()
        stage.until(lambda: note(stage))
        assert asked == ["beforeunload"]
        assert BACK in stage.page.inner_text("[data-f=restored]")
        assert text_of(stage).startswith("# mine\n")
        stage.page.click("[data-f=discard]")
        stage.until(lambda: not note(stage) and "# mine" not in text_of(stage))
        assert asked == ["beforeunload"], "who discards it is not asked again"


def test_a_server_that_is_away_during_save_loses_nothing(
    cluster: Cluster, pages: dict[str, Any]
) -> None:
    where = address("config-text", cluster)
    with on_stage(pages, where) as stage:
        stage.post = lambda request: ("text/html", "<!doctype html><title>502</title>")
        type_text(stage, "# mine\n")
        stage.page.click("main button.button--main")
        stage.until(lambda: stage.page.title() == "502")
        stage.page.goto(ORIGIN + where)
        stage.until(lambda: note(stage))
        assert text_of(stage).startswith("# mine\n")
        saved = (
            pages[where]
            .content.decode()
            .replace(
                '<main id="main" class="" tabindex="-1">',
                '<main id="main" tabindex="-1"><p data-saved>Saved.</p>',
            )
        )
        assert "data-saved" in saved
        stage.post = lambda request: ("text/html", saved)
        stage.page.click("main button.button--main")
        stage.page.wait_for_selector("[data-saved]")
        kept = "JSON.stringify(sessionStorage)"
        stage.until(lambda: "draft:" not in stage.page.evaluate(kept))
        stage.page.goto(ORIGIN + where)
        stage.until(lambda: text_of(stage) != "")
        assert not note(stage)
        assert "# mine" not in text_of(stage)


def test_a_form_comes_back_with_what_it_showed_and_without_its_password(
    cluster: Cluster, pages: dict[str, Any]
) -> None:
    where = address("group-edit", cluster)
    with on_stage(pages, where) as stage:
        stage.page.fill("[name=NodeA-priority]", "120")
        stage.page.fill("[name=NodeB-priority]", "90")
        stage.page.fill("[name=auth_pass]", "tomato12")
        stage.page.check("[name=remove]")
        newer = pages[where].content.decode().replace('n" value="1"', 'n" value="2"')
        _, headers = stage.answers[where]
        stage.answers[where] = (newer, headers)
        stage.page.reload()
        stage.until(lambda: note(stage))
        assert stage.page.input_value("[name=NodeA-priority]") == "120"
        assert stage.page.input_value("[name=NodeB-priority]") == "90"
        assert stage.page.input_value("[name=auth_pass]") == ""
        assert stage.page.is_checked("[name=remove]")
        sent: list[str] = []

        def post(request: Request) -> tuple[str, str]:
            sent.append(request.post_data or "")
            return "text/html", "<!doctype html><title>sent</title>"

        stage.post = post
        assert "tomato12" not in stage.page.evaluate("JSON.stringify(sessionStorage)")
        stage.page.click("main button.button--main")
        stage.until(lambda: stage.page.title() == "sent")
        assert "version=1" in sent[0], "so the server knows what was on the page"
        assert "initial-NodeA-priority=100" in sent[0]


def test_nobody_is_asked_who_typed_nothing_and_signing_out_forgets(
    cluster: Cluster, pages: dict[str, Any]
) -> None:
    where = address("real-server-edit", cluster)
    with on_stage(pages, where) as stage:
        asked: list[str] = []

        def leave(dialog: Dialog) -> None:
            asked.append(dialog.type)
            dialog.accept()

        stage.page.on("dialog", leave)
        stage.page.reload()
        assert asked == []
        stage.page.fill("[name=weight]", "9")
        stage.until(lambda: "draft:" in stage.page.evaluate("JSON.stringify(sessionStorage)"))
        stage.post = lambda request: ("text/html", "<!doctype html><title>out</title>")
        stage.page.click("[data-sign-out] button")
        stage.until(lambda: stage.page.title() == "out")
        assert "draft:" not in stage.page.evaluate("JSON.stringify(sessionStorage)")
