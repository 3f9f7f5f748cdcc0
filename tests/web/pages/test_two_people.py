"""Two people at one cluster: nothing of either is lost, and each sees what the other did."""

from __future__ import annotations

import html

import pytest
from django.test import Client

from tests.web.pages.conftest import signed_in
from tests.web.pages.test_doors import address
from tests.web.pages.test_forms_keep import Forms
from webapp.accounts.models import User
from webapp.configs.models import Group, GroupNode, RealServer, Vip, VirtualServer
from webapp.configs.services import document_text
from webapp.configs.threeway import together
from webapp.inventory.models import Cluster


def opened(client: Client, where: str) -> dict[str, str]:
    """What the page's first form would send as it came."""
    return Forms(client.get(where).content.decode(), where).forms[where]


def said(answer: object) -> str:
    return html.unescape(answer.content.decode())  # type: ignore[attr-defined] # it is a page


@pytest.fixture
def as_admin(admin: User) -> Client:
    """The other person."""
    return signed_in(admin)


def test_one_save_keeps_what_was_typed_for_every_node(cluster: Cluster, as_editor: Client) -> None:
    """Each node had a button of its own, and the other node's edit was gone."""
    where = address("group-edit", cluster)
    assert as_editor.get(where).content.count(b">Save</button>") == 1
    typed = {
        "NodeA-priority": "120",
        "NodeB-priority": "90",
        "advert_int_us": "2",
        "address": "192.168.192.201/24",
        "remove": str(Vip.objects.get().pk),
    }
    assert as_editor.post(where, opened(as_editor, where) | typed).status_code == 302
    assert list(GroupNode.objects.values_list("priority", flat=True)) == [120, 90]
    assert Group.objects.get().advert_int_us == 2_000_000
    assert [vip.address for vip in Vip.objects.all()] == ["192.168.192.201/24"]


def test_a_mistake_in_one_part_keeps_what_was_typed_in_all(
    cluster: Cluster, as_editor: Client
) -> None:
    where = address("group-edit", cluster)
    pk = str(Vip.objects.get().pk)
    typed = {"NodeA-priority": "300", "NodeB-priority": "91", "vrid": "77", "remove": pk}
    answer = as_editor.post(where, opened(as_editor, where) | typed | {"dev": "ens9"})
    page = said(answer)
    assert answer.status_code == 422
    for value in ("300", "91", "77", "ens9"):
        assert f'value="{value}"' in page
    assert f'value="{pk}" checked' in page
    assert list(GroupNode.objects.values_list("priority", flat=True)) == [100, 95]


def test_changes_of_other_objects_are_put_together(
    cluster: Cluster, as_editor: Client, as_admin: Client
) -> None:
    group, server = address("group-edit", cluster), address("virtual-server-edit", cluster)
    mine = opened(as_editor, group)
    as_admin.post(server, opened(as_admin, server) | {"delay_loop_us": "9"})
    answer = as_editor.post(group, mine | {"NodeA-priority": "120"}, follow=True)
    assert "Saved." in said(answer)
    assert "Saved meanwhile: ada (edit virtual server: 192.168.192.200:80" in said(answer)
    assert VirtualServer.objects.get().delay_loop_us == 9_000_000
    assert list(GroupNode.objects.values_list("priority", flat=True)) == [120, 95]


def test_other_fields_of_one_object_are_put_together(
    cluster: Cluster, as_editor: Client, as_admin: Client
) -> None:
    where = address("real-server-edit", cluster)
    mine, theirs = opened(as_editor, where), opened(as_admin, where)
    as_admin.post(where, theirs | {"retry": "5"})
    assert as_editor.post(where, mine | {"weight": "7"}).status_code == 302
    real = RealServer.objects.order_by("pk")[0]
    assert (real.weight, real.check_json["retry"]) == (7, 5)


def test_a_checkbox_that_the_other_took_off_stays_off(
    cluster: Cluster, as_editor: Client, as_admin: Client
) -> None:
    where = address("real-server-edit", cluster)
    mine, theirs = opened(as_editor, where), opened(as_admin, where)
    del theirs["checked"]
    as_admin.post(where, theirs)
    assert as_editor.post(where, mine | {"weight": "7"}).status_code == 302
    real = RealServer.objects.order_by("pk")[0]
    assert (real.weight, real.check_json) == (7, None)


def test_where_both_changed_a_field_both_values_are_shown(
    cluster: Cluster, as_editor: Client, as_admin: Client
) -> None:
    where = address("group-edit", cluster)
    mine = opened(as_editor, where)
    as_admin.post(where, opened(as_admin, where) | {"NodeA-priority": "110", "vrid": "60"})
    answer = as_editor.post(where, mine | {"NodeA-priority": "120"})
    page = said(answer)
    assert answer.status_code == 422
    assert "Changed meanwhile to 110; yours is 120." in page
    assert "Saved meanwhile: ada (edit group: HA_Group" in page
    assert 'value="60"' in page, "what only the other changed is there"
    again = Forms(page, where).forms[where]
    assert as_editor.post(where, again).status_code == 302
    assert list(GroupNode.objects.values_list("priority", flat=True)) == [120, 95]
    assert Group.objects.get().vrid == 60


def test_a_real_server_is_removed_beside_another_change_but_not_unseen(
    cluster: Cluster, as_editor: Client, as_admin: Client
) -> None:
    where, remove = address("real-server-edit", cluster), address("real-server-remove", cluster)
    page = as_editor.get(where).content.decode()
    form = Forms(page, where).forms[remove]
    group = address("group-edit", cluster)
    as_admin.post(where, opened(as_admin, where) | {"weight": "9"})
    assert "was changed meanwhile" in said(as_editor.post(remove, form, follow=True))
    assert RealServer.objects.count() == 2
    form = Forms(as_editor.get(where).content.decode(), where).forms[remove]
    as_admin.post(group, opened(as_admin, group) | {"vrid": "60"})
    assert "Saved." in said(as_editor.post(remove, form, follow=True))
    assert RealServer.objects.count() == 1


def text_form(cluster: Cluster) -> dict[str, str]:
    text = document_text(cluster)
    return {"version": str(cluster.draft.version), "text": text, "was": text}


def test_texts_are_put_together(cluster: Cluster, as_editor: Client, as_admin: Client) -> None:
    where = address("config-text", cluster)
    mine, group = text_form(cluster), address("group-edit", cluster)
    as_admin.post(group, opened(as_admin, group) | {"NodeB-priority": "90"})
    typed = mine["text"].replace("delay_loop 6", "delay_loop 8").replace("\n", "\r\n")
    answer = as_editor.post(where, mine | {"text": typed}, follow=True)
    assert "Saved meanwhile: ada (edit group: HA_Group" in said(answer)
    assert "edith" not in said(answer).split("Saved meanwhile")[1].split("</p>")[0]
    after = document_text(cluster)
    assert "delay_loop 8" in after
    assert "priority 90" in after


def test_lines_that_both_changed_are_shown_from_both(
    cluster: Cluster, as_editor: Client, as_admin: Client
) -> None:
    where = address("config-text", cluster)
    mine, group = text_form(cluster), address("group-edit", cluster)
    theirs = {"auth_pass": "other12", "vrid": "60"}
    as_admin.post(where, mine | {"text": mine["text"].replace("delay_loop 6", "delay_loop 7")})
    as_admin.post(group, opened(as_admin, group) | theirs)
    answer = as_editor.post(
        where, mine | {"text": mine["text"].replace("delay_loop 6", "delay_loop 8")}
    )
    page = said(answer)
    assert answer.status_code == 422
    assert "delay_loop 7</code>" in page
    assert "delay_loop 8</code>" in page
    shown = page[page.index("What was saved meanwhile") :].partition("</details>")[0]
    assert "virtual_router_id 60" in shown
    assert "other12" not in shown
    form = Forms(page, where).forms[where]
    sent = {"version": form["version"], "was": document_text(cluster)}
    text = page[page.index("<textarea") :].partition(">")[2].partition("</textarea>")[0].lstrip()
    assert as_editor.post(where, sent | {"text": text}).status_code == 302
    after = document_text(cluster)
    assert "delay_loop 8" in after
    assert "virtual_router_id 60" in after


@pytest.mark.parametrize(
    ("base", "mine", "theirs", "text", "clashes"),
    [
        ("a\nb\nc", "A\nb\nc", "a\nb\nC", "A\nb\nC", 0),
        ("a\nb\nc", "a\nb\nc", "a\nc", "a\nc", 0),
        ("a\nb\nc", "a\nx\nc", "a\nx\nc", "a\nx\nc", 0),
        ("a\nb\nc", "a\nx\nc", "a\ny\nc", "a\nx\nc", 1),
        ("a\nb\nc", "a\nc", "a\ny\nc", "a\nc", 1),
        ("", "a", "b", "a", 1),
        ("a", "a\nb", "z\na", "z\na\nb", 0),
    ],
)
def test_lines_of_two(base: str, mine: str, theirs: str, text: str, clashes: int) -> None:
    found = together(base, mine, theirs)
    assert (found.text, len(found.clashes)) == (text, clashes)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"address": "192.168.192.200"}, "written 192.168.192.200/24; the kernel would hold it"),
        ({"address": "192.168.192.200/24"}, "is an address of HA_Group already; the kernel"),
        ({"address": "192.168.192.200/32", "excluded": "on"}, "is an address of HA_Group already"),
        ({"address": "192.168.192.200", "dev": "ens44"}, "is an address of HA_Group already"),
        ({"address": "2001:DB8:0::5/64"}, "written 2001:db8::5/128, not in its adverts"),
        ({"address": "10.0.0.9"}, "10.0.0.9 is an address of Other already, written 10.0.0.9/8"),
    ],
)
def test_an_address_that_is_there_is_refused_however_it_is_written(
    typed: dict[str, str], sentence: str, cluster: Cluster, as_editor: Client
) -> None:
    other = Group.objects.create(cluster=cluster, position=1, name="Other", vrid=9)
    group = Group.objects.get(name="HA_Group")
    Vip.objects.create(group=other, position=0, address="10.0.0.9/8")
    Vip.objects.create(group=group, position=1, address="2001:db8::5/128", excluded=True)
    where = f"/c/{cluster.slug}/config/groups/{group.pk}/"
    answer = as_editor.post(where, {"version": 1, **typed})
    assert answer.status_code == 422
    assert sentence in said(answer)
    assert Vip.objects.count() == 3
