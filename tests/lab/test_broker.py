"""The embedded Valkey: who may connect, and which data survive a restart."""

from __future__ import annotations

import signal
import stat
from pathlib import Path

import pytest
import redis

from hanode.lab import broker
from hanode.lab.probe import redis_url
from tests.lab.conftest import start_valkey

pytestmark = pytest.mark.needs("valkey")


def test_nobody_comes_in_without_a_name(valkey: broker.Broker) -> None:
    with pytest.raises(redis.AuthenticationError):
        redis.Redis.from_url(redis_url(valkey.node_url)).ping()


def test_administrator_comes_in(valkey: broker.Broker) -> None:
    assert redis.Redis.from_url(redis_url(valkey.admin_url)).ping()


def test_no_client_can_take_the_memory_of_the_machine(valkey: broker.Broker) -> None:
    admin = redis.Redis.from_url(redis_url(valkey.admin_url))
    for name, value in broker.LIMITS.items():
        (told,) = admin.config_get(name).values()
        number = value.removesuffix("mb")
        wanted = int(number) * 1024 * 1024 if number.isdigit() else value
        assert told == str(wanted), name
    started = (Path(__file__).resolve().parents[2] / "docker/valkey-start").read_text()
    for name, value in broker.LIMITS.items():
        assert f"--{name} {value}" in started, "the same in docker compose"


def test_users_password_and_data_outlive_a_restart(tmp_path: Path) -> None:
    run_dir = tmp_path / "run"
    run_dir.mkdir()
    first = broker.prepare(run_dir, tmp_path / "data")
    process = start_valkey(first)
    admin = redis.Redis.from_url(redis_url(first.admin_url))
    admin.set("kept", "yes")
    admin.acl_setuser(
        "node.a", enabled=True, passwords=["+secret"], keys=["a:*"], commands=["+get"]
    )
    admin.acl_save()
    process.send_signal(signal.SIGTERM)
    process.wait(10)

    second = broker.prepare(run_dir, tmp_path / "data")
    process = start_valkey(second)
    try:
        assert second.password == first.password
        admin = redis.Redis.from_url(redis_url(second.admin_url))
        assert admin.get("kept") == b"yes"
        assert "node.a" in admin.acl_users()
    finally:
        process.terminate()
        process.wait(10)


def test_secrets_are_for_their_owner_only(tmp_path: Path) -> None:
    made = broker.prepare(tmp_path, tmp_path / "data")
    for path in (made.config, made.data / "users.acl", made.data / "admin.password"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
