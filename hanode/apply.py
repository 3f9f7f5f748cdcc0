"""A revision's life on a node: received > verified > checked > staged > live > confirmed.

PURE. `RevisionLifecycle` decides what happens to every signed envelope that reaches the node. Its
methods return effects in the order in which the driver must carry them out. It does not trust the
agent, which delivers the envelope: a bundle must carry the pinned key's signature, name this node
and this cluster, and be newer than everything that ever ran here. When a live revision is not
confirmed in time, the node returns to the confirmed one, because the change may have cut the node
off from the control plane. The caller passes the time in, in microseconds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from hanode.wire import VERSION, Bundle, Confirmation, Signed, WireError, from_json

CONFIG_CHARACTERS_MAX = 2_000_000
"""Ten times the largest configuration known; a broken bundle must not fill the disk."""

CONFIRM_WITHIN_MAX_S = 3_600.0
"""A longer wait would protect nobody: the node would stay cut off for that long."""

Verify = Callable[[Signed], bool]
"""Whether the signature is the pinned key's."""

Check = Callable[["File"], "tuple[str, ...]"]
"""Returns the errors of a configuration as sentences; (): this node can run it."""


def _permitted(_file: File) -> tuple[str, ...]:
    return ()


@dataclass(frozen=True, slots=True)
class Identity:
    """The node, as enrolled. Both fields empty: not enrolled, so it refuses every envelope."""

    node: str = ""
    cluster: str = ""


@dataclass(frozen=True, slots=True)
class Included:
    """What one `include` line of a file found when the file was read."""

    pattern: str
    origin: str
    """The file that contains the `include` line."""
    files: tuple[tuple[str, str], ...]
    """Names and texts."""


@dataclass(frozen=True, slots=True)
class File:
    """One revision's text. Revision 0 is the file the node was started with."""

    revision: int
    text: str
    name: str = "keepalived.conf"
    included: tuple[Included, ...] | None = None
    """The files it includes, as they were when it was read; None: a pushed text, which has none."""

    @property
    def sha256(self) -> str:
        """Of the text, in hex; the control plane compares it with what it sent."""
        return hashlib.sha256(self.text.encode("utf-8", "replace")).hexdigest()


@dataclass(frozen=True, slots=True)
class PersistedState:
    """What must survive a restart; the driver writes it as one file, atomically.

    The field names are JSON keys of `revisions.json` and must not change.
    """

    live: File
    confirmed: File
    newest: int = 0
    """The newest revision that ever ran here: nothing up to it is taken again."""
    confirm_within_us: int = 0
    deadline_wall_us: int = 0
    """When the live revision is given up, unless confirmed; 0: never."""


@dataclass(frozen=True, slots=True)
class Configure:
    """Give this file to the engine, then call `configured` with the result."""

    file: File


@dataclass(frozen=True, slots=True)
class Persist:
    """Write the state to disk before carrying out the effects that follow."""

    state: PersistedState


@dataclass(frozen=True, slots=True)
class Report:
    """Report what happened; `phase` is one of `hanode.events.PHASES`."""

    revision: int
    phase: str
    cause: str
    problems: tuple[str, ...] = ()
    journal: bool = True
    """False: answer the request only; the journal has this report already, or does not need it."""


Effect = Configure | Persist | Report

T = TypeVar("T", Bundle, Confirmation)


@dataclass(frozen=True, slots=True)
class _Staged:
    """A file that the engine was given and has not accepted or refused yet."""

    file: File
    confirm_within_us: int = 0
    why: str = ""
    """Not empty: the node returns to an earlier revision, for this reason."""
    start_file: bool = False
    """True: a reload of the file the node was started with, which needs no confirmation."""


class RevisionLifecycle:
    """Which revision is staged, live and confirmed on one node."""

    def __init__(
        self,
        identity: Identity,
        state: PersistedState,
        *,
        verify: Verify,
        check: Check,
        permit: Check = _permitted,
    ) -> None:
        """`permit` returns what the node's own policy forbids in a pushed configuration; it does
        not bind the file the node was started with, nor a revision that runs already.
        """
        self.identity = identity
        self.state = state
        self._verify = verify
        self._check = check
        self._permit = permit
        self._staged: _Staged | None = None
        self._deadline_us: int | None = None
        self._last_refused: Signed | None = None

    @property
    def staged_revision(self) -> int | None:
        """The revision that the engine was given and has not answered for yet; None: none."""
        return self._staged.file.revision if self._staged else None

    @property
    def deadline_us(self) -> int | None:
        """When `tick` must be called at the latest."""
        return None if self._staged else self._deadline_us

    def wake(self, *, now_us: int, wall_us: int) -> None:
        """Resume the persisted confirmation deadline after a restart.

        The wall clock may have jumped meanwhile, so the node never waits longer than the bundle
        allowed.
        """
        if self.state.deadline_wall_us:
            left = max(0, self.state.deadline_wall_us - wall_us)
            self._deadline_us = now_us + min(left, self.state.confirm_within_us)

    def receive(self, envelope: Signed, *, now_us: int, wall_us: int) -> list[Effect]:
        """Accept or refuse a signed bundle."""
        if self._staged is not None:
            sentence = f"revision {self._staged.file.revision} is being taken just now; try again"
            return [Report(0, "refused", sentence, journal=False)]
        try:
            bundle = self._opened(envelope)
        except _RefusedError as refused:
            return [self._refusal(envelope, 0, refused.cause)]
        state, revision = self.state, bundle.revision
        if revision == state.live.revision and bundle.config == state.live.text:
            return [Report(revision, "live", "it is live already", journal=False)]
        if revision <= state.newest:
            return [self._stale(envelope, revision)]
        accepted: list[Effect] = [
            Report(revision, "received", "from the control plane"),
            Report(revision, "verified", "signed by the pinned key, for this node, and newer"),
        ]
        file = File(revision, bundle.config)
        # First: checking reads the files that the configuration names.
        forbidden = self._permit(file)
        if forbidden:
            more = f" (and {len(forbidden) - 1} more)" if len(forbidden) > 1 else ""
            cause = f"this node's policy forbids it: {forbidden[0]}{more}"
            return [*accepted, self._refusal(envelope, revision, cause, forbidden)]
        problems = self._check(file)
        if problems:
            cause = f"the configuration has {_count(problems)}: {problems[0]}"
            return [*accepted, self._refusal(envelope, revision, cause, problems)]
        within_s = max(0.0, min(bundle.confirm_within_s, CONFIRM_WITHIN_MAX_S))
        self._staged = _Staged(file, round(within_s * 1_000_000))
        return [
            *accepted,
            Report(revision, "checked", "no errors"),
            Report(revision, "staged", "handed to the engine"),
            Configure(file),
        ]

    def configured(
        self, revision: int, error: str | None, *, now_us: int, wall_us: int
    ) -> list[Effect]:
        """The engine accepted the file of `Configure` (`error` is None) or refused it."""
        staged = self._staged
        if staged is None or staged.file.revision != revision:
            return []
        self._staged = None
        if staged.why:
            return self._went_back(staged, error)
        if error is not None:
            back = Configure(self.state.live)
            return [Report(revision, "refused", f"the engine did not take it: {error}"), back]
        if staged.start_file:
            self.state = replace(self.state, live=staged.file, confirmed=staged.file)
            return [Persist(self.state), Report(revision, "live", "the engine runs it")]
        deadline_wall_us = 0
        self._deadline_us = None
        if staged.confirm_within_us:
            self._deadline_us = now_us + staged.confirm_within_us
            deadline_wall_us = wall_us + staged.confirm_within_us
        self.state = replace(
            self.state,
            live=staged.file,
            newest=max(revision, self.state.newest),
            confirm_within_us=staged.confirm_within_us,
            deadline_wall_us=deadline_wall_us,
        )
        return [Persist(self.state), Report(revision, "live", "the engine runs it")]

    def confirm(self, envelope: Signed) -> list[Effect]:
        """Accept or refuse a signed confirmation of the live revision."""
        try:
            confirmation = self._opened_confirmation(envelope)
        except _RefusedError as refused:
            return [self._refusal(envelope, 0, refused.cause)]
        revision, state = confirmation.revision, self.state
        same = confirmation.config_sha256 in ("", state.confirmed.sha256)
        if same and revision == state.confirmed.revision:
            return [Report(revision, "confirmed", "it was confirmed before", journal=False)]
        if self._staged is not None or revision != state.live.revision:
            cause = (
                f"a confirmation of revision {revision}, but revision {state.live.revision} is live"
            )
            return [Report(revision, "refused", cause, journal=False)]
        if confirmation.config_sha256 not in ("", state.live.sha256):
            cause = f"a confirmation of another revision {revision} than the one that is live here"
            return [self._refusal(envelope, revision, cause)]
        self._deadline_us = None
        self.state = replace(state, confirmed=state.live, deadline_wall_us=0)
        return [
            Persist(self.state),
            Report(revision, "confirmed", "the control plane saw this node healthy on it"),
        ]

    def tick(self, *, now_us: int) -> list[Effect]:
        """Return to the confirmed revision when the confirmation is overdue."""
        if self._staged is not None or self._deadline_us is None or now_us < self._deadline_us:
            return []
        seconds = self.state.confirm_within_us / 1_000_000
        self._deadline_us = None
        why = f"no confirmation came within {seconds:g} s"
        self._staged = _Staged(self.state.confirmed, why=why)
        return [Configure(self.state.confirmed)]

    def reload(self, file: File) -> list[Effect]:
        """Accept the start file again; only a node that never got a pushed revision runs it."""
        revision = self.state.live.revision
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
        newest, live = self.state.newest, self.state.live.revision
        if revision == newest and live < newest:
            cause = f"revision {revision} was given up here before; push a newer one"
            return Report(revision, "refused", cause, journal=False)
        if revision == live:
            cause = f"another revision {revision} is live here; push again, under a number above it"
            return self._refusal(envelope, revision, cause)
        cause = f"revision {revision} is not newer than {newest}, which ran here already"
        return self._refusal(envelope, revision, cause)

    def _refusal(
        self, envelope: Signed, revision: int, cause: str, problems: tuple[str, ...] = ()
    ) -> Report:
        # The agent delivers the desired revision again and again: the journal gets one refusal.
        again = envelope == self._last_refused
        self._last_refused = envelope
        return Report(revision, "refused", cause, problems, journal=not again)

    def _went_back(self, staged: _Staged, error: str | None) -> list[Effect]:
        given_up = self.state.live.revision
        self.state = replace(self.state, live=staged.file, deadline_wall_us=0)
        cause = f"{staged.why}; back to revision {staged.file.revision}"
        problems = () if error is None else (f"the engine did not take the old file: {error}",)
        return [Persist(self.state), Report(given_up, "reverted", cause, problems)]


class _RefusedError(Exception):
    """This node does not accept an envelope; `cause` says why."""

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
