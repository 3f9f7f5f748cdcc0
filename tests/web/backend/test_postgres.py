"""The same rows and verbs on PostgreSQL: settings only, no other code."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.needs("postgres", "valkey")

PROJECT = Path(__file__).resolve().parents[3]


def as_server_user() -> list[str]:
    """PostgreSQL refuses to run as root."""
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] * (
        os.geteuid() == 0
    )


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a server that only this test knows, on a Unix socket in its own folder."""
    home = tmp_path_factory.mktemp("pg")
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1]
    if os.geteuid() == 0:
        owner = pwd.getpwnam("postgres")
        os.chown(home, owner.pw_uid, owner.pw_gid)
        for parent in home.parents[:2]:
            parent.chmod(0o711)  # the server's user must come through pytest's private folder
    data = home / "data"
    run = [*as_server_user(), str(programs / "initdb"), "-D", str(data), "-U", "keepsight"]
    subprocess.run([*run, "-A", "trust", "--no-sync"], check=True, capture_output=True, cwd=home)
    server = subprocess.Popen(
        [
            *as_server_user(),
            str(programs / "postgres"),
            *("-D", str(data), "-k", str(home), "-c", "listen_addresses=", "-c", "fsync=off"),
        ],
        stdout=subprocess.DEVNULL,
        stderr=(home / "log").open("wb"),
        cwd=home,
    )
    try:
        ready = [str(programs / "pg_isready"), "-h", str(home), "-t", "20", "-q"]
        subprocess.run(["sh", "-c", f"until {' '.join(ready)}; do :; done"], check=True, timeout=30)
        yield f"postgresql://keepsight@/postgres?host={home}"
    finally:
        server.terminate()
        server.wait(20)
        shutil.rmtree(home, ignore_errors=True)


def run(url: str, data_dir: Path, *arguments: str) -> str:
    environment = {
        **os.environ,
        "KEEPSIGHT_DATABASE_URL": url,
        "KEEPSIGHT_DATA_DIR": str(data_dir),
        "DJANGO_SETTINGS_MODULE": "webapp.settings",
    }
    done = subprocess.run(
        [sys.executable, *arguments],
        env=environment,
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]
    return done.stdout


def test_every_migration_runs_forward_on_postgresql(postgres: str, tmp_path: Path) -> None:
    run(postgres, tmp_path, "manage.py", "migrate", "-v", "0")
    run(postgres, tmp_path, "manage.py", "makemigrations", "--check", "--dry-run")
    shown = run(postgres, tmp_path, "manage.py", "showmigrations", "--plan")
    assert "[ ]" not in shown
    assert "rollout" in shown


def test_documents_and_ingest_behave_the_same_on_postgresql(postgres: str, tmp_path: Path) -> None:
    tests = ("test_services.py", "test_law.py", "test_ingest.py", "test_sign_ins.py")
    paths = [f"tests/web/backend/{name}" for name in tests]
    said = run(postgres, tmp_path, "-m", "pytest", "-q", "-x", *paths)
    assert " passed" in said
