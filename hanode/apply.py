"""A revision's life on a node: received > verified > checked > staged > live > confirmed.

PURE. `Life` decides what happens to every signed envelope that reaches the node, and gives the
driver effects in the order in which they must happen. It never believes the messenger: a bundle
must carry the pinned key's signature, be meant for this node of this cluster, and be newer than
everything that ever ran here. A live revision that is not confirmed in time is given up for the
confirmed one, because the change may have cut the node off. Time is passed in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from hanode.wire import VERSION, Bundle, Confirmation, Signed, WireError, from_json

CONFIG_CHARACTERS_MAX = 2_000_000
"""Ten times the largest configuration we know of; keeps a broken bundle from filling the disk."""

CONFIRM_WITHIN_MAX_S = 3_600.0
"""A node that waits longer for a word from its control plane is simply not guarded."""

Verify = Callable[[Signed], bool]
"""Whether the signature is the pinned key's."""

Check = Callable[["File"], "tuple[str, ...]"]
"""The errors of a configuration in sentences; none: this node can run it."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the node is, as enrolled. Both empty: not enrolled, so every envelope is foreign."""

    node: str = ""
    cluster: str = ""


@dataclass(frozen=True, slots=True)
class Included:
    """What one `include` line of a file found when the file was read."""

    pattern: str
    origin: str
    """The file that the line stands in."""
    files: tuple[tuple[str, str], ...]
    """Names and texts."""


@dataclass(frozen=True, slots=True)
class File:
    """One revision's text. Revision 0 is the file the node was started with."""

    revision: int
    text: str
    name: str = "keepalived.conf"
    included: tuple[Included, ...] | None = None
    """The files it includes, as they were then; None: a pushed text, which is whole."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What must survive a restart; the driver writes it as one file, atomically."""

    live: File
    confirmed: File
    newest: int = 0
    """The newest revision that ever ran here: nothing up to it is taken again."""
    confirm_within_us: int = 0
    deadline_wall_us: int = 0
    """When the live revision is given up, unless confirmed; 0: never."""


@dataclass(frozen=True, slots=True)
class Configure:
    """Hand this file to the engine, and call `configured` with what became of it."""

    file: File


@dataclass(frozen=True, slots=True)
class Remember:
    """Write the memory, before anything after it is done."""

    memory: Memory


@dataclass(frozen=True, slots=True)
class Report:
    """Tell what happened; `phase` is one of `hanode.events.PHASES`."""

    revision: int
    phase: str
    cause: str
    problems: tuple[str, ...] = ()
    journal: bool = True
    """False: only an answer to whoever asked; telling it again would be noise."""


Effect = Configure | Remember | Report

T = TypeVar("T", Bundle, Confirmation)


@dataclass(frozen=True, slots=True)
class _Staged:
    """What the engine was given and has not answered for yet."""

    file: File
    confirm_within_us: int = 0
    why: str = ""
    """Not empty: the engine is going back, and this is why."""
    start_file: bool = False
    """The file the node was started with, read again: nobody has to confirm it."""


class Life:
    """The state of revisions on one node."""

    def __init__(self, identity: Identity, memory: Memory, *, verify: Verify, check: Check) -> None:
        self.identity = identity
        self.memory = memory
        self._verify = verify
        self._check = check
        self._staged: _Staged | None = None
        self._deadline_us: int | None = None
        self._last_refused: Signed | None = None

    @property
    def staged_revision(self) -> int | None:
        """The revision that the engine is taking just now."""
        return self._staged.file.revision if self._staged else None

    @property
    def deadline_us(self) -> int | None:
        """When `tick` must be called at the latest."""
        return None if self._staged else self._deadline_us

    def wake(self, *, now_us: int, wall_us: int) -> None:
        """Take up the memory's deadline after a restart.

        The wall clock may have jumped meanwhile, so the node never waits longer than it was told.
        """
        if self.memory.deadline_wall_us:
            left = max(0, self.memory.deadline_wall_us - wall_us)
            self._deadline_us = now_us + min(left, self.memory.confirm_within_us)

    def receive(self, envelope: Signed, *, now_us: int, wall_us: int) -> list[Effect]:
        """Take a signed bundle, or refuse it."""
        if self._staged is not None:
            sentence = f"revision {self._staged.file.revision} is being taken just now; try again"
            return [Report(0, "refused", sentence, journal=False)]
        try:
            bundle = self._opened(envelope)
        except _RefusedError as refused:
            return [self._refusal(envelope, 0, refused.cause)]
        memory, revision = self.memory, bundle.revision
        if revision == memory.live.revision and bundle.config == memory.live.text:
            return [Report(revision, "live", "it is live already", journal=False)]
        if revision <= memory.newest:
            return [self._stale(envelope, revision)]
        heard: list[Effect] = [
            Report(revision, "received", "from the control plane"),
            Report(revision, "verified", "signed by the pinned key, for this node, and newer"),
        ]
        file = File(revision, bundle.config)
        problems = self._check(file)
        if problems:
            cause = f"the configuration has {_count(problems)}: {problems[0]}"
            return [*heard, self._refusal(envelope, revision, cause, problems)]
        within_s = max(0.0, min(bundle.confirm_within_s, CONFIRM_WITHIN_MAX_S))
        self._staged = _Staged(file, round(within_s * 1_000_000))
        return [
            *heard,
            Report(revision, "checked", "no errors"),
            Report(revision, "staged", "handed to the engine"),
            Configure(file),
        ]

    def configured(
        self, revision: int, error: str | None, *, now_us: int, wall_us: int
    ) -> list[Effect]:
        """The engine took what `Configure` gave it, or says why not."""
        staged = self._staged
        if staged is None or staged.file.revision != revision:
            return []
        self._staged = None
        if staged.why:
            return self._went_back(staged, error)
        if error is not None:
            back = Configure(self.memory.live)
            return [Report(revision, "refused", f"the engine did not take it: {error}"), back]
        if staged.start_file:
            self.memory = replace(self.memory, live=staged.file, confirmed=staged.file)
            return [Remember(self.memory), Report(revision, "live", "the engine runs it")]
        deadline_wall_us = 0
        self._deadline_us = None
        if staged.confirm_within_us:
            self._deadline_us = now_us + staged.confirm_within_us
            deadline_wall_us = wall_us + staged.confirm_within_us
        self.memory = replace(
            self.memory,
            live=staged.file,
            newest=max(revision, self.memory.newest),
            confirm_within_us=staged.confirm_within_us,
            deadline_wall_us=deadline_wall_us,
        )
        return [Remember(self.memory), Report(revision, "live", "the engine runs it")]

    def confirm(self, envelope: Signed) -> list[Effect]:
        """Take a signed confirmation of the live revision, or refuse it."""
        try:
            confirmation = self._opened_confirmation(envelope)
        except _RefusedError as refused:
            return [self._refusal(envelope, 0, refused.cause)]
        revision, memory = confirmation.revision, self.memory
        if revision == memory.confirmed.revision:
            return [Report(revision, "confirmed", "it was confirmed before", journal=False)]
        if self._staged is not None or revision != memory.live.revision:
            cause = (
                f"a confirmation of revision {revision}, but "
                f"revision {memory.live.revision} is live"
            )
            return [Report(revision, "refused", cause, journal=False)]
        self._deadline_us = None
        self.memory = replace(memory, confirmed=memory.live, deadline_wall_us=0)
        return [
            Remember(self.memory),
            Report(revision, "confirmed", "the control plane saw this node healthy on it"),
        ]

    def tick(self, *, now_us: int) -> list[Effect]:
        """Give up the live revision when its confirmation is overdue."""
        if self._staged is not None or self._deadline_us is None or now_us < self._deadline_us:
            return []
        seconds = self.memory.confirm_within_us / 1_000_000
        self._deadline_us = None
        why = f"no confirmation came within {seconds:g} s"
        self._staged = _Staged(self.memory.confirmed, why=why)
        return [Configure(self.memory.confirmed)]

    def reload(self, file: File) -> list[Effect]:
        """Take the start file anew; only a node that was never pushed to runs it."""
        revision = self.memory.live.revision
        if revision:
            sentence = (
                f"revision {revision} came from the control plane and is live; "
                "push a new revision instead"
            )
            return [Report(0, "refused", sentence, journal=False)]
        if self._staged is not None:
            return [Report(0, "refused", "another change is being taken; try again", journal=False)]
        problems = self._check(file)
        if problems:
            cause = f"the file has {_count(problems)}: {problems[0]}"
            return [Report(0, "refused", cause, problems)]
        self._staged = _Staged(file, start_file=True)
        return [Report(0, "checked", "no errors"), Configure(file)]

    def _opened(self, envelope: Signed) -> Bundle:
        self._check_seal(envelope, "bundle")
        bundle = _parsed(Bundle, envelope)
        self._check_addressee(bundle)
        if len(bundle.config) > CONFIG_CHARACTERS_MAX:
            raise _RefusedError(
                f"its configuration is longer than {CONFIG_CHARACTERS_MAX} characters"
            )
        if bundle.revision < 1:
            raise _RefusedError(f"it has the revision {bundle.revision}; revisions begin at 1")
        return bundle

    def _opened_confirmation(self, envelope: Signed) -> Confirmation:
        self._check_seal(envelope, "confirmation")
        confirmation = _parsed(Confirmation, envelope)
        self._check_addressee(confirmation)
        return confirmation

    def _check_seal(self, envelope: Signed, kind: str) -> None:
        if envelope.kind != kind:
            raise _RefusedError(f"it is a {envelope.kind[:40]!r}, not a {kind}")
        if not self.identity.node:
            raise _RefusedError("this node is not enrolled with any control plane")
        if not envelope.signature:
            raise _RefusedError("it is not signed")
        if not self._verify(envelope):
            raise _RefusedError("its signature is not that of the control plane this node trusts")

    def _check_addressee(self, message: Bundle | Confirmation) -> None:
        if message.v > VERSION:
            raise _RefusedError(f"it speaks version {message.v}; this node knows {VERSION}")
        if message.cluster != self.identity.cluster:
            raise _RefusedError(f"it is for the cluster {message.cluster!r}, not for this one")
        if message.node != self.identity.node:
            raise _RefusedError(f"it is for the node {message.node!r}, not for this one")

    def _stale(self, envelope: Signed, revision: int) -> Report:
        newest, live = self.memory.newest, self.memory.live.revision
        if revision == newest and live < newest:
            cause = f"revision {revision} was given up here before; push a newer one"
            return Report(revision, "refused", cause, journal=False)
        cause = f"revision {revision} is not newer than {newest}, which ran here already"
        return self._refusal(envelope, revision, cause)

    def _refusal(
        self, envelope: Signed, revision: int, cause: str, problems: tuple[str, ...] = ()
    ) -> Report:
        # The desired revision is offered again and again; one refusal of it is news.
        again = envelope == self._last_refused
        self._last_refused = envelope
        return Report(revision, "refused", cause, problems, journal=not again)

    def _went_back(self, staged: _Staged, error: str | None) -> list[Effect]:
        given_up = self.memory.live.revision
        self.memory = replace(self.memory, live=staged.file, deadline_wall_us=0)
        cause = f"{staged.why}; back to revision {staged.file.revision}"
        problems = () if error is None else (f"the engine did not take the old file: {error}",)
        return [Remember(self.memory), Report(given_up, "reverted", cause, problems)]


class _RefusedError(Exception):
    """An envelope that this node does not accept, and why."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


def _parsed(cls: type[T], envelope: Signed) -> T:
    try:
        return from_json(cls, envelope.payload)
    except WireError as error:
        raise _RefusedError(f"it cannot be read: {error}") from None


def _count(problems: tuple[str, ...]) -> str:
    return "an error" if len(problems) == 1 else f"{len(problems)} errors"
