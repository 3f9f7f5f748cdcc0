"""Forms: what is right is saved, what is wrong comes back with a sentence and what was typed."""

from __future__ import annotations

import html

import pytest
from django.test import Client

from tests.web.pages.test_doors import address
from webapp.configs import keyword_help
from webapp.configs.models import Draft, Group, GroupNode, RealServer, Vip, VirtualServer
from webapp.configs.services import document_text
from webapp.inventory.models import Cluster


def addresses() -> list[str]:
    return [vip.address for vip in Vip.objects.all()]


def test_an_address_is_added(cluster: Cluster, as_editor: Client) -> None:
    form = {"version": 1, "address": "192.168.192.201/24", "dev": ""}
    answer = as_editor.post(address("group-edit", cluster), form, follow=True)
    assert "Saved. Nothing is on the nodes before you push it." in answer.content.decode()
    assert addresses() == ["192.168.192.200/24", "192.168.192.201/24"]


def test_the_second_click_of_a_double_click_adds_nothing(
    cluster: Cluster, as_editor: Client
) -> None:
    form = {"version": 1, "address": "192.168.192.201/24"}
    as_editor.post(address("group-edit", cluster), form)
    again = as_editor.post(address("group-edit", cluster), form)
    assert again.status_code == 422
    assert "192.168.192.201/24 is an address of HA_Group already" in again.content.decode()
    assert addresses() == ["192.168.192.200/24", "192.168.192.201/24"]


@pytest.mark.parametrize("typed", ["192.168.192.300/24", "hello", "192.168.192.201/99", ""])
def test_what_is_no_address_comes_back_as_it_was_typed(
    typed: str, cluster: Cluster, as_editor: Client
) -> None:
    form = {"version": 1, "address": typed, "dev": "ens99"}
    answer = as_editor.post(address("group-edit", cluster), form)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "192.168.192.201/24." in page
    assert f'value="{typed}"' in page or not typed
    assert 'value="ens99"' in page
    assert addresses() == ["192.168.192.200/24"]


def test_an_address_is_removed(cluster: Cluster, as_editor: Client) -> None:
    as_editor.post(address("group-edit", cluster), {"version": 1, "address": "192.168.192.201/24"})
    where = address("group-edit", cluster)
    form = {"version": 2, "remove": Vip.objects.get(address="192.168.192.201/24").pk}
    assert as_editor.post(where, form).status_code == 302
    assert len(addresses()) == 1


def test_a_priority_is_saved_for_one_node(cluster: Cluster, as_editor: Client) -> None:
    form = {
        "version": 1,
        "NodeA-priority": 110,
        "NodeA-state": "MASTER",
        "NodeA-interface": "ens33",
    }
    assert as_editor.post(address("group-edit", cluster), form).status_code == 302
    assert list(GroupNode.objects.values_list("priority", flat=True)) == [110, 95]


@pytest.mark.parametrize("typed", ["0", "256", "many", "1.5"])
def test_a_priority_out_of_range_is_refused_in_a_sentence(
    typed: str, cluster: Cluster, as_editor: Client
) -> None:
    form = {"version": 1, "NodeA-priority": typed, "NodeA-interface": "ens33"}
    answer = as_editor.post(address("group-edit", cluster), form)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert page.count("Write a whole number from 1 to 255.") == 1
    assert f'value="{typed}"' in page
    assert list(GroupNode.objects.values_list("priority", flat=True)) == [100, 95]


def group_form(**changed: object) -> dict[str, object]:
    return {"version": 1, "vrid": 51, "advert_int_us": "1", "auth_type": "PASS"} | changed


def test_a_group_keeps_its_password_where_none_was_typed(
    cluster: Cluster, as_editor: Client
) -> None:
    form = group_form(vrid=52, auth_pass="", advert_int_us="2")
    assert as_editor.post(address("group-edit", cluster), form).status_code == 302
    group = Group.objects.get()
    assert (group.vrid, group.advert_int_us, group.auth_pass) == (52, 2_000_000, "secure12")


def test_no_page_shows_the_password_of_a_group(cluster: Cluster, as_editor: Client) -> None:
    for name in ("config", "group-edit", "push", "revision"):
        assert "secure12" not in as_editor.get(address(name, cluster)).content.decode()


def test_seconds_come_back_as_they_were_typed(cluster: Cluster, as_editor: Client) -> None:
    answer = as_editor.post(address("group-edit", cluster), group_form(advert_int_us="soon"))
    page = answer.content.decode()
    assert 'value="soon"' in page
    assert "Write seconds from 0.01 to 255" in page


def test_a_form_opened_before_another_save_does_not_overwrite_it(
    cluster: Cluster, as_editor: Client
) -> None:
    as_editor.post(address("group-edit", cluster), group_form(vrid=60))
    answer = as_editor.post(address("group-edit", cluster), group_form(vrid=70))
    assert answer.status_code == 422
    assert "was changed meanwhile" in answer.content.decode()
    assert 'value="70"' in answer.content.decode()
    assert Group.objects.get().vrid == 60


def test_a_page_without_its_version_is_not_believed(cluster: Cluster, as_editor: Client) -> None:
    answer = as_editor.post(address("group-edit", cluster), {"address": "192.168.192.201/24"})
    assert answer.status_code == 422
    assert "load it again" in answer.content.decode()


@pytest.mark.parametrize("dev", ["a name {", "ens33 }", "$X", "a/b", "x" * 16, "# no"])
def test_a_device_that_would_be_more_than_a_name_is_refused(
    dev: str, cluster: Cluster, as_editor: Client
) -> None:
    form = {"version": 1, "address": "192.168.192.201/24", "dev": dev}
    answer = as_editor.post(address("group-edit", cluster), form)
    assert answer.status_code == 422
    assert addresses() == ["192.168.192.200/24"]
    assert "Write a network interface&#x27;s name" in answer.content.decode()
    assert Draft.objects.get().version == 1


def test_what_the_language_refuses_is_not_saved_and_is_said(
    cluster: Cluster, as_editor: Client
) -> None:
    form = {"version": 1, "ip": "2001:db8::5", "port": 80, "weight": 7}
    answer = as_editor.post(address("real-server-add", cluster), form)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Not saved: the configuration would hold this error." in page
    assert "are of different IP versions" in page
    assert 'value="2001:db8::5"' in page
    assert RealServer.objects.count() == 2
    assert Draft.objects.get().version == 1


def test_a_virtual_server_is_saved(cluster: Cluster, as_editor: Client) -> None:
    form = {
        "version": 1,
        "ip": "192.168.192.200",
        "port": 8080,
        "protocol": "TCP",
        "lb_algo": "wrr",
        "lb_kind": "DR",
        "delay_loop_us": "0.5",
    }
    assert as_editor.post(address("virtual-server-edit", cluster), form).status_code == 302
    server = VirtualServer.objects.get()
    assert (server.port, server.lb_algo, server.delay_loop_us) == (8080, "wrr", 500_000)


def real_form(**changed: object) -> dict[str, object]:
    return {"version": 1, "ip": "192.168.192.116", "port": 80, "weight": 2} | changed


def test_a_real_server_is_added_with_its_check(cluster: Cluster, as_editor: Client) -> None:
    form = real_form(checked="on", connect_timeout_us="2", retry=3)
    assert as_editor.post(address("real-server-add", cluster), form).status_code == 302
    real = RealServer.objects.get(ip="192.168.192.116")
    assert real.check_json["connect_timeout_us"] == 2_000_000
    assert real.check_json["retry"] == 3


def test_a_real_server_is_changed_and_removed(cluster: Cluster, as_editor: Client) -> None:
    where = address("real-server-edit", cluster)
    form = real_form(ip="192.168.192.112", weight=5, checked="on", connect_timeout_us="3")
    assert as_editor.post(where, form).status_code == 302
    assert RealServer.objects.get(ip="192.168.192.112").weight == 5
    as_editor.post(address("real-server-remove", cluster), {"version": 2})
    assert list(RealServer.objects.values_list("ip", flat=True)) == ["192.168.192.114"]


def test_a_wrong_real_server_keeps_every_field(cluster: Cluster, as_editor: Client) -> None:
    answer = as_editor.post(address("real-server-add", cluster), real_form(ip="nowhere", retry=7))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Write an IP address" in page
    assert 'value="nowhere"' in page
    assert 'value="7"' in page


FROM_TABLES = {
    "group-edit": {
        ("vrrp_instance", "virtual_router_id"): ("1", "255"),
        ("vrrp_instance", "advert_int"): ("0.01", "255"),
        ("vrrp_instance", "priority"): ("1", "255"),
        ("vrrp_instance", "nopreempt"): None,
        ("vrrp_instance", "interface"): None,
        ("authentication", "auth_pass"): None,
    },
    "virtual-server-edit": {
        ("virtual_server", "delay_loop"): ("0.000001", None),
        ("virtual_server", "lb_algo"): None,
        ("virtual_server", "lb_kind"): None,
        ("virtual_server", "protocol"): None,
    },
    "real-server-edit": {
        ("real_server", "weight"): ("0", "2147483647"),
        ("TCP_CHECK", "connect_port"): ("1", "65535"),
        ("TCP_CHECK", "connect_timeout"): ("0.000001", "4294.967295"),
        ("TCP_CHECK", "retry"): ("0", "4294967295"),
    },
}


@pytest.mark.parametrize("name", FROM_TABLES)
def test_a_form_says_what_the_tables_say(name: str, cluster: Cluster, as_editor: Client) -> None:
    page = html.unescape(as_editor.get(address(name, cluster)).content.decode())
    for (block, word), limits in FROM_TABLES[name].items():
        keyword = keyword_help.keyword(block, word)
        assert keyword_help.hint(block, word) in page
        assert keyword.help in page
        if keyword.default and keyword_help.options(keyword.value):
            assert f">not written ({keyword.default})<" in page
        for option in keyword_help.options(keyword.value) if keyword.field in ("lb_algo",) else ():
            assert f'<option value="{option}"' in page
        if limits:
            assert f'min="{limits[0]}"' in page
            assert limits[1] is None or f'max="{limits[1]}"' in page


def test_a_value_that_the_table_allows_survives_the_form(
    cluster: Cluster, as_editor: Client
) -> None:
    where = address("real-server-edit", cluster)
    data = {"ip": "192.168.192.112", "port": "80", "weight": "2147483647", "version": "1"}
    assert as_editor.post(where, data | {"checked": "on", "retry": "4294967295"}).status_code == 302
    text = document_text(cluster)
    assert "weight 2147483647" in text
    assert "retry 4294967295" in text


def test_a_time_that_no_column_holds_is_kept_and_can_be_changed(
    cluster: Cluster, as_editor: Client
) -> None:
    text = document_text(cluster).replace("delay_loop 6", "delay_loop 18446744073709.551614")
    as_editor.post(address("config-text", cluster), {"version": 1, "text": text})
    assert "delay_loop 18446744073709.551614" in document_text(cluster)
    where = address("virtual-server-edit", cluster)
    assert 'value="18446744073709.551614"' in as_editor.get(where).content.decode()
    form = {"ip": "192.168.192.200", "port": "80", "delay_loop_us": "7", "version": "2"}
    assert as_editor.post(where, form).status_code == 302
    assert "delay_loop 7\n" in document_text(cluster)
