"""Each engine knows its own in the kernel: it removes all of that, and nothing of others."""

from __future__ import annotations

import math
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hanode.cli.options import POLICY_FILE
from hanode.policy import DEFAULT_PATH
from hanode.system import rtnl
from hanode.vrrp.engine_settings import Address
from tests.kernel.engines import Keepalived
from tests.kernel.harness import inside, wired
from tests.kernel.witness import Witness, witnessed
from tests.proc.harness import PROJECT, Node, directory, until
from tests.proc.test_needs import instance

pytestmark = pytest.mark.needs("root", "netns")

EXTRA = """use_vmac vrrp.%d
    no_accept
    virtual_routes {
        198.51.%d.0/24 dev ens33
    }
    virtual_rules {
        from 192.168.192.%d table 100 priority %d
    }"""


class Beside(Node):
    """A second engine in the first one's namespace, with directories of its own."""

    def __init__(self, other: Node, place: Path, config: str) -> None:
        self.directory = place
        self.namespace = other.namespace
        self.file = place / "NodeA.conf"
        self.file.write_text(config)
        self.enrolment = None
        self.process = None
        self.log = place / "log"

    def destroy(self) -> None:
        if self.process is not None:
            self.kill_group()


def everything(vrid: int, vip: int) -> str:
    """An instance that holds one of each."""
    words = EXTRA % (vrid, vrid, vip, vrid)
    return instance(f"I{vrid}", vrid, f"192.168.192.{vip}/24", words).replace("255", "254")


def ip(node: Node, *words: str) -> str:
    done = subprocess.run(
        ["ip", "-n", node.namespace, *words], capture_output=True, text=True, check=True
    )
    return done.stdout


def held(node: Node, vrid: int, vip: int) -> set[str]:
    """What the kernel has of the instance."""
    found = {
        "address": f" 192.168.192.{vip}/24 " in ip(node, "addr"),
        "macvlan": f" vrrp.{vrid}@" in ip(node, "link"),
        "route": f"198.51.{vrid}.0/24 " in ip(node, "route"),
        "rule": f"{vrid}:\tfrom 192.168.192.{vip} " in ip(node, "rule"),
    }
    return {name for name, there in found.items() if there}


ALL = {"address", "macvlan", "route", "rule"}


@pytest.fixture
def pair() -> Iterator[tuple[Node, Beside]]:
    with directory() as one, directory() as two:
        a = Node(one, config=everything(51, 200))
        b = Beside(a, two, everything(61, 201))
        try:
            yield a, b
        finally:
            b.destroy()
            a.destroy()
            print(*(node.log.read_text() for node in (a, b) if node.log.exists()), sep="\n---\n")


def told(witness: Witness, address: str) -> list[tuple[float, float]]:
    return witness.held("a", address)


def test_two_engines_in_a_namespace_never_touch_each_others(pair: tuple[Node, Beside]) -> None:
    a, b = pair
    with witnessed({"a": a.namespace}) as witness:
        a.start()
        until(lambda: held(a, 51, 200) == ALL)
        index = ip(a, "-br", "link", "show", "vrrp.51")
        b.start()
        until(lambda: held(a, 61, 201) == ALL)
        assert b.stop() == 0
        until(lambda: held(a, 61, 201) == set())
        b.start()
        until(lambda: held(a, 61, 201) == ALL)
        b.kill_group()
        time.sleep(2.5)
        b.start()  # too late to go on: it removes what it had, and takes it again
        until(lambda: len(told(witness, "192.168.192.201/24")) == 3 and held(a, 61, 201) == ALL)
        assert ip(a, "-br", "link", "show", "vrrp.51") == index
        assert held(a, 51, 200) == ALL
        assert len(told(witness, "192.168.192.200/24")) == 1, "A's was there all the time"
        tables = nft_tables(a)
        assert len(tables) == 2 * 2, f"an engine has two tables of its own: {tables}"
        assert a.stop() == 0
        assert held(a, 51, 200) == set()
        assert held(a, 61, 201) == ALL
        assert len(nft_tables(a)) == 2
        assert len(told(witness, "192.168.192.201/24")) == 3


def nft_tables(node: Node) -> list[str]:
    """`family name` of every nf_tables table, asked by a program of our own."""
    program = "from tests.proc.nft import tables; print(*tables(), sep='\\n')"
    done = subprocess.run(
        ["ip", "netns", "exec", node.namespace, sys.executable, "-c", program],
        capture_output=True, text=True, check=True, cwd=PROJECT,
    )  # fmt: skip
    return done.stdout.split("\n")[:-1]


@pytest.mark.parametrize("after_s", [0.0, 2.5], ids=["at once", "too late to go on"])
def test_all_that_a_killed_engine_left_goes_though_no_line_has_it(
    pair: tuple[Node, Beside], after_s: float
) -> None:
    a, _ = pair
    a.start()
    until(lambda: held(a, 51, 200) == ALL)
    a.kill_group()
    assert held(a, 51, 200) == ALL
    time.sleep(after_s)
    a.file.write_text(instance("Other", 52, "192.168.192.202/24"))
    a.start()
    until(lambda: a.kernel_has("192.168.192.202/24"))
    until(lambda: held(a, 51, 200) == set())
    a.kill_group()
    a.file.write_text("vrrp_instance None {\n interface ens44\n virtual_router_id 7\n}\n")
    a.start()
    until(lambda: not a.kernel_has("192.168.192.202/24"), what="on an interface without a line")


def test_what_somebody_else_added_with_keepaliveds_mark_stays(pair: tuple[Node, Beside]) -> None:
    a, _ = pair
    foreign = Address("192.168.192.210", 24, "ens33")
    number = int(ip(a, "-o", "link", "show", "ens33").partition(":")[0])
    commands = inside(a.namespace, rtnl.Commands)
    assert commands.add([(foreign, foreign, number)]) == []
    commands.close()
    ip(a, "route", "add", "198.51.77.0/24", "dev", "ens33", "proto", "18")
    a.start()
    until(lambda: held(a, 51, 200) == ALL)
    a.kill_group()
    time.sleep(2.5)
    a.start()
    until(lambda: held(a, 51, 200) == ALL)
    assert a.stop() == 0
    assert a.kernel_has("192.168.192.210/24")
    assert "198.51.77.0/24" in ip(a, "route")


def test_the_same_pid_files_are_refused_whatever_the_directories(
    pair: tuple[Node, Beside],
) -> None:
    a, b = pair
    mine = ["-p", str(a.directory / "k.pid"), "-r", str(a.directory / "v.pid")]
    a.start(*mine)
    until(lambda: held(a, 51, 200) == ALL)
    before = [Path(p).read_text() for p in (mine[1], mine[3])]
    for shared in (mine[:2], mine[2:]):
        with b.log.open("ab") as log:
            ended = subprocess.run(b.command(*shared), stderr=log, cwd=PROJECT, check=False)
        assert ended.returncode == 2
        said = b.log.read_text().splitlines()[-1]
        assert said == (
            f"hanode run: another engine runs here (it holds {shared[1]}); "
            "stop it first, or give this one its own -p, -r and -c"
        )
    assert [Path(p).read_text() for p in (mine[1], mine[3])] == before
    assert held(a, 51, 200) == ALL
    a.kill_group()
    b.start(*mine)  # left by a killed one they are taken over
    until(lambda: held(a, 61, 201) == ALL)
    assert Path(mine[1]).read_text() != before[0]


def test_a_second_start_with_the_same_directories_removes_nothing(
    pair: tuple[Node, Beside],
) -> None:
    a, _ = pair
    with witnessed({"a": a.namespace}) as witness:
        a.start()
        until(lambda: held(a, 51, 200) == ALL)
        ended = subprocess.run(a.command(), capture_output=True, cwd=PROJECT, check=False)
        assert ended.returncode == 2
        assert held(a, 51, 200) == ALL
        assert len(told(witness, "192.168.192.200/24")) == 1


def test_a_stale_address_goes_before_the_engine_is_imported(pair: tuple[Node, Beside]) -> None:
    a, _ = pair
    with witnessed({"a": a.namespace}) as witness:
        a.start()
        until(lambda: held(a, 51, 200) == ALL)
        a.kill_group()
        time.sleep(2.5)  # by now a backup has taken over
        since_s = time.time()
        a.start()
        span = until(lambda: told(witness, "192.168.192.200/24")[:1])[0]
        started_s = [e for e in a.events() if e.subject == "engine"][-1].wall_us / 1e6
        print(f"gone {span[1] - since_s:.3f} s after the start, engine {started_s - since_s:.3f} s")
        assert since_s < span[1] < started_s
        told_of = [e for e in a.events() if e.kind == "address" and not e.data["present"]]
        assert [e.cause for e in told_of] == [
            "a killed engine had left it, and it is too late to go on with it"
        ]


def test_what_removes_it_imports_nothing_of_the_engine() -> None:
    """Importing that takes a quarter of a second, on a busy machine several."""
    program = "import sys, hanode.cli.prestart; print(*sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=PROJECT
    )
    there = set(done.stdout.split())
    assert not there & {"hanode.conf", "hanode.wire", "hanode.vrrp", "asyncio", "pyroute2"}
    assert POLICY_FILE == DEFAULT_PATH


THEIRS = """\
vrrp_instance V {
    interface ens33
    virtual_router_id 51
    priority 100
    advert_int 1
    virtual_ipaddress {
        192.168.192.200/24
    }
}
"""


AT_ONCE_S = 0.5
"""Of an idle machine, which needs 0.1 s."""


def gone_after(witness: Witness, since_s: float) -> float:
    """How long after that moment the address went."""
    ends = until(
        lambda: [to for _, to in told(witness, "192.168.192.200/24") if since_s < to < math.inf],
        within_s=10,
    )
    return min(ends) - since_s


@pytest.mark.needs("keepalived")
def test_a_stale_address_goes_at_once_as_with_keepalived(pair: tuple[Node, Beside]) -> None:
    a, _ = pair
    with wired() as net, witnessed({"a": net.namespaces["a"]}) as witness:
        first = Keepalived(net, "a", THEIRS)
        try:
            until(lambda: net.has_vip("a"), within_s=10)
        finally:
            first.kill()
        since_s = time.time()
        again = Keepalived(net, "a", THEIRS)
        try:
            theirs_s = gone_after(witness, since_s)
        finally:
            again.kill()
    tries = []
    while len(tries) < 5 and min(tries, default=1.0) > AT_ONCE_S:  # the machine may be busy
        with witnessed({"a": a.namespace}) as witness:
            a.start()
            until(lambda: held(a, 51, 200) == ALL)
            a.kill_group()
            time.sleep(2.5)
            since_s = time.time()
            a.start()
            tries.append(gone_after(witness, since_s))
            assert a.stop() == 0
    print(f"gone after {tries} s, with keepalived after {theirs_s:.3f} s")
    assert min(tries) < AT_ONCE_S


def test_a_window_that_ends_while_the_engine_is_imported_ends_there(
    pair: tuple[Node, Beside],
) -> None:
    """The start is so slow that a backup takes over meanwhile."""
    a, _ = pair
    a.start()
    until(lambda: held(a, 51, 200) == ALL)
    a.kill_group()
    slow = a.directory / "slow"
    slow.mkdir()
    # Python imports it when it starts: the import of the engine takes five seconds.
    (slow / "sitecustomize.py").write_text(
        "import sys, time\n"
        "class Slow:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'hanode.cli.run':\n"
        "            end = time.monotonic() + 5\n"
        "            while time.monotonic() < end: time.sleep(0.01)\n"
        "sys.meta_path.insert(0, Slow())\n"
    )
    with witnessed({"a": a.namespace}) as witness, a.log.open("ab") as log:
        began_s = time.time()
        a.process = subprocess.Popen(
            ["env", f"PYTHONPATH={slow}:{PROJECT}", *a.command()],
            stderr=log, cwd=PROJECT, start_new_session=True,
        )  # fmt: skip
        until(lambda: "address" not in held(a, 51, 200), within_s=4)
        assert 0.5 < time.time() - began_s < 3.5
        assert witness
