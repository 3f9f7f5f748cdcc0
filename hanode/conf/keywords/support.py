"""What our node engine does with the words: the rest is planned.

PURE; data only. A word that fills a field of the model says so in its own row. `ignored` is for
words about keepalived's own processes, whose absence changes nothing for anybody else.
"""

from __future__ import annotations

from dataclasses import replace

from hanode.conf.schema import Block

_PACING = (
    "garp_master_delay garp_master_repeat garp_master_refresh garp_master_refresh_repeat "
    "garp_lower_prio_delay garp_lower_prio_repeat down_timer_adverts lower_prio_no_advert "
    "higher_prio_send_advert skip_check_adv_addr"
).split()
_PROCESSES = tuple(
    f"{process}_{word}"
    for process in ("vrrp", "checker", "bfd")
    for word in (
        "priority no_swap rt_priority cpu_affinity rlimit_rttime rlimit_rtime process_name"
    ).split()
)
_BUFFERS = tuple(
    f"{name}_rcv_bufs{suffix}"
    for name in (
        "vrrp_netlink_cmd vrrp_netlink_monitor lvs_netlink_cmd lvs_netlink_monitor process_monitor"
    ).split()
    for suffix in ("", "_force")
)

RUNS: dict[str, tuple[str, ...]] = {
    "root": ("global_defs",),
    "global_defs": (
        "vrrp_mcast_group4",
        "vrrp_mcast_group6",
        *(f"vrrp_{word}" for word in _PACING),
    ),
    "vrrp_instance": (
        *_PACING,
        *"preempt_delay mcast_src_ip mcast_dst_ip".split(),
    ),
    "virtual_server": tuple(
        (
            "persistence_timeout quorum hysteresis weight sorry_server sorry_server_inhibit retry "
            "delay_before_retry warmup connect_timeout inhibit_on_failure alpha"
        ).split()
    ),
    "real_server": tuple(
        (
            "lvs_method inhibit_on_failure retry delay_before_retry warmup connect_timeout "
            "delay_loop alpha"
        ).split()
    ),
    "TCP_CHECK": ("warmup", "delay_loop", "alpha"),
}
IGNORED: dict[str, tuple[str, ...]] = {
    "root": tuple("instance use_pid_dir child_wait_time namespace_with_ipsets".split()),
    "global_defs": (
        *_PROCESSES,
        *_BUFFERS,
        *(
            "process_names process_name lvs_process_name max_auto_priority "
            "min_auto_priority_delay umask random_seed json_version state_dump_file "
            "stats_dump_file json_dump_file data_use_instance reload_check_config "
            "reload_time_file reload_repeat reload_file config_save_dir tmp_config_directory "
            "iproute_usr_dir iproute_etc_dir instance use_pid_dir namespace_with_ipsets "
            "vrrp_rx_bufs_policy vrrp_rx_bufs_multiplier"
        ).split(),
    ),
    "vrrp_instance": ("debug", "kernel_rx_buf_size"),
}

_CHECKED_ALL = frozenset(("TCP_CHECK",))


def supported(block: Block) -> Block:
    """The block, each word with what the engine does with it."""
    runs, ignored = RUNS.get(block.name, ()), IGNORED.get(block.name, ())
    keywords = {}
    for name, keyword in block.keywords.items():
        engine = keyword.engine
        if name in runs:
            engine = "runs"
        elif name in ignored:
            engine = "ignored"
        elif block.name.endswith(("_CHECK", "_GET")) and block.name not in _CHECKED_ALL:
            engine = "planned"  # rows that all checks share; the check itself does not run yet
        keywords[name] = replace(keyword, engine=engine)
    return replace(block, keywords=keywords)
