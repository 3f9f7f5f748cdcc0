"""Records when each kernel of the lab got or lost an address, and when each advert came.

DRIVER. One thread that only listens; the acceptance test asks it afterwards. The kernels themselves
are asked for what they have now (`holders`).
"""

from __future__ import annotations

import selectors
import threading
import time
from collections.abc import Callable
from typing import Protocol

from hanode.lab.kernel import AddressChange, AddressListener, Advert, AdvertListener, Kernel
from hanode.lab.topology import Topology

POLL_S = 0.003
"""How often a wait asks the kernel; well under the 5 ms that a measured limit may blur."""


class _Readable(Protocol):
    def read(self) -> list[AddressChange] | list[Advert]: ...
    def close(self) -> None: ...


class Observer:
    """Listens to both directors' kernels and to the adverts that reach either of them."""

    def __init__(self, plan: Topology) -> None:
        self._plan = plan
        self._kernels = {host.name: Kernel(host.namespace) for host in plan.directors}
        self._changes: list[tuple[str, AddressChange]] = []
        self._adverts: list[tuple[str, Advert]] = []
        self._selector = selectors.DefaultSelector()
        self._ears: list[_Readable] = []
        self._end = threading.Event()
        for host in plan.directors:
            changes, adverts = AddressListener(host.namespace), AdvertListener(host.namespace)
            self._ears += [changes, adverts]
            self._selector.register(
                changes.socket, selectors.EVENT_READ, self._hear_changes(host.name, changes)
            )
            self._selector.register(
                adverts.socket, selectors.EVENT_READ, self._hear_adverts(host.name, adverts)
            )
        self._thread = threading.Thread(target=self._listen, name="observer", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening and close everything."""
        self._end.set()
        self._thread.join(2)
        for ear in self._ears:
            ear.close()
        for kernel in self._kernels.values():
            kernel.close()
        self._selector.close()

    def holders(self, address: str) -> tuple[str, ...]:
        """The directors whose kernel has the address now, in the lab's order."""
        return tuple(name for name, kernel in self._kernels.items() if kernel.holds(address))

    def taken_us(self, node: str, address: str, *, after_us: int) -> int | None:
        """When that node's kernel first got the address after the moment `after_us`.

        Waits up to a second for it: a kernel may have answered a request before its own message
        about the change was read.
        """
        wait_until(lambda: self._first(node, address, after_us, added=True) is not None, within_s=1)
        return self._first(node, address, after_us, added=True)

    def lost_us(self, node: str, address: str, *, after_us: int) -> int | None:
        """When that node's kernel first lost the address after the moment `after_us`."""
        return self._first(node, address, after_us, added=False)

    def last_advert(self, listener: str, source: str, *, before_us: int) -> Advert | None:
        """The last advert from `source` that reached `listener` before the moment `before_us`."""
        heard = [
            advert
            for name, advert in list(self._adverts)
            if name == listener and advert.source == source and advert.wall_us <= before_us
        ]
        return heard[-1] if heard else None

    def _first(self, node: str, address: str, after_us: int, *, added: bool) -> int | None:
        for name, change in list(self._changes):
            same = name == node and change.address == address and change.added is added
            if same and change.wall_us >= after_us:
                return change.wall_us
        return None

    def _listen(self) -> None:
        while not self._end.is_set():
            for key, _ in self._selector.select(0.1):
                key.data()

    def _hear_changes(self, name: str, listener: AddressListener) -> Callable[[], None]:
        def hear() -> None:
            self._changes.extend((name, change) for change in listener.read())

        return hear

    def _hear_adverts(self, name: str, listener: AdvertListener) -> Callable[[], None]:
        def hear() -> None:
            self._adverts.extend((name, advert) for advert in listener.read())

        return hear


def wait_until(condition: Callable[[], bool], *, within_s: float) -> bool:
    """Ask `condition` every few milliseconds until it holds; False when the time is over."""
    deadline = time.monotonic() + within_s
    while True:
        if condition():
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_S)
