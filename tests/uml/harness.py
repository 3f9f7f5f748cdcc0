"""Runs programs on a second machine: User-Mode Linux, a kernel with real IPVS.

The guest boots in seconds. It reads the host's files copy-on-write (with this project and its
virtual environment), has its own network, and may load modules, fill IPVS and make namespaces. It
needs neither KVM nor an image, only Debian's packages user-mode-linux and kmod.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

GUEST_INIT = Path(__file__).with_name("guest-init")
XSTATE = GUEST_INIT.with_name("xstate.c")
PROJECT = GUEST_INIT.parent.parent.parent


class GuestError(Exception):
    """The guest did not finish its command; the text ends with its console."""


@dataclass(frozen=True)
class Finished:
    """The result of a command in the guest."""

    status: int
    stdout: str
    stderr: str

    def check(self) -> Finished:
        """Fails the test, with all output, unless the command succeeded."""
        assert self.status == 0, (
            f"the guest's command exited with {self.status}\n--- stdout\n{self.stdout}"
            f"\n--- stderr\n{self.stderr}"
        )
        return self


def run_in_guest(
    command: Sequence[str], *, cwd: Path = PROJECT, memory: str = "512M", limit_s: float = 120
) -> Finished:
    """Boots a guest, runs `command` as its root in `cwd`, and switches it off.

    Raises GuestError if the guest does not finish within `limit_s`.
    """
    with tempfile.TemporaryDirectory(prefix="keepsight-uml.") as name:
        out = Path(name)
        script = f"cd {shlex.quote(str(cwd))} && exec {shlex.join(command)}\n"
        (out / "command").write_text(script)
        console = _boot(out, memory=memory, limit_s=limit_s)
        if not (out / "status").exists() or not (out / "status").read_text().strip():
            raise GuestError(f"the guest did not finish; its console ends with:\n{console[-2000:]}")
        return Finished(
            status=int((out / "status").read_text()),
            stdout=(out / "stdout").read_text(errors="replace"),
            stderr=(out / "stderr").read_text(errors="replace"),
        )


def python_in_guest(program: Path, *arguments: str, limit_s: float = 120) -> Finished:
    """Runs one of our Python programs in a guest, with the interpreter of this test run."""
    return run_in_guest([sys.executable, str(program), *arguments], limit_s=limit_s)


def _preloaded(out: Path) -> dict[str, str]:
    """The environment with which a kernel of 2022 runs on a processor with AMX: see xstate.c."""
    flags = re.search(r"^flags\s*:(.*)$", Path("/proc/cpuinfo").read_text(), re.M)
    if flags is None or "amx_tile" not in flags[1].split():
        return {}
    library = out / "xstate.so"
    compiler = shutil.which("cc")
    if compiler is None:
        raise GuestError("on a processor with AMX the guest needs a C compiler (cc)")
    words = [compiler, "-O2", "-shared", "-fPIC", "-o", str(library), str(XSTATE)]
    subprocess.run(words, check=True)
    return {"LD_PRELOAD": str(library)}


def _boot(out: Path, *, memory: str, limit_s: float) -> str:
    linux = shutil.which("linux.uml") or "/usr/bin/linux.uml"
    guest = subprocess.Popen(
        [
            linux,
            f"mem={memory}",
            "root=/dev/root",
            "rootfstype=hostfs",
            "rootflags=/",
            "ro",
            f"init={GUEST_INIT}",
            f"KEEPSIGHT_OUT={out}",
            f"uml_dir={out}/uml",
            "con=null",
            "con0=null,fd:2",
            "quiet",
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        # The guest is several processes; a session of its own lets the test end all of them.
        start_new_session=True,
        env={**os.environ, "TMPDIR": str(out), **_preloaded(out)},
    )
    try:
        console, _ = guest.communicate(timeout=limit_s)
    except subprocess.TimeoutExpired:
        os.killpg(guest.pid, signal.SIGKILL)
        console, _ = guest.communicate()
        console += f"\n[ended after {limit_s} s]".encode()
    return console.decode(errors="replace")
