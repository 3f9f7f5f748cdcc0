"""Runs in the guest: a whole director that balances between two real servers; prints the results.

One switch, one director, two real servers that answer HTTP with their names, and one client, each
in a network namespace, with the addresses of the lab. The configuration is like the lab's, with
shorter times. Everything ends with the guest.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
VIP = "192.168.192.200"
HOSTS = {"nodea": "100", "rs1": "112", "rs2": "114", "client": "10"}
PATIENCE_S = 30
NAME_SERVER = """
import http.server, sys
class Name(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(sys.argv[1].encode())
http.server.ThreadingHTTPServer(("", 80), Name).serve_forever()
"""
FETCH = f"""
import urllib.request
print(urllib.request.urlopen("http://{VIP}/", timeout=5).read().decode())
"""
CONFIG = """
vrrp_instance HA_Group {
    state MASTER
    interface ens33
    virtual_router_id 51
    priority 100
    advert_int 1
    authentication {
        auth_type PASS
        auth_pass secure12
    }
    virtual_ipaddress {
        192.168.192.200/24
    }
}
virtual_server 192.168.192.200 80 {
    delay_loop 1
    lb_algo rr
    lb_kind DR
    protocol TCP
    real_server 192.168.192.112 80 {
        weight 1
        TCP_CHECK {
            connect_port 80
            connect_timeout 1
            retry 1
            delay_before_retry 1
        }
    }
    real_server 192.168.192.114 80 {
        weight 1
        TCP_CHECK {
            connect_port 80
            connect_timeout 1
            retry 1
            delay_before_retry 1
        }
    }
}
"""


def ip(command: str) -> None:
    subprocess.run(["ip", *command.split()], check=True)


def inside(host: str, *command: str) -> str:
    """The output of a command in a host's namespace; stderr if it fails."""
    done = subprocess.run(
        ["ip", "netns", "exec", host, *command], capture_output=True, text=True, check=False
    )
    return done.stdout if done.returncode == 0 else f"failed: {done.stderr}"


def start(host: str, *command: str) -> subprocess.Popen[bytes]:
    # Its output goes to stderr, which the harness shows when the test fails.
    return subprocess.Popen(["ip", "netns", "exec", host, *command], cwd=PROJECT, stdout=sys.stderr)


def build_network() -> None:
    ip("link add switch type bridge")
    ip("link set switch up")
    for host, octet in HOSTS.items():
        ip(f"netns add {host}")
        ip(f"link add port-{host} type veth peer name ens33 netns {host}")
        ip(f"link set port-{host} master switch up")
        for command in (
            "link set lo up",
            f"addr add 192.168.192.{octet}/24 dev ens33",
            "link set ens33 up",
        ):
            ip(f"-n {host} {command}")
    for host in ("rs1", "rs2"):
        # As on every real server with direct routing: it owns the address, but does not answer ARP
        # for it.
        inside(host, "sysctl", "-w", "net.ipv4.conf.all.arp_ignore=1")
        inside(host, "sysctl", "-w", "net.ipv4.conf.all.arp_announce=2")
        ip(f"-n {host} addr add {VIP}/32 dev lo")


def table() -> list[str]:
    """`ipvsadm -Ln` of the director, without headers and counters."""
    lines = inside("nodea", "ipvsadm", "-Ln").splitlines()[3:]
    return sorted(" ".join(line.split()[:4]) for line in lines)


def until(wanted: Callable[[], bool]) -> float | None:
    """Seconds until the condition was true; None: never."""
    began = time.monotonic()
    while time.monotonic() - began < PATIENCE_S:
        if wanted():
            return round(time.monotonic() - began, 2)
        time.sleep(0.05)
    return None


def all_tables(for_s: float) -> list[list[str]]:
    """Every different table during this time, in the order of appearance."""
    found: list[list[str]] = []
    began = time.monotonic()
    while time.monotonic() - began < for_s:
        if (now := table()) not in found:
            found.append(now)
        time.sleep(0.02)
    return found


def serve(host: str) -> subprocess.Popen[bytes]:
    return start(host, sys.executable, "-c", NAME_SERVER, host)


def has_vip() -> bool:
    return f"{VIP}/24" in inside("nodea", "ip", "-br", "addr", "show", "ens33")


def main() -> None:
    seen: dict[str, object] = {}
    build_network()
    servers = {host: serve(host) for host in ("rs1", "rs2")}
    home = Path("/run/director")
    home.mkdir()
    config = home / "keepalived.conf"
    config.write_text(CONFIG)
    options = ["-n", "-f", str(config), "-i", "NodeA", "--state-dir", f"{home}/state"]
    hanode = [sys.executable, "-m", "hanode"]
    there = ["--run-dir", f"{home}/run"]
    director = start("nodea", *hanode, "run", *options, *there)

    seen["balanced_after_s"] = until(lambda: len(table()) == 3)
    seen["balanced"] = table()
    seen["vip_after_s"] = until(has_vip)
    # A first connection may reach a real server that is still starting; checks show when none does.
    until(lambda: "rs" in inside("client", sys.executable, "-c", FETCH))
    seen["answers"] = [inside("client", sys.executable, "-c", FETCH).strip() for _ in range(4)]

    servers["rs1"].kill()
    servers["rs1"].wait()
    seen["left_after_s"] = until(lambda: len(table()) == 2)
    seen["without_rs1"] = table()
    seen["answers_without_rs1"] = [
        inside("client", sys.executable, "-c", FETCH).strip() for _ in range(3)
    ]
    seen["status"] = inside("nodea", *hanode, "status", *there)

    servers["rs1"] = serve("rs1")
    seen["back_after_s"] = until(lambda: len(table()) == 3)
    seen["back"] = table()

    checker = re.search(r"checker (\d+)", inside("nodea", *hanode, "status", *there))
    assert checker is not None
    os.kill(int(checker[1]), signal.SIGKILL)
    seen["tables_around_a_crash"] = all_tables(for_s=4)
    again = re.search(r"checker (\d+)", inside("nodea", *hanode, "status", *there))
    seen["another_checker_runs"] = again is not None and again[1] != checker[1]

    director.terminate()
    seen["exit"] = director.wait(PATIENCE_S)
    seen["after_stop"] = table()
    seen["vip_after_stop"] = has_vip()
    print(json.dumps(seen))


main()
