"""The tables contain every keyword of the language in its block, with its meaning."""

from __future__ import annotations

import pytest

from hanode import conf
from hanode.conf.keywords import blocks
from hanode.conf.language.releases import target
from hanode.conf.model.model import Config, GlobalDefs, Statement

TRACKING = "track_interface track_script track_file track_process track_bfd"
RETRYING = "retry delay_before_retry warmup delay_loop alpha log_all_failures"
CONNECTING = "connect_ip connect_port bindto bind_port bind_if connect_timeout fwmark"
HTTP = "nb_get_retry virtualhost http_protocol enable_sni sni_name fast_recovery tls_compliant url"
GARP = (
    "garp_master_delay garp_master_repeat garp_master_refresh garp_master_refresh_repeat "
    "garp_lower_prio_delay garp_lower_prio_repeat garp_extra_if"
)
OF_A_PROCESS = "priority no_swap rt_priority cpu_affinity rlimit_rttime rlimit_rtime process_name"

INVENTORY: dict[str, str] = {
    "root": """global_defs vrrp_instance vrrp_sync_group vrrp_script vrrp_track_process track_file
        vrrp_track_file bfd_instance garp_group static_ipaddress static_routes static_rules
        track_group virtual_server virtual_server_group SSL interface_up_down_delays
        linkbeat_interfaces linkbeat_use_polling net_namespace net_namespace_ipvs
        namespace_with_ipsets instance use_pid_dir child_wait_time include includer includem
        includew includeb includea""",
    "global_defs": """router_id notification_email notification_email_from smtp_server
        smtp_helo_name smtp_connect_timeout smtp_alert smtp_alert_vrrp smtp_alert_checker
        no_email_faults no_checker_emails checker_log_all_failures script_user
        enable_script_security set_supplementary_groups startup_script shutdown_script
        startup_script_timeout shutdown_script_timeout use_symlink_paths vrrp_version
        vrrp_mcast_group4 vrrp_mcast_group6 vrrp_garp_interval vrrp_gna_interval vrrp_min_garp
        vrrp_vmac_garp_intvl vrrp_down_timer_adverts vrrp_lower_prio_no_advert
        vrrp_higher_prio_send_advert vrrp_check_unicast_src vrrp_skip_check_adv_addr vrrp_strict
        v3_checksum_as_v2 vrrp_owner_ignore_adverts vrrp_startup_delay vrrp_delay_after_boot
        log_unknown_vrids default_interface dynamic_interfaces disable_local_igmp vmac_prefix
        vmac_addr_prefix vrrp_rx_bufs_policy vrrp_rx_bufs_multiplier vrrp_notify_priority_changes
        vrrp_iptables vrrp_ipsets nftables nftables_priority nftables_counters nftables_ifindex
        nftables_ipvs nftables_ipvs_priority nftables_ipvs_start_fwmark lvs_sync_daemon
        lvs_timeouts lvs_flush lvs_flush_on_stop lvs_flush_onstop rs_init_notifies process_names
        process_name lvs_process_name max_auto_priority min_auto_priority_delay umask random_seed
        vrrp_netlink_cmd_rcv_bufs vrrp_netlink_cmd_rcv_bufs_force vrrp_netlink_monitor_rcv_bufs
        vrrp_netlink_monitor_rcv_bufs_force lvs_netlink_cmd_rcv_bufs
        lvs_netlink_cmd_rcv_bufs_force lvs_netlink_monitor_rcv_bufs
        lvs_netlink_monitor_rcv_bufs_force process_monitor_rcv_bufs process_monitor_rcv_bufs_force
        notify_fifo notify_fifo_script vrrp_notify_fifo vrrp_notify_fifo_script lvs_notify_fifo
        lvs_notify_fifo_script fifo_write_vrrp_states_on_reload snmp_socket enable_snmp_vrrp
        enable_snmp_keepalived enable_snmp_checker enable_snmp_rfc enable_snmp_rfcv2
        enable_snmp_rfcv3 enable_traps snmp_vs_stats_update_interval snmp_rs_stats_update_interval
        enable_dbus dbus_service_name dbus_no_interface_name json_version state_dump_file
        stats_dump_file json_dump_file data_use_instance reload_check_config reload_time_file
        reload_repeat reload_file config_save_dir tmp_config_directory iproute_usr_dir
        iproute_etc_dir include_check """
    + " ".join(f"vrrp_{word}" for word in GARP.split())
    + " "
    + " ".join(f"{p}_{word}" for p in ("vrrp", "checker", "bfd") for word in OF_A_PROCESS.split()),
    "vrrp_instance": f"""state interface virtual_router_id priority advert_int version
        authentication auth_hmac virtual_ipaddress virtual_ipaddress_excluded no_virtual_ipaddress
        promote_secondaries virtual_routes virtual_rules nopreempt preempt preempt_delay accept
        no_accept unicast_src_ip unicast_peer unicast_ttl unicast_fault_no_peer check_unicast_src
        old_unicast_checksum mcast_src_ip mcast_dst_ip track_src_ip use_vmac use_vmac_addr
        vmac_xmit_base use_ipvlan vrf dont_track_primary {TRACKING} {GARP} vmac_garp_intvl
        lower_prio_no_advert higher_prio_send_advert owner_ignore_adverts skip_check_adv_addr
        strict_mode v3_checksum_as_v2 down_timer_adverts timer_expired_backup thread_timer_expired
        notify_master notify_backup notify_fault notify_stop notify_deleted notify
        notify_master_rx_lower_pri notify_priority_changes smtp_alert debug kernel_rx_buf_size
        linkbeat_use_polling lvs_sync_daemon_interface""",
    "authentication": "auth_type auth_pass",
    "auth_hmac": "key active_key anti_replay mode time_window",
    "vrrp_sync_group": f"""group {TRACKING} notify_master notify_backup notify_fault notify_stop
        notify smtp_alert notify_priority_changes sync_group_tracking_weight global_tracking""",
    "vrrp_script": "script interval timeout weight rise fall user init_fail",
    "vrrp_track_process": """process param_match weight quorum quorum_max delay fork_delay
        terminate_delay full_command""",
    "track_file_block": "file weight init_file",
    "track_group": "group",
    "garp_group": "garp_interval gna_interval interface interfaces",
    "bfd_instance": """neighbor_ip neighbour_ip source_ip min_rx min_tx idle_tx multiplier passive
        ttl hoplimit max_hops multihop weight vrrp checker""",
    "SSL": "password ca certificate key",
    "virtual_server": """delay_loop lb_algo lvs_sched hashed ops flag-1 flag-2 flag-3 sh-port
        sh-fallback mh-port mh-fallback lb_kind lvs_method persistence_timeout
        persistence_granularity persistence_engine protocol ip_family retry delay_before_retry
        warmup connect_timeout inhibit_on_failure ha_suspend smtp_alert virtualhost snmp_name alpha
        omega quorum hysteresis quorum_up quorum_down weight sorry_server sorry_server_inhibit
        sorry_server_lvs_method real_server""",
    "real_server": """weight lvs_method inhibit_on_failure uthreshold lthreshold notify_up
        notify_down alpha retry delay_before_retry warmup connect_timeout delay_loop smtp_alert
        virtualhost snmp_name TCP_CHECK HTTP_GET SSL_GET SMTP_CHECK DNS_CHECK MISC_CHECK UDP_CHECK
        PING_CHECK FILE_CHECK BFD_CHECK""",
    "TCP_CHECK": f"{CONNECTING} {RETRYING}",
    "HTTP_GET": f"{CONNECTING} {RETRYING} {HTTP}",
    "SSL_GET": f"{CONNECTING} {RETRYING} {HTTP}",
    "url": """path digest status_code virtualhost regex regex_no_match regex_options
        regex_min_offset regex_max_offset regex_stack tls_compliant""",
    "SMTP_CHECK": f"{CONNECTING} {RETRYING} helo_name host",
    "DNS_CHECK": f"{CONNECTING} {RETRYING} type name",
    "MISC_CHECK": f"{RETRYING} misc_path misc_timeout misc_dynamic user",
    "UDP_CHECK": f"""{CONNECTING} {RETRYING} payload require_reply min_reply_length
        max_reply_length""",
    "PING_CHECK": f"{CONNECTING} {RETRYING}",
    "FILE_CHECK": "track_file weight",
    "BFD_CHECK": "name alpha",
}
"""By block: every keyword that keepalived registers, from 2.2.7 to the current release."""

SINCE = {
    "2.2.8": "json_version no_virtual_ipaddress timer_expired_backup tls_compliant multihop "
    "v3_checksum_as_v2",
    "2.3.0": "dbus_no_interface_name snmp_vs_stats_update_interval snmp_rs_stats_update_interval "
    "use_symlink_paths",
    "2.3.2": "iproute_usr_dir iproute_etc_dir thread_timer_expired",
    "2.3.3": "state_dump_file stats_dump_file json_dump_file owner_ignore_adverts "
    "vrrp_owner_ignore_adverts",
    "2.4.0": "auth_hmac vrrp_delay_after_boot",
}


@pytest.mark.parametrize("block", INVENTORY)
def test_every_word_of_the_language_is_known_in_its_block(block: str) -> None:
    assert set(INVENTORY[block].split()) - set(blocks()[block].keywords) == set()


def test_every_word_has_a_sentence_of_help_and_an_engine() -> None:
    for table in blocks().values():
        for keyword in table.keywords.values():
            assert keyword.help.endswith("."), (table.name, keyword.name)
            assert keyword.engine in ("runs", "ignored", "planned")


def test_every_block_that_a_word_opens_exists() -> None:
    opened = {k.opens for b in blocks().values() for k in b.keywords.values() if k.opens}
    assert opened <= set(blocks())


@pytest.mark.parametrize("release", SINCE)
def test_what_came_later_says_so(release: str) -> None:
    for word in SINCE[release].split():
        found = {b.keywords[word].since for b in blocks().values() if word in b.keywords}
        assert found == {release}, word


def script(line: str) -> str:
    return f"vrrp_script s {{\n    script /bin/true\n    {line}\n}}\n"


@pytest.mark.parametrize("line", ["interval 0.5", "timeout 1.5"])
def test_fractions_of_a_script_s_seconds_need_2_3_2(line: str) -> None:
    (problem,) = [p for p in conf.check(script(line)).problems if p.code == "bad-value"]
    assert (problem.severity, problem.line) == ("error", 3)
    assert "whole seconds" in problem.message
    model = conf.check(script(line), target="keepalived-2.3.2").model
    newer = conf.check(script(line), target="keepalived-2.3.2").problems
    assert "bad-value" not in {p.code for p in newer}
    rendered = conf.render(model, target="keepalived-2.2.7")
    assert line not in rendered.text
    assert [p.code for p in rendered.problems] == ["left-out"]
    assert line in conf.render(model, target="keepalived-2.3.2").text


@pytest.mark.parametrize(
    ("name", "since", "known"),
    [
        ("keepalived-2.2.7", "2.2.8", False),
        ("keepalived-2.3", "2.3.0", True),
        ("keepalived-2.3", "2.3.3", False),
        ("keepalived-2.3.4", "2.3.3", True),
        ("keepalived-2.2", "2.2.8", False),
        ("hanode", "2.4.0", True),
    ],
)
def test_a_target_of_two_numbers_is_what_all_its_releases_know(
    name: str, since: str, known: bool
) -> None:
    assert target(name).has(since) is known


def test_our_own_engine_s_file_leaves_out_what_it_ignores_and_names_what_it_cannot_do() -> None:
    words = (Statement(("process_names",)), Statement(("enable_dbus",)))
    rendered = conf.render(Config(globals=GlobalDefs(other=words)), target="hanode")
    assert "process_names" not in rendered.text
    assert "enable_dbus" in rendered.text
    assert sorted(p.code for p in rendered.problems) == ["left-out", "not-yet"]


BAD = {
    "global_defs": """vrrp_garp_extra_if 0|dynamic_interfaces foo|vrrp_rx_bufs_policy FOO
        vrrp_rx_bufs_multiplier 0|nftables_priority foo|nftables_ipvs_start_fwmark 0
        lvs_sync_daemon eth0 id 300|lvs_timeouts tcp x|lvs_timeouts tcp 5 foo 6|umask 999
        vrrp_mcast_group4 10.0.0.1|vrrp_mcast_group6 10.0.0.1|smtp_server 10.0.0.1 x
        vrrp_rlimit_rttime 0|random_seed foo|lvs_flush_on_stop foo|rs_init_notifies foo
        include_check readable|include_check match read|umask IRWXU|umask 022 033
        vrrp_cpu_affinity x|vrrp_rx_bufs_policy NO_SEND_RX|vrrp_mcast_group6 ff05::1
        lvs_sync_daemon eth0 group 10.0.0.1|process_monitor_rcv_bufs x|no_checker_emails x""",
    "vrrp_script s": "weight 5 foo|weight 300|rise 0|fall x",
    "vrrp_track_process p": "param_match foo|quorum 0|weight 300|delay x",
    "track_file f": "init_file x|init_file 5 foo|weight 255",
    "vrrp_instance i": """old_unicast_checksum foo|garp_extra_if all x|garp_extra_if 90000
        garp_extra_if 600 more|use_vmac toolonginterfacename|use_vmac a b|use_vmac a/b
        use_vmac x 01:00:00:00:00:01|use_vmac 00:00:5e:00:01:05|use_vmac x 00:00:5e:00
        use_ipvlan a b|use_ipvlan a 10.0.0.1 10.0.0.2|use_ipvlan bridge vepa
        mcast_dst_ip 10.0.0.1|mcast_dst_ip ff05::1""",
    "virtual_server 192.0.2.1 80": """lvs_method TUN type foo|lb_kind DR foo|lb_kind FOO
        persistence_granularity foo|ip_family foo|lb_kind TUN type gue
        persistence_engine abcdefghijklmnopq""",
    "bfd_instance b": "min_rx 0|weight 254|max_hops 256",
}


@pytest.mark.parametrize(
    ("head", "line"),
    [
        (head, line.strip())
        for head, lines in BAD.items()
        for line in lines.replace("\n", "|").split("|")
    ],
)
def test_what_keepalived_refuses_is_an_error(head: str, line: str) -> None:
    problems = conf.check(f"{head} {{\n{line}\n}}\n").problems
    assert ("bad-value", "error", 2) in [(p.code, p.severity, p.line) for p in problems]


@pytest.mark.parametrize("tunnel", ["type gue port 6080 csum", "type gre", "type ipip"])
def test_a_tunnel_s_options_are_kept(tunnel: str) -> None:
    text = f"virtual_server 192.0.2.1 80 {{\n    lb_kind TUN {tunnel}\n}}\n"
    checked = conf.check(text)
    assert "bad-value" not in {p.code for p in checked.problems}
    assert f"lb_kind TUN {tunnel}" in conf.render(checked.model).text


@pytest.mark.parametrize("word", ["instance x", "net_namespace x", "use_pid_dir"])
def test_words_of_the_root_are_not_those_of_global_defs(word: str) -> None:
    inside = conf.check(f"global_defs {{\n{word}\n}}\n").problems
    assert [(p.code, p.line) for p in inside] == [("misplaced-keyword", 2)]
    assert not conf.check(f"{word}\n").problems


@pytest.mark.parametrize(
    ("line", "target", "codes"),
    [
        ("use_vmac name vm5 group 3", "keepalived-2.2.7", ["bad-value"]),
        ("use_vmac name vm5 group 3", "keepalived-2.3", []),
        ("use_vmac vm5 netlink_notify_msg", "keepalived-2.3", []),
    ],
)
def test_a_value_can_come_with_a_release(line: str, target: str, codes: list[str]) -> None:
    found = conf.check(f"vrrp_instance i {{\n{line}\n}}\n", target=target).problems
    assert [p.code for p in found if p.line == 2] == codes


@pytest.mark.parametrize("digits", ["9" * 5000, "--5", "0x" + "f" * 5000, "00000000010"])
def test_no_number_is_too_long_to_be_looked_at(digits: str) -> None:
    lines = {
        "virtual_routes": f"10.0.0.0/{digits} table {digits} mtu {digits} rtt {digits}",
        "virtual_rules": f"from 10.0.0.1 goto {digits} priority {digits}",
        "unicast_peer": f"10.0.0.1 min_ttl {digits} max_ttl {digits}",
        "virtual_ipaddress": f"10.0.0.1/{digits} preferred_lft {digits} scope {digits}",
    }
    text = "".join(f"{name} {{\n{line}\n}}\n" for name, line in lines.items())
    assert conf.check(f"vrrp_instance i {{\n{text}}}\n").problems
    group = f"virtual_server_group g {{\n10.0.0.0/{digits} {digits}\n10.0.0.1-{digits} 80\n}}\n"
    assert conf.check(group + f"bfd_instance b {{\nmax_hops {digits}\n}}\n").problems
