"""A node as the broker sees it: signs in as its own user, verifies, applies, reports.

Not the engine: only the agent's side of the wire, so that a test can make it refuse, go back or
stay silent. Bundles are verified with the same bytes and the same pinned key as on a real node.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import threading
import time
from typing import Any

import redis
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from hanode import wire
from hanode.system.sealing import unsealer

JOURNAL = "journal-1"


class FakeNode:
    """One node. `behave`: take | refuse | revert | ignore."""

    def __init__(
        self, enrolment: wire.Enrolment, *, state: str = "BACKUP", behave: str = "take"
    ) -> None:
        self.enrolment, self.state, self.behave = enrolment, state, behave
        self.client: Any = redis.Redis.from_url(
            enrolment.broker_url.replace("redis+socket://", "unix://")
        )
        self.key = Ed25519PublicKey.from_public_bytes(base64.b64decode(enrolment.public_key))
        self.unseal = unsealer(enrolment)
        self.seq = self.revision = self.confirmed = self.newest = 0
        self.config = ""
        self.applied: list[tuple[float, wire.Bundle]] = []
        self._refused: set[int] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> FakeNode:
        self.say_status()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(5)
        self.client.close()

    def say(self, kind: str, value: Any) -> None:
        fields = {"t": kind, "d": wire.to_json(value)}
        self.client.xadd(f"up.{self.enrolment.node}", fields)

    def say_event(
        self, kind: str, subject: str, cause: str = "", seq: int | None = None, **data: Any
    ) -> wire.Event:
        if seq is None:
            self.seq += 1
            seq = self.seq
        now_us = time.time_ns() // 1000
        event = wire.Event(
            kind, subject, cause, now_us, time.monotonic_ns() // 1000, data, JOURNAL, seq
        )
        self.say("event", event)
        return event

    def status(self, **changes: Any) -> wire.NodeStatus:
        now_us = time.time_ns() // 1000
        vip = wire.VipStatus("192.168.192.200/24", "ens33", self.state == "MASTER")
        instance = wire.InstanceStatus(
            "HA_Group", 51, "ens33", self.state, now_us, "said so", 100, 100, vips=(vip,)
        )
        values: dict[str, Any] = {
            "node": self.enrolment.node,
            "name": self.enrolment.name,
            "wall_us": now_us,
            "mono_us": time.monotonic_ns() // 1000,
            "revision": self.revision,
            "confirmed_revision": self.confirmed,
            "config_sha256": hashlib.sha256(self.config.encode()).hexdigest(),
            "newest_revision": self.newest,
            "started_us": now_us,
            "instances": (instance,),
        }
        return wire.NodeStatus(**{**values, **changes})

    def say_status(self, **changes: Any) -> None:
        self.say("status", self.status(**changes))

    def run(self, revision: int, config: str, *, confirmed: bool = False) -> None:
        """This revision is live, as if it had been pushed."""
        self.revision, self.config = revision, config
        self.newest = max(self.newest, revision)
        self.confirmed = revision if confirmed else self.confirmed

    def _run(self) -> None:
        beat = 0.0
        while not self._stop.wait(0.01):
            with contextlib.suppress(redis.RedisError):  # the broker may be away for a while
                self._look()
                if time.monotonic() - beat > 0.2:
                    beat = time.monotonic()
                    self.say_status()

    def _verified(self, key: str, kind: str) -> str | None:
        (raw,) = self.client.mget([f"node.{self.enrolment.node}:{key}"])
        if raw is None:
            return None
        signed = wire.from_json(wire.Signed, raw)
        if signed.kind == wire.Sealed.KIND:
            signed = wire.from_json(wire.Signed, self.unseal(kind, signed.payload))
        self.key.verify(base64.b64decode(signed.signature), signed.signed_bytes())
        assert signed.kind == kind
        return signed.payload

    def _look(self) -> None:
        payload = self._verified("desired", "bundle")
        if payload is not None and self.behave != "ignore":
            self._take(wire.from_json(wire.Bundle, payload))
        payload = self._verified("confirmed", "confirmation")
        if payload is not None:
            message = wire.from_json(wire.Confirmation, payload)
            number, sha256 = message.revision, self.status().config_sha256
            if number == self.revision != self.confirmed and message.config_sha256 == sha256:
                self.confirmed = number
                self.say_status()

    def _take(self, bundle: wire.Bundle) -> None:
        assert (bundle.node, bundle.cluster) == (self.enrolment.node, self.enrolment.cluster)
        if bundle.revision <= self.newest or bundle.revision in self._refused:
            return
        subject = f"revision {bundle.revision}"
        self.applied.append((time.monotonic(), bundle))
        if self.behave in ("refuse", "revert"):
            self._refused.add(bundle.revision)
            phase = {"refuse": "refused", "revert": "reverted"}[self.behave]
            self.say_event(
                "config", subject, "line 3: no such word", revision=bundle.revision, phase=phase
            )
            return
        self.run(bundle.revision, bundle.config)
        self.say_event("config", subject, revision=bundle.revision, phase="live")
        self.say_status()
