"""The supervisor's child processes: where they find the program, and what they say first."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from hanode.proc.supervisor.children import Child, Message, Spec


def test_child_finds_the_program_wherever_the_supervisor_was_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)
    monkeypatch.chdir(tmp_path)
    messages: list[Message] = []
    exits: list[str] = []

    async def start_and_stop() -> bool:
        child = Child(
            Spec("checker", "hanode.proc.checker", respawn=False),
            on_message=lambda _child, message: messages.append(message),
            on_start=lambda _child: None,
            on_exit=lambda _child, cause: exits.append(cause),
        )
        running = asyncio.create_task(child.run())
        ready = asyncio.create_task(child.said_ready.wait())
        await asyncio.wait({running, ready}, timeout=10, return_when=asyncio.FIRST_COMPLETED)
        assert child.ready, f"it never was ready: {exits}"
        stopped = await child.stop(timeout_s=5)
        await running
        return stopped

    assert asyncio.run(start_and_stop())
    assert messages == [{"kind": "ready"}]
