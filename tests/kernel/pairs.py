"""The lab's pair: the same instance as our settings and as keepalived's file."""

from __future__ import annotations

from dataclasses import replace

from hanode.vrrp.engine_settings import Address, InstanceSettings, SyncGroupSettings
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


def keepalived_file(
    *instances: InstanceSettings, groups: tuple[SyncGroupSettings, ...] = ()
) -> str:
    """The same for keepalived 2.2.7, as far as the tests vary it."""
    delay_s = instances[0].garp_master_delay_us // 1_000_000
    blocks = [f"global_defs {{\n router_id X\n vrrp_garp_master_delay {delay_s}\n}}"]
    blocks += [
        "vrrp_sync_group {} {{\n group {{\n  {}\n }}\n}}".format(
            group.name, "\n  ".join(group.members)
        )
        for group in groups
    ]
    return "\n".join([*blocks, *map(_block, instances)]) + "\n"


def _block(settings: InstanceSettings) -> str:
    vmac = settings.vmac
    lines = [
        "state BACKUP",
        f"interface {settings.interface}",
        f"virtual_router_id {settings.vrid}",
        f"priority {settings.priority}",
        f"advert_int {settings.advert_int_us / 1_000_000:g}",
        f"version {settings.version}",
        "nopreempt" if settings.nopreempt else "",
        f"preempt_delay {settings.preempt_delay_us // 1_000_000}"
        if settings.preempt_delay_us
        else "",
        f"use_vmac {vmac.name}" if vmac is not None else "",
        "vmac_xmit_base" if vmac is not None and vmac.xmit_base else "",
        "no_accept" if not settings.accept else "",
    ]
    if settings.auth_type != "NONE":
        auth = f"auth_type {settings.auth_type}\n auth_pass {settings.auth_pass[:8]}"
        lines.append(f"authentication {{\n {auth}\n}}")
    if settings.unicast:
        peers = "\n".join(f"  {peer.ip}" for peer in settings.unicast_peers)
        lines += [f"unicast_src_ip {settings.mcast_src_ip}", f"unicast_peer {{\n{peers}\n }}"]
        words = {"auto": "", "old": "old_unicast_checksum", "never": "old_unicast_checksum never"}
        lines.append(words[settings.unicast_checksum])
    vips = "\n".join(f"  {address}" for address in settings.vips)
    lines.append(f"virtual_ipaddress {{\n{vips}\n }}")
    body = "\n ".join(line for line in lines if line)
    return f"vrrp_instance {settings.name} {{\n {body}\n}}"
