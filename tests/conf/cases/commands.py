"""Cases of the rules about commands and tracked processes."""

from __future__ import annotations

from functools import partial

from hanode.conf.rules.machine import FileFacts, MachineFacts
from tests.conf.cases import services, vrrp
from tests.conf.cases.base import Case

TEXT = """\
global_defs { script_user root
    enable_script_security
}
vrrp_script up {
    script "/bin/true now"
    interval 2
}
vrrp_track_process web {
    process nginx
}
vrrp_instance one {
    state BACKUP
    interface eth0
    virtual_router_id 1
    priority 100
    virtual_ipaddress {
        192.0.2.10/24
    }
    track_script {
        up
    }
    track_process {
        web
    }
    notify_master "/bin/echo MASTER"
}
"""
ONE_PROGRAM = MachineFacts({"/bin/true": FileFacts(0o755), "/bin/echo": FileFacts(0o755)}.get)
NO_USERS = MachineFacts(has_user=lambda name: name == "root")
SCRIPT = 'script "/bin/true now"'
NOTIFY = 'notify_master "/bin/echo MASTER"'
SIX = TEXT.replace("192.0.2.10/24", "fe80::10/64")
case = partial(Case, sound=TEXT)

CASES = [
    case("script-arguments", "warning", NOTIFY, "notify_master /bin/echo MASTER", fix=True),
    case("script-arguments", "warning", NOTIFY, "notify_master /bin/echo --to=MASTER now",
         fix=True),
    case("script-arguments", "warning", NOTIFY, 'notify_master "/bin/echo" /etc/x', fix=True),
    case("script-arguments", "warning", SCRIPT, "script /bin/true now", fix=True),
    case("script-no-shell", "warning", NOTIFY, 'notify_master "/bin/true && /bin/echo MASTER"',
         fix=True),
    case("script-no-shell", "warning", NOTIFY, 'notify_master "/bin/echo $HOME"', fix=True),
    case("script-no-shell", "warning", NOTIFY, "notify_master /bin/true; /bin/false", fix=True),
    case("script-no-shell", "warning", SCRIPT, 'script "/bin/cat /etc/*.conf"', fix=True),
    case("script-no-shell", "warning", SCRIPT, 'script "cd /etc"', fix=True),
    case("script-no-shell", "warning", SCRIPT, "script \"/bin/grep 'a b' /etc/hosts | wc\""),
    case("script-too-long", "warning", SCRIPT, 'script "/bin/sleep 5"'),
    case("script-too-long", "warning", SCRIPT, 'script "/run/ping -c 5 192.0.2.2"'),
    case("script-too-long", "warning", "    interval 2\n", "    interval 9\n    timeout 1\n",
         line=5, sound=TEXT.replace("/bin/true now", "/bin/sleep 1")),
    case("script-no-path", "info", SCRIPT, 'script "true now"'),
    case("script-no-path", "info", SCRIPT, 'script "true now"', machine=ONE_PROGRAM),
    case("script-user", "warning", NOTIFY, 'notify_master "/sbin/sysctl -w a=1" nobody', fix=True),
    case("script-user", "warning", NOTIFY,
         'notify_master "/sbin/ip route add 192.0.2.9 dev eth0" nobody', fix=True),
    case("script-user", "warning", SCRIPT, 'script "/bin/kill -0 1"\n    user nobody', line=5),
    case("script-user-missing", "info", "{ script_user root\n", "{\n", fix=True, line=2),
    case("script-user-missing", "warning", "{ script_user root\n", "{\n", fix=True, line=2,
         machine=NO_USERS),
    case("script-user-missing", "warning", "script_user root", "script_user gone", fix=True,
         machine=NO_USERS),
    case("script-security", "info", "    enable_script_security\n", "", line=4),
    case("script-security", "info", "{ script_user root\n    enable_script_security\n", "{\n",
         line=4),
    case("process-unmatched", "warning", "process nginx", "process /usr/sbin/nginx"),
    case("process-unmatched", "warning", "process nginx", 'process "/bin/sh -c x"', fix=True),
    case("process-unmatched", "warning", "process nginx", "process a_name_of_17_char", fix=True),
    # what a row says of other words for it
    case("misplaced-keyword", "warning", "    enable_script_security\n",
         "    enable_script_security\n    lvs_sync_daemon_interface eth0\n"),
    case("unknown-keyword", "warning", "    enable_script_security\n",
         "    enable_script_security\n    lvs_id here\n", fix=True),
    case("unknown-keyword", "warning", "    enable_script_security\n",
         "    enable_script_security\n    smtp_connection_timeout 30\n", fix=True),
    case("misplaced-keyword", "warning", "    interface eth0\n",
         "    interface eth0\n    ip_family inet6\n", fix=True, sound=SIX),
    case("misplaced-keyword", "warning", "    interface eth0\n",
         "    interface eth0\n    ip_family inet\n", fix=True),
    case("misplaced-keyword", "warning", "    interface eth0\n",
         "    interface eth0\n    vrrp_garp_master_delay 3\n", fix=True),
    case("misplaced-keyword", "warning", "    enable_script_security\n",
         "    enable_script_security\n    garp_master_delay 3\n", fix=True),
    case("unknown-keyword", "warning", "    group {\n        one\n        two\n    }\n",
         "    one\n    two\n", fix=True, sound=vrrp.TEXT, line=10),
    case("bad-value", "error", "virtual_server group web", "virtual_server web", fix=True,
         sound=services.GROUP),
    case("bad-value", "error", "    quorum 1", "    persistence_timeout 0", fix=True,
         sound=services.TEXT),
    case("bad-value", "error", "state BACKUP", "state SLAVE", fix=True),
    case("bad-value", "error", "    interval 2\n", "    interval 2\n    timeout 0\n", fix=True),
]  # fmt: skip
