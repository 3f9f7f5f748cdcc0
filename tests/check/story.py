"""Runs a transcript against the health machine, with a simulated network and clock.

A transcript is a file of blocks: commands, a line `----`, and the expected effects, one on each
line. Commands:

    server NAME IP:PORT [weight=2] [retry=3] …     declares a real server and its TCP check
    virtual IP:PORT [quorum=2] …                   declares the virtual server of all of them
    configure                                      passes the declared settings to the machine
    forget NAME                                    removes the server from the declaration
    NAME accepts | silent | ECONNREFUSED | EMFILE  sets how it answers from now on
    run 10s                                        lets time pass
    table                                          prints the destinations in the table

Servers accept at first; answers come without delay. Written times are seconds.
"""

from __future__ import annotations

from hanode.check.checker_settings import (
    CheckerSettings,
    RealServerSettings,
    SorryServerSettings,
    TcpCheckSettings,
    VirtualServerSettings,
)
from hanode.check.events import (
    Connect,
    Connected,
    Effect,
    Event,
    Failed,
    Hangup,
    Happened,
    TableChanged,
    Unable,
)
from hanode.check.health import Health
from hanode.check.quorum import Row
from hanode.events import NodeWarning, RealServerChange, VirtualServerChange

TIMES = {"connect_timeout", "delay_before_retry", "delay_loop", "warmup"}
FOR_CHECK = {"retry", "alpha"}
FOR_SERVER = {"weight", "inhibit_on_failure"}


class Story:
    """One health machine, its network and its clock."""

    def __init__(self, draws: tuple[float, ...] = (0.0,)) -> None:
        draw = iter(draws * 1000)
        self.health = Health(lambda: next(draw))
        self.now_us = 0
        self.servers: dict[str, RealServerSettings] = {}
        self.virtual = VirtualServerSettings("10.0.0.1", 80)
        self.answers: dict[str, str] = {}
        self.lines: list[str] = []
        self.table: tuple[Row, ...] = ()

    def tell(self, commands: str) -> str:
        """Carries out a block's commands; returns the effects."""
        self.lines = []
        for line in commands.splitlines():
            words = line.partition("#")[0].split()
            if words:
                self._command(words)
        return "\n".join(self.lines)

    def _command(self, words: list[str]) -> None:
        match words:
            case ["server", name, where, *options]:
                self.servers[name] = _server(where, _options(options))
            case ["virtual", where, *options]:
                self.virtual = _virtual(where, _options(options))
            case ["forget", name]:
                del self.servers[name]
            case ["configure"]:
                self._configure()
            case ["run", duration]:
                self._run(self.now_us + _us(duration.removesuffix("s")))
            case ["table"]:
                # The kernel's table is changed by TableChanged alone: without it a change would
                # never arrive.
                assert self.table == self.health.rows(self.virtual.key)
                rows = " ".join(f"{row.ip}={row.weight}" for row in self.table)
                self._print(f"table {rows or 'empty'}")
            case [name, answer] if name in self.servers:
                self.answers[self.servers[name].ip] = answer
            case _:
                raise AssertionError(f"no such command: {' '.join(words)}")

    def _configure(self) -> None:
        fields = {f: getattr(self.virtual, f) for f in self.virtual.__dataclass_fields__}
        virtual = VirtualServerSettings(**{**fields, "real_servers": tuple(self.servers.values())})
        effects = self.health.configure(CheckerSettings((virtual,)), now_us=self.now_us)
        self._carry_out(effects)

    def _run(self, until_us: int) -> None:
        while (due_us := self.health.deadline_us) is not None and due_us <= until_us:
            self.now_us = max(self.now_us, due_us)
            self._carry_out(self.health.tick(now_us=self.now_us))
        self.now_us = until_us

    def _carry_out(self, effects: list[Effect]) -> None:
        for effect in effects:
            event: Event | None = None
            match effect:
                case Connect(probe, ip, _port):
                    answer = self.answers.get(ip, "accepts")
                    self._print(f"check {ip}: {answer}")
                    event = _answer(probe, answer)
                case Hangup():
                    pass
                case TableChanged(key):
                    self.table = self.health.rows(key)
                case Happened(event=NodeWarning(subject, cause)):
                    self._print(f"{subject} warning: {cause}")
                case Happened(event=RealServerChange() | VirtualServerChange() as change):
                    up = "up" if change.up else "down"
                    self._print(f"{change.kind} {change.subject} {up}: {change.cause}")
            if event is not None:
                self._carry_out(self.health.step(event, now_us=self.now_us))

    def _print(self, text: str) -> None:
        self.lines.append(f"{self.now_us / 1e6:8.3f} {text}")


def _answer(probe: int, answer: str) -> Event | None:
    match answer:
        case "accepts":
            return Connected(probe)
        case "silent":
            return None
        case "EMFILE":
            return Unable(probe, answer)
        case _:
            return Failed(probe, answer)


def _options(words: list[str]) -> dict[str, str]:
    return dict(word.split("=", 1) for word in words)


def _us(text: str) -> int:
    return round(float(text) * 1_000_000)


def _server(where: str, options: dict[str, str]) -> RealServerSettings:
    ip, port = where.rsplit(":", 1)
    check = {f"{name}_us": _us(text) for name, text in options.items() if name in TIMES}
    check |= {name: int(text) for name, text in options.items() if name in FOR_CHECK}
    server = {name: int(text) for name, text in options.items() if name in FOR_SERVER}
    unknown = options.keys() - TIMES - FOR_CHECK - FOR_SERVER
    assert not unknown, f"no such option: {unknown}"
    settings = TcpCheckSettings(ip, int(port), **check)  # type: ignore[arg-type]
    return RealServerSettings(ip, int(port), checks=(settings,), **server)  # type: ignore[arg-type]


def _virtual(where: str, options: dict[str, str]) -> VirtualServerSettings:
    ip, port = where.rsplit(":", 1)
    sorry = None
    if "sorry" in options:
        sorry_ip, sorry_port = options.pop("sorry").rsplit(":", 1)
        inhibit = options.pop("sorry_inhibit", "0") == "1"
        sorry = SorryServerSettings(sorry_ip, int(sorry_port), inhibit=inhibit)
    numbers = {name: int(text) for name, text in options.items()}
    return VirtualServerSettings(ip, int(port), sorry_server=sorry, **numbers)  # type: ignore[arg-type]
