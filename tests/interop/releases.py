"""Newer keepalived releases, as Debian packages them: each in a tree of its own.

    python -m tests.interop.releases

makes what is missing, once, with debootstrap, in $XDG_CACHE_HOME/keepsight (half a minute and 300
MB each), from the mirror that this machine's own packages come from. `bin/test` calls it. Standard
library only: it runs before anything is installed.
"""

from __future__ import annotations

import fcntl
import functools
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

SOURCES = (Path("/etc/apt/sources.list"), Path("/etc/apt/sources.list.d"))
SCRIPT = "sid"
"""debootstrap's script for every suite of today; older machines know no other name for it."""

ENTER = """
tree=$1 folder=$2
shift 2
mount -t proc proc "$tree/proc"
mount --rbind /sys "$tree/sys"
mount -t tmpfs none "$tree/run"
mount --bind "$folder" "$tree/mnt"
exec chroot "$tree" "$@"
"""
FOLDER = "/mnt"
"""Where a program in the tree finds the folder that it is given."""


@dataclass(frozen=True)
class Release:
    """A release of keepalived."""

    suite: str
    """Debian's suite that has it."""
    version: str
    """The release that the tests were written against."""

    @property
    def tree(self) -> Path:
        """Where it is, or will be."""
        return _cache() / f"debian-{self.suite}"

    @property
    def there(self) -> bool:
        """Whether it can be run."""
        return (self.tree / "usr/sbin/keepalived").exists()

    def inside(self, folder: Path, *command: str) -> list[str]:
        """A command in the tree, which has `folder` as FOLDER.

        Only in a mount namespace of its own, as `ip netns exec` and `unshare --mount` give.
        """
        return ["sh", "-ec", ENTER, "sh", str(self.tree), str(folder), *command]

    @property
    def found(self) -> str:
        """The release that is in the tree."""
        return _version(self.tree)

    def __str__(self) -> str:
        return self.version


TRIXIE, FORKY = Release("trixie", "2.3.3"), Release("forky", "2.3.4")
RELEASES = (TRIXIE, FORKY)


@functools.cache
def _version(tree: Path) -> str:
    done = subprocess.run(
        ["chroot", str(tree), "keepalived", "--version"], capture_output=True, text=True, check=True
    )
    match = re.search(r"Keepalived v([0-9.]+)", done.stdout + done.stderr)
    assert match is not None, done
    return match.group(1)


def all_there() -> bool:
    """Whether every release can be run."""
    return all(release.there for release in RELEASES)


def _cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "keepsight"


def mirror() -> str:
    """Where this machine's packages of Debian come from. Raises LookupError."""
    told = dict(re.findall(r'(?m)^(\w+)="?([^"\n]*)"?$', Path("/etc/os-release").read_text()))
    codename = told.get("VERSION_CODENAME", "")
    for text in _sources():
        for url, suites in _entries(text):
            if codename and codename in suites:
                return url
    raise LookupError(f"no source of {codename or 'this system'} in {SOURCES[0].parent}")


def _sources() -> list[str]:
    files = [SOURCES[0], *sorted(SOURCES[1].glob("*.list")), *sorted(SOURCES[1].glob("*.sources"))]
    return [file.read_text() for file in files if file.is_file()]


def _entries(text: str) -> list[tuple[str, list[str]]]:
    """(address, suites) of each entry, in either form that apt knows."""
    lines = re.findall(r"(?m)^deb\s+(?:\[[^]]*\]\s*)?(\S+)\s+(\S+)", text)
    found = [(url, [suite]) for url, suite in lines]
    for stanza in re.split(r"\n\s*\n", text):
        said = dict(re.findall(r"(?m)^(\w[\w-]*):\s*(.*)$", stanza))
        if "deb" in said.get("Types", "").split():
            found += [(url, said.get("Suites", "").split()) for url in said.get("URIs", "").split()]
    return found


def make(release: Release) -> str:
    """Makes it, unless it is there; a sentence. Raises RuntimeError."""
    tree = release.tree
    tree.parent.mkdir(parents=True, exist_ok=True)
    with (tree.parent / f"{release.suite}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if release.there:
            return f"keepalived {release.found} is in {tree}"
        part = tree.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        # A mount namespace of its own: what is mounted below the tree ends with it.
        done = subprocess.run(
            ["unshare", "--mount", "debootstrap", "--variant=minbase", "--include=keepalived",
             release.suite, str(part), mirror(), SCRIPT],
            capture_output=True, text=True, check=False,
            preexec_fn=lambda: os.umask(0o022),
            env={**os.environ, "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin"},
        )  # fmt: skip
        if done.returncode:
            said = "\n".join((done.stdout + done.stderr).splitlines()[-5:])
            raise RuntimeError(f"debootstrap {release.suite} failed: {said}")
        for waste in ("var/cache/apt/archives", "var/lib/apt/lists", "usr/share/locale"):
            shutil.rmtree(part / waste, ignore_errors=True)
        (part / "etc/hosts").write_text("127.0.0.1 localhost\n::1 localhost\n")
        part.rename(tree)
    return f"keepalived {release.found} was put into {tree}"


def main() -> int:
    """Make all of them, side by side."""
    code = 0
    with ThreadPoolExecutor(len(RELEASES)) as pool:
        for future in [pool.submit(make, release) for release in RELEASES]:
            try:
                print(future.result())
            except (RuntimeError, LookupError, OSError) as error:
                print(error, file=sys.stderr)
                code = 1
    return code


if __name__ == "__main__":
    sys.exit(main())
