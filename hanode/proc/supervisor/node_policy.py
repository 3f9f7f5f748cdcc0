"""The node's policy at work: what it forbids in a pushed configuration, and what it says of itself.

DRIVER. The files are read anew for every push, so that nobody has to restart the node.
"""

from __future__ import annotations

import functools

from hanode import conf
from hanode.apply import File, RevisionLifecycle
from hanode.policy import OWN, judge, present
from hanode.proc.supervisor.options import Options
from hanode.system.policy_files import facts
from hanode.wire import NodePolicy

PROBLEMS_TOLD = 3
"""In the status: of a revision that runs and that the policy forbids by now."""
FORBIDDEN_TOLD = 20
"""Of a pushed file: more would fill the journal."""


@functools.lru_cache(maxsize=2)
def _named(file: File, node: str) -> tuple[conf.Named, ...]:
    """Of the pushed file and of the one that runs; the agent delivers one again and again."""
    return conf.named(file.text, name=file.name, node=node)


class PolicyKeeper:
    """Judges by the policy of this moment."""

    def __init__(self, options: Options) -> None:
        self._options = options
        files = (options.policy.path, options.policy.drop_ins)
        self._own = (
            *OWN,
            *map(str, (*files, options.state_dir, options.places.path, options.config_file)),
        )
        self._judged: tuple[File, NodePolicy, tuple[str, ...]] | None = None

    @property
    def now(self) -> NodePolicy:
        """The policy, for the status."""
        return self._options.policy.policy()

    def forbids(self, file: File, running: File) -> tuple[str, ...]:
        """What a pushed file may not have, in sentences; `running`: what was confirmed last."""
        policy = self.now
        if policy.fault:
            return (f"it takes no push before its policy is right: {policy.fault}",)
        node = self._options.name
        before = present(_named(running, node))
        found = judge(_named(file, node), policy, facts=facts(), running=before, own=self._own)
        if not found:
            self._judged = file, policy, ()  # the next status need not ask again
        first = tuple(map(str, found[:FORBIDDEN_TOLD]))
        rest = len(found) - len(first)
        return (*first, f"and {rest} more") if rest else first

    def problems(self, lifecycle: RevisionLifecycle) -> tuple[str, ...]:
        """Sentences for the status: a policy that is wrong, or one that forbids what runs."""
        policy, live = self.now, lifecycle.state.live
        if policy.fault:
            return (f"this node takes no push: {policy.fault}",)
        if not live.revision:
            return ()
        if self._judged is None or self._judged[:2] != (live, policy):
            self._judged = live, policy, self.forbids(live, live)
        found = self._judged[2]
        head = f"revision {live.revision} runs, but this node's policy would refuse it now"
        return tuple(f"{head}: {sentence}" for sentence in found[:PROBLEMS_TOLD])
