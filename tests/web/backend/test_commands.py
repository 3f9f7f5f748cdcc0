"""manage.py's own commands: what they print, what they leave, how they answer a mistake."""

from __future__ import annotations

import io
import json
import stat
from pathlib import Path

import pytest
import redis
from django.core.management import CommandError, call_command

from hanode import wire
from tests.web.backend.fakenode import FakeNode
from tests.web.conftest import pair
from webapp.accounts.models import User
from webapp.inventory.models import Cluster

pytestmark = [pytest.mark.needs("valkey"), pytest.mark.django_db]


def said(*arguments: str) -> str:
    output = io.StringIO()
    call_command(*arguments, stdout=output)
    return output.getvalue()


@pytest.fixture
def arguments(tmp_path: Path) -> list[str]:
    result = ["demo_setup", "--cluster", "Office pair", "--out", str(tmp_path / "out")]
    for name, text in pair().items():
        (tmp_path / name).write_text(text)
        result += ["--node", f"{name}={tmp_path / name}"]
    return result


def test_the_demo_is_set_up_and_again(
    arguments: list[str], broker: redis.Redis, tmp_path: Path
) -> None:
    first, second = json.loads(said(*arguments)), json.loads(said(*arguments))
    assert first["cluster"] == second["cluster"] == Cluster.objects.get().slug
    assert first["nodes"] == second["nodes"]
    assert first["probe"] == second["probe"]
    assert first["sign_in_path"].startswith("/sign-in/link/?sesame=")
    assert User.objects.get().role == "admin"
    for name in pair():
        path = tmp_path / "out" / f"{name}.enrolment.json"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        enrolment = wire.from_json(wire.Enrolment, path.read_text())
        assert (enrolment.node, enrolment.name) == (first["nodes"][name], name)
        FakeNode(enrolment).say_status()  # the newest one is the one that counts


def test_an_enrolment_that_stands_is_kept_and_another_is_written_anew(
    arguments: list[str], broker: redis.Redis, tmp_path: Path, data_dir: Path
) -> None:
    """A second `docker compose up` runs the set-up again, and the nodes go on meanwhile."""

    def written() -> dict[str, str]:
        return {path.name: path.read_text() for path in (tmp_path / "out").iterdir()}

    said(*arguments)
    first = written()
    said(*arguments)
    assert written() == first
    node_a = FakeNode(wire.from_json(wire.Enrolment, first["NodeA.enrolment.json"]))
    node_a.say_status()
    (tmp_path / "out" / "NodeB.enrolment.json").write_text("{}")
    said(*arguments)
    second = written()
    assert second["NodeA.enrolment.json"] == first["NodeA.enrolment.json"]
    FakeNode(wire.from_json(wire.Enrolment, second["NodeB.enrolment.json"])).say_status()
    (data_dir / "keys" / "signing.pem").unlink()  # another control plane's key
    said(*arguments)
    assert set(written().values()).isdisjoint(second.values())


def test_each_node_can_have_a_folder_of_its_own(
    arguments: list[str], broker: redis.Redis, tmp_path: Path
) -> None:
    said(*arguments, "--folders")
    for name in pair():
        folder = tmp_path / "out" / name
        assert [path.name for path in folder.iterdir()] == [f"{name}.enrolment.json"]


def test_the_signing_key_is_made_once_and_private(
    arguments: list[str], broker: redis.Redis, data_dir: Path, tmp_path: Path
) -> None:
    said(*arguments)
    path = data_dir / "keys" / "signing.pem"
    before = path.read_bytes()
    said(*arguments)
    assert path.read_bytes() == before
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_demo_setup_works_while_the_broker_is_away(arguments: list[str], settings: object) -> None:
    from tests.web.conftest import point_at

    point_at(settings, "redis+socket:///nonexistent/valkey.sock")
    assert json.loads(said(*arguments))["nodes"]


@pytest.mark.parametrize(
    ("node", "sentence"),
    [
        ("A", "write NAME=FILE"),
        ("=x", "write NAME=FILE"),
        ("A=/nonexistent/file", "No such file"),
        ("A=/dev/null", "the file is empty"),
        ("A=/bin/true", "no UTF-8"),
    ],
)
def test_demo_setup_answers_a_mistake_with_a_sentence(
    broker: redis.Redis, tmp_path: Path, node: str, sentence: str
) -> None:
    with pytest.raises(CommandError, match=sentence) as refused:
        said("demo_setup", "--cluster", "x", "--out", str(tmp_path), "--node", node)
    assert refused.value.returncode == 2
    assert not Cluster.objects.exists()


def test_demo_setup_names_the_line_of_an_error(
    arguments: list[str], broker: redis.Redis, tmp_path: Path
) -> None:
    text = pair()["NodeA"].replace("priority 100", "priority 1000")
    (tmp_path / "NodeA").write_text(text)
    line = 1 + text[: text.index("priority 1000")].count("\n")
    with pytest.raises(CommandError, match=f"NodeA:{line}: "):
        said(*arguments)


def test_enrol_prints_what_the_node_needs(cluster: Cluster, broker: redis.Redis) -> None:
    enrolment = wire.from_json(wire.Enrolment, said("enrol", cluster.slug, "NodeB"))
    FakeNode(enrolment).say_status()
    with pytest.raises(CommandError, match="no node NodeX"):
        said("enrol", cluster.slug, "NodeX")


def test_sign_in_link_is_for_active_users_only(reader: User) -> None:
    assert said("sign_in_link", "rita").startswith("/sign-in/link/?sesame=")
    User.objects.filter(pk=reader.pk).update(is_active=False)
    with pytest.raises(CommandError, match="no active user rita"):
        said("sign_in_link", "rita")
