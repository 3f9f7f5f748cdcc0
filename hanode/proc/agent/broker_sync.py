"""The agent's carrying: events and status up to the broker, signed envelopes down from it.

DRIVER. One asyncio loop. Nothing is kept here: events wait in the supervisor's journal until
the control plane says which it has (`node.<id>:acked`), and what the node should run is read
from `node.<id>:desired` and `node.<id>:confirmed` again and again, so a lost message, a broker
that was away and a restarted agent all come to the same end. Envelopes are looked at here only
so that nonsense goes no further; the supervisor verifies them itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import redis
import redis.asyncio

from hanode.proc.agent.control_link import ControlLink
from hanode.system.ipc import Refused, Unreachable
from hanode.wire import (
    Bundle,
    Confirmation,
    Enrolment,
    NodeStatus,
    Signed,
    WireError,
    decode,
    from_json,
    to_json,
)

BACKOFF_S = (0.1, 0.2, 0.4, 0.8, 1.0)
"""Short: a broker that is back should hear of the node at once; it is one node's few bytes."""

BROKER_TIMEOUT_S = 3.0
"""Longer than any pause of a healthy broker; a silent one counts as away after this."""

COALESCE_S = 0.03
"""A failover is three events within a few milliseconds: one status tells them all."""

BATCH = 200

STREAM_ENTRIES_MAX = 5_000
"""About the heartbeats of an hour: all that piles up while nobody reads the stream."""

RESEND_AFTER = STREAM_ENTRIES_MAX * 3 // 4
"""After so many entries without a receipt, events may have been trimmed: they are sent again."""

WINDOW = 1_000
"""Events on their way, at most: the stream is bounded, and must never be the one to drop them."""

WINDOW_POLL_S = 0.05

SETTLED_MAX = 1_000

HEARTBEAT_MIN_S = 0.1

QUIET = frozenset({"warning"})
"""Kinds of event that do not change the status."""

Verify = Callable[[Signed], bool]


def redis_url(url: str) -> str:
    """redis-py's spelling of Celery's URL of a Unix socket."""
    return url.replace("redis+socket://", "unix://", 1)


class BrokerSync:
    """Carries for one enrolled node until `stop`."""

    def __init__(
        self,
        enrolment: Enrolment,
        control: Path,
        *,
        verify: Verify,
        say: Callable[[dict[str, Any]], None],
    ) -> None:
        self._enrolment = enrolment
        self._control = control
        self._verify = verify
        self._say = say
        self._key = f"node.{enrolment.node}"
        self._stream = f"up.{enrolment.node}"
        self._broker = self._client()
        self._heart = self._client(redis_connect_func=self._heart_connected)
        self._heart_connections = 0
        self._heartbeat_s = max(HEARTBEAT_MIN_S, enrolment.heartbeat_s)
        self._broker_up: bool | None = None
        self._complaint = ""
        self._beat_now = asyncio.Event()
        self._pull_now = asyncio.Event()
        self._follow_again = asyncio.Event()
        self._sent = 0
        self._sent_more = asyncio.Event()
        self._acked = ""
        self._since_ack = 0
        self._settled: set[str] = set()
        """Digests of envelopes that have had their answer."""

    async def run(self) -> None:
        """Never ends by itself."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._keep_trying(self._follow))
            tasks.create_task(self._keep_trying(self._beat))
            tasks.create_task(self._keep_trying(self._pull))

    def nudge(self) -> None:
        """Look at the desired revision now."""
        self._pull_now.set()

    async def flush(self) -> None:
        """Everything that has happened is sent, and a last status after it."""
        if self._broker_up is not True:
            return
        async with ControlLink(self._control) as link:
            answer = await link.request("status")
            while self._sent < int(answer.get("seq", 0)):
                self._sent_more.clear()
                await self._sent_more.wait()
            await self._send_status(answer)

    def _client(self, **options: Any) -> Any:
        return redis.asyncio.from_url(
            redis_url(self._enrolment.broker_url),
            socket_timeout=BROKER_TIMEOUT_S,
            socket_connect_timeout=BROKER_TIMEOUT_S,
            retry=None,
            decode_responses=True,
            **options,
        )

    async def _heart_connected(self, connection: Any) -> None:
        """The heart has one connection: a second one means that the broker was away.

        It may have been away so shortly that no command failed, and yet have forgotten the
        stream's last entries; so events are sent again from the receipt on.
        """
        await connection.on_connect()
        self._heart_connections += 1
        if self._heart_connections > 1:
            self._follow_again.set()

    async def _keep_trying(self, work: Callable[[], Any]) -> None:
        """Run `work` for ever; whatever it needs may be away for a while."""
        tries = 0
        while True:
            began = time.monotonic()
            try:
                await work()
            except (redis.RedisError, OSError) as error:
                self._note_broker(False, str(error) or type(error).__name__)
            except Unreachable as error:
                # If the supervisor is gone, the end of its line ends us too.
                self._complain(f"the agent cannot reach its supervisor: {error}")
            tries = 0 if time.monotonic() - began > 2.0 else tries + 1
            await asyncio.sleep(BACKOFF_S[min(tries, len(BACKOFF_S)) - 1] if tries else 0)

    def _note_broker(self, up: bool, cause: str = "") -> None:
        if up != self._broker_up:
            self._broker_up = up
            self._say({"kind": "broker", "up": up, "cause": cause})
            if up:
                self._pull_now.set()

    def _complain(self, sentence: str) -> None:
        if sentence != self._complaint:
            self._complaint = sentence
            self._say({"kind": "problems", "problems": [sentence] if sentence else []})

    # Up: events

    async def _follow(self) -> None:
        """Send events from the control plane's receipt on."""
        acked = await self._read_acked()
        self._follow_again.clear()
        async with ControlLink(self._control) as link:
            head = await link.request("subscribe", journal=acked[0], after=acked[1])
            journal = str(head.get("journal"))
            self._sent = acked[1] if journal == acked[0] else 0
            again = asyncio.ensure_future(self._follow_again.wait())
            try:
                while not again.done():
                    await self._send_batch(await link.messages(BATCH, until=again))
                    while self._ahead_of(acked, journal) > WINDOW and not again.done():
                        await asyncio.sleep(WINDOW_POLL_S)
                        acked = await self._read_acked()
            finally:
                again.cancel()

    def _ahead_of(self, acked: tuple[str, int], journal: str) -> int:
        """How many events are on their way."""
        return self._sent - (acked[1] if acked[0] == journal else 0)

    async def _read_acked(self) -> tuple[str, int]:
        """Journal and number that the control plane has stored up to; ("", 0): none."""
        text = await self._broker.get(f"{self._key}:acked")
        self._note_broker(True)
        journal, _, seq = str(text or "").partition(" ")
        return (journal, int(seq)) if seq.isdigit() else ("", 0)

    async def _send_batch(self, messages: list[dict[str, Any]]) -> None:
        if not messages:
            return
        events = [message.get("event") or {} for message in messages]
        pipe = self._broker.pipeline(transaction=False)
        for event in events:
            self._add(pipe, "event", to_json(event))
        if any(event.get("kind") not in QUIET for event in events):
            self._beat_now.set()
        await pipe.execute()
        self._note_broker(True)
        self._sent = max(int(event.get("seq", 0)) for event in events)
        self._since_ack += len(events)
        self._sent_more.set()

    def _add(self, pipe: Any, kind: str, text: str) -> None:
        fields = {"t": kind, "d": text}
        pipe.xadd(self._stream, fields, maxlen=STREAM_ENTRIES_MAX, approximate=True)

    # Up: status

    async def _beat(self) -> None:
        """Send the status at every heartbeat, and soon after something happened."""
        async with ControlLink(self._control) as link:
            while True:
                self._beat_now.clear()
                answer = await link.request("status")
                self._complain("")
                await self._send_status(answer)
                self._pull_now.set()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._beat_now.wait(), self._heartbeat_s)
                    await asyncio.sleep(COALESCE_S)

    async def _send_status(self, answer: dict[str, Any]) -> None:
        pipe = self._heart.pipeline(transaction=False)
        self._add(pipe, "status", to_json(answer["status"]))
        pipe.get(f"{self._key}:acked")
        _added, acked = await pipe.execute()
        self._note_broker(True)
        self._since_ack = 0 if acked != self._acked else self._since_ack + 1
        self._acked = acked or ""
        behind = self._acked != f"{answer.get('journal')} {self._sent}"
        if behind and self._since_ack > RESEND_AFTER:
            self._since_ack = 0
            self._follow_again.set()

    # Down: what the node should run

    async def _pull(self) -> None:
        async with ControlLink(self._control) as link:
            while True:
                await self._pull_now.wait()
                self._pull_now.clear()
                keys = [f"{self._key}:desired", f"{self._key}:confirmed"]
                desired, confirmed = await self._broker.mget(keys)
                self._note_broker(True)
                if await self._take(link, "apply", desired):
                    self._beat_now.set()
                if await self._take(link, "confirm", confirmed):
                    self._beat_now.set()

    async def _take(self, link: ControlLink, verb: str, text: str | None) -> bool:
        """Hand the envelope to the supervisor if it is news; whether it was."""
        if not text or _digest(text) in self._settled:
            return False
        status = decode(NodeStatus, (await link.request("status"))["status"])
        try:
            envelope, revision = self._opened(verb, text)
        except WireError as error:
            cause = f"the agent did not pass it on: {error}"
            await self._settle(link, text, "refused", cause=cause, revision=0)
            return True
        done = status.revision if verb == "apply" else status.confirmed_revision
        if revision == done:
            self._settled.add(_digest(text))
            return False
        if verb == "confirm" and revision != status.revision:
            return False  # its bundle is still on the way, or was given up
        await self._settle(link, text, verb, envelope=_plain(envelope))
        return True

    async def _settle(self, link: ControlLink, text: str, verb: str, **fields: Any) -> None:
        with contextlib.suppress(Refused):  # the supervisor has told it in an event
            await link.request(verb, **fields)
        if len(self._settled) > SETTLED_MAX:
            self._settled.clear()
        self._settled.add(_digest(text))

    def _opened(self, verb: str, text: str) -> tuple[Signed, int]:
        """The envelope and its revision. Raises WireError when it is not for this node."""
        envelope = from_json(Signed, text)
        kind = "bundle" if verb == "apply" else "confirmation"
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
        return envelope, message.revision


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(envelope: Signed) -> dict[str, str]:
    return {
        "kind": envelope.kind,
        "payload": envelope.payload,
        "signature": envelope.signature,
    }
