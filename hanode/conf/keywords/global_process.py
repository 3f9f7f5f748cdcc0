"""global_defs: the processes themselves, whom they tell of what happens, and reloading.

PURE; data only.
"""

from __future__ import annotations

from hanode.conf.language.kinds_machine import AgentSocket, Fifo, Path
from hanode.conf.language.kinds_words import IncludeCheck, Numbers, Umask
from hanode.conf.language.schema import Keyword, word
from hanode.conf.language.values import Bool, Int, Perhaps, Script, Timer, Word

NAME = Word("a name")
PATH = Path()
READ = Path(sort="read")
COUNT = 4_294_967_295


def _process(name: str, engine: str) -> tuple[Keyword, ...]:
    return (
        word(f"{name}_priority", Int(-20, 19), "Nice value of the process.", engine=engine),
        word(f"{name}_no_swap", None, "Keep the process in memory.", engine=engine),
        word(
            f"{name}_rt_priority", Int(1, 99), "Real-time priority of the process.", engine=engine
        ),
        word(
            f"{name}_cpu_affinity",
            Numbers(0, 1_023, "numbers of CPUs"),
            "CPUs of the process.",
            engine=engine,
        ),
        word(
            f"{name}_rlimit_rttime",
            Int(1, COUNT),
            "Microseconds of real time that it may run without a pause.",
            default="10000",
            engine=engine,
        ),
        word(f"{name}_rlimit_rtime", None, same_as=f"{name}_rlimit_rttime"),
    )


def _buffers(*names: str) -> tuple[Keyword, ...]:
    rows: list[Keyword] = []
    for name in names:
        rows += (
            word(name, Int(0, COUNT), "Bytes of a netlink receive buffer.", engine="ignored"),
            word(f"{name}_force", Bool(), "Set it beyond the system's limit.", engine="ignored"),
        )
    return tuple(rows)


PROCESS = (
    word("process_names", None, "Give each process a name of its own.", engine="ignored"),
    *(
        word(name, Word("a name", 15), "Name of the process.", engine="ignored")
        for name in (
            "process_name",
            "vrrp_process_name",
            "checker_process_name",
            "bfd_process_name",
        )
    ),
    word("lvs_process_name", Word("a name", 15), same_as="checker_process_name"),
    *_process("vrrp", "runs"),
    *_process("checker", "ignored"),
    *_process("bfd", "ignored"),
    word(
        "max_auto_priority",
        Perhaps(Int(-1, 99)),
        "Highest real-time priority to take when late.",
        default="0",
        engine="ignored",
    ),
    word(
        "min_auto_priority_delay",
        Int(1, 10_000_000),
        "Microseconds of lateness that count.",
        default="1000000",
        engine="ignored",
    ),
    *_buffers(
        "vrrp_netlink_cmd_rcv_bufs",
        "vrrp_netlink_monitor_rcv_bufs",
        "lvs_netlink_cmd_rcv_bufs",
        "lvs_netlink_monitor_rcv_bufs",
        "process_monitor_rcv_bufs",
    ),
    word("umask", Umask(), "Mode bits that files we make do not get.", engine="ignored"),
    word("random_seed", Int(0, COUNT), "Seed of random numbers, for tests.", engine="ignored"),
)

NOTIFY = (
    *(
        keyword
        for name, engine in (
            ("notify_fifo", "runs"),
            ("vrrp_notify_fifo", "runs"),
            ("lvs_notify_fifo", "planned"),
        )
        for keyword in (
            word(
                name,
                Fifo(),
                "A FIFO that is told of changes, one line for each.",
                keeps="first",
                engine=engine,
            ),
            word(
                f"{name}_script",
                Script(),
                "Command that reads the FIFO.",
                keeps="first",
                engine=engine,
            ),
        )
    ),
    word(
        "fifo_write_vrrp_states_on_reload",
        None,
        "Tell the FIFO all states after a reload.",
        engine="runs",
    ),
    word(
        "snmp_socket",
        AgentSocket(),
        "Socket of the SNMP agent.",
        keeps="first",
        default="unix:/var/agentx/master",
    ),
    *(
        word(name, None, f"Answer SNMP: {what}.")
        for name, what in (
            ("enable_snmp_vrrp", "keepalived's own table of VRRP"),
            ("enable_snmp_checker", "keepalived's own table of virtual and real servers"),
            ("enable_snmp_rfc", "both tables of the VRRP standards"),
            ("enable_snmp_rfcv2", "the table of VRRPv2's standard"),
            ("enable_snmp_rfcv3", "the table of VRRPv3's standard"),
        )
    ),
    word("enable_snmp_keepalived", None, same_as="enable_snmp_vrrp"),
    word("enable_traps", None, "Send SNMP traps."),
    word(
        "snmp_vs_stats_update_interval",
        Timer(1_000, 30_000_000),
        "Seconds between readings of virtual servers' counters for SNMP.",
        default="5",
        since="2.3.0",
    ),
    word(
        "snmp_rs_stats_update_interval",
        Timer(1_000, 30_000_000),
        "Seconds between readings of real servers' counters for SNMP.",
        default="0",
        since="2.3.0",
    ),
    word("enable_dbus", None, "Answer on D-Bus."),
    word("dbus_service_name", NAME, "Name on D-Bus."),
    word(
        "dbus_no_interface_name",
        Word("a name"),
        "Stands in D-Bus paths for the interface of an instance without one.",
        default="none",
        since="2.3.0",
    ),
    word(
        "json_version",
        Int(1, 2),
        "Form of the JSON dump.",
        default="1",
        since="2.2.8",
        engine="runs",
    ),
    word("state_dump_file", PATH, "Where the state is written.", since="2.3.3", engine="runs"),
    word("stats_dump_file", PATH, "Where the counters are written.", since="2.3.3", engine="runs"),
    word("json_dump_file", PATH, "Where the JSON is written.", since="2.3.3", engine="runs"),
    word("data_use_instance", Bool(), "Put the instance's name into dump files.", engine="ignored"),
)

RELOADING = (
    word(
        "reload_check_config", Perhaps(PATH), "Check a file before reloading it.", engine="ignored"
    ),
    word("reload_time_file", READ, "File that holds the time of a reload.", engine="ignored"),
    word("reload_repeat", None, "Reload at that time every day.", engine="ignored"),
    word("reload_file", Perhaps(PATH), "File that asks for a reload.", engine="ignored"),
    word("config_save_dir", PATH, "Where the read configuration is kept.", engine="ignored"),
    word(
        "tmp_config_directory",
        PATH,
        "Where included files are kept while reading.",
        keeps="first",
        engine="ignored",
    ),
    word("iproute_usr_dir", READ, "Directory of iproute's names.", since="2.3.2", engine="ignored"),
    word("iproute_etc_dir", READ, "Directory of iproute's names.", since="2.3.2", engine="ignored"),
    word(
        "include_check",
        IncludeCheck(),
        "Which missing included files are errors.",
        repeats=True,
    ),
)
