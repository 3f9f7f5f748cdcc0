"""virtual_server, real_server and virtual_server_group.

PURE; data only.
"""

from __future__ import annotations

from hanode.conf.keywords.other_words import OTHER_SCHEDULERS
from hanode.conf.language.kinds import Granularity, Method
from hanode.conf.language.kinds_address import Endpoint
from hanode.conf.language.schema import block, switch, word
from hanode.conf.language.values import (
    Bool,
    Choice,
    Int,
    Perhaps,
    Script,
    Timer,
    Word,
)

NAME = Word("a name")
LONG = 18_446_744_073_709_551_614
CONNECTING = 4_294_967_295

SCHEDULERS = (
    "rr",
    "wrr",
    "lc",
    "wlc",
    "lblc",
    "lblcr",
    "sh",
    "mh",
    "dh",
    "fo",
    "ovf",
    "sed",
    "nq",
    "twos",
)

CHECKS = (
    word(
        "TCP_CHECK",
        None,
        "Up when a TCP connection can be made.",
        opens="TCP_CHECK",
        repeats=True,
        engine="runs",
    ),
    word("HTTP_GET", None, "Up when web pages answer as expected.", opens="HTTP_GET", repeats=True),
    word("SSL_GET", None, "As HTTP_GET, over TLS.", opens="SSL_GET", repeats=True),
    word("SMTP_CHECK", None, "Up when a mail server greets.", opens="SMTP_CHECK", repeats=True),
    word("DNS_CHECK", None, "Up when a name server answers.", opens="DNS_CHECK", repeats=True),
    word("MISC_CHECK", None, "Up when a command succeeds.", opens="MISC_CHECK", repeats=True),
    word(
        "UDP_CHECK",
        None,
        "Up when a datagram is not refused, or answered.",
        opens="UDP_CHECK",
        repeats=True,
    ),
    word("PING_CHECK", None, "Up when it answers a ping.", opens="PING_CHECK", repeats=True),
    word(
        "FILE_CHECK",
        None,
        "Up, and weighted, by the number in a file.",
        opens="FILE_CHECK",
        repeats=True,
    ),
    word("BFD_CHECK", None, "Up while a BFD session is.", opens="BFD_CHECK", repeats=True),
)

RETRYING = (
    word("retry", Int(1, 4294967295), "Failed tries after which a server is down.", engine="runs"),
    word("delay_before_retry", Timer(0, LONG), "Seconds between failed tries.", engine="runs"),
    word(
        "warmup",
        Timer(0, LONG),
        "The first check comes at random within so many seconds.",
        engine="runs",
    ),
    word(
        "connect_timeout",
        Timer(1, CONNECTING),
        "Seconds that a connection may take.",
        default="5",
        engine="runs",
    ),
)

VIRTUAL_SERVER = (
    word(
        "delay_loop",
        Timer(1, LONG),
        "Seconds between checks.",
        default="60",
        field="delay_loop_us",
        engine="runs",
    ),
    word(
        "lb_algo",
        Choice(SCHEDULERS, code="scheduler-unknown", meant=OTHER_SCHEDULERS),
        "How connections are spread.",
        default="wlc",
        field="lb_algo",
        engine="runs",
    ),
    word("lvs_sched", None, same_as="lb_algo"),
    word(
        "lb_kind",
        Method(),
        "How packets reach the real servers.",
        default="NAT",
        field="lb_kind",
        engine="runs",
    ),
    word("lvs_method", None, same_as="lb_kind"),
    word(
        "protocol",
        Choice(("TCP", "UDP", "SCTP"), any_case=True),
        "The protocol that is balanced.",
        default="UDP",
        field="protocol",
        engine="runs",
    ),
    *(
        word(name, None, "An option of the scheduler named before it.", repeats=True)
        for name in (
            "hashed",
            "ops",
            "flag-1",
            "flag-2",
            "flag-3",
            "sh-port",
            "sh-fallback",
            "mh-port",
            "mh-fallback",
        )
    ),
    word(
        "persistence_timeout",
        Perhaps(Int(1, 2_678_400)),
        "Seconds that a client stays with its server.",
        default="360",
        off="0",
        engine="runs",
    ),
    word(
        "persistence_granularity",
        Granularity(),
        "Which clients count as one: a netmask or prefix length.",
    ),
    word("persistence_engine", Word("a name", 16), "The persistence engine."),
    word("ip_family", Choice(("inet", "inet6")), "The family of a fwmark service."),
    *RETRYING,
    word(
        "inhibit_on_failure",
        None,
        "Set the weight to 0 instead of removing a failed server.",
        engine="runs",
    ),
    word("ha_suspend", None, "Check only while this node holds the address."),
    switch("smtp_alert", "Send mail when servers come and go."),
    word("virtualhost", Word("a host name"), "The host name that HTTP checks ask for."),
    word("snmp_name", NAME, "A name for SNMP."),
    word("alpha", None, "Servers count as down until the first check.", engine="runs"),
    word("omega", None, "Run notify_down and quorum_down at the end."),
    word(
        "quorum",
        Int(1, 4294967295),
        "The weight of servers that must be up.",
        default="1",
        engine="runs",
    ),
    word(
        "hysteresis",
        Int(0, 4294967295),
        "Distance between losing and gaining the quorum.",
        default="0",
        engine="runs",
    ),
    word("quorum_up", Script(), "Command to run when the quorum is gained.", keeps="first"),
    word("quorum_down", Script(), "Command to run when the quorum is lost.", keeps="first"),
    word(
        "weight",
        Int(1, 2147483647),
        "Weight of servers that have none.",
        default="1",
        engine="runs",
    ),
    word("sorry_server", Endpoint(), "The server to use when the quorum is lost.", engine="runs"),
    word(
        "sorry_server_inhibit",
        None,
        "Keep the sorry server in the table with weight 0.",
        engine="runs",
    ),
    word("sorry_server_lvs_method", Method(), "How packets reach the sorry server."),
    word(
        "real_server",
        Endpoint(),
        "A server that does the work.",
        opens="real_server",
        repeats=True,
        engine="runs",
    ),
)

REAL_SERVER = (
    word(
        "weight",
        Int(0, 2147483647),
        "Its share of the connections; 0: no new ones.",
        default="1",
        field="weight",
        engine="runs",
    ),
    word("lvs_method", Method(), "How packets reach this server.", engine="runs"),
    word(
        "inhibit_on_failure", Bool(), "Set the weight to 0 instead of removing it.", engine="runs"
    ),
    word("uthreshold", Int(0, 4294967295), "Connections above which it gets no new ones."),
    word("lthreshold", Int(0, 4294967295), "Connections below which it gets new ones again."),
    word("notify_up", Script(), "Command to run when it comes up.", keeps="first"),
    word("notify_down", Script(), "Command to run when it goes down.", keeps="first"),
    switch("alpha", "It counts as down until the first check.", engine="runs"),
    *RETRYING,
    word("delay_loop", Timer(1, LONG), "Seconds between checks.", engine="runs"),
    switch("smtp_alert", "Send mail when it comes and goes."),
    word("virtualhost", Word("a host name"), "The host name that HTTP checks ask for."),
    word("snmp_name", NAME, "A name for SNMP."),
    *CHECKS,
)

BLOCKS = (
    block("virtual_server", VIRTUAL_SERVER),
    block("real_server", REAL_SERVER),
)
