"""Brings the kernel's balancing table to what the checker wants, a turn at a time.

PURE. It knows what is wanted and what the kernel has, and works off the difference
(`hanode.ipvs.plan`) in small turns, so that a large table does not keep the health checks waiting.
Now and then it wants the kernel's table read again, and repairs what others changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hanode.ipvs.plan import apply_to, plan
from hanode.ipvs.types import AddService, Balanced, EditService, Operation, ServiceKey

OPERATIONS_PER_TURN = 32
"""At 0.2 to 1 ms each, the checks wait a few hundredths of a second at most."""
AUDIT_US = 5_000_000
"""A table that somebody cleared is whole again after this time."""
AUDIT_SHARE = 200
"""Reading a large table takes long: at most one part in 200 of the time is spent on it."""


@dataclass(frozen=True, slots=True)
class Work:
    """Operations on one service, in order; `TableSync.done` takes what came of them."""

    key: ServiceKey
    operations: tuple[Operation, ...]
    cut: bool
    """There are more than this turn may do."""

    @property
    def share(self) -> int:
        """What it takes of `OPERATIONS_PER_TURN`; a look at a service that is right costs too."""
        return max(1, len(self.operations))


Refused = tuple[str, str]
"""What an operator should know: (the service, why the kernel did not take a change)."""


class TableSync:
    """What is wanted, what the kernel has, and which services have to be compared."""

    def __init__(self) -> None:
        self._wanted: dict[ServiceKey, Balanced] = {}
        self._actual: dict[ServiceKey, Balanced] = {}
        self._owned: set[ServiceKey] = set()
        self._dirty: dict[ServiceKey, None] = {}
        self._failing: dict[ServiceKey, str] = {}
        self._audit_us: int | None = None

    @property
    def deadline_us(self) -> int | None:
        """When a turn has something to do; None: not before the next `want`.

        Something to do at once is a deadline long past: 1, as 0 means never to a timerfd.
        """
        return 1 if self._dirty else self._audit_us

    @property
    def wants_any(self) -> bool:
        """Whether any service is wanted."""
        return bool(self._wanted)

    @property
    def unfinished(self) -> bool:
        """Whether there is something to do at once."""
        return bool(self._dirty)

    @property
    def in_kernel(self) -> frozenset[ServiceKey]:
        """Services that the kernel has, as far as is known."""
        return frozenset(self._actual)

    def configure(self, wanted: Iterable[Balanced]) -> None:
        """From now on exactly these services are ours."""
        self._wanted = {item.service.key: item for item in wanted}
        self._look_at_all()

    def own(self, keys: Iterable[ServiceKey]) -> None:
        """A killed run of ours may have left these: those that are not wanted are removed."""
        self._owned |= set(keys)

    @property
    def owns_any(self) -> bool:
        """Whether the kernel may have any service of ours."""
        return bool(self._owned)

    def want(self, item: Balanced) -> None:
        """This service is to look like this now."""
        self._wanted[item.service.key] = item
        self._dirty[item.service.key] = None

    def want_nothing(self) -> None:
        """The checker stops: remove our services, and read the table no more."""
        self._wanted = {}
        self._dirty = dict.fromkeys(self._owned)
        self._audit_us = None

    def idle(self) -> None:
        """There is no IPVS: nothing can be done."""
        self._dirty.clear()

    def audit_due(self, now_us: int) -> bool:
        """Whether the kernel's table is to be read now."""
        return self._audit_us is not None and now_us >= self._audit_us

    def read(self, table: Iterable[Balanced] | None, *, began_us: int, now_us: int) -> None:
        """The kernel's table, read between the two moments; None: it could not be read."""
        if table is not None:
            self._actual = {item.service.key: item for item in table}
        self._audit_us = now_us + max(AUDIT_US, AUDIT_SHARE * (now_us - began_us))
        self._dirty |= dict.fromkeys([*self._owned, *self._wanted])

    def next_work(self, limit: int) -> Work | None:
        """What to do next, at most `limit` operations; None: nothing."""
        if not self._dirty or limit <= 0:
            return None
        key = next(iter(self._dirty))
        operations = plan(
            self._one(self._wanted, key), self._one(self._actual, key), owned=self._owned
        )
        return Work(key, operations[:limit], cut=len(operations) > limit)

    def done(self, work: Work, done: Sequence[Operation], error: str | None) -> Refused | None:
        """What the kernel took of it, and why it refused the first that it did not take."""
        key = work.key
        for item in apply_to(self._one(self._actual, key), done):
            self._actual[key] = item
        if key in self._wanted:
            self._owned.add(key)
        elif error is None:
            self._actual.pop(key, None)
            self._owned.discard(key)
        if not work.cut or not done:
            # A refused change is tried again after the next audit, not in a tight loop.
            self._dirty.pop(key, None)
        return self._refused(key, error)

    def _look_at_all(self) -> None:
        self._dirty = dict.fromkeys([*self._owned, *self._wanted])

    def _refused(self, key: ServiceKey, error: str | None) -> Refused | None:
        """Only a new reason is news: the same change is refused again and again."""
        if error is None:
            self._failing.pop(key, None)
            return None
        if self._failing.get(key) == error:
            return None
        self._failing[key] = error
        return str(key), error

    @staticmethod
    def _one(table: dict[ServiceKey, Balanced], key: ServiceKey) -> tuple[Balanced, ...]:
        item = table.get(key)
        return () if item is None else (item,)


def goes_on_after_refusal(operation: Operation) -> bool:
    """Whether the operations after a refused one make sense: one bad destination does not stop
    the others, but without its service there is nothing to add them to.
    """
    return not isinstance(operation, AddService | EditService)
