"""The push page and the rollout's."""

from __future__ import annotations

import re

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.web.pages.conftest import Say
from tests.web.pages.markup import Markup
from tests.web.pages.test_doors import address
from webapp.accounts.models import User
from webapp.configs import services as configs
from webapp.configs.models import Revision, RevisionFile
from webapp.inventory.models import Cluster
from webapp.rollout.models import Rollout, RolloutState


def change(client: Client, cluster: Cluster) -> None:
    client.post(address("group-edit", cluster), {"version": 1, "address": "192.168.192.201/24"})


def test_it_shows_the_change_in_words_and_in_lines(cluster: Cluster, as_editor: Client) -> None:
    change(as_editor, cluster)
    page = as_editor.get(address("push", cluster)).content.decode()
    assert page.count('<div class="add">+        192.168.192.201/24</div>') == 2
    assert "HA_Group" in page
    assert "secure12" not in page


def test_priority_that_makes_another_node_the_master_moves_the_address(
    cluster: Cluster, as_editor: Client
) -> None:
    """It was called a change of adverts: nobody looked at the other node."""
    where = address("group-edit", cluster)
    for version, priority, effect in ((1, 99, "changes adverts"), (2, 110, "an address moves")):
        typed = {"interface": "ens33", "state": "BACKUP", "priority": priority}
        form = {"version": version} | {f"NodeB-{name}": value for name, value in typed.items()}
        assert as_editor.post(where, form).status_code == 302
        page = as_editor.get(address("push", cluster)).content.decode()
        (line,) = re.findall(r"<li>(?:(?!</li>).)*priority 95 → .*?</li>", page, re.DOTALL)
        assert effect in line


def test_backups_come_first(cluster: Cluster, as_editor: Client, say: Say) -> None:
    say("NodeA", "MASTER")
    say("NodeB", "BACKUP")
    change(as_editor, cluster)
    page = as_editor.get(address("push", cluster)).content.decode()
    assert page.index("<strong>NodeB</strong>") < page.index("<strong>NodeA</strong>")


def test_the_steps_stand_in_the_order_in_which_they_go(
    cluster: Cluster, as_editor: Client, say: Say
) -> None:
    say("NodeA", "MASTER")
    say("NodeB", "BACKUP")
    change(as_editor, cluster)
    page = as_editor.post(address("push", cluster), {"version": 2}, follow=True).content.decode()
    assert page.index("<strong>NodeB</strong>") < page.index("<strong>NodeA</strong>")


def test_operator_pushes_and_is_led_to_the_rollout(
    cluster: Cluster, as_editor: Client, as_operator: Client
) -> None:
    change(as_editor, cluster)
    form = {"version": 2, "message": "Second address"}
    answer = as_operator.post(address("push", cluster), form)
    assert answer.headers["Location"] == reverse("rollout", args=[cluster.slug, 1])
    page = as_operator.get(answer.headers["Location"]).content.decode()
    assert "Second address" in page
    assert "waits for its turn" in page


def test_the_second_click_of_a_double_click_pushes_nothing(
    cluster: Cluster, as_editor: Client
) -> None:
    change(as_editor, cluster)
    as_editor.post(address("push", cluster), {"version": 2})
    again = as_editor.post(address("push", cluster), {"version": 2})
    assert again.status_code == 422
    assert "still on its way" in again.content.decode()
    assert Rollout.objects.count() == 1


def test_what_changed_after_the_page_was_loaded_is_not_pushed_unseen(
    cluster: Cluster, as_editor: Client
) -> None:
    change(as_editor, cluster)
    answer = as_editor.post(address("push", cluster), {"version": 1, "message": "Kept text"})
    assert answer.status_code == 422
    assert "was changed meanwhile" in answer.content.decode()
    assert "Kept text" in answer.content.decode()
    assert not Rollout.objects.exists()


def test_the_first_push_of_files_that_stay_is_offered_in_words(
    canonical: Cluster, as_operator: Client
) -> None:
    where = reverse("push", args=[canonical.slug])
    page = as_operator.get(where).content.decode()
    assert page.count("The file stays as it is; from now on it comes from here.") == 2
    assert page.count("never heard, so what it runs is not known") == 2
    assert "Push to 2 nodes" in page
    assert Markup(page).faults == []
    line = as_operator.get(reverse("config-pending", args=[canonical.slug])).content.decode()
    assert "NodeA (taken over as it is)" in line
    assert as_operator.post(where, {"version": 1}).status_code == 302
    RevisionFile.objects.filter(revision__number=1).update(live_at=timezone.now())
    Rollout.objects.update(state=RolloutState.DONE)
    page = as_operator.get(where).content.decode()
    assert "Nothing to push" in page
    assert "Push to" not in page
    assert "Nothing to push" in as_operator.post(where, {"version": 1}).content.decode()
    assert not as_operator.get(reverse("config-pending", args=[canonical.slug])).content.strip()


def test_what_all_nodes_must_have_at_one_time_is_said_and_offered(
    cluster: Cluster, as_editor: Client, admin: User
) -> None:
    text = configs.document_text(cluster).replace("secure12", "newpass1")
    configs.save_document(actor=admin, cluster=cluster, version=1, text=text)
    page = as_editor.get(address("push", cluster)).content.decode()
    assert "All nodes must have this at one time." in page
    assert "HA_Group: auth_pass changes" in page
    assert "newpass1" not in page
    assert Markup(page).faults == []
    (box,) = re.findall(r'<input type="checkbox"[^>]*name="at_once"[^>]*>', page)
    assert "checked" in box
    form = {"version": 2, "at_once": "on"}
    as_editor.post(address("push", cluster), form)
    assert Rollout.objects.get().at_once


def test_what_may_go_node_by_node_is_not_offered_otherwise(
    cluster: Cluster, as_editor: Client
) -> None:
    change(as_editor, cluster)
    page = as_editor.get(address("push", cluster)).content.decode()
    assert "at one time" not in page
    as_editor.post(address("push", cluster), {"version": 2})
    assert not Rollout.objects.get().at_once


def test_a_failed_rollout_says_its_sentence(cluster: Cluster, as_editor: Client) -> None:
    change(as_editor, cluster)
    as_editor.post(address("push", cluster), {"version": 2})
    Rollout.objects.update(state=RolloutState.FAILED, reason="NodeB refused it: no such interface.")
    where = reverse("rollout", args=[cluster.slug, 1])
    assert "NodeB refused it: no such interface." in as_editor.get(where).content.decode()
    listed = as_editor.get(reverse("revisions", args=[cluster.slug])).content.decode()
    assert "NodeB refused it: no such interface." in listed


def test_htmx_gets_the_steps_alone(cluster: Cluster, as_editor: Client) -> None:
    change(as_editor, cluster)
    as_editor.post(address("push", cluster), {"version": 2})
    where = reverse("rollout", args=[cluster.slug, 1])
    fragment = as_editor.get(where, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in fragment
    assert "NodeA" in fragment
    assert "<html" in as_editor.get(where).content.decode()


def test_a_revision_shows_every_nodes_file(cluster: Cluster, as_reader: Client) -> None:
    assert Revision.objects.count() == 1
    page = as_reader.get(address("revision", cluster)).content.decode()
    assert "priority 100" in page
    assert "priority 95" in page


def test_what_does_not_exist_is_not_found(cluster: Cluster, as_reader: Client) -> None:
    for name in ("rollout", "revision"):
        assert as_reader.get(reverse(name, args=[cluster.slug, 99])).status_code == 404


def test_a_node_that_was_never_heard_runs_nobody_knows_what(
    cluster: Cluster, as_editor: Client, say: Say
) -> None:
    say("NodeA", "MASTER")
    page = as_editor.get(address("push", cluster)).content.decode()
    assert page.count("runs the file it was started with") == 1
    assert page.count("never heard, so what it runs is not known") == 1
