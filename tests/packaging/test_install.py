"""`pip install .` gives `hanode` and `keepsight`, which work from any directory.

The wheel is built from this checkout and installed into an environment of its own, which sees
the packages of the environment that runs the tests; nothing is fetched.
"""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]

SOUND = """\
vrrp_instance VI_1 {
    interface eth0
    virtual_router_id 51
    priority 100
    virtual_ipaddress {
        192.0.2.1/24
    }
}
"""


@dataclass(frozen=True, slots=True)
class Installed:
    """An environment with Keepsight installed."""

    directory: Path
    elsewhere: Path
    """A directory outside the checkout."""

    def run(
        self, command: str, *words: str, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Runs one of its commands elsewhere, with nothing that points to the checkout."""
        names = ("PYTHONPATH", "DJANGO_SETTINGS_MODULE")
        clean = {
            name: value
            for name, value in os.environ.items()
            if name not in names and not name.startswith("KEEPSIGHT_")
        }
        return subprocess.run(
            [self.directory / "bin" / command, *words],
            cwd=self.elsewhere,
            env={**clean, "KEEPSIGHT_DATA_DIR": str(self.elsewhere / "data"), **environment},
            capture_output=True,
            text=True,
            check=False,
        )


def pip(*words: str | Path) -> None:
    """Runs this environment's pip, which must not fetch anything."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *map(str, words)]
    done = subprocess.run(
        command,
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built as pip builds it."""
    directory = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-index", "--no-deps", "--no-build-isolation", "-w", directory, PROJECT)
    (made,) = directory.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """An environment with the wheel and the packages that it needs."""
    here = tmp_path_factory.mktemp("installed")
    environment = here / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    python = environment / "bin" / "python"
    pip("--python", python, "install", "--no-index", "--no-deps", "--no-compile", wheel)
    (packages,) = environment.glob("lib/python*/site-packages")
    ours = [path for path in sys.path if path.endswith("-packages")]
    (packages / "packages-of-the-tests.pth").write_text("\n".join(ours) + "\n")
    (here / "elsewhere").mkdir()
    return Installed(environment, here / "elsewhere")


def test_the_wheel_holds_what_is_kept_of_both_programs(wheel: Path) -> None:
    """It has templates, style sheets, scripts and the lab's files, but no sources of the bundle."""
    rooms = ["hanode", "webapp", "templates", "static"]
    kept = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", *rooms],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    wanted = {
        f"webapp/{name}" if name.startswith(("templates/", "static/")) else name
        for name in kept
        if not name.startswith("static/src/") and (PROJECT / name).is_file()
    }
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert {name for name in held if not name.startswith("webapp/static/build/")} == wanted


def test_the_wheel_holds_the_bundle_where_it_was_built(wheel: Path) -> None:
    built = {f"webapp/static/build/{path.name}" for path in PROJECT.glob("static/build/*.js")}
    assert built <= set(zipfile.ZipFile(wheel).namelist())


def test_hanode_checks_a_file(installed: Installed) -> None:
    (installed.elsewhere / "keepalived.conf").write_text(SOUND)
    said = installed.run("hanode", "check", "keepalived.conf")
    assert (said.returncode, said.stderr) == (0, ""), said
    (installed.elsewhere / "faulty.conf").write_text(SOUND.replace("51", "510"))
    said = installed.run("hanode", "check", "faulty.conf")
    assert said.returncode == 1, said
    assert "faulty.conf:3" in said.stdout


def test_hanode_without_a_verb_says_its_verbs(installed: Installed) -> None:
    alone, asked = installed.run("hanode"), installed.run("hanode", "--help")
    assert (alone.returncode, alone.stdout) == (0, asked.stdout)
    assert "simulate" in alone.stdout


def test_hanode_called_keepalived_takes_its_options(installed: Installed) -> None:
    (installed.directory / "bin" / "keepalived").symlink_to("hanode")
    (installed.elsewhere / "keepalived.conf").write_text(SOUND)
    said = installed.run("keepalived", "--config-test", "--use-file", "keepalived.conf")
    assert (said.returncode, said.stderr) == (0, ""), said
    assert "hanode v2.2.7" in installed.run("keepalived", "--version").stderr


def test_both_tell_the_release(installed: Installed) -> None:
    from hanode.version import VERSION

    assert installed.run("hanode", "--version").stdout == f"hanode {VERSION}\n"
    for word in ("version", "--version"):
        assert installed.run("keepsight", word).stdout == f"keepsight {VERSION}\n"


def test_keepsight_checks_itself_and_makes_its_database(installed: Installed) -> None:
    said = installed.run("keepsight", "check", "--fail-level", "WARNING")
    assert said.returncode == 0, said.stderr
    said = installed.run("keepsight", "migrate", "--verbosity", "0")
    assert said.returncode == 0, said.stderr
    assert (installed.elsewhere / "data" / "keepsight.sqlite3").is_file()
    said = installed.run("keepsight", "migrate", "--check")
    assert said.returncode == 0, said.stdout


PAGE = """\
import django
django.setup()
from django.contrib.staticfiles import finders
from django.test import Client
import hanode, webapp
page = Client().get("/sign-in/", HTTP_HOST="localhost", secure=True, follow=True)
print(page.status_code, b"</html>" in page.content)
print(hanode.__file__, webapp.__file__, finders.find("css/base.css"), sep="\\n")
"""


def test_the_installed_pages_find_their_templates_and_files(installed: Installed) -> None:
    installed.run("keepsight", "migrate", "--verbosity", "0")
    said = installed.run("python", "-c", PAGE, DJANGO_SETTINGS_MODULE="webapp.settings")
    assert said.returncode == 0, said.stderr
    status, *places = said.stdout.splitlines()
    assert status == "200 True"
    for place in places:
        assert Path(place).is_relative_to(installed.directory), place


WHERE = (
    "from django.conf import settings; print(settings.DATA_DIR, settings.STATIC_ROOT, sep='\\n')"
)


def test_without_a_word_the_data_are_kept_outside_the_program(
    installed: Installed, tmp_path: Path
) -> None:
    """As a user other than root, who may not write to /var/lib."""
    home = {"KEEPSIGHT_DATA_DIR": "", "XDG_DATA_HOME": str(tmp_path / "share")}
    code = f"import os; os.geteuid = lambda: 1000; {WHERE}"
    said = installed.run("python", "-c", code, DJANGO_SETTINGS_MODULE="webapp.settings", **home)
    assert said.stdout.splitlines() == [
        str(tmp_path / "share/keepsight"),
        str(tmp_path / "share/keepsight/staticfiles"),
    ], said.stderr


def test_a_place_that_nobody_may_make_is_told_in_one_sentence(installed: Installed) -> None:
    said = installed.run("keepsight", "check", KEEPSIGHT_DATA_DIR="/proc/keepsight")
    assert said.returncode == 1
    assert said.stderr.splitlines()[-1].endswith(
        "set KEEPSIGHT_DATA_DIR to a directory that you may write."
    )
