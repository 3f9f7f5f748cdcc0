"""What the machines are told of an interface, and what strict instances drop."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from hanode.kernel.backup_filter import BackupFilter, Filter
from hanode.kernel.facts import NO_CHANGE, Change, Link
from hanode.kernel.interfaces import (
    IgmpReports,
    InterfaceView,
    announcement,
    promoting,
    relevant,
)
from hanode.vrrp.engine_settings import (
    Address,
    InstanceKey,
    InstanceSettings,
    Ipvlan,
    LinkDelay,
    Tracked,
    Vmac,
    VrrpSettings,
)
from hanode.vrrp.events import ABSENT, LinkState
from hanode.vrrp.kernel_objects import pack

MAC = bytes.fromhex("02000000000a")
OWN, VIP, ROAMING = pack("192.0.2.1"), pack("192.0.2.200"), pack("198.51.100.7")
ENS33 = Link(2, "ens33", True, MAC)
VI_1 = InstanceSettings("VI_1", "ens33", 51, vips=(Address("192.0.2.200", 24, "ens33"),))


class Kernel:
    """Addresses by device; those in `marked` carry our mark. All devices are in `vrf`."""

    def __init__(self, vrf: int = 0, **addresses: tuple[bytes, ...]) -> None:
        self.vrf = vrf
        self.by_name = addresses
        self.marked = {VIP}

    def addresses(self, name: str, without: Collection[bytes] = ()) -> tuple[bytes, ...]:
        there = self.by_name.get(name, ())
        return tuple(a for a in there if not (a in self.marked and a in without))

    def addresses_within(self, vrf: int) -> set[bytes]:
        return {a for there in self.by_name.values() for a in there} if vrf == self.vrf else set()


def view(*instances: InstanceSettings, **more: object) -> InterfaceView:
    made = InterfaceView()
    made.use(VrrpSettings(instances, **more), now_us=0)  # type: ignore[arg-type]
    return made


def test_an_interface_is_told_without_the_addresses_that_we_add() -> None:
    kernel = Kernel(ens33=(OWN, VIP), ens34=(VIP,))
    seen = view(VI_1)
    assert seen.devices == ("ens33",)
    assert seen.state("ens33", ENS33, kernel, now_us=0) == LinkState(
        True, mac=MAC, addresses=(OWN,)
    )
    other = replace(ENS33, name="ens34")
    assert seen.state("ens34", other, kernel, now_us=0).addresses == (VIP,), "not ours there"
    assert seen.state("ens35", None, kernel, now_us=0) == ABSENT


def test_a_delay_holds_for_what_is_told() -> None:
    seen = view(VI_1, link_delays=(LinkDelay("ens33", 1_000_000),))
    assert seen.state("ens33", ENS33, Kernel(), now_us=0).up
    down = replace(ENS33, up=False)
    assert seen.state("ens33", down, Kernel(), now_us=1).up
    assert not seen.state("ens33", down, Kernel(), now_us=1_000_001).up


def test_an_instance_without_an_interface_looks_for_its_address_everywhere() -> None:
    roaming = InstanceSettings(
        "VI_1", "", 51, unicast=True, mcast_src_ip="198.51.100.7", vips=VI_1.vips
    )
    seen = view(roaming)
    assert seen.vrfs == ("",)
    there = Kernel(ens33=(OWN,), ens34=(ROAMING,))
    assert seen.state("", None, there, now_us=0) == LinkState(True, addresses=(ROAMING,))
    assert seen.state("", None, Kernel(ens33=(OWN,)), now_us=0) == LinkState(True)
    assert seen.state("ens34", ENS33, there, now_us=0).addresses == (ROAMING,), "as any other"


def test_in_a_vrf_it_looks_there_alone() -> None:
    roaming = InstanceSettings(
        "VI_1", "red", 51, unicast=True, mcast_src_ip="198.51.100.7", vrf="red"
    )
    red = Link(7, "red", False, b"", kind="vrf")
    seen = view(roaming)
    state = seen.state("red", red, Kernel(vrf=7, ens34=(ROAMING,)), now_us=0)
    assert state == LinkState(False, addresses=(ROAMING,))
    assert seen.state("red", red, Kernel(vrf=0, ens34=(ROAMING,)), now_us=0).addresses == ()
    assert seen.state("red", None, Kernel(), now_us=0) == ABSENT, "the VRF is gone"


def test_every_interface_that_exists_or_is_named_is_told_once() -> None:
    instance = replace(
        VI_1,
        vips=(Address("192.0.2.200", 24, "vrrp.51", below="ens36"),),
        ipvlan=Ipvlan("ipv", mode="bridge"),
        tracked=(Tracked("interface", "ens34"), Tracked("script", "chk")),
        follows=("ens35",),
    )
    links = {"lo": replace(ENS33, name="lo"), "ens33": ENS33}
    named = relevant(VrrpSettings((instance,)), links)
    assert named == ["lo", "ens33", "ens34", "ens35", "ipv", "vrrp.51", "ens36"]


def test_secondary_addresses_are_promoted_where_an_instance_wants_it() -> None:
    wants = replace(VI_1, promote_secondaries=True)
    roams = InstanceSettings(
        "VI_3", "", 53, unicast=True, mcast_src_ip="198.51.100.7", promote_secondaries=True
    )
    other = replace(wants, name="VI_2", vrid=52)
    not_asked = replace(VI_1, name="VI_4", interface="ens34")
    assert promoting(VrrpSettings((wants, other, roams, not_asked))) == ["ens33"]


def test_igmp_reports_are_given_back_as_they_were() -> None:
    kernel = [1]
    reports = IgmpReports()
    assert reports.use(False, lambda: kernel[0]) is None, "never touched"
    assert reports.use(True, lambda: kernel[0]) == 0
    kernel[0] = 0
    assert reports.use(True, lambda: kernel[0]) == 0, "a reload does not forget what was before"
    assert reports.use(False, lambda: kernel[0]) == 1
    assert reports.use(False, lambda: kernel[0]) is None


def test_an_announcement_is_arp_or_for_ipv6_a_neighbour_advertisement() -> None:
    assert announcement(MAC, VIP, router=False)[12:14] == b"\x08\x06"
    host, router = (announcement(MAC, pack("fe80::1"), router=r) for r in (False, True))
    assert host[12:14] == router[12:14] == b"\x86\xdd"
    assert (host[58] & 0x80, router[58] & 0x80) == (0, 0x80), "the router flag"


STRICT = replace(VI_1, strict=True, vmac=Vmac("vrrp.51"))


def test_strict_backups_drop_what_is_sent_to_their_virtual_mac() -> None:
    master: set[InstanceKey] = set()

    def is_master(key: InstanceKey) -> bool:
        return key in master

    plan = BackupFilter()
    settings = VrrpSettings((STRICT, replace(VI_1, name="VI_2", vrid=52, vmac=Vmac("vrrp.52"))))
    assert plan.configure(settings, is_master) == [Filter("vrrp.51", drop=True)], "strict ones only"
    assert plan.configure(settings, is_master) == [], "a reload changes nothing"
    assert plan.state_changed(STRICT.key, is_master) == [], "from BACKUP to FAULT"
    master.add(STRICT.key)
    assert plan.state_changed(STRICT.key, is_master) == [Filter("vrrp.51", drop=False)]
    assert plan.state_changed(STRICT.key, is_master) == []
    assert plan.state_changed(("ens33", 4, 52), is_master) == []
    master.clear()
    assert plan.state_changed(STRICT.key, is_master) == [Filter("vrrp.51", drop=True)]
    assert plan.configure(VrrpSettings((VI_1,)), is_master) == [Filter("vrrp.51", drop=False)]
    assert plan.configure(settings, is_master) == [Filter("vrrp.51", drop=True)]


def test_changes_add_up_and_leave_out_what_went_with_an_interface() -> None:
    one = Change(frozenset({"ens33"}), frozenset({("ens33", "192.0.2.1/24")}))
    two = Change(frozenset({"vrrp.51"}), frozenset({("vrrp.51", "192.0.2.200/24")}))
    both = NO_CHANGE + one + two
    assert both.links == {"ens33", "vrrp.51"}
    assert both.without_removals_from({"vrrp.51"}) == Change(both.links, one.removed)
