"""Prepares the checkout: virtual environment, hashed pins, front-end assets.

SYSTEM. `python3 -P -m hanode.lab.install web|dev`: runs under the system's Python, before any
package is there, so it uses the standard library alone. Each step leaves a stamp with the hash of
what it was made from; where the stamp still fits, the step takes no time.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent.parent
VENV = PROJECT / ".venv"
COLLECTED = PROJECT / "staticfiles"
NODE_WANTED = 20
"""esbuild and eslint ask for this release or a later one."""


class InstallError(Exception):
    """A step failed; one sentence and where to look."""


def main(argv: list[str]) -> int:
    """Install everything for the demo (`web`) or for the tests (`dev`)."""
    kind = argv[0] if argv else "web"
    if kind not in ("web", "dev"):
        print("usage: python3 -P -m hanode.lab.install web|dev", file=sys.stderr)
        return 2
    try:
        make_environment()
        install_packages(kind)
        build_assets(lint=kind == "dev")
    except InstallError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def make_environment() -> None:
    """Make .venv with the Python that runs this; harmless when a working one is there."""
    python = VENV / "bin/python"
    works = [str(python), "-c", "import pip, sys; sys.exit(sys.version_info < (3, 11))"]
    if python.exists() and subprocess.run(works, capture_output=True, check=False).returncode == 0:
        return
    _say(f"making the virtual environment {VENV}")
    shutil.rmtree(VENV, ignore_errors=True)
    _run([sys.executable, "-m", "venv", str(VENV)], "the virtual environment cannot be made")


def install_packages(kind: str) -> None:
    """Install the hashed pins of requirements/<kind>.txt; dev contains web."""
    if any(_stamped(VENV, k, _pins(k)) for k in {kind, "dev"}):
        return
    _say(f"installing the Python packages of requirements/{kind}.txt")
    _pip(kind)
    _stamp(VENV, kind, _pins(kind))


def build_assets(*, lint: bool) -> None:
    """Fetch the front-end packages and build the bundle; `lint` only fetches, for eslint."""
    if not (PROJECT / "package-lock.json").exists():
        return
    modules, build = PROJECT / "node_modules", PROJECT / "static/build"
    lock, sources = _hash([PROJECT / "package-lock.json"]), _hash(_sources())
    fetched, built = _stamped(modules, "lock", lock), _stamped(build, "sources", sources)
    if not built or (lint and not fetched):
        _build(fetched, built, lock, sources)
    if not _stamped(COLLECTED, "sources", sources):
        _collect()
        _stamp(COLLECTED, "sources", sources)


def _build(fetched: bool, built: bool, lock: str, sources: str) -> None:
    modules, build = PROJECT / "node_modules", PROJECT / "static/build"
    environment = _with_node()
    if not fetched:
        _say("fetching the front-end packages (npm ci)")
        _run(["npm", "ci", "--no-audit", "--no-fund"], "npm ci failed", environment)
        _stamp(modules, "lock", lock)
    if not built:
        _say("building the front end (npm run build)")
        _run(["npm", "run", "--silent", "build"], "the front end cannot be built", environment)
        _stamp(build, "sources", sources)


def _collect() -> None:
    """Put the static files together, their content in their names: webapp/common/assets.py."""
    with tempfile.TemporaryDirectory() as data:
        _run(
            [str(VENV / "bin/python"), "manage.py", "collectstatic", "--noinput", "--ignore=src"],
            "the static files cannot be collected",
            os.environ | {"KEEPSIGHT_DATA_DIR": data},
        )


def _sources() -> list[Path]:
    found = [PROJECT / "package.json", PROJECT / "package-lock.json"]
    for path in sorted((PROJECT / "static").rglob("*")):
        if path.is_file() and "build" not in path.relative_to(PROJECT / "static").parts[:1]:
            found.append(path)
    return found


def _with_node() -> dict[str, str]:
    """An environment in whose PATH a Node is that is new enough."""
    environment = dict(os.environ)
    if _node_version(environment) >= NODE_WANTED:
        return environment
    environment["PATH"] = f"{VENV / 'bin'}:{environment.get('PATH', '')}"
    if _node_version(environment) < NODE_WANTED:
        _say(f"this system has no Node.js {NODE_WANTED}: installing one into the environment")
        _pip("assets")
    return environment


def _node_version(environment: dict[str, str]) -> int:
    path = environment.get("PATH")
    if not shutil.which("node", path=path) or not shutil.which("npm", path=path):
        return 0
    done = subprocess.run(
        ["node", "--version"], capture_output=True, text=True, check=False, env=environment
    )
    found = re.match(r"v(\d+)\.", done.stdout)
    return int(found.group(1)) if found else 0


def _pip(kind: str) -> None:
    words = [str(VENV / "bin/python"), "-m", "pip", "install", "--quiet", "--no-input"]
    words += ["--disable-pip-version-check", "--require-hashes"]
    file = PROJECT / "requirements" / f"{kind}.txt"
    _run([*words, "-r", str(file)], f"the packages of {file.name} cannot be installed")


def _pins(kind: str) -> str:
    return _hash([PROJECT / "requirements" / f"{kind}.txt"])


def _hash(files: list[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def _stamped(directory: Path, name: str, value: str) -> bool:
    stamp = directory / f".keepsight-{name}"
    return stamp.exists() and stamp.read_text() == value


def _stamp(directory: Path, name: str, value: str) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    (directory / f".keepsight-{name}").write_text(value)


def _run(words: list[str], sentence: str, environment: dict[str, str] | None = None) -> None:
    done = subprocess.run(
        words,
        cwd=PROJECT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise InstallError(f"{sentence}:\n{done.stdout.strip()}")


def _say(what: str) -> None:
    print(f"· {what}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
