"""Reads and changes the kernel's balancing table as `hanode.ipvs.sync` decides.

DRIVER.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from hanode.ipvs.sync import OPERATIONS_PER_TURN, TableSync, Work, goes_on_after_refusal
from hanode.ipvs.types import Balanced, Operation, ServiceKey
from hanode.system.ipvs_kernel import IpvsAbsent, IpvsError, IpvsKernel


class IpvsSync:
    """The kernel's IPVS. `open_kernel` raises IpvsAbsent; `warn` tells an operator."""

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
        self._table = TableSync()
        self.availability = "unused: no virtual server is configured"
        """`kernel`, or `absent: …` with the reason, or `unused: …`."""

    @property
    def deadline_us(self) -> int | None:
        """When `work` has something to do; None: not before the next `want`."""
        return None if self._kernel is None else self._table.deadline_us

    @property
    def in_kernel(self) -> frozenset[ServiceKey] | None:
        """Services that the kernel has; None where there is no IPVS."""
        return None if self._kernel is None else self._table.in_kernel

    def configure(self, wanted: Iterable[Balanced], before: Iterable[ServiceKey] = ()) -> None:
        """From now on exactly these services are ours, and not those that a killed run may have
        left (`before`). Tries anew where there was no IPVS.
        """
        self._table.own(before)
        self._table.configure(wanted)
        if self._kernel is None and (self._table.wants_any or self._table.owns_any):
            self._open()

    def want(self, item: Balanced) -> None:
        """This service is to look like this now."""
        self._table.want(item)

    def work(self) -> None:
        """Do one turn."""
        if self._kernel is None:
            self._table.idle()
            return
        if self._table.audit_due(self._mono_us()):
            self._audit(self._kernel)
        left = OPERATIONS_PER_TURN
        while (work := self._table.next_work(left)) is not None:
            left -= work.share
            self._do(self._kernel, work)

    def clear(self, progress: Callable[[], None]) -> None:
        """Remove our services from the kernel, as keepalived does when it stops; `progress` is
        called between.
        """
        self._table.want_nothing()
        while self._table.unfinished and self._kernel is not None:
            self.work()
            progress()
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
        began_us = self._mono_us()
        table: Iterable[Balanced] | None = None
        try:
            table = kernel.read()
        except IpvsError as error:
            self._warn("ipvs", str(error))
        self._table.read(table, began_us=began_us, now_us=self._mono_us())

    def _do(self, kernel: IpvsKernel, work: Work) -> None:
        done: list[Operation] = []
        first_error: str | None = None
        for operation in work.operations:
            try:
                kernel.apply(operation)
            except IpvsError as error:
                first_error = first_error or str(error)
                if not goes_on_after_refusal(operation):
                    break
            else:
                done.append(operation)
        refused = self._table.done(work, done, first_error)
        if refused is not None:
            self._warn(*refused)
