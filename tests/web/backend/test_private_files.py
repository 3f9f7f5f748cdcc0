"""What the control plane keeps in files is its user's alone, whatever the umask was."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[3]
UMASK_022 = "import os, sys; os.umask(0o022); os.execv(sys.argv[1], sys.argv[1:])"


def run(home: Path, *words: str, owner: bool = True) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("KEEPSIGHT_")}
    environment = {**clean, "KEEPSIGHT_DATA_DIR": str(home)}
    less = ["setpriv", "--inh-caps=-fowner", "--bounding-set=-fowner"]
    begin = [*([] if owner else less), sys.executable, "-c", UMASK_022, sys.executable]
    return subprocess.run(
        [*begin, str(PROJECT / "manage.py"), *words],
        env=environment,
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )


def modes(home: Path) -> dict[str, str]:
    return {
        str(path.relative_to(home)): oct(stat.S_IMODE(path.stat().st_mode))
        for path in [home, *sorted(home.rglob("*"))]
    }


PRIVATE = {
    ".": "0o700",
    "keepsight.sqlite3": "0o600",
    "keys": "0o700",
    "keys/data.key": "0o600",
    "keys/django_secret": "0o600",
}


def test_a_new_installation_is_private_under_umask_022(tmp_path: Path) -> None:
    done = run(tmp_path / "var", "migrate", "-v0")
    assert done.returncode == 0, done.stderr
    assert modes(tmp_path / "var") == PRIVATE


def test_one_that_was_open_is_mended_at_the_next_start(tmp_path: Path) -> None:
    home = tmp_path / "var"
    run(home, "migrate", "-v0")
    for beside in ("-wal", "-shm"):
        (home / f"keepsight.sqlite3{beside}").touch()
    for path in [home, *home.rglob("*")]:
        path.chmod(0o777 if path.is_dir() else 0o666)
    done = run(home, "shell", "-v0", "-c", "import webapp.vault.keyring as k; k.keyring()")
    assert done.returncode == 0, done.stderr
    assert {name: mode for name, mode in modes(home).items() if name in PRIVATE} == PRIVATE
    assert not [mode for mode in modes(home).values() if int(mode, 8) & 0o077]


@pytest.mark.needs("root")
@pytest.mark.parametrize("what", ["", "keepsight.sqlite3", "keys/django_secret", "keys/data.key"])
def test_what_is_another_users_and_open_is_refused_in_a_sentence(tmp_path: Path, what: str) -> None:
    """Its rights cannot be changed by whom it does not belong to."""
    home = tmp_path / "var"
    run(home, "migrate", "-v0")
    open_one = home / what
    shutil.chown(open_one, "nobody")
    open_one.chmod(0o777 if open_one.is_dir() else 0o666)
    done = run(home, "migrate", "-v0", owner=False)
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert done.stderr.count("\n") == 1
    assert f"{open_one} can be read by others" in done.stderr
    assert f"chmod go-rwx {open_one}" in done.stderr
