"""use_vmac and use_ipvlan: what each word asks for, and the interface of each address."""

from __future__ import annotations

import pytest

from hanode.build import Built
from hanode.build.virtual_names import Virtuals
from hanode.vrrp.engine_settings import Ipvlan, Vmac
from hanode.vrrp.kernel_objects import Address
from tests.vrrp.words import GLOBALS, built, instance, text


@pytest.mark.parametrize(
    ("words", "vmac"),
    [
        ("use_vmac", Vmac("vrrp.7")),
        ("use_vmac own0", Vmac("own0")),
        ("use_vmac own0 02:00:00:00:00:01", Vmac("own0", "02:00:00:00:00:01")),
        ("use_vmac 02:00:00:00:01", Vmac("vrrp.7", "02:00:00:00:01:07")),
        ("use_vmac own0 group 5", Vmac("own0", group="5")),
        ("use_vmac netlink_notify_msg", Vmac("vrrp.7", netlink_notify_msg=True)),
        ("use_vmac\nvmac_xmit_base", Vmac("vrrp.7", xmit_base=True)),
        ("vmac_xmit_base", None),
    ],
)
def test_a_macvlan_as_it_is_asked_for(words: str, vmac: Vmac | None) -> None:
    assert instance(words).vmac == vmac


def test_the_last_byte_of_a_mac_is_the_vrid_in_hex() -> None:
    made = built(text("use_vmac 02:00:00:00:01", vrid=171)).vrrp.instances[0]
    assert made.vmac == Vmac("vrrp.171", "02:00:00:00:01:ab")


def test_strict_mode_sends_from_the_virtual_mac() -> None:
    said = instance("strict_mode\nuse_vmac own0 02:00:00:00:00:01\nvmac_xmit_base")
    assert said.vmac == Vmac("own0")


def test_a_name_that_another_instance_has_is_replaced() -> None:
    second = text("use_vmac own0", "192.0.2.2", name="W", vrid=8)
    result = built(text("use_vmac own0") + second)
    assert result.errors == (
        "W: its virtual interface own0 belongs to another instance already; it gets a name of its"
        " own",
    )
    assert [one.vmac for one in result.vrrp.instances] == [Vmac("own0"), Vmac("vrrp.8")]


@pytest.mark.parametrize("custom", [False, True])
def test_one_mac_is_at_one_place_only(custom: bool) -> None:
    """Here on one interface below; the second instance is left out."""
    mac = "02:00:00:00:00:01" if custom else ""
    second = text(f"use_vmac b {mac}", "192.0.2.2", name="W", vrid=8 if custom else 7)
    result = built(text(f"use_vmac a {mac}") + second)
    assert result.errors == (
        f"W: V has the virtual MAC address {mac or '00:00:5e:00:01:07'} on eth0 already: give one"
        " of the two another virtual_router_id",
    )
    assert [one.name for one in result.vrrp.instances] == ["V"]


def test_the_two_families_of_one_vrid_have_two_macs() -> None:
    result = built(text("use_vmac") + text("use_vmac", "fe80::1/64", name="W"))
    assert result.errors == ()
    assert [one.vmac for one in result.vrrp.instances] == [Vmac("vrrp.7"), Vmac("vrrp6.7")]


def test_an_address_on_the_macvlan_by_its_name_is_the_own_one() -> None:
    said = instance("use_vmac own0", "192.0.2.1/24 dev own0")
    assert said.vips == (Address("192.0.2.1", 24, "own0"),)


def test_addresses_without_an_interface_live_where_the_instance_does() -> None:
    assert [a.dev for a in instance("use_vmac\nvmac_xmit_base").vips] == ["vrrp.7"]
    assert [a.dev for a in instance().vips] == ["eth0"]


def test_routes_leave_through_the_macvlan() -> None:
    words = "virtual_routes {\n198.51.100.0/24\n}\n"
    assert [r.dev for r in instance(words + "use_vmac").routes] == ["vrrp.7"]
    assert [r.dev for r in instance(words).routes] == ["eth0"]
    assert [r.dev for r in instance(words + "use_ipvlan 192.0.2.9").routes] == ["eth0"]


@pytest.mark.parametrize(
    ("words", "ipvlan"),
    [
        ("use_ipvlan 192.0.2.9/24", Ipvlan("vrrp.7", Address("192.0.2.9", 24, "vrrp.7"))),
        ("use_ipvlan 192.0.2.9", Ipvlan("vrrp.7", Address("192.0.2.9", 32, "vrrp.7"))),
        ("use_ipvlan 169.254.0.9", Ipvlan("vrrp.7", Address("169.254.0.9", 32, "vrrp.7"))),
        (
            "use_ipvlan iv0 192.0.2.9/24 vepa group 5",
            Ipvlan("iv0", Address("192.0.2.9", 24, "iv0"), "vepa", "5"),
        ),
        (
            "use_ipvlan iv0 192.0.2.9/24 private",
            Ipvlan("iv0", Address("192.0.2.9", 24, "iv0"), "private"),
        ),
    ],
)
def test_an_ipvlan_as_it_is_asked_for(words: str, ipvlan: Ipvlan) -> None:
    assert instance(words).ipvlan == ipvlan


@pytest.mark.parametrize(
    ("said", "address"),
    [
        ("2001:db8::9/64", Address("2001:db8::9", 64, "vrrp.7", preferred_lft_s=0)),
        ("2001:db8::9", Address("2001:db8::9", 128, "vrrp.7", preferred_lft_s=0)),
        ("fe80::9/64", Address("fe80::9", 64, "vrrp.7", scope=253, preferred_lft_s=0)),
    ],
)
def test_the_own_address_of_an_ipvlan_for_ipv6(said: str, address: Address) -> None:
    """Deprecated: nothing but adverts is to come from it."""
    assert instance(f"use_ipvlan {said}", "fe80::1/64").ipvlan == Ipvlan("vrrp.7", address)


def test_an_ipvlan_of_the_other_family_is_refused() -> None:
    assert built(text("use_ipvlan fe80::9")).errors == (
        "V: its ipvlan vrrp.7 needs an IPv4 address of its own to speak from: write it behind the"
        " name (use_ipvlan vrrp.7 ADDRESS/PREFIX)",
    )
    six = built(text("use_ipvlan 192.0.2.9", "fe80::1"))
    assert "its ipvlan vrrp.7 needs an IPv6 address of its own" in six.errors[0]


def test_use_vmac_comes_before_use_ipvlan() -> None:
    result = built(text("use_ipvlan 192.0.2.9\nuse_vmac"))
    (one,) = result.vrrp.instances
    assert (one.vmac, one.ipvlan) == (Vmac("vrrp.7"), None)
    assert result.ignored == ("V: use_ipvlan is not used, since it has use_vmac",)


def test_an_instance_without_an_interface_has_no_ipvlan() -> None:
    words = "use_ipvlan 192.0.2.7\nunicast_src_ip 192.0.2.9\nunicast_peer {\n192.0.2.8\n}"
    result = nowhere(words, "192.0.2.1 dev eth1")
    assert [one.ipvlan for one in result.vrrp.instances] == [None]
    assert result.ignored == (
        "V: use_ipvlan needs an interface below it, and the instance has none",
    )


def test_only_one_kind_is_allowed_above_one_interface_and_others_are_free() -> None:
    names = Virtuals()
    names.claim("a", "eth0", "x", "V")
    names.claim("b", "eth1", "y", "W", "an ipvlan in mode bridge")
    with pytest.raises(ValueError, match="c would be a macvlan on eth1, and b is an ipvlan"):
        names.claim("c", "eth1", "z", "X")


def test_names_of_virtual_interfaces_begin_as_the_file_says() -> None:
    before = GLOBALS.format("vmac_prefix vm")
    assert instance("use_vmac", before=before).vmac == Vmac("vm.7")
    said = instance("use_ipvlan 192.0.2.9", before=before)
    assert said.ipvlan == Ipvlan("vm.7", Address("192.0.2.9", 32, "vm.7"))
    line = "192.0.2.1 dev eth1 use_vmac"
    assert [a.dev for a in instance(vips=line, before=before).vips] == ["vm.7"]


def test_an_address_elsewhere_has_the_instance_s_own_mac_there_too() -> None:
    """The same MAC on one interface is one macvlan, whoever has asked for it."""
    words = "use_vmac own0 02:00:00:00:00:01"
    said = instance(words, "192.0.2.1/24\n192.0.2.2/24 dev eth1 use_vmac")
    assert [(a.dev, a.below) for a in said.vips] == [("own0", None), ("vrrp.7", "eth1")]
    other = text(
        "use_vmac b 02:00:00:00:00:01", "192.0.2.3/24 dev eth1 use_vmac", name="W", vrid=8
    ).replace("interface eth0", "interface eth2")
    both = built(text(words, "192.0.2.1/24\n192.0.2.2/24 dev eth1 use_vmac") + other)
    assert both.errors == (
        "W: V has the virtual MAC address 02:00:00:00:00:01 on eth1 already: give one of the two"
        " another virtual_router_id",
    )


def test_a_name_has_15_characters_at_most() -> None:
    prefix = "a" * 13
    assert instance("use_vmac", before=GLOBALS.format(f"vmac_prefix {prefix}")).vmac == Vmac(
        f"{prefix}.7"
    )
    (error,) = built(GLOBALS.format(f"vmac_prefix {prefix}a") + text("use_vmac")).errors
    assert "has more than 15 characters" in error


def test_free_names_are_counted() -> None:
    names = Virtuals()
    assert names.name("vrrp", 7, 4) == "vrrp.7"
    found = []
    for mac in "abcd":
        found.append(names.name("vrrp", 7, 6))
        names.claim(found[-1], "eth0", mac, "V")
    assert found == ["vrrp.7", "vrrp6.7", "vrrp1.7", "vrrp2.7"]
    assert names.name("vrrp", 7, 4) == "vrrp3.7"


def test_an_interface_with_a_mac_is_its_owner_s() -> None:
    names = Virtuals()
    names.claim("a", "eth0", "mac", "V")
    assert names.found("eth0", "mac", "V") == "a"
    for below, mac, owner in (("eth1", "mac", "V"), ("eth0", "other", "V"), ("eth0", "mac", "W")):
        assert names.found(below, mac, owner) is None
    names.claim("b", "eth0", "mac", "V")
    assert names.found("eth0", "mac", "V") == "a", "the first one"
    with pytest.raises(ValueError, match="its virtual interface a belongs to another instance"):
        names.claim("a", "eth1", "mac", "V")


def nowhere(words: str, vips: str, before: str = "") -> Built:
    """An instance without `interface`."""
    return built(before + text(words, vips).replace("interface eth0", ""))


def test_unicast_from_a_link_local_address_of_ipv6_needs_an_interface() -> None:
    words = "unicast_src_ip fe80::9/64\nunicast_peer {\nfe80::8\n}"
    assert nowhere(words, "2001:db8::1 dev eth1").errors == (
        "V: it has no interface: write `interface` and its name, or, for unicast without one,"
        " unicast_peer and a unicast_src_ip that is not link-local",
    )
    default = GLOBALS.format("default_interface eth5")
    (one,) = nowhere(words, "2001:db8::1 dev eth1", default).vrrp.instances
    assert (one.interface, one.roams) == ("eth5", False)


def test_the_prefix_of_a_source_does_not_count() -> None:
    words = "unicast_src_ip 2001:db8::9/64\nunicast_peer {\n2001:db8::8\n}"
    (one,) = nowhere(words, "2001:db8::1 dev eth1").vrrp.instances
    assert (one.interface, one.mcast_src_ip) == ("", "2001:db8::9")


def test_a_unicast_instance_without_peers_needs_no_interface_either() -> None:
    words = "unicast_fault_no_peer\nunicast_src_ip 192.0.2.9"
    (one,) = nowhere(words, "192.0.2.1 dev eth1").vrrp.instances
    assert (one.interface, one.roams) == ("", True)
