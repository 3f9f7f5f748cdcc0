"""The push page says what runs on each node, and what a node's policy would refuse."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from hanode import wire
from hanode.policy import DEFAULT
from tests.web.conftest import pair
from tests.web.pages.conftest import status
from tests.web.pages.markup import Markup
from webapp.accounts.models import User
from webapp.configs.services import import_files
from webapp.inventory.models import Cluster
from webapp.live.models import BrokerState, NodeStatus
from webapp.rollout.models import Rollout

SCRIPTS = """\
global_defs {
    script_user USER
}
vrrp_script chk {
    script "/usr/bin/curl -H 'X-Auth-Token: hunter2' http://localhost/"
}
"""


@pytest.fixture
def scripted(admin: User) -> Cluster:
    """A cluster whose commands run as root."""
    files = {name: SCRIPTS.replace("USER", "root") + text for name, text in pair().items()}
    made = import_files(actor=admin, cluster_name="Scripts", files=files).cluster
    assert made is not None
    now = timezone.now()
    BrokerState.objects.create(pk=1, up=True, since=now, checked_at=now + timedelta(minutes=5))
    return made


def tell(cluster: Cluster, name: str, policy: wire.NodePolicy | None, *, ago_s: float = 0) -> None:
    node = cluster.nodes.get(name=name)
    said = replace(status(node.wire_id, name, "BACKUP", True), policy=policy)
    heard = timezone.now() - timedelta(seconds=ago_s)
    NodeStatus.objects.update_or_create(
        node=node, defaults={"status": wire.encode(said), "heard_at": heard}
    )


def page_of(client: Client, cluster: Cluster) -> str:
    return client.get(reverse("push", args=[cluster.slug])).content.decode()


def test_what_runs_is_listed_with_its_user_and_without_secrets(
    scripted: Cluster, as_reader: Client
) -> None:
    page = page_of(as_reader, scripted)
    assert page.count("<h3>Runs on the node</h3>") == 2
    assert page.count('<span class="state" data-state="warning">root</span>') == 2
    assert "/usr/bin/curl -H &#x27;X-Auth-Token: ••••••&#x27; http://localhost/" in page
    assert "hunter2" not in page
    assert Markup(page)


@pytest.mark.parametrize("name", ["push", "config", "config-text", "revisions"])
def test_no_page_shows_a_reader_a_token(scripted: Cluster, as_reader: Client, name: str) -> None:
    page = as_reader.get(reverse(name, args=[scripted.slug])).content.decode()
    assert "hunter2" not in page


def test_a_node_that_never_said_is_unknown(scripted: Cluster, as_editor: Client) -> None:
    tell(scripted, "NodeA", None)
    page = page_of(as_editor, scripted)
    for name in ("NodeA", "NodeB"):
        assert f"Unknown whether {name} takes this" in page
    assert "will refuse this" not in page


def test_a_violation_is_said_before_for_each_node_and_stops_the_push(
    scripted: Cluster, as_editor: Client
) -> None:
    tell(scripted, "NodeA", replace(DEFAULT, script_user="root"))
    tell(scripted, "NodeB", replace(DEFAULT, users=("root",), root_programs=("/usr/bin",)))
    assert scripted.revisions.count() == 1, "the import"
    page = page_of(as_editor, scripted)
    assert "NodeA will refuse this" in page
    assert "NodeB will refuse this" not in page
    assert "script_user: no pushed program runs as root on this node" in page
    answer = as_editor.post(reverse("push", args=[scripted.slug]), {"version": 1})
    assert answer.status_code == 422
    assert "NodeA would refuse it, because its policy forbids it: line" in answer.content.decode()
    assert not Rollout.objects.exists()
    assert scripted.revisions.count() == 1, "the number is not used up"
    tell(scripted, "NodeA", replace(DEFAULT, users=("root",), root_programs=("/usr/bin",)))
    answer = as_editor.post(reverse("push", args=[scripted.slug]), {"version": 1})
    assert answer.status_code == 302


def test_a_policy_with_a_fault_is_said_too(scripted: Cluster, as_editor: Client) -> None:
    tell(scripted, "NodeA", wire.NodePolicy(fault="others than root can read /x; chmod 600 /x"))
    page = page_of(as_editor, scripted)
    assert "this node takes no push: others than root can read /x; chmod 600 /x" in page


def test_a_node_that_is_not_heard_does_not_stop_the_push(
    scripted: Cluster, as_editor: Client
) -> None:
    """Its policy may be another by now; the push waits for it anyway."""
    tell(scripted, "NodeA", DEFAULT, ago_s=600)
    assert "NodeA will refuse this" in page_of(as_editor, scripted)
    answer = as_editor.post(reverse("push", args=[scripted.slug]), {"version": 1})
    assert answer.status_code == 302
