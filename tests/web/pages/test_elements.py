"""Every custom element in a real browser: what it does when it should, and what it does not."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.web.pages.conftest import Say
from tests.web.pages.stage import ORIGIN, Stage, on_stage
from tests.web.pages.test_doors import address
from webapp.configs.services import document_text
from webapp.inventory.models import Cluster
from webapp.live.services import cluster_view
from webapp.live.views import PARTS

pytestmark = pytest.mark.needs("chromium")

HEARTBEAT_S = 0.4


@pytest.fixture(autouse=True)
def heartbeat(settings: Any) -> None:
    """Fast ageing, so that the tests are short."""
    settings.HEARTBEAT_S = HEARTBEAT_S


@pytest.fixture
def scene(cluster: Cluster, as_editor: Client, say: Say, happened: Any) -> dict[str, Any]:
    """The live page with all its fragments, and the view that the socket would begin with."""
    # Heard in the future, so that slow rendering on a busy machine makes nobody unknown.
    say("NodeA", "MASTER", ago_s=-60)
    say("NodeB", "BACKUP", ago_s=-60)
    home = reverse("cluster", args=[cluster.slug])
    answers: dict[str, Any] = {home: as_editor.get(home)}
    for part in PARTS:
        where = reverse("cluster-live", args=[cluster.slug, part])
        answers[where] = as_editor.get(where)
    where = reverse("config-pending", args=[cluster.slug])
    answers[where] = as_editor.get(where)
    view = cluster_view(cluster, timezone.now())
    for node in view["nodes"]:
        node["heard_ago_s"] = 0.0
    return {"answers": answers, "start": home, "view": view}


def snapshot(stage: Stage, scene: dict[str, Any]) -> None:
    stage.say({"kind": "snapshot", "view": scene["view"]})
    stage.until(lambda: stage.page.inner_text("live-cluster") == "live")


def delta(scene: dict[str, Any], name: str, **changed: Any) -> dict[str, Any]:
    node = next(n for n in scene["view"]["nodes"] if n["name"] == name)
    return {
        "kind": "node",
        "node": node["wire_id"],
        "delta": {"state": "up", "heard_ago_s": 0.0, **changed},
    }


def card(name: str) -> str:
    return f'article[aria-label="{name}"]'


def test_without_news_every_node_becomes_unknown_and_nothing_stays_green(scene: Any) -> None:
    with on_stage(scene["answers"], scene["start"]) as stage:
        snapshot(stage, scene)
        stage.until(lambda: stage.page.get_attribute(card("NodeA"), "data-node") == "unknown")
        assert re.search(r"unknown since\s+\d\d:\d\d:\d\d", stage.page.inner_text(card("NodeA")))
        stage.until(lambda: "nothing heard since" in stage.page.inner_text("live-cluster"))
        assert stage.page.get_attribute("html", "data-live") == "stale"


def test_a_delta_moves_the_master_without_a_reload(scene: Any) -> None:
    instance = scene["view"]["nodes"][1]["instances"][0]
    vips = [{"address": "192.168.192.200/24", "dev": "ens33", "present": True}]
    became = {**instance, "state": "MASTER", "cause": "no advert for 3.629 s", "vips": vips}
    with on_stage(scene["answers"], scene["start"]) as stage:
        snapshot(stage, scene)
        chip = stage.page.locator(f"{card('NodeB')} [data-f=state]")
        assert chip.get_attribute("data-state") == "BACKUP"
        stage.say(delta(scene, "NodeB", instances=[became]))
        stage.until(lambda: chip.get_attribute("data-state") == "MASTER")
        text = stage.page.inner_text(card("NodeB"))
        assert "no advert for 3.629 s" in text
        assert "in the kernel" in text
        assert stage.count("GET", scene["start"]) == 1


def test_heartbeats_keep_a_node_known(scene: Any) -> None:
    with on_stage(scene["answers"], scene["start"]) as stage:
        snapshot(stage, scene)
        for _ in range(8):
            stage.say(delta(scene, "NodeA"))
            stage.page.wait_for_timeout(1000 * HEARTBEAT_S)
            assert stage.page.get_attribute(card("NodeA"), "data-node") == "up"
        assert stage.page.get_attribute(card("NodeB"), "data-node") == "unknown"


def test_what_a_card_has_no_place_for_is_asked_of_the_server(scene: Any) -> None:
    instance = scene["view"]["nodes"][0]["instances"][0]
    more = {"address": "192.168.192.201/24", "dev": "ens33", "present": True}
    became = {**instance, "vips": [*instance["vips"], more]}
    nodes = f"{scene['start']}live/nodes/"
    with on_stage(scene["answers"], scene["start"]) as stage:
        snapshot(stage, scene)
        before = stage.count("GET", nodes)
        stage.say(delta(scene, "NodeA", instances=[became]))
        stage.until(lambda: stage.count("GET", nodes) > before)


def test_a_condition_that_comes_is_asked_of_the_server_and_one_that_stays_is_not(
    scene: Any,
) -> None:
    nodes = f"{scene['start']}live/nodes/"
    wrong = [{"kind": "clock", "text": "NodeA's clock is 3 h ahead."}]
    with on_stage(scene["answers"], scene["start"]) as stage:
        snapshot(stage, scene)
        before = stage.count("GET", nodes)
        stage.say(delta(scene, "NodeA", conditions=[], problems=[]))
        stage.page.wait_for_timeout(300)
        assert stage.count("GET", nodes) == before
        stage.say(delta(scene, "NodeA", conditions=wrong))
        stage.until(lambda: stage.count("GET", nodes) > before)


def test_changed_makes_the_page_ask_for_that_fragment(scene: Any) -> None:
    events = f"{scene['start']}live/events/"
    with on_stage(scene["answers"], scene["start"]) as stage:
        snapshot(stage, scene)
        stage.until(lambda: stage.count("GET", events) == 1)  # after the snapshot: catch up
        stage.say({"kind": "changed", "topic": "events"})
        stage.until(lambda: stage.count("GET", events) == 2)


def test_a_lost_socket_is_said_loudly_and_opened_again(scene: Any) -> None:
    with on_stage(scene["answers"], scene["start"]) as stage:
        snapshot(stage, scene)
        stage.sockets[-1].close()
        stage.until(lambda: "not live since" in stage.page.inner_text("live-cluster"))
        stage.until(lambda: len(stage.sockets) == 2)
        snapshot(stage, scene)


def test_a_refused_socket_is_not_tried_for_ever(scene: Any) -> None:
    with on_stage(scene["answers"], scene["start"]) as stage:
        snapshot(stage, scene)
        stage.sockets[-1].close(code=4401)
        stage.until(lambda: "reload to sign in" in stage.page.inner_text("live-cluster"))
        stage.page.wait_for_timeout(1500)
        assert len(stage.sockets) == 1


def test_an_outage_counts_up_by_itself(scene: Any) -> None:
    probe = scene["view"]["probe"]
    now = timezone.now().isoformat()
    outage = {"since": now, "until": None, "lost_ms": 0, "sent": 0, "lost": 0}
    down = {**probe, "state": "down", "heard_at": now, "outages": [outage]}
    word = "probe-line [data-f=now]"
    with on_stage(scene["answers"], scene["start"]) as stage:
        stage.say({"kind": "probe", "probe": {**probe, "heard_at": "0"}})
        stage.until(lambda: stage.page.inner_text(word) == "answered in 0.40 ms")
        stage.say({"kind": "probe", "probe": down})
        stage.until(lambda: "no answer for" in stage.page.inner_text(word))
        first = stage.page.inner_text(word)
        stage.page.wait_for_timeout(300)
        assert stage.page.inner_text(word) != first
        strip = [cell.get_attribute("data-up") for cell in stage.page.locator(".strip i").all()]
        assert strip == ["up", "down"]
        stage.until(lambda: "not heard" in stage.page.inner_text(word))


def test_the_theme_is_switched_and_remembered(scene: Any) -> None:
    with on_stage(scene["answers"], scene["start"]) as stage:
        stage.page.emulate_media(color_scheme="light")
        light = stage.page.evaluate("getComputedStyle(document.body).backgroundColor")
        for word in ("light", "dark"):
            stage.page.click("theme-switch button")
            assert stage.page.get_attribute("html", "data-theme") == word
        assert stage.page.evaluate("getComputedStyle(document.body).backgroundColor") != light
        stage.page.reload()
        assert stage.page.get_attribute("html", "data-theme") == "dark"
        stage.page.click("theme-switch button")
        assert stage.page.get_attribute("html", "data-theme") is None


def test_a_double_click_sends_a_form_once(cluster: Cluster, as_editor: Client) -> None:
    where = reverse("push", args=[cluster.slug])
    group = cluster.groups.get()
    add = reverse("group-edit", args=[cluster.slug, group.pk])
    as_editor.post(add, {"version": 1, "address": "192.168.192.201/24"})
    answers: dict[str, Any] = {where: as_editor.get(where)}
    with on_stage(answers, where) as stage:
        stage.post = lambda request: ("text/html", "<!doctype html><title>pushed</title>")
        stage.page.evaluate(
            "() => { const b = document.querySelector('main button'); b.click(); b.click(); }"
        )
        stage.until(lambda: stage.page.title() == "pushed")
        assert stage.count("POST", where) == 1


PROBLEM = {
    "code": "unknown",
    "severity": "error",
    "file": "keepalived.conf",
    "line": 2,
    "column": 1,
    "end_line": 2,
    "end_column": 9,
    "message": "nat_mask is unknown",
    "hint": "Leave it out.",
    "nodes": ["NodeA"],
}


def test_the_editor_asks_at_a_pause_and_shows_problems_at_their_lines(
    cluster: Cluster, as_editor: Client
) -> None:
    where = reverse("config-text", args=[cluster.slug])
    fix = {"label": "Leave the line out", "start": 4, "end": 13, "text": ""}
    before = document_text(cluster)
    asked: list[str] = []

    def check(request: Any) -> tuple[str, str]:
        asked.append(json.loads(request.post_data)["text"])
        found = [{**PROBLEM, "fix": fix}] if "nat_mask" in asked[-1] else []
        return "application/json", json.dumps({"problems": found})

    with on_stage({where: as_editor.get(where)}, where, post=check) as stage:
        editor = stage.page.locator("config-editor .cm-content")
        editor.press("Control+Home")
        stage.page.keyboard.insert_text("# 🙂\nnat_mask\n")
        problems = stage.page.locator("problem-list")
        stage.until(lambda: "nat_mask is unknown" in problems.inner_text())
        assert "line 2, NodeA" in problems.inner_text()
        assert stage.page.locator("config-editor .cm-lint-marker-error").count() == 1
        typed = stage.page.evaluate("new FormData(document.querySelector('main form')).get('text')")
        assert typed == f"# 🙂\nnat_mask\n{before}"
        problems.get_by_role("button", name="Leave the line out").click()
        stage.until(lambda: asked[-1] == f"# 🙂\n{before}")
        stage.until(lambda: "no problems" in problems.inner_text())


@pytest.mark.parametrize("width", [360, 1440])
def test_no_page_is_wider_than_the_screen(
    width: int, cluster: Cluster, as_editor: Client, scene: dict[str, Any]
) -> None:
    names = ("home", "cluster", "config", "config-text", "push", "revisions", "group-edit")
    paths = [reverse("home"), *(address(name, cluster) for name in names[1:])]
    answers = {**scene["answers"], **{path: as_editor.get(path) for path in paths}}
    with on_stage(answers, paths[0]) as stage:
        stage.page.set_viewport_size({"width": width, "height": 800})
        for path in paths:
            stage.page.goto(ORIGIN + path)
            stage.page.wait_for_load_state("networkidle")
            over = stage.page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert over <= 0, f"{path} is {over} px too wide"


def test_sentence_with_a_link_stays_one_sentence(cluster: Cluster, as_reader: Client) -> None:
    """In a card that was a grid the link and the full stop behind it were lines of their own."""
    path = reverse("cluster", args=[cluster.slug])
    with on_stage({path: as_reader.get(path)}, path) as stage:
        stage.page.set_viewport_size({"width": 1280, "height": 800})
        sentence = stage.page.locator("p.card").filter(has_text="not reported yet")
        box = sentence.locator("a").bounding_box()
        around = sentence.evaluate(
            "(p) => { const r = document.createRange(); r.selectNodeContents(p);"
            " return new Set([...r.getClientRects()].map((one) => Math.round(one.y))).size; }"
        )
        assert box is not None
        assert around <= 2, "one line, or two where the window is narrow"


OFF_SCREEN = """[...document.querySelectorAll("main button, .state, .lab td, .servers td, .tabs a")]
    .filter((e) => e.getBoundingClientRect().right > innerWidth).map((e) => e.textContent.trim())"""


def test_on_a_phone_nothing_of_the_live_page_is_cut_off(
    lab: list[dict[str, str]], scene: dict[str, Any]
) -> None:
    with on_stage(scene["answers"], scene["start"]) as stage:
        stage.page.set_viewport_size({"width": 360, "height": 800})
        stage.page.wait_for_load_state("networkidle")
        assert stage.page.locator(".lab button").count() == 6
        assert stage.page.locator(".servers .state").count() == 2
        assert stage.page.evaluate(OFF_SCREEN) == []


def test_without_javascript_the_editor_is_a_textarea(cluster: Cluster, as_editor: Client) -> None:
    page = as_editor.get(reverse("config-text", args=[cluster.slug])).content.decode()
    assert re.search(r'<textarea name="text"[^>]*>\s*global_defs|<textarea name="text"', page)
    assert "virtual_router_id 51" in page
