"""The vrrp process is on time: its scheduling class, its locked memory, and what it never does."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hanode.vrrp.tracking_and_notify import ProcessSettings
from tests.interop.stage import v3
from tests.kernel.engines import Ours
from tests.kernel.harness import until, wired

pytestmark = pytest.mark.needs("root", "netns")

TENTH = 100_000


def locked_kb(pid: int) -> int:
    found = re.search(r"VmLck:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1])


def may_be_real_time() -> bool:
    """Whether this machine allows real-time scheduling at all: cgroup v1 often does not."""
    words = ["import os; os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))"]
    done = subprocess.run([sys.executable, "-c", *words], capture_output=True, check=False)
    return done.returncode == 0


def test_it_is_real_time_and_in_memory_unless_the_file_says_otherwise() -> None:
    real_time = may_be_real_time()
    with wired() as net:
        a = Ours(net, "a", v3("a"))
        pid = a.process.pid
        try:
            assert locked_kb(pid) > 1000
            if not real_time:
                (warning,) = a.events("warning")
                assert warning.cause.startswith("SCHED_FIFO was refused")
                assert os.getpriority(os.PRIO_PROCESS, pid) == -20
                return
            assert os.sched_getscheduler(pid) & ~os.SCHED_RESET_ON_FORK == os.SCHED_FIFO
            assert os.sched_getparam(pid).sched_priority == 50
            asked = ProcessSettings(rt_priority=7, cpu_affinity=(0,), no_swap=False)
            a.configure(v3("a"), process=asked)
            assert os.sched_getparam(pid).sched_priority == 7
            assert os.sched_getaffinity(pid) == {0}
            assert locked_kb(pid) == 0
            a.configure(v3("a"), process=ProcessSettings(priority=-3, cpu_affinity=(999,)))
            assert os.sched_getscheduler(pid) & ~os.SCHED_RESET_ON_FORK == os.SCHED_OTHER
            assert os.getpriority(os.PRIO_PROCESS, pid) == -3
            warnings = until(lambda: a.events("warning"), "a warning")
            assert [w.cause for w in warnings] == [
                "vrrp_cpu_affinity 999 was refused: this node has other processors"
            ]
        finally:
            a.close()


@pytest.mark.needs("strace")
def test_it_opens_no_file_asks_no_name_and_writes_no_log_while_it_takes_over(
    tmp_path: Path,
) -> None:
    never = "openat,open,creat,connect,fsync,fdatasync,rename,unlink,newfstatat,statx,execve,fork"
    log = tmp_path / "strace"
    with wired() as net:
        a = Ours(net, "a", v3("a", advert_int_us=TENTH))
        b = Ours(net, "b", v3("b", advert_int_us=TENTH, garp_master_delay_us=300_000))
        try:
            until(lambda: net.has_vip("a") and b.state() == "BACKUP", "A holds the VIP")
            words = ["strace", "-f", "-e", f"trace={never},sendto,sendmsg", "-o", str(log)]
            spy = subprocess.Popen([*words, "-p", str(b.process.pid)], stderr=subprocess.PIPE)
            assert spy.stderr is not None
            assert b"attached" in spy.stderr.readline()
            a.kill()
            until(lambda: net.has_vip("b"), "B takes over", 3)
            until(lambda: len(net.announcements("b")) >= 10, "and announces it twice", 3)
            time.sleep(0.3)
            spy.terminate()
            spy.wait(5)
        finally:
            a.close()
            b.close()
    calls = [line.split(maxsplit=1)[1].partition("(")[0] for line in log.read_text().splitlines()]
    assert calls.count("sendto") > 10, "adverts, announcements, netlink and events were seen"
    assert set(calls) & set(never.split(",")) == set()
