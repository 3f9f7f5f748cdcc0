"""Which signed envelopes of the broker the agent passes on to the supervisor.

PURE. The keys `node.<id>:desired` and `node.<id>:confirmed` are read again and again, so most of
what comes is known. An envelope is checked here only so that nonsense goes no further; the
supervisor verifies it itself (`hanode.apply`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from hanode.wire import Bundle, Confirmation, Enrolment, Sealed, Signed, WireError, from_json

SETTLED_MAX = 1_000
"""So many digests are remembered; after that the supervisor may be asked once more."""

Verb = Literal["apply", "confirm"]
Unseal = Callable[[str, str], str]
"""(kind, payload of a Sealed) → the JSON of the envelope in it. Raises WireError."""
KINDS: dict[Verb, str] = {"apply": "bundle", "confirm": "confirmation"}


@dataclass(frozen=True, slots=True)
class Revisions:
    """What the supervisor runs."""

    live: int
    confirmed: int
    live_sha256: str = ""
    """Of the live text; empty: a supervisor of an earlier release did not say."""


@dataclass(frozen=True, slots=True)
class PassOn:
    """Give the envelope to the supervisor; once it has answered, call `settled`."""

    verb: Verb
    envelope: Signed


@dataclass(frozen=True, slots=True)
class Refuse:
    """Tell the supervisor why the agent does not pass it on, then call `settled`."""

    cause: str


def _no_content_key(_kind: str, _payload: str) -> str:
    raise WireError("it is sealed, and this node has no content key")


class EnvelopeInbox:
    """Remembers which envelopes have had their answer."""

    def __init__(
        self,
        enrolment: Enrolment,
        verify: Callable[[Signed], bool],
        unseal: Unseal = _no_content_key,
    ) -> None:
        self._enrolment = enrolment
        self._verify = verify
        self._unseal = unseal
        self._settled: set[str] = set()

    def is_news(self, text: bytes) -> bool:
        """Whether the value of a key has to be looked at; b"": there is no envelope."""
        return bool(text) and _digest(text) not in self._settled

    def received(self, verb: Verb, text: bytes, runs: Revisions) -> PassOn | Refuse | None:
        """What to do with an envelope that is news; None: nothing (now). No bytes make it raise."""
        try:
            envelope, message = self._opened(verb, text)
        except (ValueError, RecursionError) as error:  # WireError is a ValueError
            return Refuse(f"the agent did not pass it on: {error}")
        if _is_known(message, runs):
            self.settled(text)
            return None
        if isinstance(message, Confirmation) and message.revision != runs.live:
            return None  # its bundle is still on the way, or was given up
        return PassOn(verb, envelope)

    def settled(self, text: bytes) -> None:
        """The envelope needs nothing more."""
        if len(self._settled) > SETTLED_MAX:
            self._settled.clear()
        self._settled.add(_digest(text))

    def _opened(self, verb: Verb, text: bytes) -> tuple[Signed, Bundle | Confirmation]:
        """The envelope and its message. Raises WireError when it is not for this node."""
        kind = KINDS[verb]
        envelope = from_json(Signed, text)
        if envelope.kind == Sealed.KIND:
            envelope = from_json(Signed, self._unseal(kind, envelope.payload))
        if envelope.kind != kind:
            raise WireError(f"it is a {envelope.kind[:40]!r}, not a {kind}")
        if not self._verify(envelope):
            raise WireError("its signature is not that of the control plane this node trusts")
        message: Bundle | Confirmation
        if verb == "apply":
            message = from_json(Bundle, envelope.payload)
        else:
            message = from_json(Confirmation, envelope.payload)
        if message.cluster != self._enrolment.cluster or message.node != self._enrolment.node:
            raise WireError(
                f"it is for the node {message.node!r} of the cluster {message.cluster!r}"
            )
        return envelope, message


def _is_known(message: Bundle | Confirmation, runs: Revisions) -> bool:
    """Whether the node has it. Another content under a number that is live is no such thing."""
    if isinstance(message, Confirmation):
        return message.revision == runs.confirmed
    if message.revision != runs.live:
        return False
    return runs.live_sha256 in ("", _digest(message.config.encode("utf-8", "replace")))


def _digest(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()
