"""The lab's pair: the same instance as our settings and as keepalived's file."""

from __future__ import annotations

from dataclasses import replace

from hanode.vrrp.settings import Address, InstanceSettings
from tests.kernel.harness import INTERFACE, VIP

PRIORITY = {"a": 100, "b": 95}


def instance(node: str, *vips: str, **more: object) -> InstanceSettings:
    """HA_Group of NodeA (100) or NodeB (95)."""
    addresses = tuple(Address(vip, 24, INTERFACE) for vip in vips or (VIP,))
    base = InstanceSettings(
        "HA_Group", INTERFACE, 51, PRIORITY[node], addresses, auth_type="PASS",
        auth_pass="secure123",
    )  # fmt: skip
    return replace(base, **more)  # type: ignore[arg-type]


def keepalived_file(settings: InstanceSettings) -> str:
    """The same for keepalived 2.2.7; covers what the tests vary."""
    auth = (
        f"authentication {{\n auth_type PASS\n auth_pass {settings.auth_pass[:8]}\n}}"
        if settings.auth_type == "PASS"
        else ""
    )
    vips = "\n".join(f" {address}" for address in settings.vips)
    delay_s = settings.garp_master_delay_us // 1_000_000
    return f"""
global_defs {{
 router_id X
 vrrp_garp_master_delay {delay_s}
}}
vrrp_instance {settings.name} {{
 state BACKUP
 interface {settings.interface}
 virtual_router_id {settings.vrid}
 priority {settings.priority}
 advert_int {settings.advert_int_us / 1_000_000:g}
 version {settings.version}
 {"nopreempt" if settings.nopreempt else ""}
 {auth}
 virtual_ipaddress {{
{vips}
 }}
}}
"""
