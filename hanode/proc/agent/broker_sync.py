"""Carries between the broker and the supervisor: events and status up, signed envelopes down.

DRIVER. One asyncio loop. Nothing is kept here: events wait in the supervisor's journal until
the control plane has stored them (`node.<id>:acked`), and what the node should run is read from
`node.<id>:desired` and `node.<id>:confirmed` again and again. So a lost message, a broker that was
away and a restarted agent all lead to the same end. `hanode.supervision` decides which envelopes
are passed on (`envelopes`) and when events are sent again (`delivery`).
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import redis
import redis.asyncio

from hanode.supervision.broker_state import is_refusal
from hanode.supervision.delivery import (
    STREAM_ENTRIES_MAX,
    Delivery,
    Receipt,
    changes_status,
    receipt,
)
from hanode.supervision.envelopes import EnvelopeInbox, PassOn, Refuse, Revisions, Verb
from hanode.supervision.liveness import Liveness
from hanode.supervision.respawn import Retry
from hanode.system.ipc import Client, Refused, Unreachable
from hanode.system.sealing import unsealer
from hanode.wire import Enrolment, Signed, encode, to_json

BROKER_TIMEOUT_S = 3.0
"""Longer than any pause of a healthy broker; a silent one counts as away after this."""

ANSWER_TIMEOUT_S = 30.0
"""The engine may wait for its children twice: to take a revision, and to return to the old one."""

COALESCE_S = 0.03
"""A failover is three events within a few milliseconds: one status follows them all."""

BATCH = 200

WINDOW_POLL_S = 0.05

HEARTBEAT_MIN_S = 0.1

Verify = Callable[[Signed], bool]

Work = Callable[[], Awaitable[None]]


def redis_url(url: str) -> str:
    """redis-py's spelling of Celery's URL of a Unix socket."""
    return url.replace("redis+socket://", "unix://", 1)


class BrokerSync:
    """Carries for one enrolled node. `send` sends a message to the supervisor by our own socket."""

    def __init__(
        self,
        enrolment: Enrolment,
        control: Path,
        *,
        verify: Verify,
        send: Callable[[dict[str, Any]], None],
    ) -> None:
        self._enrolment = enrolment
        self._control = control
        self._send = send
        self._key = f"node.{enrolment.node}"
        self._stream = f"up.{enrolment.node}"
        self._broker = self._client()
        self._stream_broker = self._client(
            redis_connect_func=self._stream_connected, max_connections=1
        )
        self._heartbeat_s = max(HEARTBEAT_MIN_S, enrolment.heartbeat_s)
        self._broker_up: bool | None = None
        self._refused = False
        self._complaints: dict[str, str] = {}
        self._liveness = Liveness(int(self._heartbeat_s * 1_000_000), _now_us())
        self._held_back = False
        """The control plane has not stored enough of what was sent."""
        self.stopping = False
        """The last status said that the engine is stopping."""
        self._status_now = asyncio.Event()
        self._pull_now = asyncio.Event()
        self._follow_again = asyncio.Event()
        self._sent_more = asyncio.Event()
        self._delivery = Delivery()
        self._inbox = EnvelopeInbox(enrolment, verify, unsealer(enrolment))

    async def run(self) -> None:
        """Never ends by itself: as soon as one part of the work does, so does all of it.

        The others are not waited for, since they might never end; the caller ends the process.
        """
        works: tuple[Work, ...] = (self._send_events, self._send_statuses, self._pull)
        tasks = [asyncio.ensure_future(self._keep_trying(work)) for work in works]
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            await task  # raises what ended it

    def nudge(self) -> None:
        """Look at the desired revision now."""
        self._pull_now.set()

    def listens(self) -> None:
        """Whoever hears the nudges is at work."""
        self._liveness.came("nudges", _now_us())

    async def flush(self) -> None:
        """Send everything that has happened, and a last status after it."""
        if self._broker_up is not True:
            return
        with await self._connect() as supervisor:
            answer = await self._ask(supervisor, "status")
            while self._delivery.sent < int(answer.get("seq", 0)):
                self._sent_more.clear()
                await self._sent_more.wait()
            await self._send_status(answer)

    def _client(self, **options: Any) -> Any:
        pool = redis.asyncio.BlockingConnectionPool.from_url(
            redis_url(self._enrolment.broker_url),
            socket_timeout=BROKER_TIMEOUT_S,
            socket_connect_timeout=BROKER_TIMEOUT_S,
            retry=None,
            **options,
        )
        return redis.asyncio.Redis.from_pool(pool)

    async def _stream_connected(self, connection: Any) -> None:
        """Events, statuses and receipts share one connection: a new one, and the broker was away.

        It may have been away so shortly that no command failed, and yet have forgotten the
        stream's last entries; so events are sent again from the receipt on.
        """
        await connection.on_connect()
        self._follow_again.set()

    async def _keep_trying(self, work: Work) -> None:
        """Run `work` for ever; whatever it needs may be away for a while, and it may have a fault.

        Nothing that the broker holds may end it: the others would go on, and the node look well.
        """
        retry, name = Retry(), getattr(work, "__name__", "").strip("_").replace("_", " ")
        while True:
            began_us = _now_us()
            try:
                await work()
            except redis.ResponseError as error:
                # The broker is there: this one command, or this one key, it refuses.
                self._complain(name, f"the broker refuses to let the agent {name}: {error}")
            except (redis.RedisError, OSError) as error:
                self._note_broker(False, str(error) or type(error).__name__)
            except Unreachable as error:
                # If the supervisor is gone, our inherited connection ends, and we with it.
                self._complain(name, f"the agent cannot reach its supervisor: {error}")
            except Exception as error:
                self._complain(
                    name, f"the agent could not {name} for a fault of its own: {error!r}"
                )
            await asyncio.sleep(retry.failed(worked_us=_now_us() - began_us) / 1_000_000)

    def _note_broker(self, up: bool, cause: str = "") -> None:
        if (up, is_refusal(cause)) != (self._broker_up, self._refused):
            self._broker_up, self._refused = up, is_refusal(cause)
            self._send({"kind": "broker", "up": up, "cause": cause})
            if up:
                self._pull_now.set()

    def _complain(self, about: str, sentence: str = "") -> None:
        """Tell the supervisor what is wrong with that part of the work; empty: nothing is now."""
        if sentence != self._complaints.get(about, ""):
            self._complaints[about] = sentence
            problems = [one for one in self._complaints.values() if one]
            self._send({"kind": "problems", "problems": list(dict.fromkeys(problems))})

    # The supervisor, asked in threads: its answers may take a while

    async def _connect(self) -> Client:
        return await asyncio.to_thread(Client, self._control, timeout_s=ANSWER_TIMEOUT_S)

    @staticmethod
    async def _ask(supervisor: Client, verb: str, **fields: Any) -> dict[str, Any]:
        return await asyncio.to_thread(supervisor.request, verb, **fields)

    # Up: events

    async def _send_events(self) -> None:
        """Send events from the control plane's receipt on."""
        acked = await self._read_first_receipt()
        with await self._connect() as supervisor:
            head = await self._ask(supervisor, "subscribe", journal=acked.journal, after=acked.seq)
            supervisor.wait_for_ever()
            self._delivery.begin(str(head.get("journal")), acked)
            if self._delivery.sent == int(head.get("seq", 0)):
                self._complain("send events")  # nothing waits
            again = asyncio.ensure_future(self._follow_again.wait())
            try:
                while (messages := await _until(again, supervisor)) is not None:
                    await self._send_batch(messages)
                    while self._delivery.must_wait(acked) and not again.done():
                        self._held_back = True
                        await asyncio.sleep(WINDOW_POLL_S)
                        acked = await self._read_receipt()
                    self._held_back = False
            finally:
                again.cancel()

    async def _read_first_receipt(self) -> Receipt:
        """The receipt, from the broker that the present connection leads to."""
        while True:
            self._follow_again.clear()
            acked = await self._read_receipt()
            if not self._follow_again.is_set():
                return acked

    async def _read_receipt(self) -> Receipt:
        value = await self._get(f"{self._key}:acked")
        self._note_broker(True)
        return receipt(value)

    async def _get(self, key: str) -> bytes | None:
        """The bytes of the key; None: it is not there, or is no string."""
        (value,) = await self._stream_broker.mget([key])
        return value if isinstance(value, bytes) else None

    async def _send_batch(self, messages: list[dict[str, Any]]) -> None:
        events = [message.get("event") or {} for message in messages]
        pipe = self._stream_broker.pipeline(transaction=False)
        for event in events:
            self._add(pipe, "event", to_json(event))
        if changes_status(events):
            self._status_now.set()
        await pipe.execute()
        self._note_broker(True)
        self._delivery.events_sent(events)
        self._complain("send events")
        self._sent_more.set()

    def _add(self, pipe: Any, kind: str, text: str) -> None:
        fields = {"t": kind, "d": text}
        pipe.xadd(self._stream, fields, maxlen=STREAM_ENTRIES_MAX, approximate=True)

    # Up: status

    async def _send_statuses(self) -> None:
        """Send the status at every heartbeat, and soon after something happened."""
        with await self._connect() as supervisor:
            while True:
                self._status_now.clear()
                answer = await self._ask(supervisor, "status")
                self._complain("send statuses")
                await self._send_status(answer)
                # Not wait_for: that of Python 3.11 swallows a cancellation now and then.
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._heartbeat_s):
                        await self._status_now.wait()
                    await asyncio.sleep(COALESCE_S)

    async def _send_status(self, answer: dict[str, Any]) -> None:
        status, newest, now_us = answer["status"], int(answer.get("seq", 0)), _now_us()
        self.stopping = bool(status.get("stopping"))
        self._liveness.events(
            newest=newest, sent=self._delivery.sent, held_back=self._held_back, now_us=now_us
        )
        self._complain("liveness", "; ".join(self._liveness.sentences(now_us)))
        pipe = self._stream_broker.pipeline(transaction=False)
        self._add(pipe, "status", to_json({**status, "late": self._liveness.late(now_us)}))
        pipe.mget([f"{self._key}:acked"])
        _added, (acked,) = await pipe.execute()
        self._note_broker(True)
        if self._delivery.status_sent(str(answer.get("journal")), acked):
            self._follow_again.set()

    # Down: what the node should run

    async def _pull(self) -> None:
        with await self._connect() as supervisor:
            while True:
                # By a clock of its own: what cannot be sent up must not stop what comes down.
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._heartbeat_s):
                        await self._pull_now.wait()
                self._pull_now.clear()
                keys = [f"{self._key}:desired", f"{self._key}:confirmed"]
                desired, confirmed = await self._broker.mget(keys)
                self._note_broker(True)
                if await self._take(supervisor, "apply", desired):
                    self._status_now.set()
                if await self._take(supervisor, "confirm", confirmed):
                    self._status_now.set()
                self._liveness.came("orders", _now_us())
                self._complain("pull")

    async def _take(self, supervisor: Client, verb: Verb, text: bytes | None) -> bool:
        """Pass the envelope on if that is due; whether the supervisor got a request for it."""
        if text is None or not self._inbox.is_news(text):
            return False
        answer = await self._ask(supervisor, "revisions")
        live, confirmed = int(answer["revision"]), int(answer["confirmed_revision"])
        runs = Revisions(live, confirmed, str(answer.get("config_sha256", "")))
        match self._inbox.received(verb, text, runs):
            case PassOn(verb, envelope):
                await self._tell(supervisor, verb, envelope=encode(envelope))
            case Refuse(cause):
                await self._tell(supervisor, "refused", cause=cause, revision=0)
            case None:
                return False
        self._inbox.settled(text)
        return True

    async def _tell(self, supervisor: Client, verb: str, **fields: Any) -> None:
        with contextlib.suppress(Refused):  # the supervisor has reported it in an event
            await self._ask(supervisor, verb, **fields)


def _now_us() -> int:
    return time.monotonic_ns() // 1_000


async def _until(again: asyncio.Future[Any], supervisor: Client) -> list[dict[str, Any]] | None:
    """The next events of the supervisor; None: `again` was done first, and the connection ends."""
    reading = asyncio.ensure_future(asyncio.to_thread(supervisor.messages, BATCH))
    waiting: set[asyncio.Future[Any]] = {reading, again}
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    if not again.done():
        return await reading
    supervisor.close()  # wakes the thread
    with contextlib.suppress(Unreachable):
        await reading
    return None
