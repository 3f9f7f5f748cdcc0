"""Measures the configuration language: `python -m tests.bench.conf [--json] [--rounds N]`.

`hanode check` and `keepalived -t` read the same files, one after the other in each round. The
results are medians, because other work on the machine disturbs single runs. The editor's check
and the memory are measured in processes of their own.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

SIZES = (1_000, 10_000, 50_000)
PER_SERVICE = 10
KEEPALIVED = shutil.which("keepalived", path="/usr/sbin:" + os.environ.get("PATH", ""))


def many_servers(count: int, per_service: int = PER_SERVICE) -> str:
    """A configuration with `count` real servers, each with a TCP_CHECK.

    It has little indentation, so that memory is compared with a text of little white space.
    """
    out = ["global_defs {\n router_id bench\n}\n"]
    for first in range(0, count, per_service):
        number = first // per_service
        out.append(
            f"virtual_server 10.{number >> 16}.{number >> 8 & 255}.{number & 255} 80 {{\n"
            " delay_loop 10\n lb_algo wrr\n lb_kind NAT\n protocol TCP\n"
        )
        for real in range(first, min(first + per_service, count)):
            out.append(
                f" real_server 127.{1 + (real >> 16)}.{real >> 8 & 255}.{real & 255} 8080 {{\n"
                "  weight 1\n  TCP_CHECK {\n   connect_timeout 3\n   connect_port 8080\n  }\n }\n"
            )
        out.append("}\n")
    return "".join(out)


def run_time(command: list[str]) -> float:
    """Seconds of a whole process, which must find the file correct."""
    begin = time.perf_counter()
    done = subprocess.run(command, capture_output=True, check=False)
    taken = time.perf_counter() - begin
    if done.returncode:
        raise SystemExit(f"{command[0]} says {done.returncode}: {done.stderr.decode()[-200:]}")
    return taken


def side_by_side(directory: Path, rounds: int) -> list[dict[str, Any]]:
    """Both programs on the same files, in turn."""
    rows = []
    for size in SIZES:
        file = directory / f"{size}.conf"
        file.write_text(many_servers(size))
        ours: list[float] = []
        theirs: list[float] = []
        for _ in range(rounds):
            ours.append(run_time([sys.executable, "-m", "hanode", "check", str(file)]))
            if KEEPALIVED:
                theirs.append(run_time([KEEPALIVED, "-t", "-f", str(file)]))
        row = {"real_servers": size, "ours_s": statistics.median(ours)}
        if theirs:
            row["keepalived_s"] = statistics.median(theirs)
            row["ratio"] = row["ours_s"] / row["keepalived_s"]
        rows.append(row)
    return rows


def p95(times: list[float]) -> float:
    """The 95th percentile."""
    return statistics.quantiles(times, n=20, method="inclusive")[-1]


def small_file(rounds: int = 100) -> dict[str, float]:
    """A file of about 500 lines, checked in a running process."""
    from hanode.conf import check

    text = many_servers(66)
    times = []
    for _ in range(rounds):
        begin = time.perf_counter()
        check(text)
        times.append((time.perf_counter() - begin) * 1000)
    return {"lines": text.count("\n"), "median_ms": statistics.median(times), "p95_ms": p95(times)}


def after_an_edit(size: int, rounds: int = 60) -> dict[str, float]:
    """Checks a file again after a random line was changed, added or removed."""
    from hanode.conf import Checker

    chance = random.Random(1)
    lines = many_servers(size).split("\n")
    checker = Checker()
    checker.update("\n".join(lines))
    gc.collect()
    gc.freeze()
    times = []
    for number in range(rounds):
        at = chance.choice([i for i in range(0, len(lines), 7) if "weight" in lines[i]] or [9])
        if number % 3 == 0:
            lines[at] = f"  weight {number + 2}"
        elif number % 3 == 1:
            lines.insert(at, "  # a comment")
        else:
            lines[at] = "  wieght 5"
        text = "\n".join(lines)
        begin = time.perf_counter()
        checker.update(text)
        times.append((time.perf_counter() - begin) * 1000)
    return {"real_servers": size, "median_ms": statistics.median(times), "p95_ms": p95(times)}


def peak_bytes() -> int:
    """The largest size so far. (That of `getrusage` counts the parent's from before exec.)"""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def memory(size: int) -> dict[str, float]:
    """How much the process grows while it checks, compared with the text's size."""
    text = many_servers(size)
    from hanode.conf import check

    check("")
    gc.disable()
    before = peak_bytes()
    checked = check(text)
    grown = peak_bytes() - before
    assert not checked.problems
    return {"real_servers": size, "text_bytes": len(text), "times_the_text": grown / len(text)}


PARTS = {
    "small": small_file,
    "edit": lambda: after_an_edit(10_000),
    "memory": lambda: memory(10_000),
}


def apart(part: str) -> dict[str, float]:
    """Runs one of PARTS in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.conf", "--part", part]
    done = subprocess.run(command, capture_output=True, check=True)
    result: dict[str, float] = json.loads(done.stdout)
    return result


def table(found: dict[str, Any]) -> str:
    """The results as Markdown."""
    lines = [
        "| real servers with TCP_CHECK | `hanode check` | `keepalived -t` | ratio |",
        "|---|---|---|---|",
    ]
    for row in found["check"]:
        theirs = f"{row['keepalived_s']:.3f} s" if "keepalived_s" in row else "not installed"
        ratio = f"{row['ratio']:.1f}" if "ratio" in row else ""
        lines.append(f"| {row['real_servers']:,} | {row['ours_s']:.2f} s | {theirs} | {ratio} |")
    small, edit, size = found["small"], found["edit"], found["memory"]
    lines += [
        "",
        "| in a running process | median | 95 % | aim |",
        "|---|---|---|---|",
        f"| check of {small['lines']} lines | {small['median_ms']:.1f} ms | "
        f"{small['p95_ms']:.1f} ms | 25 ms |",
        f"| check after an edit, {edit['real_servers']:,} real servers | "
        f"{edit['median_ms']:.1f} ms | {edit['p95_ms']:.1f} ms | 100 ms |",
        "",
        f"Memory: {size['times_the_text']:.1f} times the text (aim: 40).",
    ]
    return "\n".join(lines)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.conf", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.part:
        print(json.dumps(PARTS[args.part]()))
        return
    with tempfile.TemporaryDirectory() as directory:
        found: dict[str, Any] = {"check": side_by_side(Path(directory), args.rounds)}
    found |= {part: apart(part) for part in PARTS}
    print(json.dumps(found, indent=2) if args.json else table(found))


if __name__ == "__main__":
    main()
