"""One packet, or two, for each reason for which an advert is refused: sent to a Router by the pure
tests, and over a cable by those of the kernel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from hanode.vrrp import packet
from hanode.vrrp.engine_settings import Address, HmacKey, HmacSettings, InstanceSettings, Peer
from hanode.vrrp.packet import Reason
from hanode.vrrp.transmit import Transmitter

INTERFACE = "ens33"
OURS, THEIRS, NOBODY = "192.168.192.100", "192.168.192.111", "192.168.192.112"
KEYS = HmacSettings((HmacKey(1, "11" * 32),), active=1)
STRANGE = HmacSettings((HmacKey(1, "22" * 32), HmacKey(7, "11" * 32)), active=1)


def _instance(name: str, vrid: int, **more: object) -> InstanceSettings:
    vips = (Address(f"192.168.192.{vrid + 100}", 24, INTERFACE),)
    base = InstanceSettings(name, INTERFACE, vrid, 100, vips, version=3)
    return replace(base, **more)  # type: ignore[arg-type]


PLAIN = _instance("Plain", 51)
OLD = _instance("Old", 52, version=2)
PASS = _instance("Pass", 53, version=2, auth_type="PASS", auth_pass="secret")
OWNER = _instance("Owner", 54, priority=255, owner_ignore_adverts=True)
UNICAST = _instance(
    "Unicast", 55, unicast=True, mcast_src_ip=OURS, unicast_peers=(Peer(NOBODY),),
    check_unicast_src=True,
)  # fmt: skip
AH = _instance("Ah", 56, version=2, auth_type="AH", auth_pass="secret")
SIGNED = _instance("Signed", 57, hmac=KEYS)
INSTANCES = (PLAIN, OLD, PASS, OWNER, UNICAST, AH, SIGNED)

Made = Callable[[InstanceSettings, int], list[bytes]]


def sent(settings: InstanceSettings, wall_us: int, *, ttl: int = 255, to: str = "") -> bytes:
    """An IPv4 packet of a sender with these settings."""
    if to:
        mine = replace(settings, unicast=True, unicast_peers=(Peer(to),), ttl=ttl)
    else:
        mine = replace(settings, unicast=False)
    transmitter = Transmitter(mine)
    transmitter.prepare(90, packet.packed(THEIRS))
    (advert,) = transmitter.adverts(wall_us=wall_us)
    header = advert.ip_header or packet.ipv4_header(
        source=advert.source, destination=advert.destination, length=len(advert.payload),
        ident=7, ttl=ttl,
    )  # fmt: skip
    return header + advert.payload


def changed(at: int, value: int) -> Made:
    """That byte of the packet is another one."""

    def make(settings: InstanceSettings, wall_us: int) -> list[bytes]:
        data = bytearray(sent(settings, wall_us))
        data[at] = value
        return [bytes(data)]

    return make


def of(**theirs: object) -> Made:
    """Whoever sends it has other settings."""
    return lambda settings, wall_us: [sent(replace(settings, **theirs), wall_us)]  # type: ignore[arg-type]


def shorter(settings: InstanceSettings, wall_us: int) -> list[bytes]:
    """The last address is missing, and the IP header says so."""
    data = bytearray(sent(settings, wall_us)[:-4])
    data[2:4] = len(data).to_bytes(2, "big")
    return [bytes(data)]


def headless(settings: InstanceSettings, wall_us: int) -> list[bytes]:
    """Four bytes of VRRP: enough to say whose it is."""
    data = bytearray(sent(settings, wall_us)[:24])
    data[2:4] = len(data).to_bytes(2, "big")
    return [bytes(data)]


@dataclass(frozen=True)
class Fault:
    reason: Reason
    to: InstanceSettings
    make: Made


FAULTS = (
    Fault(Reason.LENGTH, PLAIN, shorter),
    Fault(Reason.LENGTH, OLD, headless),
    Fault(Reason.TTL, PLAIN, changed(8, 254)),
    Fault(Reason.VERSION, PLAIN, of(version=2)),
    Fault(Reason.TYPE, PLAIN, changed(20, 0x32)),
    Fault(Reason.CHECKSUM, PLAIN, changed(26, 0x55)),
    Fault(Reason.DESTINATION, PLAIN, lambda s, wall_us: [sent(s, wall_us, to=OURS)]),
    Fault(Reason.ADDRESSES, PLAIN, of(vips=(Address("192.168.192.9", 24, INTERFACE),))),
    Fault(Reason.AUTH_TYPE_UNKNOWN, OLD, changed(24, 9)),
    Fault(Reason.AUTH_TYPE, OLD, of(auth_type="PASS", auth_pass="secret")),
    Fault(Reason.INTERVAL, OLD, of(advert_int_us=2_000_000)),
    Fault(Reason.AUTH, PASS, of(auth_pass="other")),
    Fault(Reason.OWNER, OWNER, of(priority=100)),
    Fault(Reason.SOURCE, UNICAST, lambda s, wall_us: [sent(s, wall_us, to=OURS)]),
    Fault(Reason.AUTH_TYPE, AH, of(auth_type="NONE")),
    Fault(Reason.AUTH, AH, of(auth_pass="other")),
    Fault(Reason.REPLAY, AH, lambda s, wall_us: [sent(s, wall_us)] * 2),
    Fault(Reason.EXT_MISSING, SIGNED, of(hmac=None)),
    Fault(Reason.EXT_MALFORMED, SIGNED, changed(32, 2)),
    Fault(Reason.EXT_UNKNOWN_KEY, SIGNED, of(hmac=replace(STRANGE, active=7))),
    Fault(Reason.EXT_INVALID_HMAC, SIGNED, of(hmac=STRANGE)),
    Fault(Reason.EXT_STALE, SIGNED, lambda s, wall_us: [sent(s, wall_us - 60_000_000)]),
    Fault(Reason.EXT_REPLAY, SIGNED, lambda s, wall_us: [sent(s, wall_us)] * 2),
)


def name(fault: Fault) -> str:
    """For pytest."""
    return f"{fault.to.name}-{fault.reason}"
