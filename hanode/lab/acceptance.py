"""The acceptance test's steps: what a newcomer does, measured at the kernels.

DRIVER. Each step acts through the pages and their buttons as a person does, and judges by which
kernel has the address and since when. Limits: RFC 3768 with the lab's values (priority 95,
advert_int 1 s: skew 0.629 s, master-down 3.629 s) plus 100 ms.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from hanode.lab import echo
from hanode.lab.observer import Observer, wait_until
from hanode.lab.person import Page, Person
from hanode.lab.session import Session, SessionError
from hanode.lab.topology import VIP, topology

SKEW_MS = (256 - 95) / 256 * 1000
MASTER_DOWN_MS = 3000 + SKEW_MS
ALLOWANCE_MS = 100
START_MS = 8000
"""NodeA waits 3.609 s as backup, after all its processes have started on a busy machine."""
PUSH_MS = 2000
DOWN_MS = 16_000
"""delay_loop 6 s, then at most three retries 3 s apart, and one second for the page."""
ANSWER_MS = 5000
OUTAGE_MIN_MS = MASTER_DOWN_MS - 1000 - ALLOWANCE_MS
"""The kill comes at most one interval after the last advert."""
NEW_VIP = "192.168.192.201"


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the table."""

    name: str
    expected: str
    limit_ms: float | None
    measured_ms: float | None
    ok: bool
    note: str = ""

    @property
    def measured(self) -> str:
        """The measurement, for people."""
        if self.limit_ms is None:
            return "yes" if self.ok else "no"
        return "never" if self.measured_ms is None else f"{self.measured_ms:.0f} ms"


class Acceptance:
    """The steps share a session, a signed-in person and an observer."""

    def __init__(self, session: Session, steps: list[Step]) -> None:
        self.session = session
        self.steps = steps
        self.first, self.second = session.files
        self.addresses = dict(
            zip(session.files, ("192.168.192.100", "192.168.192.111"), strict=True)
        )
        self._observer: Observer | None = None
        self._person: Person | None = None

    def acts(self) -> list[Callable[[], None]]:
        """The steps, in order."""
        return [
            self.start_everything,
            self.stop_the_master,
            self.start_the_master,
            self.kill_the_master,
            self.start_the_killed_master,
            self.push_a_changed_configuration,
            self.stop_a_real_server,
            self.refuse_an_error,
        ]

    def close(self) -> None:
        """Stop watching."""
        if self._observer is not None:
            self._observer.close()

    @property
    def observer(self) -> Observer:
        """The observer; there is one as soon as the lab is up."""
        if self._observer is None:
            plan = self.session.plan
            if plan is None:
                raise SessionError("the lab is not up")
            self._observer = Observer(topology(plan.tag, (self.first, self.second)))
        return self._observer

    @property
    def person(self) -> Person:
        """A person who is signed in."""
        if self._person is None:
            self._person = self.session.sign_in()
        return self._person

    @property
    def slug(self) -> str:
        """The cluster's name in addresses."""
        if self.session.set_up is None:
            raise SessionError("nothing was imported")
        return self.session.set_up.slug

    def start_everything(self) -> None:
        """Import, lab, first push; then NodeA alone holds the VIP."""
        self.session.start_control_plane()
        self.session.start_lab()
        began_us = _now_us()
        held = wait_until(self._only(self.first), within_s=START_MS / 1000)
        self._add(
            f"VIP on {self.first} and only on {self.first}",
            limit_ms=START_MS,
            since_us=began_us,
            at_us=self.observer.taken_us(self.first, VIP, after_us=0) if held else None,
        )
        self.session.stack.wait_for_web()
        self.session.wait_for_directors()
        self.session.push_when_new()
        self._holds("the first push moved nothing", self._only(self.first))

    def stop_the_master(self) -> None:
        """A stop: the backup needs only its skew time."""
        asked_us = self._press(self.first, "stop")
        held = wait_until(self._only(self.second), within_s=10)
        self._add(
            f"{self.first} stopped: {self.second} holds the VIP",
            limit_ms=SKEW_MS + ALLOWANCE_MS,
            since_us=asked_us,
            at_us=self.observer.taken_us(self.second, VIP, after_us=asked_us) if held else None,
        )

    def start_the_master(self) -> None:
        """It takes the VIP back."""
        self._take_back(f"{self.first} started: it takes the VIP back")

    def kill_the_master(self) -> None:
        """No advert with priority 0 comes: the backup waits for its Master_Down_Interval."""
        asked_us = self._press(self.first, "kill")
        taken_us: int | None = None
        if wait_until(lambda: self.second in self.observer.holders(VIP), within_s=10):
            taken_us = self.observer.taken_us(self.second, VIP, after_us=asked_us)
        advert = self.observer.last_advert(
            self.second, self.addresses[self.first], before_us=taken_us or _now_us()
        )
        self._add(
            f"{self.first} killed: {self.second} holds the VIP after the last advert",
            limit_ms=MASTER_DOWN_MS + ALLOWANCE_MS,
            since_us=asked_us if advert is None else advert.wall_us,
            at_us=taken_us if advert is not None else None,
        )
        self._client_saw_an_outage(asked_us)

    def start_the_killed_master(self) -> None:
        """It boots an empty kernel, and takes the VIP back."""
        self._take_back(f"{self.first} started after the kill: it takes the VIP back")

    def push_a_changed_configuration(self) -> None:
        """192.168.192.201/24 goes from the editor to both nodes."""
        path = f"/c/{self.slug}/config/text/"
        text = self._document(path)
        changed = re.sub(
            rf"(?m)^(\s*){re.escape(VIP)}/24\b.*$",
            lambda line: f"{line.group(0)}\n{line.group(1)}{NEW_VIP}/24",
            text,
            count=1,
        )
        answer = self._save(path, changed)
        if NEW_VIP not in self._document(path):
            raise SessionError(f"the editor did not save {NEW_VIP} (HTTP status {answer.status})")
        before = {name: self.session.revision(name) for name in self.session.files}
        person = self.person
        push_path = f"/c/{self.slug}/push/"
        page = person.get(push_path)
        asked_us = _now_us()
        person.submit(page, page.form(action=push_path))
        applied = self._applied(before)
        for name, at_us in applied.items():
            self._add(
                f"changed configuration pushed: {name} runs it",
                limit_ms=PUSH_MS,
                since_us=asked_us,
                at_us=at_us,
            )
        self._new_address_answers(asked_us)

    def stop_a_real_server(self) -> None:
        """The page shows it down."""
        key = "192.168.192.112:80"
        self._holds(
            "both real servers shown up",
            lambda: list(self._shown_servers().values()) == ["up", "up"],
            within_s=DOWN_MS / 1000,
        )
        asked_us = self._press("rs1", "stop", shown_as=key)
        seen = wait_until(
            lambda: self._shown_servers().get(key) == "down", within_s=2 * DOWN_MS / 1000
        )
        self._add(
            f"real server {key} stopped: shown down",
            limit_ms=DOWN_MS,
            since_us=asked_us,
            at_us=_now_us() if seen else None,
        )

    def refuse_an_error(self) -> None:
        """A wrong line is named, and nothing changes on the nodes."""
        path = f"/c/{self.slug}/config/text/"
        before, held = self._document(path), self._running()
        lines = before.splitlines(keepends=True)
        number = next(n for n, line in enumerate(lines, 1) if "virtual_router_id" in line)
        lines[number - 1] = lines[number - 1].replace("51", "999", 1)
        asked_us = _now_us()
        answer = self._save(path, "".join(lines))
        answered_us = _now_us()
        named = re.search(rf"\b[Ll]ine\s*{number}\b", re.sub(r"<[^>]+>", " ", answer.text))
        unchanged = self._document(path) == before and self._running() == held
        self._add(
            "an error in the configuration: refused with its line, nothing changed",
            limit_ms=ANSWER_MS,
            since_us=asked_us,
            at_us=answered_us if named and unchanged else None,
            note="" if named else f"the answer does not name line {number}",
        )

    def _take_back(self, name: str) -> None:
        asked_us = self._press(self.first, "start")
        held = wait_until(self._only(self.first), within_s=2 * START_MS / 1000)
        gone_us = self.observer.lost_us(self.second, VIP, after_us=asked_us)
        taken_us = self.observer.taken_us(self.first, VIP, after_us=asked_us) if held else None
        self._add(
            name,
            limit_ms=START_MS,
            since_us=asked_us,
            at_us=None if taken_us is None else max(taken_us, gone_us or 0),
        )
        self.session.wait_for_directors()

    def _client_saw_an_outage(self, asked_us: int) -> None:
        """The page tells the outage with its length: nobody answers for a dead machine."""
        shown: list[float] = []

        def seen() -> bool:
            page = self.person.get(f"/c/{self.slug}/live/outages/")
            shown[:] = outages_shown(page.text)[:1]
            return bool(shown) and shown[0] >= OUTAGE_MIN_MS

        wait_until(seen, within_s=10)
        measured_ms = shown[0] if shown else None
        self._add(
            "the page shows the outage that the client saw",
            limit_ms=MASTER_DOWN_MS + ALLOWANCE_MS,
            since_us=asked_us,
            at_us=None if measured_ms is None else asked_us + int(measured_ms * 1000),
            note="" if measured_ms and measured_ms >= OUTAGE_MIN_MS else "it shows none",
        )

    def _new_address_answers(self, asked_us: int) -> None:
        plan = self.session.plan
        if plan is None:
            raise SessionError("the lab is not up")
        client = topology(plan.tag).client.namespace
        self._add(
            f"the new address {NEW_VIP} answers",
            limit_ms=PUSH_MS,
            since_us=asked_us,
            at_us=echo.answered_us(client, NEW_VIP, within_s=10),
        )
        self._holds(
            f"both addresses on {self.first} and only there",
            lambda: (
                self.observer.holders(NEW_VIP) == (self.first,)
                and self.observer.holders(VIP) == (self.first,)
            ),
        )
        lost_us = self.observer.lost_us(self.first, VIP, after_us=asked_us)
        self._holds("the push did not move the VIP", lambda: lost_us is None)

    def _applied(self, before: dict[str, int]) -> dict[str, int | None]:
        """When each node was first seen to run a newer revision with the new address in it."""
        seen: dict[str, int | None] = dict.fromkeys(before)

        def all_applied() -> bool:
            for name in [name for name, at_us in seen.items() if at_us is None]:
                status = self.session.status(name)
                if status is not None and status.revision > before[name]:
                    vips = [vip for instance in status.instances for vip in instance.vips]
                    if any(vip.address.startswith(f"{NEW_VIP}/") for vip in vips):
                        seen[name] = _now_us()
            return None not in seen.values()

        wait_until(all_applied, within_s=20)
        return seen

    def _running(self) -> list[tuple[int, str, tuple[str, ...]]]:
        """What the nodes run and hold: revision, file, addresses."""
        return [
            (status.revision, status.config_sha256, self.observer.holders(VIP))
            for name in self.session.files
            if (status := self.session.status(name)) is not None
        ]

    def _press(self, target: str, verb: str, *, shown_as: str = "") -> int:
        """Press a button of the lab; when the lab did it, in wall-clock microseconds."""
        page = self.person.get(f"/c/{self.slug}/")
        for name in (target, shown_as or target):
            path = f"/c/{self.slug}/lab/{name}/{verb}/"
            if any(path in form.buttons for form in page.forms):
                break
        answer = self.person.submit(page, page.button(path))
        if answer.status >= 400:
            raise SessionError(f"the button {verb} {target} gave HTTP status {answer.status}")
        last = self.session.lab_state()["last"].get(target, {})
        if last.get("verb") != verb:
            raise SessionError(f"the button {verb} {target} did not reach the lab")
        return int(last["wall_us"])

    def _shown_servers(self) -> dict[str, str]:
        """The real servers as the page shows them: up or down where all nodes agree."""
        page = self.person.get(f"/c/{self.slug}/live/servers/")
        shown = {}
        for row in page.text.split("<tr")[1:]:
            key = re.search(r">(\d+(?:\.\d+){3}:\d+)<", row)
            states = set(re.findall(r'data-state="(\w+)"', row))
            if key:
                shown[key.group(1)] = states.pop() if len(states) == 1 else "unclear"
        return shown

    def _document(self, path: str) -> str:
        page = self.person.get(path)
        return page.form(action=path, having="text").fields["text"].replace("\r\n", "\n")

    def _save(self, path: str, text: str) -> Page:
        page = self.person.get(path)
        return self.person.submit(page, page.form(action=path, having="text"), text=text)

    def _only(self, node: str) -> Callable[[], bool]:
        return lambda: self.observer.holders(VIP) == (node,)

    def _holds(self, name: str, condition: Callable[[], bool], *, within_s: float = 0) -> None:
        """A line of the table that is true or false; waiting for it is no measurement."""
        held = wait_until(condition, within_s=within_s)
        self.steps.append(Step(name, "yes", None, None, held))

    def _add(
        self, name: str, *, limit_ms: float, since_us: int, at_us: int | None, note: str = ""
    ) -> None:
        measured_ms = None if at_us is None else (at_us - since_us) / 1000
        ok = measured_ms is not None and 0 <= measured_ms <= limit_ms
        expected = f"within {limit_ms:.0f} ms"
        self.steps.append(Step(name, expected, round(limit_ms, 1), measured_ms, ok, note))


def outages_shown(text: str) -> list[float]:
    """The lengths of the outages that have ended, in milliseconds, the newest first."""
    rows = text.partition("<tbody>")[2].split("<tr>")[1:]
    found = [re.search(r'class="num">([^<]+?)\s*ms<', row) for row in rows]
    return [float(re.sub(r"[^\d.]", "", match[1])) for match in found if match]


def _now_us() -> int:
    return time.time_ns() // 1000
