"""The canonical layout, targets, and models that no file can express."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hanode import conf
from hanode.conf import Address, Config, Statement, Unwritable, VrrpInstance

INSTANCE = VrrpInstance("g", interface="eth0", vrid=1, vips=(Address("192.0.2.1", 24),))


def text_of(instance: VrrpInstance, target: str | None = "keepalived-2.2.7") -> str:
    return conf.render(Config(instances=(instance,)), target=target).text


def test_the_layout() -> None:
    instance = replace(
        INSTANCE,
        state="BACKUP",
        priority=100,
        advert_int_us=250_000,
        version=3,
        nopreempt=True,
        vips=(Address("192.0.2.1", 24, "eth1", ("label", "eth1:1")), Address("192.0.2.2")),
        excluded=(Address("2001:db8::1", 64),),
        other=(Statement(("track_interface",), (Statement(("eth1",)),)),),
    )
    assert text_of(instance) == (
        "vrrp_instance g {\n"
        "    state BACKUP\n"
        "    interface eth0\n"
        "    virtual_router_id 1\n"
        "    priority 100\n"
        "    advert_int 0.25\n"
        "    version 3\n"
        "    nopreempt\n"
        "    virtual_ipaddress {\n"
        "        192.0.2.1/24 dev eth1 label eth1:1\n"
        "        192.0.2.2\n"
        "    }\n"
        "    virtual_ipaddress_excluded {\n"
        "        2001:db8::1/64\n"
        "    }\n"
        "    track_interface {\n"
        "        eth1\n"
        "    }\n"
        "}\n"
    )
    assert conf.check(text_of(instance)).model.instances == (instance,)


def test_nothing_makes_an_empty_file() -> None:
    assert conf.render(Config()).text == ""


def test_what_the_target_lacks_is_left_out_and_said() -> None:
    words = Statement(("no_virtual_ipaddress",)), Statement(("frob", "1"))
    config = Config(instances=(replace(INSTANCE, other=words),))
    old = conf.render(config)
    assert [p.code for p in old.problems] == ["left-out", "left-out"]
    assert "frob" not in old.text
    newer = conf.render(config, target="keepalived-2.3")
    assert "no_virtual_ipaddress" in newer.text
    assert [p.code for p in newer.problems] == ["left-out"]
    document = conf.render(config, target=None)
    assert "frob 1" in document.text
    assert document.problems == ()


def test_an_old_word_becomes_its_successor_for_a_target_only() -> None:
    text = (
        "virtual_server 192.0.2.1 80 {\n protocol TCP\n lb_algo rr\n lb_kind DR\n"
        " real_server 192.0.2.2 80 {\n  HTTP_GET {\n   nb_get_retry 3\n"
        "   url {\n    path /\n   }\n  }\n }\n}\n"
    )
    model = conf.check(text).model
    assert "            retry 3\n" in conf.render(model).text
    assert "nb_get_retry 3" in conf.render(model, target=None).text


@pytest.mark.parametrize("value", ["a b", "a#b", "!x", "{", "}", "a\\b", "$x"])
def test_values_are_quoted_where_they_need_it(value: str) -> None:
    instance = replace(INSTANCE, auth_type="PASS", auth_pass=value)
    assert conf.check(text_of(instance)).model.instances == (instance,)


@pytest.mark.parametrize(
    "broken",
    [
        replace(INSTANCE, name="g\n}\n"),
        replace(INSTANCE, auth_pass='a" }'),
        replace(INSTANCE, interface="eth0\nnotify /bin/x"),
        replace(INSTANCE, vips=(Address("192.0.2.1\n}", 24),)),
        replace(INSTANCE, vips=(Address("192.0.2.1", dev="x\ny"),)),
        replace(INSTANCE, other=(Statement(("notify", "a\n}")),)),
        replace(INSTANCE, notes=(conf.Note("", ("# a\nnotify x",)),)),
        replace(INSTANCE, notes=(conf.Note("", ("notify x",)),)),
    ],
)
def test_a_value_cannot_smuggle_lines_into_a_file(broken: VrrpInstance) -> None:
    for target in (None, "keepalived-2.2.7"):
        with pytest.raises(Unwritable):
            text_of(broken, target)
    with pytest.raises(Unwritable):
        conf.merge_models({"a": Config(instances=(broken,))})


@pytest.mark.parametrize("word", ["authentication", "virtual_ipaddress"])
def test_a_block_without_its_brace_is_not_dropped(word: str) -> None:
    model = conf.check(f"vrrp_instance g {{\n{word}\n192.0.2.1\n}}\n").model
    assert f"    {word}\n    192.0.2.1\n" in conf.render(model, target=None).text
