"""Virtual interfaces: their names, what lives on them, and who has no interface at all."""

from __future__ import annotations

from hanode.build import Built
from hanode.vrrp.engine_settings import (
    InstanceSettings,
    Ipvlan,
    Vmac,
)
from hanode.vrrp.kernel_objects import Address
from tests.vrrp.words import GLOBALS, built, instance, text


def test_vmac_has_its_name_and_holds_the_addresses() -> None:
    settings = instance("use_vmac\nvmac_xmit_base")
    assert settings.vmac == Vmac("vrrp.7", xmit_base=True)
    assert settings.vips[0].dev == "vrrp.7"
    assert settings.sends_on == "eth0"
    assert instance("use_vmac own0").vips[0].dev == "own0"
    assert instance("use_vmac").sends_on == "vrrp.7"
    assert instance("use_vmac 02:00:5e:00:01").vmac == Vmac("vrrp.7", mac="02:00:5e:00:01:07")


def test_two_vmacs_of_one_vrid_get_two_names() -> None:
    both = text("use_vmac") + text("use_vmac", name="W").replace("eth0", "eth1")
    names = [i.vmac.name for i in built(both).vrrp.instances if i.vmac is not None]
    assert names == ["vrrp.7", "vrrp1.7"]
    alone = instance("use_vmac", "fe80::7/64")
    assert alone.vmac == Vmac("vrrp.7"), "the 6 comes only where the plain name is taken"


def places(settings: InstanceSettings) -> list[tuple[str, str, str | None]]:
    return [(str(a), a.dev, a.below) for a in settings.addresses]


def test_addresses_elsewhere_get_the_virtual_mac_where_their_lines_ask_for_it() -> None:
    """Names and places as keepalived 2.2.7 gives them."""
    said = instance(
        "virtual_ipaddress_excluded {\n"
        "2001:db8::1/64 dev eth2 use_vmac\n2001:db8::2/64 dev eth1 use_vmac\n}",
        "192.0.2.1/24\n192.0.2.2/24 dev eth1 use_vmac\n192.0.2.3/24 dev eth1 use_vmac\n"
        "192.0.2.4/24 dev eth2\n192.0.2.5/24 dev eth0 use_vmac\n",
    )
    assert places(said) == [
        ("192.0.2.1/24", "eth0", None),
        ("192.0.2.2/24", "vrrp.7", "eth1"),
        ("192.0.2.3/24", "vrrp.7", "eth1"),
        ("192.0.2.4/24", "eth2", None),
        ("192.0.2.5/24", "vrrp1.7", "eth0"),
        ("2001:db8::1/64", "vrrp6.7", "eth2"),
        ("2001:db8::2/64", "vrrp2.7", "eth1"),
    ]


def mixed(words: str, lines: str, before: str = "") -> InstanceSettings:
    """An IPv4 instance; the IPv6 lines among these are virtual_ipaddress_excluded."""
    six = "\n".join(line for line in lines.splitlines() if ":" in line)
    four = "\n".join(line for line in lines.splitlines() if ":" not in line)
    return instance(f"{words}\nvirtual_ipaddress_excluded {{\n{six}\n}}", four, before)


def test_use_vmac_addr_moves_all_that_the_own_interface_is_not_for() -> None:
    lines = "192.0.2.1/24\n192.0.2.2/24 dev eth1\n192.0.2.3/24 dev eth0\n2001:db8::1/64"
    assert places(mixed("use_vmac\nuse_vmac_addr", lines)) == [
        ("192.0.2.1/24", "vrrp.7", None),
        ("192.0.2.2/24", "vrrp1.7", "eth1"),
        ("192.0.2.3/24", "vrrp.7", None),
        ("2001:db8::1/64", "vrrp6.7", "eth0"),
    ]
    assert [dev for _, dev, _ in places(mixed("use_vmac_addr", lines))] == [
        "eth0", "vrrp.7", "eth0", "vrrp6.7",
    ]  # fmt: skip
    custom = mixed("use_vmac 02:00:00:00:00:01\nuse_vmac_addr", lines)
    assert places(custom)[3] == ("2001:db8::1/64", "vrrp.7", None), "it has that MAC already"


def test_without_it_only_the_same_family_and_interface_live_on_the_own_macvlan() -> None:
    lines = "192.0.2.1/24\n192.0.2.2/24 dev eth1\n192.0.2.3/24 dev eth0 use_vmac\n2001:db8::1/64"
    devices = [dev for _, dev, _ in places(mixed("use_vmac", lines))]
    assert devices == ["vrrp.7", "eth1", "vrrp.7", "eth0"]


def test_the_names_of_addresses_macvlans_have_a_beginning_of_their_own() -> None:
    lines = "192.0.2.1/24\n192.0.2.2/24 dev eth1\n2001:db8::1/64 dev eth1"
    words = "vmac_prefix own\nvmac_addr_prefix far"
    said = mixed("use_vmac\nuse_vmac_addr", lines, GLOBALS.format(words))
    assert [dev for _, dev, _ in places(said)] == ["own.7", "far.7", "far6.7"]


def test_one_virtual_mac_cannot_be_at_two_places() -> None:
    both = text("", "192.0.2.1/24 dev eth2 use_vmac") + text(
        "", "192.0.2.2/24 dev eth2 use_vmac", name="W"
    ).replace("eth0", "eth1")
    assert built(both).errors == (
        "W: V has the virtual MAC address 00:00:5e:00:01:07 on eth2 already: give one of the"
        " two another virtual_router_id",
    )
    (error,) = built(GLOBALS.format("vmac_prefix fourteenletter") + text("use_vmac")).errors
    assert error == (
        "V: the name of its virtual interface, fourteenletter.7, has more than 15 characters:"
        " choose a shorter one, or a shorter vmac_prefix"
    )


def apart(words: str, vips: str = "192.0.2.1/24 dev eth1", before: str = "") -> Built:
    """An instance without `interface`."""
    return built(before + text(words, vips).replace("interface eth0", ""))


PEER = "unicast_peer {\n192.0.2.9\n}\n"
NO_INTERFACE = (
    "V: it has no interface: write `interface` and its name, or, for unicast without one,"
    " unicast_peer and a unicast_src_ip that is not link-local"
)


def test_unicast_from_an_address_needs_no_interface() -> None:
    (one,) = apart(PEER + "unicast_src_ip 192.0.2.8\nuse_vmac_addr").vrrp.instances
    assert (one.interface, one.roams, one.mcast_src_ip) == ("", True, "192.0.2.8")
    assert places(one) == [("192.0.2.1/24", "vrrp.7", "eth1")]
    red = apart(PEER + "unicast_src_ip 192.0.2.8\nvrf red")
    (one,) = red.vrrp.instances
    assert (one.interface, one.vrf, one.roams) == ("red", "red", True)
    assert not [said for said in red.ignored if "vrf" in said]
    default = GLOBALS.format("default_interface eth5")
    (one,) = apart(PEER + "unicast_src_ip 192.0.2.8", "192.0.2.1", default).vrrp.instances
    assert (one.interface, one.vips[0].dev) == ("", "eth5")


def test_who_has_no_interface_is_told_what_to_write() -> None:
    for words in ("", PEER, "unicast_src_ip 192.0.2.8", "vrf red"):
        assert apart(words).errors == (NO_INTERFACE,), words
    six = "unicast_src_ip fe80::8\nunicast_peer {\nfe80::9\n}"
    assert apart(six, "2001:db8::1/64 dev eth1").errors == (NO_INTERFACE,)
    assert apart(PEER + "unicast_src_ip 192.0.2.8", "192.0.2.1/24").errors == (
        "V: the address 192.0.2.1 names no interface: write `dev` and the interface's name behind"
        " it, since the instance has none either",
    )
    ignored = apart(PEER + "unicast_src_ip 192.0.2.8\nuse_vmac").ignored
    assert "V: use_vmac needs an interface below it, and the instance has none" in ignored
    assert "V: vrf red counts only where there is no interface; its own VRF is that of eth0" in (
        built(text("vrf red")).ignored
    )


def test_an_ipvlan_speaks_and_the_addresses_stay_below() -> None:
    one = instance("use_ipvlan iv0 192.0.2.9/24 private", "192.0.2.1/24\n192.0.2.2/24 dev eth1")
    own = Address("192.0.2.9", 24, "iv0")
    assert one.ipvlan == Ipvlan("iv0", own, "private")
    assert (one.sends_on, one.mcast_src_ip, one.vmac) == ("iv0", "192.0.2.9", None)
    assert [dev for _, dev, _ in places(one)] == ["eth0", "eth1"]
    six = instance("use_ipvlan", "fe80::1/64")
    assert six.ipvlan == Ipvlan("vrrp.7")
    assert (six.source_on, six.mcast_src_ip) == ("vrrp.7", None)
    named = instance("use_ipvlan fe80::9", "fe80::1/64").ipvlan
    assert named == Ipvlan(
        "vrrp.7", Address("fe80::9", 128, "vrrp.7", scope=253, preferred_lft_s=0)
    )
    peers = "unicast_peer {\n192.0.2.8\n}\nuse_ipvlan 192.0.2.9/24\n"
    assert instance(peers).sends_on == "vrrp.7"
    assert instance(peers + "unicast_src_ip 192.0.2.7").sends_on == "eth0"


def test_an_ipvlan_that_cannot_be_is_refused_in_words() -> None:
    assert built(text("use_ipvlan")).errors == (
        "V: its ipvlan vrrp.7 needs an IPv4 address of its own to speak from: write it behind the"
        " name (use_ipvlan vrrp.7 ADDRESS/PREFIX)",
    )
    assert built(text("use_ipvlan 192.0.2.1/24")).errors == (
        "V: 192.0.2.1 is its ipvlan's own address, which does not move: give the ipvlan another"
        " one",
    )
    assert built(text("use_ipvlan 192.0.2.8/x")).errors == (
        "V: 192.0.2.8/x is no address for its ipvlan vrrp.7: write ADDRESS/PREFIX",
    )
    one = text("use_ipvlan 192.0.2.8/24")
    other = text("use_ipvlan 192.0.2.9/24 vepa", name="W", vrid=8)
    assert built(one + other).errors == (
        "W: vrrp.8 would be an ipvlan in mode vepa on eth0, and vrrp.7 is an ipvlan in mode bridge"
        " there: the kernel allows one kind and one mode above an interface",
    )
    assert built(one + text("use_vmac", name="W", vrid=8)).errors == (
        "W: vrrp.8 would be a macvlan on eth0, and vrrp.7 is an ipvlan in mode bridge there: the"
        " kernel allows one kind and one mode above an interface",
    )
