"""The kernel's addresses, as the kernel tells them."""

from __future__ import annotations

import struct
import subprocess
import sys

import pytest

from hanode.system.addresses import parse_address
from tests.proc.harness import PROJECT

V4 = struct.pack("=BBBBi", 2, 24, 0, 0, 3)


def attribute(kind: int, data: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(data), kind) + data + b"\0" * (-len(data) % 4)


def test_local_address_wins_over_the_peers() -> None:
    body = V4 + attribute(1, bytes((192, 0, 2, 9))) + attribute(2, bytes((192, 0, 2, 1)))
    assert parse_address(body) == (3, "192.0.2.1/24")


def test_ipv6_has_only_one() -> None:
    body = struct.pack("=BBBBi", 10, 64, 0, 0, 3) + attribute(1, bytes(15) + b"\1")
    assert parse_address(body) == (3, "::1/64")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        V4[:5],
        V4,
        struct.pack("=BBBBi", 99, 24, 0, 0, 3) + attribute(1, bytes(4)),
        V4 + b"\0\0\0\0",
        V4 + attribute(1, bytes(3)),
    ],
)
def test_what_is_no_address_is_left_out(body: bytes) -> None:
    assert parse_address(body) is None


CHURN = """
import subprocess, time
from hanode.system.addresses import AddressWatch
watch = AddressWatch()
watch.read()
add = "\\n".join(f"addr add 10.1.{n // 250}.{n % 250 + 1}/32 dev lo" for n in range(3000))
subprocess.run(["ip", "-batch", "-"], input=add.encode(), check=True)
deadline = time.monotonic() + 5
while len(watch.addresses()) < 3000 and time.monotonic() < deadline:
    watch.read()
shown = subprocess.run(["ip", "-o", "addr"], capture_output=True, text=True, check=True).stdout
kernel = sorted(line.split()[3] for line in shown.splitlines())
assert sorted(a.address for a in watch.addresses()) == kernel, (len(kernel), watch.complete)
subprocess.run(["ip", "addr", "flush", "dev", "lo"], check=True)
while watch.addresses() and time.monotonic() < deadline:
    watch.read()
print(len(kernel), watch.addresses())
"""


@pytest.mark.needs("root", "netns")
def test_thousands_of_changes_at_once_are_not_lost() -> None:
    """More than the socket holds: the kernel drops messages, and we ask for all again."""
    ran = subprocess.run(
        ["unshare", "-n", sys.executable, "-c", CHURN],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stdout == "3000 ()\n", ran.stderr
