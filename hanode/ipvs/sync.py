"""Keeps the kernel's balancing table as the checker wants it.

DRIVER. Level-triggered: it knows what is wanted and what the kernel has, and works off the
difference (`hanode.ipvs.plan`) in small turns, so that a large table never keeps the health
checks waiting. Now and then it reads the kernel again and repairs what others changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from hanode.ipvs.plan import apply_to, plan
from hanode.ipvs.types import AddService, Balanced, EditService, Operation, ServiceKey
from hanode.system.ipvs_kernel import IpvsAbsent, IpvsError, IpvsKernel

OPERATIONS_PER_TURN = 32
"""At 0.2 to 1 ms each the checks wait a few hundredths of a second at most."""
AUDIT_US = 5_000_000
"""A table that somebody cleared is whole again after this time."""
AUDIT_SHARE = 200
"""Reading a large table takes long: at most one part in 200 of the time is spent on it."""


class IpvsSync:
    """The driver of IPVS. `open_kernel` raises IpvsAbsent; `warn` tells people."""

    def __init__(
        self,
        open_kernel: Callable[[], IpvsKernel],
        warn: Callable[[str, str], None],
        mono_us: Callable[[], int],
    ) -> None:
        self._open_kernel = open_kernel
        self._warn = warn
        self._mono_us = mono_us
        self._kernel: IpvsKernel | None = None
        self._wanted: dict[ServiceKey, Balanced] = {}
        self._actual: dict[ServiceKey, Balanced] = {}
        self._owned: set[ServiceKey] = set()
        self._dirty: dict[ServiceKey, None] = {}
        self._failing: dict[ServiceKey, str] = {}
        self._audit_at_us: int | None = None
        self.availability = "unused: no virtual server is configured"
        """`kernel`, or `absent: …` with the reason, or `unused: …`."""

    @property
    def deadline_us(self) -> int | None:
        """When `work` has something to do; None: not before the next `want`.

        Something to do at once is a deadline long past: 1, as 0 means never to a timerfd.
        """
        if self._kernel is None:
            return None
        return 1 if self._dirty else self._audit_at_us

    @property
    def in_kernel(self) -> frozenset[ServiceKey] | None:
        """Services that the kernel has; None where there is no IPVS."""
        return None if self._kernel is None else frozenset(self._actual)

    def configure(self, wanted: Iterable[Balanced]) -> None:
        """From now on exactly these services are ours. Tries anew where there was no IPVS."""
        self._wanted = {item.service.key: item for item in wanted}
        if self._kernel is None and self._wanted:
            self._open()
        self._dirty = dict.fromkeys([*self._owned, *self._wanted])

    def want(self, item: Balanced) -> None:
        """This service shall look like this now."""
        self._wanted[item.service.key] = item
        self._dirty[item.service.key] = None

    def work(self) -> None:
        """Bring the kernel a step nearer to what is wanted."""
        if self._kernel is None:
            self._dirty.clear()
            return
        if self._audit_at_us is not None and self._mono_us() >= self._audit_at_us:
            self._audit(self._kernel)
        left = OPERATIONS_PER_TURN
        while self._dirty and left > 0:
            left -= self._reconcile(self._kernel, next(iter(self._dirty)), left)

    def clear(self) -> None:
        """Take our services out of the kernel, as keepalived does when it stops."""
        self._wanted = {}
        self._dirty = dict.fromkeys(self._owned)
        self._audit_at_us = None
        while self._dirty and self._kernel is not None:
            self.work()
        if self._kernel is not None:
            self._kernel.close()
            self._kernel = None

    def _open(self) -> None:
        try:
            self._kernel = self._open_kernel()
        except IpvsAbsent as error:
            if self.availability != f"absent: {error}":
                self.availability = f"absent: {error}"
                self._warn("ipvs", f"{error}; health checks run, nothing is balanced")
            return
        self.availability = "kernel"
        self._audit(self._kernel)

    def _audit(self, kernel: IpvsKernel) -> None:
        """Read what the kernel has, and look at each of our services again."""
        began_us = self._mono_us()
        try:
            self._actual = {item.service.key: item for item in kernel.read()}
        except IpvsError as error:
            self._warn("ipvs", str(error))
        took_us = self._mono_us() - began_us
        self._audit_at_us = self._mono_us() + max(AUDIT_US, AUDIT_SHARE * took_us)
        self._dirty.update(dict.fromkeys([*self._owned, *self._wanted]))

    def _reconcile(self, kernel: IpvsKernel, key: ServiceKey, limit: int) -> int:
        """Work on one service; gives the share of the turn that it took, at least 1."""
        wanted, actual = self._wanted.get(key), self._actual.get(key)
        operations = plan(
            (wanted,) if wanted else (), (actual,) if actual else (), owned=self._owned
        )
        done, error = _carry_out(kernel, operations[:limit])
        for item in apply_to((actual,) if actual else (), done):
            self._actual[key] = item
        if wanted is not None:
            self._owned.add(key)
        elif error is None:
            self._actual.pop(key, None)
            self._owned.discard(key)
        if len(operations) <= limit or not done:
            # A refused change is tried again by the next audit, not in a tight loop.
            self._dirty.pop(key, None)
        self._report(key, error)
        return max(1, len(operations[:limit]))

    def _report(self, key: ServiceKey, error: str | None) -> None:
        if error is None:
            self._failing.pop(key, None)
        elif self._failing.get(key) != error:
            self._failing[key] = error
            self._warn(str(key), error)


def _carry_out(
    kernel: IpvsKernel, operations: tuple[Operation, ...]
) -> tuple[list[Operation], str | None]:
    """What was done, and the first error. One bad destination does not stop the others."""
    done: list[Operation] = []
    first_error: str | None = None
    for operation in operations:
        try:
            kernel.apply(operation)
        except IpvsError as error:
            first_error = first_error or str(error)
            if isinstance(operation, AddService | EditService):
                break
        else:
            done.append(operation)
    return done, first_error
