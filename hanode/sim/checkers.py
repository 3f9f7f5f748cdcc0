"""What must hold in every world: watchers that see adverts, states and kernels, and nothing else.

PURE. Each raises AssertionError with a sentence. They know the protocol, not the engine's code.
"""

from __future__ import annotations

from hanode.sim import expect
from hanode.sim.node import Node
from hanode.sim.world import World
from hanode.vrrp.effects import State
from hanode.vrrp.engine_settings import PRIORITY_OWNER, PRIORITY_STOP, InstanceKey, InstanceSettings

CALM_US = 5_000_000
"""After so long without a fault, everything must have settled."""
ROUNDING_US = 50
"""keepalived computes with centiseconds."""
AH_INTERVALS = 40
"""Each is a new chance: their adverts shift against each other by the network's delay."""
PPM_MOST = 1_000
"""No clock of these worlds is further off than this."""

Place = tuple[str, InstanceKey]


def drifted(duration_us: int) -> int:
    """How long it can take by the world's time, measured by a clock that is off."""
    return duration_us + duration_us * PPM_MOST // 1_000_000 + ROUNDING_US


def _masters(world: World) -> set[Place]:
    """Who was master when the last step was done."""
    return {(n.name, one.key) for n in world.nodes.values() for one in n.last_masters}


class Addresses:
    """A node has the addresses exactly while it is master."""

    def __init__(self) -> None:
        self._ran: set[str] = set()

    def saw_fault(self, world: World, verb: str, names: tuple[str, ...]) -> None:
        """A stopped node must have given its addresses back."""
        if verb == "stop" and names[0] in self._ran:
            kept = [str(address) for address in world.nodes[names[0]].kernel]
            assert not kept, f"{names[0]} was stopped and kept {kept}"
        self._ran = {node.name for node in world.running() if node.runs}

    def saw_advert(self, world: World, node: Node, key: InstanceKey, priority: int) -> None:
        """Nothing."""

    def saw_step(self, world: World) -> None:
        """Kernel and state agree."""
        for node in world.running():
            if node.frozen:
                continue
            should = {address for one in node.last_masters for address in one.addresses}
            assert node.kernel == should, (
                f"{node.name} has {sorted(map(str, node.kernel))} and should have "
                f"{sorted(map(str, should))}"
            )


class Adverts:
    """Only a master sends adverts, one each interval, with its true priority."""

    def __init__(self) -> None:
        self._masters: set[Place] = set()

    def saw_fault(self, world: World, verb: str, names: tuple[str, ...]) -> None:
        """Note who is master."""
        self._note(world)

    def saw_advert(self, world: World, node: Node, key: InstanceKey, priority: int) -> None:
        """The sender is master, or was master just now and sends priority 0."""
        if priority == PRIORITY_STOP:
            was = (node.name, key) in self._masters
            assert was, f"{node.name} sends priority 0 for {key} but was no master"
            return
        state = node.state(key)
        assert state is State.MASTER, f"{node.name} is {state} and sends adverts for {key}"
        one = next((i for i in node.instances if i.key == key), None)
        if one is not None:
            true = expect.priority(node, one)
            assert priority == true, f"{node.name} sends priority {priority}, it has {true}"

    def saw_step(self, world: World) -> None:
        """No gap."""
        self._masters = _masters(world)
        for node in world.running():
            for one in node.last_masters if node.runs else ():
                gap_us = world.now_us - node.advert_sent_us.get(one.key, 0)
                assert gap_us <= drifted(one.advert_int_us), (
                    f"{node.name} is master and silent for {gap_us} us"
                )

    def _note(self, world: World) -> None:
        self._masters = {(n.name, one.key) for n in world.running() for one in n.masters()}


class Masters:
    """Of one VRID never two for longer than the faults justify, never none for longer than the
    formula."""

    def __init__(self, key: InstanceKey) -> None:
        self._key = key
        self._calm_us = 0
        """Since when nothing was done to the world."""
        self._priority_zero: tuple[str, int] | None = None
        """Who gave mastership up with priority 0, and when, with nothing else since."""
        self._advert_sent_us = 0
        """When the last ordinary advert was sent."""
        self._was_master: set[str] = set()
        self._ready = False
        """There was somebody who could be master."""
        self._two_us: int | None = None
        """Since when there are two."""
        self._rivals: list[tuple[Node, InstanceSettings]] = []
        """The masters of the moment before, where nothing was done to them since."""

    def saw_fault(self, world: World, verb: str, names: tuple[str, ...]) -> None:
        """After every fault the waiting begins anew."""
        calm = world.now_us - self._calm_us > CALM_US
        alone = len(self._was_master) == 1 and set(names) == self._was_master
        gone = verb in ("stop", "release") or (verb == "maintenance" and alone)
        by_priority_zero = gone and calm and alone and not self._disturbed(world)
        # An ordinary advert that is still on its way may come after that of priority 0.
        by_priority_zero = (
            by_priority_zero and world.now_us - self._advert_sent_us > expect.slack_us(world)
        )
        self._priority_zero = (names[0], world.now_us) if by_priority_zero else None
        self._calm_us = world.now_us
        self._rivals = []
        there = expect.instances(world, self._key)
        # Between a crash and a start nothing may have happened, and nobody have looked.
        self._ready = self._ready and any(expect.able(n, i) for n, i in there)
        if self._two_us is None and sum(n.state(self._key) is State.MASTER for n, _ in there) > 1:
            self._two_us = world.now_us  # the second one began while things were still disturbed

    def saw_advert(self, world: World, node: Node, key: InstanceKey, priority: int) -> None:
        """Note when it was no advert of priority 0."""
        if key == self._key and priority != PRIORITY_STOP:
            self._advert_sent_us = world.now_us

    def saw_step(self, world: World) -> None:
        """Count masters where nothing excuses two or none."""
        there = expect.instances(world, self._key)
        awake = [(n, i) for n, i in there if n.runs]
        masters = [(n, i) for n, i in awake if n.state(self._key) is State.MASTER]
        self._was_master = {n.name for n, _ in masters}
        if len(masters) == 1 and len(self._rivals) < 2:  # nearly always: all is well
            self._two_us, self._rivals, self._ready = None, masters, True
            if self._disturbed(world):
                self._calm_us = world.now_us
            return
        ready = [(n, i) for n, i in awake if expect.able(n, i)]
        if len(masters) < 2:
            self._two_us = None
        elif self._two_us is None:
            self._two_us = world.now_us
        grouped = any(node.settings.sync_groups for node, _ in there)
        settled = world.now_us - self._calm_us > expect.slack_us(world)
        if settled and len(self._rivals) > 1 and len(masters) == 1 and not grouped:
            # RFC 3768 section 6.4.3: the priority decides, then the address.
            best, _ = max(self._rivals, key=lambda rival: expect.claim(*rival))
            ours = masters[0][0]
            assert ours is best, f"{ours.name} stays master, {best.name} should"
        self._rivals = masters
        was_ready, self._ready = self._ready, bool(ready)
        if self._disturbed(world) or not ready or not was_ready:
            self._calm_us = world.now_us
            return
        calm_us = world.now_us - self._calm_us
        interval_us = max(i.advert_int_us for n in world.nodes.values() for i in n.instances)
        self._no_two(world, masters, interval_us)
        # A fault may have come just after an advert, or after a start. A member of a group waits
        # for the others, which may have received its last advert a moment later.
        slowest_us = max(_longest_wait_us(node, one, interval_us) for node, one in ready)
        limit_us = drifted(slowest_us * (2 if grouped else 1)) + expect.slack_us(world)
        assert masters or calm_us <= limit_us, f"no master {calm_us / 1e6:.3f} s after a fault"
        if not masters and not grouped:
            self._no_long_wait_after_priority_zero(world, ready, interval_us)

    def _no_long_wait_after_priority_zero(
        self, world: World, ready: list[tuple[Node, InstanceSettings]], interval_us: int
    ) -> None:
        if self._priority_zero is None:
            return
        leaver, since_us = self._priority_zero
        skews_us = [expect.skew_us(n, i, interval_us) for n, i in ready if n.name != leaver]
        waited_us = world.now_us - since_us
        limit_us = drifted(min(skews_us, default=waited_us)) + expect.slack_us(world)
        assert waited_us <= limit_us, f"no master {waited_us} us after priority 0"

    def _no_two(
        self, world: World, masters: list[tuple[Node, InstanceSettings]], interval_us: int
    ) -> None:
        if self._two_us is None:
            return
        # A new master sends an advert at once. Two that a fault has kept apart receive each other's
        # next one, within an interval.
        new = self._two_us > self._calm_us
        if any(one.auth_type == "AH" for _, one in masters):
            # Two that begin at once count alike and refuse each other, until one advert comes
            # before the other's next.
            new, interval_us = False, AH_INTERVALS * interval_us
        limit_us = (0 if new else drifted(interval_us)) + expect.slack_us(world)
        both_us = world.now_us - max(self._two_us, self._calm_us)
        names = " and ".join(node.name for node, _ in masters)
        assert both_us <= limit_us, f"{names} are both master for {both_us / 1e6:.3f} s"

    def _disturbed(self, world: World) -> bool:
        if world.link.parts or world.link.loss or any(node.frozen for node in world.running()):
            return True
        lists = [i.vips for n in world.running() for i in n.instances if i.key == self._key]
        if any(one is not lists[0] and one != lists[0] for one in lists):
            return True
        groups = [n.settings.sync_groups for n in world.running()]
        return any(one is not groups[0] and one != groups[0] for one in groups)


def _longest_wait_us(node: Node, one: InstanceSettings, master_advert_us: int) -> int:
    delays_us = one.startup_delay_us + one.preempt_delay_us
    return expect.master_down_us(node, one, master_advert_us) + delays_us


class PreemptPolicy:
    """Nobody takes over before the RFC's time has passed since the master's last advert."""

    def __init__(self) -> None:
        self._masters: set[Place] = set()

    def saw_fault(self, world: World, verb: str, names: tuple[str, ...]) -> None:
        """An operator may take what another one has."""
        if verb == "take":
            self._masters |= {(names[0], i.key) for i in world.nodes[names[0]].masters()}

    def saw_advert(self, world: World, node: Node, key: InstanceKey, priority: int) -> None:
        """Nothing."""

    def saw_step(self, world: World) -> None:
        """Look at who has just become master."""
        masters = _masters(world)
        for name, key in masters - self._masters:
            node = world.nodes[name]
            if key not in node.received:
                continue
            received_us, priority, master_advert_us = node.received[key]
            one = next(i for i in node.instances if i.key == key)
            if one.priority == PRIORITY_OWNER:
                continue  # RFC 9568 section 6.4.1: at its start it waits for nobody
            if one.auth_type == "AH" or one.hmac is not None:
                continue  # what is overtaken, or comes after being away, is refused as a replay
            waited_us = world.now_us - received_us
            master_advert_us = min(
                master_advert_us, one.advert_int_us
            )  # a reload of ours begins anew
            least_us = expect.master_down_us(node, one, master_advert_us)
            if priority == PRIORITY_STOP:
                least_us = expect.skew_us(node, one, master_advert_us)
            elif priority < expect.priority(node, one):
                least_us = 0
            least_us -= least_us * PPM_MOST // 1_000_000 + ROUNDING_US
            assert waited_us >= least_us, f"{name} took over after {waited_us} us, not {least_us}"
        self._masters = masters


class Faults:
    """Nobody takes part whose file, surroundings or operator say that it must not."""

    def __init__(self) -> None:
        self._resumed: set[str] = set()
        """Started again after a kill: these may go on before they know their trackers."""

    def saw_fault(self, world: World, verb: str, names: tuple[str, ...]) -> None:
        """Note who resumes."""
        if verb == "again":
            self._resumed.add(names[0])
        elif verb in ("start", "stop", "crash"):
            self._resumed.discard(names[0])

    def saw_advert(self, world: World, node: Node, key: InstanceKey, priority: int) -> None:
        """Nothing."""

    def saw_step(self, world: World) -> None:
        """Look at every instance."""
        for node in world.running():
            if node.frozen:
                continue
            for one in node.last_masters:
                assert expect.able(node, one, unknown=False), (
                    f"{node.name} is master of {one.name} in spite of a fault"
                )
            for one in node.instances if node.name not in self._resumed else ():
                if expect.waits(node, one):
                    state = node.state(one.key)
                    assert state not in (State.BACKUP, State.MASTER), (
                        f"{node.name} is {state} and does not know the trackers of {one.name} yet"
                    )


class Groups:
    """The members of a sync group are in one state, at every moment."""

    def saw_fault(self, world: World, verb: str, names: tuple[str, ...]) -> None:
        """Nothing: `saw_step` looks right after it."""

    def saw_advert(self, world: World, node: Node, key: InstanceKey, priority: int) -> None:
        """Nothing."""

    def saw_step(self, world: World) -> None:
        """Compare."""
        for node in world.running():
            for group in node.settings.sync_groups if node.runs else ():
                states = {i.name: node.state(i.key) for i in node.instances}
                ours = [(name, states[name]) for name in group.members]
                awake = {state for _, state in ours if state is not State.INIT}
                assert len(awake) <= 1, f"{node.name}: {group.name} disagrees: " + ", ".join(
                    f"{name} is {state}" for name, state in ours
                )


def the_right_one(world: World, *, free_choice: bool = False) -> None:
    """After a long time without faults: one master of each VRID, the highest.

    The neighbours know it.

    `free_choice`: an operator has released it, and who took it may keep it.
    """
    for key in expect.keys(world):
        ready = [(n, i) for n, i in expect.instances(world, key) if expect.able(n, i)]
        if not ready:
            continue
        masters = [(n, i) for n, i in ready if n.state(key) is State.MASTER]
        names = [n.name for n, _ in masters]
        assert len(masters) == 1, f"{names} are master of {key} at the end"
        node, one = masters[0]
        best = max(expect.priority(n, i) for n, i in ready)
        # Addresses decide only between two masters: an equal priority does not preempt.
        if not free_choice and not any(i.nopreempt for _, i in ready):
            assert expect.priority(node, one) == best, f"{names[0]} is master, not the highest"
        for address in one.vips:
            assert world.believed.get(address.ip) == node.name, (
                f"the neighbours look for {address.ip} at {world.believed.get(address.ip)}"
            )
