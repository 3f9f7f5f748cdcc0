"""Runs in the guest: Debian's keepalived and our engine check the same real servers; prints tables.

Each engine is in a network namespace of its own, with the same file and the same real servers,
which are listeners on its loopback interface. The program prints as JSON the IPVS tables of each
and their times. A table counts only if it lasts: neither engine changes several rows at once.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
STABLE_S = 0.4
SAMPLE_S = 0.02

PORTS = {"a": 8001, "b": 8002, "c": 8003, "d": 8004}
IPS = {"a": "127.0.1.1", "b": "127.0.1.2", "c": "127.0.1.3", "d": "127.0.1.4"}
SORRY = "127.0.1.9"

TIMELINE: tuple[tuple[float, str, str], ...] = (
    (0.0, "open", "a"),
    (0.0, "open", "b"),
    (0.0, "open", "c"),
    # d is closed from the beginning: its very first failure counts.
    (6.0, "close", "a"),  # two failures are tolerated; then the quorum of 2 is lost
    (14.0, "open", "a"),  # one success brings it and the quorum back
    (19.0, "close", "b"),
    (20.5, "open", "b"),  # back within its retries: nothing changes
    (24.0, "close", "c"),  # inhibit_on_failure: weight 0 instead of removal
    (30.5, "open", "d"),  # not together with c's failure: their order would be random
    (36.0, "end", ""),
)
"""Seconds after the start, the action, and the real server."""


def config() -> str:
    def real(name: str, more: str = "", check: str = "") -> str:
        return f"""
        real_server {IPS[name]} {PORTS[name]} {{
            weight 1
            {more}
            TCP_CHECK {{
                connect_timeout 1
                retry 2
                delay_before_retry 1
                {check}
            }}
        }}"""

    return f"""
    virtual_server 127.0.2.1 80 {{
        delay_loop 2
        warmup 0
        lb_algo rr
        lb_kind NAT
        protocol TCP
        quorum 2
        sorry_server {SORRY} 80
        {real("a")}
        {real("b")}
    }}
    virtual_server 127.0.2.2 80 {{
        delay_loop 2
        warmup 0
        lb_algo wrr
        lb_kind NAT
        persistence_timeout 60
        protocol TCP
        {real("c", more="inhibit_on_failure")}
        {real("d")}
    }}
    virtual_server 127.0.2.3 80 {{
        delay_loop 2
        warmup 0
        alpha
        lb_algo wlc
        lb_kind NAT
        protocol TCP
        {real("d")}
        {real("b")}
    }}
    """


class Servers:
    """Listeners that accept connections and forget them."""

    def __init__(self) -> None:
        self._open: dict[str, socket.socket] = {}

    def open(self, name: str) -> None:
        listener = socket.create_server((IPS[name], PORTS[name]))
        self._open[name] = listener
        threading.Thread(target=self._serve, args=(listener,), daemon=True).start()

    def close(self, name: str) -> None:
        listener = self._open.pop(name)
        # A thread that waits in accept keeps a closed listener open; this wakes it up.
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()

    @staticmethod
    def _serve(listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connection.close()


def table() -> dict[str, list[str]]:
    """IPVS of this namespace: service -> its rows."""
    found: dict[str, list[str]] = {}
    service = ""
    for line in Path("/proc/self/net/ip_vs").read_text().splitlines()[3:]:
        words = line.split()
        if words[0] == "TCP":
            service = f"{_address(words[1])} {' '.join(words[2:])}"
            found[service] = []
        elif words[0] == "->":
            found[service].append(f"{_address(words[1])} {words[2]} {words[3]}")
    return {key: sorted(rows) for key, rows in sorted(found.items())}


def _address(text: str) -> str:
    ip, port = text.split(":")
    return f"{socket.inet_ntoa(bytes.fromhex(ip))}:{int(port, 16)}"


def command(engine: str, home: Path) -> list[str]:
    file = home / "keepalived.conf"
    file.write_text(config())
    if engine == "keepalived":
        pids = ["-p", f"{home}/pid", "-c", f"{home}/checkers.pid"]
        return ["keepalived", "-n", "-l", "-G", "-C", "-f", str(file), *pids]
    directories = ["--state-dir", f"{home}/state", "--run-dir", f"{home}/run"]
    options = ["-n", "-C", "-f", str(file), "-i", "A"]
    return [sys.executable, "-m", "hanode", "run", *options, *directories]


def live_through(engine: str) -> None:
    """Runs one engine; prints [[second, table], …] of all tables that lasted."""
    home = Path(f"/run/{engine}")
    home.mkdir()
    servers, seen = Servers(), [(0.0, table())]
    story = list(TIMELINE)
    while story and story[0][0] == 0.0:
        servers.open(story.pop(0)[2])
    process = subprocess.Popen(command(engine, home), cwd=PROJECT, stdout=sys.stderr)
    # The engines take different times to start; time counts from the first service on.
    while not table():
        time.sleep(SAMPLE_S)
    began = time.monotonic()
    while story[0][1] != "end" or time.monotonic() - began < story[0][0]:
        now = time.monotonic() - began
        if now >= story[0][0]:
            _, verb, name = story.pop(0)
            (servers.open if verb == "open" else servers.close)(name)
        current = table()
        if current != seen[-1][1]:
            seen.append((round(now, 2), current))
        time.sleep(SAMPLE_S)
    process.terminate()
    status = process.wait(20)
    ends = [at for at, _ in seen[1:]] + [TIMELINE[-1][0]]
    lasted = [
        [at, rows] for (at, rows), end in zip(seen, ends, strict=True) if end - at >= STABLE_S
    ]
    print(json.dumps({"tables": lasted, "exit": status, "after_stop": table()}))


def main() -> None:
    if len(sys.argv) > 1:
        live_through(sys.argv[1])
        return
    subprocess.run(["modprobe", "ip_vs"], check=True)
    lives = {}
    for engine in ("keepalived", "hanode"):
        subprocess.run(["ip", "netns", "add", engine], check=True)
        subprocess.run(["ip", "-n", engine, "link", "set", "lo", "up"], check=True)
        lives[engine] = subprocess.Popen(
            ["ip", "netns", "exec", engine, sys.executable, __file__, engine],
            stdout=subprocess.PIPE,
            text=True,
        )
    print(json.dumps({engine: json.loads(life.communicate()[0]) for engine, life in lives.items()}))


main()
