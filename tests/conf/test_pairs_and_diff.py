"""Problems between nodes, and changes between two configurations."""

from __future__ import annotations

import pytest

from hanode import conf
from hanode.conf import Config

TEXT = """\
vrrp_instance g {
    state MASTER
    interface eth0
    virtual_router_id 1
    priority 100
    advert_int 1
    authentication {
        auth_type PASS
        auth_pass secret
    }
    virtual_ipaddress {
        192.0.2.1/24
        192.0.2.2/24
    }
    notify /bin/true
}
virtual_server 192.0.2.1 80 {
    protocol TCP
    lb_algo rr
    lb_kind DR
    real_server 192.0.2.11 80 {
        weight 1
        TCP_CHECK {
            connect_timeout 3
        }
    }
    real_server 192.0.2.12 80 {
    }
}
"""
BACKUP = TEXT.replace("MASTER", "BACKUP").replace("priority 100", "priority 90")


def model(text: str) -> Config:
    return conf.check(text).model


def between(old: str, new: str) -> list[tuple[str, str]]:
    """The problems between the nodes after one replacement in the backup's file."""
    assert BACKUP.count(old) == 1, old
    models = {"a": model(TEXT), "b": model(BACKUP.replace(old, new))}
    return [(p.code, p.severity) for p in conf.check_pair(models)]


def test_a_sound_pair() -> None:
    assert conf.check_pair({"a": model(TEXT), "b": model(BACKUP)}) == ()


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("virtual_router_id 1\n", "virtual_router_id 2\n", ("vrid-differs", "error")),
        ("advert_int 1", "advert_int 2", ("advert-int-differs", "error")),
        ("advert_int 1", "advert_int 1\n version 3", ("version-differs", "error")),
        ("auth_pass secret", "auth_pass sEcret", ("auth-differs", "error")),
        ("        192.0.2.2/24\n", "", ("vips-differ", "error")),
        ("priority 90", "priority 100", ("priority-equal", "warning")),
        ("state BACKUP", "state MASTER", ("two-masters", "warning")),
        ("priority 90", "priority 110", ("master-lower", "warning")),
        ("vrrp_instance g", "vrrp_instance h", ("name-differs", "info")),
        (
            "virtual_server 192.0.2.1 80",
            "virtual_server 192.0.2.1 81",
            ("service-alone", "warning"),
        ),
    ],
)
def test_what_differs_between_the_nodes(old: str, new: str, found: tuple[str, str]) -> None:
    assert found in between(old, new)


def test_what_is_not_sent_may_differ() -> None:
    long = {"a": TEXT.replace("secret", "12345678a"), "b": BACKUP.replace("secret", "12345678b")}
    assert conf.check_pair({node: model(text) for node, text in long.items()}) == ()


@pytest.mark.parametrize(
    ("old", "new", "text", "impact"),
    [
        ("priority 100", "priority 90", "priority 100 → 90", "adverts"),
        ("priority 100\n", "", "priority 100 → not set (255)", "adverts"),
        ("advert_int 1", "advert_int 0.5", "advert_int 1 → 0.5", "adverts"),
        ("eth0", "eth1", "interface eth0 → eth1", "vip_moves"),
        ("auth_pass secret", "auth_pass other", "auth_pass changed", "adverts"),
        (
            "192.0.2.2/24\n",
            "192.0.2.2/24\n192.0.2.3/24\n",
            "VIP 192.0.2.3/24 added to g",
            "adverts",
        ),
        ("        192.0.2.2/24\n", "", "VIP 192.0.2.2/24 removed from g", "connections"),
        ("192.0.2.2/24", "192.0.2.2/25", "VIP 192.0.2.2/24 → 192.0.2.2/25", "connections"),
        ("lb_algo rr", "lb_algo wlc", "lb_algo rr → wlc", "none"),
        ("lb_kind DR", "lb_kind NAT", "lb_kind DR → NAT", "connections"),
        ("weight 1", "weight 5", "weight 1 → 5 at 192.0.2.11:80", "none"),
        ("notify /bin/true", "notify /bin/false", "notify /bin/true → /bin/false", "programs"),
        ("vrrp_instance g", "vrrp_instance h", "group g is now called h", "none"),
        ("vrrp_instance g {\n", "", "group g removed", "vip_moves"),
    ],
)
def test_a_change_in_users_words(old: str, new: str, text: str, impact: str) -> None:
    assert TEXT.count(old) == 1, old
    changes = conf.diff(model(TEXT), model(TEXT.replace(old, new)))
    assert (text, impact) in [(c.text, c.impact) for c in changes]


def test_changes_of_real_servers_and_their_checks() -> None:
    def texts(old: str, new: str) -> list[tuple[str, str]]:
        changes = conf.diff(model(TEXT), model(TEXT.replace(old, new)))
        return [(c.text, c.impact) for c in changes]

    assert texts("connect_timeout 3", "connect_timeout 4") == [
        ("TCP_CHECK connect_timeout 3 → 4 at 192.0.2.11:80", "none")
    ]
    assert texts("real_server 192.0.2.12", "real_server 192.0.2.13") == [
        ("real server 192.0.2.13:80 added to 192.0.2.1:80/TCP", "none"),
        ("real server 192.0.2.12:80 removed from 192.0.2.1:80/TCP", "connections"),
    ]


def test_nothing_changes_where_only_the_layout_does() -> None:
    assert conf.diff(model(TEXT), model(conf.render(model(TEXT)).text)) == ()


def test_a_priority_that_makes_another_node_master_moves_the_address() -> None:
    new = model(TEXT.replace("priority 100", "priority 80"))
    (change,) = conf.diff(model(TEXT), new, others=[model(BACKUP)])
    assert change.impact == "vip_moves"
    new = model(TEXT.replace("priority 100", "priority 95"))
    (change,) = conf.diff(model(TEXT), new, others=[model(BACKUP)])
    assert change.impact == "adverts"
    assert conf.worst([change]) == "adverts"


def test_secrets_are_never_shown() -> None:
    texts = [
        "auth_pass hunter2",
        "  auth_pass   hunter2 # not hunter3",
        'auth_pass "hunter2 and more"',
        "@NodeA auth_pass hunter2",
        "-    auth_pass hunter2\n+    auth_pass hunter3",
        "authentication { auth_type PASS\nauth_pass hunter2}",
        "$P=hunter2\nauth_pass $P",
        "auth_hmac {\nkey 1 hunter2\n}",
        "SSL {\npassword hunter2\n}",
        "# auth_pass hunter2",
        "auth_pas hunter2",
        "auth_pass hunt#er2",
    ]
    for text in texts:
        masked = conf.mask_secrets(text)
        assert "hunter2" not in masked, text
        assert "er2" not in masked, text
        assert conf.MASK in masked
        assert len(conf.mask_secrets(text, keep_length=True)) == len(text)
    assert conf.mask_secrets("key /etc/ssl/key.pem") == "key /etc/ssl/key.pem"
    assert conf.mask_secrets("# Must match the master's password") == (
        "# Must match the master's password"
    )


# auth_hmac


def signed(*lines: str, **changes: str) -> str:
    inner = "\n".join(lines)
    return INSTANCE_SIGNED.format(priority=changes.get("priority", "100"), inner=inner)


INSTANCE_SIGNED = """\
vrrp_instance g {{
    state BACKUP
    interface eth0
    virtual_router_id 5
    version 3
    priority {priority}
    {inner}
    virtual_ipaddress {{
        192.0.2.9/24
    }}
}}
"""
ONE, TWO = f"key 1 {'k' * 32}", f"key 2 {'l' * 32}"


def hmac(*lines: str) -> str:
    return "auth_hmac {\n" + "\n".join(lines) + "\n}"


PLAIN = ""
ONLY_ONE = hmac(ONE, "active_key 1")
BOTH_ONE, BOTH_TWO = hmac(ONE, TWO, "active_key 1"), hmac(ONE, TWO, "active_key 2")
ONLY_TWO = hmac(TWO, "active_key 2")
LISTENS = hmac(ONE, "active_key 1", "mode receive-only")
PERMITS = hmac(ONE, "active_key 1", "mode permissive")
WIDE = hmac(ONE, "active_key 1", "time_window 60", "anti_replay monotonic")
IN_FILE = hmac("key 1 file:/etc/key", "active_key 1")
OFF = hmac(ONE)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (PLAIN, PLAIN), (PLAIN, OFF), (PLAIN, LISTENS), (LISTENS, LISTENS), (LISTENS, PERMITS),
        (PERMITS, PERMITS), (PERMITS, ONLY_ONE), (ONLY_ONE, ONLY_ONE), (ONLY_ONE, BOTH_ONE),
        (BOTH_ONE, BOTH_TWO), (BOTH_TWO, ONLY_TWO), (ONLY_ONE, WIDE), (ONLY_ONE, IN_FILE),
    ],
)  # fmt: skip
def test_each_step_of_a_rollout_and_of_a_change_of_keys_is_fine(one: str, other: str) -> None:
    """Nodes need not be equal meanwhile: what one sends, the other takes."""
    for a, b in ((one, other), (other, one)):
        models = {
            "A": conf.check(signed(a, priority="101"), target=conf.NEWEST).model,
            "B": conf.check(signed(b), target=conf.NEWEST).model,
        }
        assert [p for p in conf.check_pair(models) if p.code == "auth-differs"] == []


@pytest.mark.parametrize(
    ("one", "other", "sentence"),
    [
        (PLAIN, PERMITS, "A refuses signed adverts, and B sends them"),
        (PLAIN, ONLY_ONE, "A refuses signed adverts, and B sends them"),
        (LISTENS, ONLY_ONE, "B refuses unsigned adverts, and A sends them"),
        (OFF, ONLY_ONE, "B refuses unsigned adverts, and A sends them"),
        (ONLY_ONE, BOTH_TWO, "A refuses adverts signed with key 2, which it lacks, and B sends"),
        (ONLY_ONE, hmac(f"key 1 {'m' * 32}", "active_key 1"), "B refuses signatures with key 1,"),
    ],
)
def test_who_refuses_whose_adverts_is_said(one: str, other: str, sentence: str) -> None:
    models = {
        "A": conf.check(signed(one, priority="101"), target=conf.NEWEST).model,
        "B": conf.check(signed(other), target=conf.NEWEST).model,
    }
    found = [p for p in conf.check_pair(models) if p.code == "auth-differs"]
    assert any(sentence in p.message for p in found), found
    assert {p.severity for p in found} == {"error"}
    assert not any("kkkk" in str(p) or "mmmm" in str(p) for p in found)


def test_one_node_that_lacks_a_key_of_many_is_said_once() -> None:
    texts = {name: signed(BOTH_TWO) for name in "ABC"} | {"D": signed(ONLY_ONE)}
    models = {name: conf.check(text, target=conf.NEWEST).model for name, text in texts.items()}
    told = [p.message for p in conf.check_pair(models) if p.code == "auth-differs"]
    assert len(told) == 1
    assert "A and B and C send them" in told[0]


def test_a_password_beside_auth_hmac_does_not_count() -> None:
    """keepalived drops it, so a node that still has it is not heard any more."""
    password = "authentication {\nauth_type PASS\nauth_pass secret\n}\n"
    texts = {"A": signed(password + LISTENS), "B": signed(password)}
    texts = {node: text.replace("version 3", "version 2") for node, text in texts.items()}
    models = {name: conf.check(text, target=conf.NEWEST).model for name, text in texts.items()}
    told = [p.message for p in conf.check_pair(models) if p.code == "auth-differs"]
    assert told == [
        "g: A and B have different auth_type none and PASS: they do not hear each other, and both"
        " become master"
    ]
