"""Which FIFOs, scripts and mail a transition leads to, in keepalived's order and words.

PURE. FIFOs come first because writing to them never waits; then the state's own script and
`notify`, which run side by side; then mail.
"""

from __future__ import annotations

from hanode.vrrp.engine_settings import Command, NotifySettings
from hanode.watch.messages import Effect, Notice, RunNotify, SendMail, WriteFifo
from hanode.watch.watch_settings import Target, WatchSettings

INSTANCE_MAIL = {
    "MASTER": "=> VRRP Instance is now owning VRRP VIPs <=",
    "BACKUP": "=> VRRP Instance is no longer owning VRRP VIPs <=",
    "FAULT": "=> VRRP Instance is no longer owning VRRP VIPs <=",
}
GROUP_MAIL = {
    state: f"=> All VRRP group instances are now in {state} state <="
    for state in ("MASTER", "BACKUP", "FAULT")
}
TRANSITIONS = frozenset({"MASTER", "BACKUP", "FAULT", "STOP", "DELETED"})
"""`notify` runs for these; the FIFOs get every line."""


def line(notice: Notice) -> str:
    """What a FIFO gets: `INSTANCE "VI_1" MASTER 100`."""
    return f'{notice.kind} "{notice.name}" {notice.state} {notice.priority}\n'


def effects(settings: WatchSettings, target: Target | None, notice: Notice) -> list[Effect]:
    """Everything that a notice leads to."""
    done: list[Effect] = [WriteFifo(fifo, line(notice)) for fifo in settings.fifos]
    if target is None:
        return done
    notify = target.notify
    subject = f"{notice.name} {notice.state}"
    own = _own_script(notify, notice.state)
    if own is not None:
        done.append(RunNotify(subject, own))
    if notify.any is not None and notice.state in TRANSITIONS:
        words = (notice.kind, notice.name, notice.state, str(notice.priority))
        command = Command((*notify.any.argv, *words), notify.any.user, notify.any.group)
        done.append(RunNotify(subject, command))
    message = _mail(settings, notify, notice)
    return [*done, message] if message is not None else done


def _own_script(notify: NotifySettings, state: str) -> Command | None:
    return {
        "MASTER": notify.master,
        "BACKUP": notify.backup,
        "FAULT": notify.fault,
        "STOP": notify.stop,
        "DELETED": notify.deleted,
        "MASTER_RX_LOWER_PRI": notify.master_rx_lower_pri,
    }.get(state)


def _mail(settings: WatchSettings, notify: NotifySettings, notice: Notice) -> SendMail | None:
    group = notice.kind == "GROUP"
    text = (GROUP_MAIL if group else INSTANCE_MAIL).get(notice.state)
    smtp = settings.smtp
    if text is None or not notify.smtp_alert or not smtp.to or smtp.server is None:
        return None
    if notice.state == "FAULT" and smtp.no_faults:
        return None
    what = "Group" if group else "Instance"
    subject = f"VRRP {what} {notice.name} - Entering {notice.state} state"
    return SendMail(subject, text)
