"""The runs of bin/demo on this machine: each has a directory, and a dead one's is removed.

SYSTEM. A run holds a lock as long as it lives. SIGKILL frees the lock but leaves the directory:
the next start finds it, ends what still runs in its namespaces, and removes everything.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from pathlib import Path

from hanode.lab import netns


def base_directory() -> Path:
    """Where runs live: /run/keepsight for root, else the user's runtime directory."""
    if os.geteuid() == 0:
        return Path("/run/keepsight")
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime and os.access(runtime, os.W_OK):
        return Path(runtime, "keepsight")
    return Path(f"/tmp/keepsight-{os.geteuid()}")  # noqa: S108 - made 0700, and checked to be ours


class Run:
    """This run: its tag, its directory, its lock."""

    def __init__(self) -> None:
        base = base_directory()
        # The agents run as another user and must reach the broker's socket below a root's run.
        base.mkdir(mode=0o755 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
        if base.stat().st_uid != os.geteuid() or base.is_symlink():
            raise OSError(f"{base} belongs to somebody else; remove it")
        self.tag = f"ks{os.getpid()}"
        self.directory = base / self.tag
        self._lock_path = base / f"{self.tag}.lock"
        self._lock = os.open(self._lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir(mode=0o755)

    def remove(self) -> None:
        """Remove this run's directory and namespaces."""
        _remove(self.tag, self.directory)
        self._lock_path.unlink(missing_ok=True)
        os.close(self._lock)
        with contextlib.suppress(OSError):  # another run may still use it
            base_directory().rmdir()


def sweep() -> list[str]:
    """Remove what dead runs left behind; their tags."""
    base = base_directory()
    removed = []
    for lock_path in sorted(base.glob("ks*.lock")) if base.is_dir() else ():
        lock = os.open(lock_path, os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            continue  # it lives
        else:
            _remove(lock_path.stem, base / lock_path.stem)
            lock_path.unlink(missing_ok=True)
            removed.append(lock_path.stem)
        finally:
            os.close(lock)
    return removed


class InUse(Exception):
    """A data directory cannot be used; one sentence."""


def hold(data_dir: Path) -> int:
    """Make the data directory and keep it from other runs as long as the descriptor is open.

    Raises InUse. Two Valkeys on one append-only file would ruin it.
    """
    try:
        for directory in (data_dir.parent, data_dir):
            if not directory.exists():
                directory.mkdir(parents=True, mode=0o700)
        lock = os.open(data_dir / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise InUse(f"{data_dir}: {error.strerror}; name another with --data-dir") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise InUse(
            f"another bin/demo uses {data_dir}; end that one, or name another with --data-dir"
        ) from None
    return lock


def _remove(tag: str, directory: Path) -> None:
    if os.geteuid() == 0:
        for name in netns.named(f"{tag}-"):
            netns.delete(name)
    shutil.rmtree(directory, ignore_errors=True)
