"""What must hold in every world, told by somebody who cannot look into the machines' minds.

PURE. Each raises AssertionError with a sentence. They know protocol and kernel, not the code.
"""

from __future__ import annotations

from hanode.sim.world import Node, World
from hanode.vrrp.effects import State
from hanode.vrrp.settings import PRIORITY_STOP

DELAY_US = 1_000
"""More than the cable's longest delay, there and back."""


def master_down_us(node: Node) -> int:
    """RFC 3768 section 6.1, computed here once more on purpose."""
    return 3 * node.settings.advert_int_us + skew_us(node)


def skew_us(node: Node) -> int:
    """RFC 3768 section 6.1."""
    return (256 - node.settings.priority) * 1_000_000 // 256


def claim(node: Node) -> tuple[int, ...]:
    """What decides between two masters."""
    return (node.settings.priority, *map(int, node.ip.split(".")))


class Addresses:
    """A node has the addresses exactly while it is master."""

    def __init__(self) -> None:
        self._ran: set[str] = set()

    def saw_fault(self, world: World, verb: str, names: tuple[str, ...]) -> None:
        """A stopped node must have given its addresses back."""
        if verb == "stop" and names[0] in self._ran:
            kept = [str(address) for address in world.nodes[names[0]].kernel]
            assert not kept, f"{names[0]} was stopped and kept {kept}"
        self._ran = {node.name for node in world.running()}

    def saw_advert(self, world: World, node: Node, priority: int) -> None:
        """Nothing."""

    def saw_step(self, world: World) -> None:
        """Kernel and state agree."""
        for node in world.running():
            should = set(node.settings.addresses) if node.state is State.MASTER else set()
            assert node.kernel == should, (
                f"{node.name} is {node.state} and has {sorted(map(str, node.kernel))}"
            )


class Adverts:
    """Only a master speaks, and it speaks every interval."""

    def __init__(self) -> None:
        self._was_master: set[str] = set()

    def saw_fault(self, world: World, verb: str, names: tuple[str, ...]) -> None:
        """Note who is master."""
        self._note(world)

    def saw_advert(self, world: World, node: Node, priority: int) -> None:
        """The sender is master, or just was and says farewell."""
        if priority == PRIORITY_STOP:
            assert node.name in self._was_master, f"{node.name} says farewell but was no master"
            return
        assert node.state is State.MASTER, f"{node.name} is {node.state} and sends adverts"
        assert priority == node.settings.priority, f"{node.name} sends priority {priority}"

    def saw_step(self, world: World) -> None:
        """No gap."""
        self._note(world)
        for node in world.running():
            gap_us = world.now_us - node.last_advert_us
            assert node.state is not State.MASTER or gap_us <= node.settings.advert_int_us, (
                f"{node.name} is master and silent for {gap_us} us"
            )

    def _note(self, world: World) -> None:
        self._was_master = {n.name for n in world.running() if n.state is State.MASTER}


class Masters:
    """Never two for longer than the faults justify, never none for longer than the formula."""

    def __init__(self) -> None:
        self._calm_us = 0
        """Since when nothing was done to the world."""
        self._farewell_us: int | None = None
        """When a master was stopped gracefully, with nothing else since."""
        self._was_master: set[str] = set()
        self._two_us: int | None = None
        """Since when there are two."""
        self._rivals: list[Node] = []
        """The masters of the moment before, where nothing was done to them since."""

    def saw_fault(self, world: World, verb: str, names: tuple[str, ...]) -> None:
        """Every fault begins the waiting anew."""
        calm = world.now_us - self._calm_us > 5_000_000
        alone = len(self._was_master) == 1 and set(names) == self._was_master
        farewell = verb == "stop" and calm and alone and not self._disturbed(world)
        self._farewell_us = world.now_us if farewell else None
        self._calm_us = world.now_us
        self._rivals = []

    def saw_advert(self, world: World, node: Node, priority: int) -> None:
        """Nothing."""

    def saw_step(self, world: World) -> None:
        """Count masters where nothing excuses two or none."""
        able = [n for n in world.running() if n.state in (State.BACKUP, State.MASTER)]
        masters = [n for n in able if n.state is State.MASTER]
        self._was_master = {n.name for n in masters}
        if len(masters) < 2:
            self._two_us = None
        elif self._two_us is None:
            self._two_us = world.now_us
        if len(self._rivals) > 1 and len(masters) == 1:
            # RFC 3768 section 6.4.3: the priority decides, then the address.
            best = max(self._rivals, key=claim)
            assert masters[0] is best, f"{masters[0].name} stays master, {best.name} should"
        self._rivals = masters
        if self._disturbed(world) or not able:
            self._calm_us = world.now_us
            return
        calm_us = world.now_us - self._calm_us
        self._no_two(world, masters, max(node.settings.advert_int_us for node in able))
        # A fault may have come just after an advert, or after a start.
        limit_us = max(master_down_us(node) for node in able) + DELAY_US
        assert masters or calm_us <= limit_us, f"no master {calm_us / 1e6:.3f} s after a fault"
        if self._farewell_us is not None and not masters:
            waited_us = world.now_us - self._farewell_us
            skew = min(skew_us(node) for node in able)
            assert waited_us <= skew + DELAY_US, f"no master {waited_us} us after a farewell"

    def _no_two(self, world: World, masters: list[Node], interval_us: int) -> None:
        if self._two_us is None:
            return
        # Who becomes master says so at once. Two that a fault has kept apart hear of each other
        # with the next advert, within an interval.
        new = self._two_us > self._calm_us
        limit_us = DELAY_US if new else interval_us + DELAY_US
        both_us = world.now_us - max(self._two_us, self._calm_us)
        assert both_us <= limit_us, (
            f"{' and '.join(n.name for n in masters)} are both master for {both_us / 1e6:.3f} s"
        )

    def _disturbed(self, world: World) -> bool:
        lists = {n.settings.vips for n in world.running()}
        return bool(world.link.parts or world.link.loss or len(lists) > 1)


class Patience:
    """Nobody takes over from a master that it heard, before the RFC's time has passed."""

    def __init__(self) -> None:
        self._masters: set[str] = set()

    def saw_fault(self, world: World, verb: str, names: tuple[str, ...]) -> None:
        """Nothing."""

    def saw_advert(self, world: World, node: Node, priority: int) -> None:
        """Nothing."""

    def saw_step(self, world: World) -> None:
        """Look at who has just become master."""
        masters = {n.name for n in world.running() if n.state is State.MASTER}
        for name in masters - self._masters:
            node = world.nodes[name]
            if node.heard is None:
                continue
            heard_us, priority = node.heard
            waited_us = world.now_us - heard_us
            least_us = master_down_us(node)
            if priority == PRIORITY_STOP:
                least_us = skew_us(node)
            elif priority < node.settings.priority:
                least_us = 0
            assert waited_us >= least_us, f"{name} took over after {waited_us} us, not {least_us}"
        self._masters = masters


def the_right_one(world: World) -> None:
    """After a long quiet: one master, the highest, and the neighbours know it."""
    able = [n for n in world.running() if n.link_up]
    if not able:
        return
    masters = [n for n in able if n.state is State.MASTER]
    assert len(masters) == 1, f"{[n.name for n in masters]} are master at the end"
    best = max(node.settings.priority for node in able)
    if not any(n.settings.nopreempt for n in able):
        # Addresses decide only between two masters: an equal priority does not preempt.
        assert masters[0].settings.priority == best, f"{masters[0].name} is master, not the highest"
    for address in masters[0].settings.vips:
        assert world.believed.get(address.ip) == masters[0].name, (
            f"the neighbours look for {address.ip} at {world.believed.get(address.ip)}"
        )
