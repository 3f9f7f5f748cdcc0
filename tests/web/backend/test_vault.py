"""Secrets at rest: the database alone tells none; the key is checked, lost, and rotated."""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import FieldError
from django.db import connection

from hanode.conf import secret_words
from tests.web.backend.test_postgres import postgres as postgres
from tests.web.conftest import pair
from webapp.accounts.models import User
from webapp.configs.models import Group, RevisionFile
from webapp.configs.services import document_text, import_files, save_document
from webapp.inventory.models import Cluster
from webapp.vault import services
from webapp.vault.fields import SealedText
from webapp.vault.keyring import Keyring, VaultError, keyring, new_key

PROJECT = Path(__file__).resolve().parents[3]


def every_cell(path: Path | None = None) -> str:
    """All that the tables hold, or all bytes of a database's files."""
    if path is not None:
        files = [path, *path.parent.glob(f"{path.name}-*")]
        return "".join(file.read_bytes().decode("latin-1") for file in files)
    said = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            said += [str(cell) for row in cursor.fetchall() for cell in row]
    return "\n".join(said)


def hidden(word: str) -> str:
    return f"{word[:4]}-Xq7"


def document(text: str) -> str:
    """The node's file with a secret for every word that the tables call one, also in comments."""
    more = "\n".join(f"# {word} {hidden(word)}" for word in sorted(secret_words()))
    text = text.replace("auth_pass secure12", f"auth_pass {hidden('auth_pass')}")
    key = f"key 1 {hidden('key')}-0123456789abcdef0123456789"
    hmac = f"auth_hmac {{\n        {key}\n        active_key 1\n    }}"
    return more + "\n" + text.replace("    virtual_ipaddress", f"    {hmac}\n    virtual_ipaddress")


def test_no_table_tells_a_secret(editor: User) -> None:
    files = {name: document(text) for name, text in pair().items()}
    made = import_files(actor=editor, cluster_name="Sealed", files=files).cluster
    assert made is not None
    text = document_text(made)
    save_document(actor=editor, cluster=made, text=text + "\n# auth_pass Late-Xq7\n", version=1)
    assert text.count("-Xq7") >= len(secret_words()) + 2, "every secret is in the document"
    assert "-Xq7" not in every_cell()
    assert "Late-Xq7" in document_text(Cluster.objects.get(pk=made.pk))
    kept = RevisionFile.objects.get(node__name="NodeB", revision__cluster=made)
    assert kept.text == files["NodeB"]


def test_a_sealed_column_is_searched_by_nobody(cluster: Cluster) -> None:
    with pytest.raises(FieldError):
        Group.objects.filter(auth_pass="secure12").exists()
    assert Group.objects.filter(auth_pass__isnull=False).count() == 1


def test_a_value_opens_only_in_its_own_column() -> None:
    sealed = keyring().seal("secure12", "configs.group.auth_pass")
    assert keyring().open(sealed, "configs.group.auth_pass") == "secure12"
    for text, label in (
        (sealed, "configs.group.extra"),
        (sealed[:-6] + "AAAAAA", "configs.group.auth_pass"),
        (sealed[:30], "configs.group.auth_pass"),
        (sealed + "ä", "configs.group.auth_pass"),
    ):
        with pytest.raises(VaultError, match="damaged or moved"):
            keyring().open(text, label)
    with pytest.raises(VaultError, match="holds only"):
        keyring().open(sealed.replace(keyring().ids[0], "00000000"), "configs.group.auth_pass")


def test_two_seals_of_one_secret_differ() -> None:
    assert keyring().seal("a", "x") != keyring().seal("a", "x")


def test_no_key_is_in_a_repr() -> None:
    raw = os.environ["KEEPSIGHT_DATA_KEY"]
    for text in (repr(keyring()), str(keyring().keys)):
        assert raw not in text
        assert str(base64.b64decode(raw)) not in text


def test_a_save_during_a_rotation_counts(cluster: Cluster, monkeypatch: Any) -> None:
    """The row is changed between the rotation's reading and its writing."""
    old = os.environ["KEEPSIGHT_DATA_KEY"]
    monkeypatch.setenv("KEEPSIGHT_DATA_KEY", f"{new_key()} {old}")
    column, opened = Group._meta.get_field("auth_pass"), SealedText.opened

    def saved_meanwhile(self: SealedText, stored: str) -> Any:
        if self.name == "auth_pass" and keyring().ids[0] not in stored:
            monkeypatch.setattr(SealedText, "opened", opened)
            Group.objects.update(auth_pass="saved since")
        return opened(self, stored)

    monkeypatch.setattr(SealedText, "opened", saved_meanwhile)
    assert services.seal_again(Group, column) == 0
    assert Group.objects.get().auth_pass == "saved since"


@dataclass
class Installation:
    """A control plane with a database and a key file of its own."""

    home: Path
    more: dict[str, str] = field(default_factory=dict)
    """Of its environment."""

    @property
    def database(self) -> Path:
        return self.home / "keepsight.sqlite3"

    @property
    def key(self) -> Path:
        return self.home / "keys" / "data.key"

    def environment(self, **more: str) -> dict[str, str]:
        clean = {k: v for k, v in os.environ.items() if not k.startswith("KEEPSIGHT_")}
        here = {"KEEPSIGHT_DATA_DIR": str(self.home), "DJANGO_SETTINGS_MODULE": "webapp.settings"}
        return {**clean, "PYTHONPATH": str(PROJECT), **here, **self.more, **more}

    def command(self, *words: str) -> list[str]:
        return [sys.executable, str(PROJECT / "manage.py"), *words]

    def manage(self, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*words),
            env=self.environment(**more),
            cwd=PROJECT,
            capture_output=True,
            text=True,
            check=False,
        )

    def must(self, *words: str, **more: str) -> str:
        done = self.manage(*words, **more)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def texts(self) -> str:
        """Every node's file, and the document that the rows make."""
        return self.must("shell", "-v0", "-c", SHOW)

    def ids(self) -> dict[str, int]:
        """By which keys the real servers' rows are sealed."""
        counts: dict[str, int] = {}
        with sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=10) as rows:
            for (stored,) in rows.execute("SELECT extra FROM configs_realserver"):
                word = str(stored).split(".")[2]
                counts[word] = counts.get(word, 0) + 1
        return counts


SHOW = """
from webapp.configs.models import RevisionFile
from webapp.configs.services import document_text
from webapp.inventory.models import Cluster
print(*(f.text for f in RevisionFile.objects.all()), document_text(Cluster.objects.get()))
"""
SERVERS = 1500


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    made = Installation(tmp_path / "installed")
    made.must("migrate", "-v0")
    return made


def filled(installation: Installation, tmp_path: Path, servers: int = 1) -> str:
    words = ["demo_setup", "--cluster", "x", "--out", str(tmp_path / "out")]
    many = "".join(
        f"    real_server 10.0.{n // 250}.{n % 250 + 1} 80 {{\n        weight 1\n    }}\n"
        for n in range(servers)
    )
    for name, text in pair().items():
        head, _, tail = text.partition("    real_server")
        (tmp_path / name).write_text(f"{head}{many}    real_server{tail}")
        words += ["--node", f"{name}={tmp_path / name}"]
    broker = f"redis+socket://{tmp_path}/nobody.sock"
    installation.must(*words, KEEPSIGHT_BROKER_URL=broker)
    return installation.texts()


def test_the_key_is_made_once_and_is_outside_the_database(
    installation: Installation, tmp_path: Path
) -> None:
    text = filled(installation, tmp_path)
    assert "secure12" in text
    assert "secure12" not in every_cell(installation.database)
    assert installation.key.read_text().strip() not in every_cell(installation.database)
    assert installation.key.stat().st_mode & 0o777 == 0o600
    before = installation.key.read_bytes()
    installation.must("migrate", "-v0")
    assert installation.key.read_bytes() == before


PROCESSES = {
    "web": ["-m", "uvicorn", "webapp.asgi:application", "--port", "0"],
    "worker": ["-m", "celery", "-A", "webapp", "worker", "-Q", "control"],
    "migrate": ["manage.py", "migrate", "-v0"],
    "rotate": ["manage.py", "rotate_data_key"],
}
BROKEN = {
    "missing": ("", "sealed with the data key .* holds none"),
    "wrong": (new_key(), "sealed with the data key .* holds only"),
    "no key": ("ä word", "no data key"),
    "short": ("c2hvcnQ=", "no data key"),
}


@pytest.mark.parametrize("process", PROCESSES)
@pytest.mark.parametrize("broken", BROKEN)
def test_a_start_without_the_right_key_is_one_sentence(
    sealed_once: Installation, process: str, broken: str
) -> None:
    text, sentence = BROKEN[broken]
    sealed_once.key.unlink(missing_ok=True)
    if text:
        sealed_once.key.write_text(text)
    words = [sys.executable, *PROCESSES[process]]
    done = subprocess.run(
        words,
        env=sealed_once.environment(),
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    lines = [
        line for line in done.stderr.splitlines() if re.match("keepsight: |CommandError: ", line)
    ]
    assert len(lines) == 1, done.stderr
    assert process == "worker" or done.stderr.count("\n") == 1, done.stderr  # Celery warns of root
    assert re.search(sentence, lines[0]), lines
    assert str(sealed_once.key) in lines[0]
    assert not text or text not in done.stderr, "a wrong word may be a secret of somewhere else"
    assert text or not sealed_once.key.exists(), "no second key was made"


@pytest.fixture(scope="module")
def sealed_once(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    made = Installation(tmp_path_factory.mktemp("once") / "installed")
    made.must("migrate", "-v0")
    return made


def test_a_rotation_that_is_killed_goes_on(installation: Installation, tmp_path: Path) -> None:
    text = filled(installation, tmp_path, SERVERS)
    (old,) = installation.ids()
    log = (tmp_path / "rotation.log").open("wb")
    running = subprocess.Popen(
        installation.command("rotate_data_key", "--new"),
        env=installation.environment(),
        cwd=PROJECT,
        stdout=log,
        stderr=log,
    )
    deadline = time.monotonic() + 60
    while len(installation.ids()) < 2:
        assert time.monotonic() < deadline
        assert running.poll() is None
    running.send_signal(signal.SIGKILL)
    running.wait()
    between = installation.ids()
    assert set(between) > {old}, "it was killed halfway"
    assert installation.texts() == text, "both keys are there, so everything is"
    assert "run it again" in installation.must("rotate_data_key", "--check")

    with_both = installation.key.read_text()
    newest, *_ = with_both.split()
    installation.key.write_text(newest + "\n")
    refused = installation.manage("rotate_data_key")
    assert refused.returncode != 0
    assert old in refused.stderr, "the old key is still needed"
    installation.key.write_text(with_both)

    assert "Every value is sealed with" in installation.must("rotate_data_key", "--drop-old")
    assert installation.key.read_text() == newest + "\n"
    assert old not in installation.ids()
    assert installation.texts() == text


def test_keys_of_the_environment_rotate_too(installation: Installation, tmp_path: Path) -> None:
    text = filled(installation, tmp_path)
    first, second = installation.key.read_text().strip(), new_key()
    installation.key.unlink()
    assert installation.must("shell", "-v0", "-c", SHOW, KEEPSIGHT_DATA_KEY=first) == text
    refused = installation.manage("rotate_data_key", "--new", KEEPSIGHT_DATA_KEY=first)
    assert refused.returncode == 2
    assert "KEEPSIGHT_DATA_KEY" in refused.stderr
    both = f"{second} {first}"
    assert "sealed again" in installation.must("rotate_data_key", KEEPSIGHT_DATA_KEY=both)
    assert installation.must("shell", "-v0", "-c", SHOW, KEEPSIGHT_DATA_KEY=second) == text


@pytest.fixture(params=["sqlite", "postgresql"])
def earlier(request: pytest.FixtureRequest, tmp_path: Path) -> Installation:
    """A database with the tables of the release that kept everything in clear, and its rows."""
    made = Installation(tmp_path / "installed")
    if request.param == "postgresql":
        made.more = {"KEEPSIGHT_DATABASE_URL": request.getfixturevalue("postgres")}
    made.must("migrate", "-v0", "configs", "0003")
    made.must("migrate", "-v0", "inventory", "0001")
    made.must("shell", "-v0", "-c", AS_IT_WROTE.format(file=str(ROWS)))
    return made


ROWS = PROJECT / "tests/web/backend/data/rows_shape_1.json"
AS_IT_WROTE = """
import json, pathlib
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
targets = [("configs", "0003_rows_carry_a_shape_number"), ("inventory", "0001_initial")]
apps = MigrationExecutor(connection).loader.project_state(targets).apps
for row in json.loads(pathlib.Path({file!r}).read_text())["rows"]:
    model = apps.get_model(row["model"])
    fields = {{model._meta.get_field(k).attname: v for k, v in row["fields"].items()}}
    model(pk=row["pk"], **fields).save()
"""
CELLS = """
from tests.web.backend.test_vault import every_cell
print(every_cell())
"""
MEANING = """
import json
from tests.web.backend.test_row_shapes import meaning
print(json.dumps(meaning()))
"""


@pytest.mark.needs("postgres")
def test_the_rows_of_an_earlier_release_are_sealed(earlier: Installation) -> None:
    assert "secure12" in earlier.must("shell", "-v0", "-c", CELLS)
    earlier.must("migrate", "-v0")
    assert "secure12" not in earlier.must("shell", "-v0", "-c", CELLS)
    if not earlier.more:
        assert "secure12" not in every_cell(earlier.database), "not in a freed page either"
    data = json.loads(ROWS.read_text())
    documents, files = json.loads(earlier.must("shell", "-v0", "-c", MEANING))
    assert documents == data["documents"]
    assert files == data["files"]


def test_a_keyring_without_keys_seals_nothing() -> None:
    with pytest.raises(VaultError, match="There is no data key"):
        Keyring(()).seal("x", "y")
