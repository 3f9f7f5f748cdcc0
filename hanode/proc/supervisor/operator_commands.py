"""The operator's commands: release, take, announce, maintenance.

DRIVER. The vrrp process carries them out. Maintenance is also kept here, in the state directory,
because it must hold after a restart, whatever ended the engine.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hanode.proc.supervisor.engine import Engine
from hanode.proc.supervisor.event_log import EventLog, wall_us
from hanode.system import files

Message = dict[str, Any]

TIMEOUT_S = 2.0
"""The vrrp process carries out any of them within milliseconds, or not at all."""


DONE_WORDS = {
    "release": "released",
    "take": "taken",
    "announce": "announced",
    "maintenance": "in maintenance|takes part again",
}


class OperatorCommands:
    """Serves these verbs of the control socket."""

    def __init__(self, directory: Path, engine: Engine, event_log: EventLog) -> None:
        self._path = directory / "maintenance.json"
        self._engine = engine
        self._event_log = event_log
        self.since_us = _read(self._path)
        """Since when the node is in maintenance (wall time); 0: it is not."""
        engine.maintenance = bool(self.since_us)

    async def release(self, request: Message) -> Message:
        """Give up the master state: another node takes over, and this one waits as BACKUP."""
        return await self._do("release", request)

    async def take(self, request: Message) -> Message:
        """Become master, where priority and settings allow it."""
        return await self._do("take", request)

    async def announce(self, request: Message) -> Message:
        """Announce the addresses to the neighbours again."""
        answer = await self._do("announce", request)
        if answer["ok"] and answer["done"]:
            # The other commands are reported by the transitions that they cause.
            self._event_log.node("addresses", "announced", f"operator: {'; '.join(answer['done'])}")
        return answer

    async def maintenance(self, request: Message) -> Message:
        """On: the node holds no address. Off: it takes part in the election again."""
        on = request.get("on")
        if not isinstance(on, bool):
            return {"ok": False, "error": "maintenance is turned on or off"}
        if on == bool(self.since_us):
            return {"ok": True, "done": [], "said": f"maintenance was {_word(on)} already"}
        self.since_us = wall_us() if on else 0
        # Written first: without the file a restarted node would take addresses during the work.
        try:
            _write(self._path, self.since_us)
        except OSError as error:
            self.since_us = 0 if on else wall_us()
            return {"ok": False, "error": f"{self._path} cannot be written: {error.strerror}"}
        self._engine.maintenance = on
        end = "no address stays or comes here" if on else "the node takes part again"
        self._event_log.node("maintenance", _word(on), f"operator: {end}")
        return await self._ask({"do": "maintenance", "on": on})

    async def _do(self, what: str, request: Message) -> Message:
        instance = request.get("instance", "")
        if not isinstance(instance, str):
            return {"ok": False, "error": "the instance is named by its name"}
        return await self._ask({"do": what, "instance": instance})

    async def _ask(self, fields: Message) -> Message:
        if not await self._engine.ready("vrrp", within_s=TIMEOUT_S):
            return {"ok": False, "error": "the vrrp process is not there; see `hanode status`"}
        answer = await self._engine.ask("vrrp", "operate", timeout_s=TIMEOUT_S, **fields)
        if answer is None:
            return {"ok": False, "error": "the vrrp process does not answer; see `hanode status`"}
        error = answer.get("error")
        if error:
            return {"ok": False, "error": str(error)}
        word = DONE_WORDS[str(fields["do"])].split("|")[not fields.get("on", True)]
        done = [f"{name}: {word}" for name in answer.get("done", [])]
        return {"ok": True, "done": [*done, *map(str, answer.get("refused", []))]}


def _word(on: bool) -> str:
    return "on" if on else "off"


def _read(path: Path) -> int:
    text = files.read_text(path)
    if text is None:
        return 0
    try:
        return max(1, int(json.loads(text)["since_us"]))
    except (ValueError, KeyError, TypeError):
        return 1  # the file cannot be read: better idle than taking addresses


def _write(path: Path, since_us: int) -> None:
    if since_us:
        files.write_atomic(path, json.dumps({"since_us": since_us}) + "\n")
    else:
        path.unlink(missing_ok=True)
        files.sync_directory(path.parent)
