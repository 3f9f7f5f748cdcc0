"""A person follows the README with a real browser and a running demo.

The browser is Debian's chromium. With KEEPSIGHT_SCREENSHOT=1 the test rewrites the README's
picture; otherwise it is written to the test's temporary files.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect, sync_playwright

from hanode.lab import netns
from hanode.lab.install import PROJECT

pytestmark = [
    pytest.mark.needs("root", "netns", "valkey", "chromium"),
    pytest.mark.timeout(240),
]
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
START_S = 120
MOVE_MS = 10_000
"""NodeA takes the address back 3.6 s after its engine has started, without adverts from NodeB."""


@pytest.fixture(scope="module")
def link(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Runs bin/demo as a person would, and ends it with Ctrl-C."""
    base = tmp_path_factory.mktemp("demo")
    with (base / "out").open("wb") as out:
        demo = subprocess.Popen(
            [PROJECT / "bin/demo", "--port", "18000", "--data-dir", base / "data"],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        yield _link(demo, base / "out")
    finally:
        demo.send_signal(signal.SIGINT)
        code = demo.wait(40)
    assert code == 0, (base / "out").read_text()
    assert netns.named(f"ks{demo.pid}-") == []
    assert not Path(f"/run/keepsight/ks{demo.pid}").exists()


@pytest.fixture(scope="module")
def page(link: str) -> Iterator[Page]:
    """A browser of its own, signed in with the one-time link."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=ARGUMENTS
        )
        page = browser.new_page(viewport={"width": 1360, "height": 1240})
        page.set_default_timeout(15_000)
        page.goto(link)
        yield page
        browser.close()


def test_stop_start_edit_and_push_without_a_reload(page: Page, tmp_path: Path) -> None:
    page.goto(f"{_origin(page)}/c/demo/")
    expect(_state(page, "NodeA")).to_have_attribute("data-state", "MASTER", timeout=MOVE_MS)
    expect(_state(page, "NodeB")).to_have_attribute("data-state", "BACKUP", timeout=MOVE_MS)
    expect(_vip(page, "NodeA", "192.168.192.200/24")).to_have_attribute("data-state", "present")
    loads = _count_loads(page)

    page.get_by_role("button", name="Stop NodeA").click()
    expect(_state(page, "NodeB")).to_have_attribute("data-state", "MASTER", timeout=MOVE_MS)
    expect(_vip(page, "NodeB", "192.168.192.200/24")).to_have_attribute("data-state", "present")
    expect(page.get_by_text(re.compile(r"Last outage"))).to_be_visible(timeout=MOVE_MS)

    page.get_by_role("button", name="Start NodeA").click()
    expect(_state(page, "NodeA")).to_have_attribute("data-state", "MASTER", timeout=2 * MOVE_MS)
    expect(_state(page, "NodeB")).to_have_attribute("data-state", "BACKUP", timeout=MOVE_MS)
    _take_screenshot(page, tmp_path)
    assert loads == [], "the page was loaded again: nothing live about that"

    _add_address(page, "192.168.192.201/24")
    _push(page)
    page.goto(f"{_origin(page)}/c/demo/")
    expect(_vip(page, "NodeA", "192.168.192.201/24")).to_have_attribute(
        "data-state", "present", timeout=MOVE_MS
    )
    expect(_state(page, "NodeA")).to_have_attribute("data-state", "MASTER")


def test_link_signs_in_only_once(page: Page, link: str) -> None:
    stranger = page.context.browser.new_context().new_page()  # type: ignore[union-attr] # launched, so there
    stranger.goto(link)
    stranger.goto(f"{_origin(page)}/c/demo/")
    expect(stranger).to_have_url(re.compile(r"/sign-in/"))
    stranger.context.close()


def _add_address(page: Page, address: str) -> None:
    page.goto(f"{_origin(page)}/c/demo/config/text/")
    editor = page.locator(".cm-content")
    line = page.locator(".cm-line", has_text="192.168.192.200/24").first
    line.click()
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    page.keyboard.type(address)
    expect(editor).to_contain_text(address)
    page.get_by_role("button", name=re.compile("Save")).click()
    expect(page.locator("body")).to_contain_text(re.compile("saved", re.IGNORECASE))


def _push(page: Page) -> None:
    page.goto(f"{_origin(page)}/c/demo/push/")
    expect(page.locator("body")).to_contain_text("192.168.192.201/24")
    page.get_by_role("button", name=re.compile("Push")).click()
    expect(page).to_have_url(re.compile(r"/c/demo/rollouts/\d+/"))


def _node(page: Page, name: str) -> Locator:
    return page.get_by_role("article", name=name, exact=True)


def _state(page: Page, name: str) -> Locator:
    return _node(page, name).locator("[data-f=state]")


def _vip(page: Page, name: str, address: str) -> Locator:
    return _node(page, name).locator(f'[data-vip="{address}"]')


def _origin(page: Page) -> str:
    return "/".join(page.url.split("/")[:3])


def _count_loads(page: Page) -> list[str]:
    """A list that grows with every document that the page loads from now on."""
    loads: list[str] = []
    page.on("domcontentloaded", lambda loaded: loads.append(loaded.url))
    return loads


def _take_screenshot(page: Page, tmp_path: Path) -> None:
    wanted = os.environ.get("KEEPSIGHT_SCREENSHOT") == "1"
    if wanted:
        page.wait_for_timeout(8000)  # so that the picture shows more than a moment of the client
    folder = PROJECT / "docs" if wanted else tmp_path
    page.screenshot(path=folder / "screenshot.png")
    assert (folder / "screenshot.png").stat().st_size > 10_000


def _link(demo: subprocess.Popen[bytes], out: Path) -> str:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        said = out.read_text()
        if found := re.search(r"Open\s+(http\S+)", said):
            return found.group(1)
        assert demo.poll() is None, said
        time.sleep(0.1)
    raise AssertionError(out.read_text())
