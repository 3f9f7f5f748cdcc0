"""The interfaces, real and virtual, the sockets on them, and the announcements that leave there.

DRIVER. Follows what the kernel says; `hanode.kernel` decides what comes of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from hanode.kernel.interfaces import MAC_BYTES, IgmpReports, InterfaceView, announcement, promoting
from hanode.kernel.needs import RETRY_US, together
from hanode.kernel.speech import Speech, question, without_source
from hanode.proc.vrrp.sockets import Sockets
from hanode.proc.vrrp.virtual_links import VirtualLinks
from hanode.system import sysctl
from hanode.system.firewall import Firewall
from hanode.system.linkbeat import LinkProbe
from hanode.system.monitor import Monitor
from hanode.system.refusals import why, why_unsent
from hanode.system.vrrp_socket import FrameSocket
from hanode.vrrp import packet
from hanode.vrrp.effects import AnnounceAddresses, SendAdvert
from hanode.vrrp.engine_settings import InstanceKey, InstanceSettings, VrrpSettings
from hanode.vrrp.events import LinkState

if TYPE_CHECKING:
    from hanode.system.rtnl import Commands

IGMP_REPORTS = "igmp_link_local_mcast_reports"


class Interfaces:
    """Interfaces, and what is open on them."""

    def __init__(
        self,
        monitor: Monitor,
        commands: Commands,
        sockets: Sockets,
        firewall: Firewall,
        warn: Callable[[str, str], None],
        owner: str,
    ) -> None:
        self.monitor = monitor
        self.sockets = sockets
        self.virtual = VirtualLinks(monitor, commands, firewall, warn, owner)
        self._settings = VrrpSettings()
        self._mute = ""
        """Why nothing can be announced; "": it can."""
        self._retry_us: int | None = None
        self._warn = warn
        self._view = InterfaceView()
        self._probe = LinkProbe()
        self._speech = Speech()
        self.ready: Callable[[InstanceKey], tuple[SendAdvert, ...]] = lambda _: ()
        """What an instance would send now; empty where each of its adverts is signed."""
        self._igmp = IgmpReports()
        self._routers: dict[str, bool] = {}
        """Whether an interface forwards IPv6: neighbour advertisements say so."""
        self._frames: dict[tuple[str, bytes, bytes], bytes] = {}

    def use(self, settings: VrrpSettings, *, now_us: int) -> None:
        """Prepare what a configuration needs; what is refused, `lacking` says."""
        self._settings = settings
        for name, kind in self._view.use(settings, now_us=now_us).items():
            self._view.policy.answered(name, self._probe.has_link(name, kind))
        self._routers.clear()
        self._frames.clear()
        self._disable_igmp_reports(settings.disable_local_igmp)
        for name in promoting(settings):
            self._set(4, name, "promote_secondaries", 1)
        self.virtual.use(settings)
        self.sockets.use(settings, self.monitor.links)
        self._speech.use(settings)
        self._open_frames()
        self._plan_retry(now_us)

    @property
    def vrfs(self) -> tuple[str, ...]:
        """VRFs (or "") whose state may change with any interface's."""
        return self._view.vrfs

    @property
    def deadline_us(self) -> int | None:
        """When `due` must be called next."""
        times = (self._view.policy.deadline_us, self._retry_us)
        return min((at for at in times if at is not None), default=None)

    def due(self, *, now_us: int) -> set[str]:
        """Ask the network cards whose turn it is; the interfaces whose state may differ now.

        What was refused is tried again.
        """
        policy = self._view.policy
        if self._retry_us is not None and self._retry_us <= now_us:
            self.virtual.retry()
            self.sockets.retry(self.monitor.links)
            self._open_frames()
            self._ask_silent(now_us)
            self._retry_us = None
            self._plan_retry(now_us)
        for name, kind in policy.polls(now_us=now_us).items():
            policy.answered(name, self._probe.has_link(name, kind))
        return policy.due(now_us=now_us)

    def lacking(self) -> dict[InstanceKey, str]:
        """What the kernel refuses the instances that need it, each with the reason."""
        mute = {
            one.key: f"its addresses cannot be announced: {self._mute}"
            for one in (self._settings.instances if self._mute else ())
            if one.addresses
        }
        absent = without_source(self._settings, self.monitor.everywhere)
        return together(
            self.virtual.lacking(), self.sockets.lacking(), absent, mute, self._speech.lacking()
        )

    def refused(
        self, one: InstanceSettings, effect: SendAdvert, error: OSError, *, sent: int, now_us: int
    ) -> bool:
        """The kernel refused an advert of a master, the one of that number; whether that makes it
        silent: `lacking` says so from then on, until it can speak again.
        """
        reason = _why_unsent(error, effect, one.sends_on)
        warn, silent = self._speech.refused(one, effect, reason, sent=sent, now_us=now_us)
        if warn:
            self._warn(one.name, f"an advert could not be sent: {reason}")
        if silent:
            self._plan_retry(now_us)
        return silent

    def _ask_silent(self, now_us: int) -> None:
        """Whether those can speak again whose adverts were refused."""
        names = {one.key: one.sends_on for one in self._settings.instances}
        for key, refused in self._speech.to_ask(now_us=now_us).items():
            sender, reason = self.sockets.senders.get(key), "it has no socket"
            for effect in (self.ready(key) or refused) if sender is not None else ():
                assert sender is not None
                error = sender.send(question(effect))
                if error is None:
                    self._speech.answered(key, None, now_us=now_us)
                    break
                reason = _why_unsent(error, effect, names[key])
            else:
                self._speech.answered(key, reason, now_us=now_us)

    def _plan_retry(self, now_us: int) -> None:
        if not self.lacking():
            self._retry_us = None
        elif self._retry_us is None:  # else the news of other interfaces would put it off for ever
            self._retry_us = now_us + RETRY_US

    def _open_frames(self) -> None:
        """Now, and not at the first failover: opening a socket may wait."""
        self._mute = ""
        for device in self._view.devices:
            self._frame_socket(device)

    def prune(self) -> None:
        """Close and remove what the configuration does not need."""
        self.sockets.prune()
        self.virtual.prune()

    def end(self, progress: Callable[[], None]) -> None:
        """Remove the virtual interfaces, and give the kernel its switches back."""
        self._disable_igmp_reports(False)
        self.virtual.end(progress)

    def follow(self, name: str, *, now_us: int) -> None:
        """An interface has changed."""
        for device in {name, *self.virtual.follow(name)}:
            self._routers.pop(device, None)
            self.sockets.follow(device, self.monitor.links)
        self._plan_retry(now_us)

    def state(self, name: str, *, now_us: int) -> LinkState:
        """An interface, as the machines are to see it."""
        link = self.monitor.links.get(name)
        return self._view.state(name, link, self.monitor, now_us=now_us)

    def announce(self, effect: AnnounceAddresses) -> None:
        """Send gratuitous ARP and neighbour advertisements: the list, `repeat` times over."""
        frames = self.prepare(effect)
        for _ in range(effect.repeat):
            for sender, frame in frames:
                sender.send(frame)

    def prepare(self, effect: AnnounceAddresses) -> list[tuple[FrameSocket, bytes]]:
        """The frames of an announcement, each with its socket; kept for the next time."""
        frames = []
        for address in effect.addresses:
            link = self.monitor.links.get(address.dev)
            sender = self._frame_socket(address.dev)
            if link is None or sender is None or len(link.mac) != MAC_BYTES:
                continue
            ip = address.packed
            known = (address.dev, link.mac, ip)
            frame = self._frames.get(known)
            if frame is None:
                router = len(ip) != 4 and self._is_router(address.dev)
                frame = self._frames[known] = announcement(link.mac, ip, router=router)
            frames.append((sender, frame))
        return frames

    def _is_router(self, dev: str) -> bool:
        if dev not in self._routers:
            self._routers[dev] = bool(sysctl.read(6, dev, "forwarding"))
        return self._routers[dev]

    def _frame_socket(self, device: str) -> FrameSocket | None:
        try:
            return self.sockets.frames(device)
        except OSError as error:
            self._mute = why(error)
            return None

    def _disable_igmp_reports(self, disable: bool) -> None:
        value = self._igmp.use(disable, lambda: sysctl.read(4, "", IGMP_REPORTS))
        if value is None:
            return
        if (refused := sysctl.write(4, "", IGMP_REPORTS, value)) is not None:
            self._warn("vrrp", refused)

    def _set(self, family: int, interface: str, name: str, value: int) -> None:
        if (sysctl.read(family, interface, name) or 0) != value:
            refused = sysctl.write(family, interface, name, value)
            if refused is not None:
                self._warn(interface, refused)


def _why_unsent(error: OSError, effect: SendAdvert, interface: str) -> str:
    source, to = packet.text(effect.source), packet.text(effect.destination)
    return why_unsent(error, interface=interface, source=source, to=to)
