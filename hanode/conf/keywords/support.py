"""What our node engine does with the words: the rest is planned.

PURE; data only. A word that fills a field of the model says so in its own row. `ignored` is for
words about keepalived's own processes, whose absence changes nothing for anybody else.
"""

from __future__ import annotations

from dataclasses import replace

from hanode.conf.language.schema import Block

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

_TRACKING = tuple("track_interface track_script track_file track_process".split())
_NOTIFY = tuple(
    (
        "notify_master notify_backup notify_fault notify_stop notify notify_priority_changes "
        "smtp_alert"
    ).split()
)
_ADDRESS = tuple(
    (
        "dev brd broadcast scope label peer home -nodad mngtmpaddr noprefixroute autojoin "
        "preferred_lft"
    ).split()
)
_ROUTE = tuple(
    (
        "to unicast local broadcast anycast multicast throw unreachable prohibit blackhole inet "
        "inet6 via gw dev oif src from table metric priority preference protocol scope tos dsfield "
        "realms onlink expires mtu advmss rtt rttvar rto_min reordering window cwnd ssthresh "
        "initcwnd initrwnd hoplimit features quickack congctl pref ttl-propagate "
        "fastopen_no_cookie prepend append nexthop"
    ).split()
)
_RULE = tuple(
    (
        "from to not inet inet6 table lookup goto nop blackhole unreachable prohibit l3mdev "
        "preference priority order iif dev oif tos dsfield fwmark realms suppress_prefixlength "
        "sup_pl suppress_ifgroup sup_group tunnel-id uidrange protocol ipproto sport dport"
    ).split()
)

RUNS: dict[str, tuple[str, ...]] = {
    "root": tuple(
        (
            "global_defs vrrp_sync_group vrrp_script vrrp_track_process track_file vrrp_track_file "
            "garp_group track_group static_ipaddress static_routes static_rules net_namespace "
            "net_namespace_ipvs linkbeat_interfaces linkbeat_use_polling interface_up_down_delays"
        ).split()
    ),
    "garp_group": ("garp_interval", "gna_interval", "interface", "interfaces"),
    "global_defs": (
        "vrrp_mcast_group4",
        "vrrp_mcast_group6",
        *(f"vrrp_{word}" for word in _PACING),
        *(
            "vrrp_garp_interval vrrp_gna_interval vrrp_min_garp vrrp_garp_extra_if "
            "vrrp_vmac_garp_intvl vrrp_check_unicast_src vrrp_strict v3_checksum_as_v2 "
            "vrrp_owner_ignore_adverts vrrp_startup_delay vrrp_delay_after_boot log_unknown_vrids "
            "default_interface vmac_prefix vmac_addr_prefix vrrp_notify_priority_changes "
            "notification_email notification_email_from smtp_server smtp_helo_name "
            "smtp_connect_timeout smtp_alert smtp_alert_vrrp no_email_faults script_user "
            "enable_script_security notify_fifo notify_fifo_script "
            "vrrp_notify_fifo vrrp_notify_fifo_script fifo_write_vrrp_states_on_reload "
            "dynamic_interfaces disable_local_igmp net_namespace vrrp_priority vrrp_no_swap "
            "vrrp_rt_priority vrrp_cpu_affinity vrrp_rlimit_rttime vrrp_rlimit_rtime "
            "json_version state_dump_file stats_dump_file json_dump_file"
        ).split(),
    ),
    "vrrp_instance": (
        *_PACING,
        *_TRACKING,
        *_NOTIFY,
        *(
            "preempt preempt_delay mcast_src_ip mcast_dst_ip auth_hmac no_virtual_ipaddress "
            "native_ipv6 promote_secondaries virtual_routes virtual_rules accept no_accept "
            "unicast_src_ip unicast_peer unicast_ttl unicast_fault_no_peer check_unicast_src "
            "old_unicast_checksum "
            "track_src_ip use_vmac use_vmac_addr use_ipvlan vrf vmac_xmit_base "
            "dont_track_primary garp_extra_if vmac_garp_intvl owner_ignore_adverts strict_mode "
            "v3_checksum_as_v2 "
            "timer_expired_backup thread_timer_expired notify_deleted notify_master_rx_lower_pri "
            "linkbeat_use_polling"
        ).split(),
    ),
    "vrrp_sync_group": (
        "group",
        "sync_group_tracking_weight",
        "global_tracking",
        *_TRACKING,
        *_NOTIFY,
    ),
    "auth_hmac": ("key", "active_key", "anti_replay", "time_window", "mode"),
    "vrrp_script": tuple("script interval timeout weight rise fall user init_fail".split()),
    "vrrp_track_process": tuple(
        (
            "process param_match weight quorum quorum_max delay fork_delay terminate_delay "
            "full_command"
        ).split()
    ),
    "track_file_block": ("file", "weight", "init_file"),
    "virtual_ipaddress": (*_ADDRESS, "use_vmac", "no_track"),
    "virtual_ipaddress_excluded": (*_ADDRESS, "use_vmac", "no_track"),
    "static_ipaddress": (*_ADDRESS, "track_group"),
    "track_group": ("group",),
    "virtual_routes": (*_ROUTE, "no_track", "encap"),
    "static_routes": (*_ROUTE, "track_group", "encap"),
    "virtual_rules": (*_RULE, "no_track"),
    "static_rules": (*_RULE, "track_group"),
    "unicast_peer": ("min_ttl", "max_ttl"),
    **dict.fromkeys(_TRACKING, ("weight",)),
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
            "min_auto_priority_delay umask random_seed data_use_instance reload_check_config "
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
