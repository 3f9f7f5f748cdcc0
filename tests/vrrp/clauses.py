"""What RFC 9568 (VRRPv3) and RFC 3768 (VRRPv2) demand in sections 5 to 8, and who holds it.

A clause is a MUST or MUST NOT, or a step that their state machines prescribe; `said` marks what
they describe without demanding it and a test holds all the same. RFC 9568 with its errata 7947,
7949, 8298, 8299, 8300 and 8301. A clause has tests or a reason why it is not the engine's.
"""

from __future__ import annotations

from dataclasses import dataclass

KERNEL = "kernel/"
"""Before the name of a test in tests/kernel/test_clauses.py."""


@dataclass(frozen=True, slots=True)
class Clause:
    section: str
    text: str
    """In our words."""
    tests: tuple[str, ...] = ()
    """Their names without `test_`."""
    reason: str = ""
    """Why there is none."""
    must: bool = True


def _must(section: str, text: str, *tests: str, reason: str = "") -> Clause:
    return Clause(section, text, tests, reason)


def _said(section: str, text: str, *tests: str) -> Clause:
    return Clause(section, text, tests, must=False)


NO_ADVERTISEMENTS = (
    "router advertisements are radvd's or another daemon's, as with keepalived: neither engine"
    " sends any in any state"
)
NO_REDIRECTS = "the kernel sends redirects and chooses their source; keepalived leaves it alone too"
ONE_VERSION = (
    "optional (8.4.2): an instance speaks one version, as keepalived's; the flag that this"
    " depends on does not exist"
)

RFC9568 = (
    # 5.1
    _said("5.1.1.1", "the source is the interface's primary IPv4 address",
          "5_1_1_1_source_is_the_primary_address_of_the_interface"),
    _said("5.1.1.2", "the group is 224.0.0.18", "5_1_1_2_destination_is_224_0_0_18"),
    _must("5.1.1.2", "nobody forwards a packet to the group",
          "kernel/5_1_1_2_adverts_are_not_forwarded"),
    _must("5.1.1.3", "adverts have TTL 255", "5_1_1_3_ttl_is_255"),
    _must("5.1.1.3", "another TTL: discard", "5_1_1_3_packet_whose_ttl_is_not_255_is_discarded"),
    _said("5.1.1.4", "the protocol is 112", "5_1_1_4_protocol_is_112"),
    _said("5.1.2.1", "the source is a link-local address",
          "5_1_2_1_source_is_the_link_local_address"),
    _said("5.1.2.2", "the group is ff02::12", "5_1_2_2_destination_is_ff02_12"),
    _must("5.1.2.2", "nobody forwards a packet to the group",
          "kernel/5_1_2_2_adverts_are_not_forwarded"),
    _must("5.1.2.3", "adverts have hop limit 255", "5_1_2_3_hop_limit_is_255"),
    _must("5.1.2.3", "another hop limit: discard",
          "5_1_2_3_packet_whose_hop_limit_is_not_255_is_discarded"),
    # 5.2
    _said("5.2.1", "the version is 3", "5_2_1_version_is_3"),
    _said("5.2.2", "the only type is 1", "5_2_2_type_is_1"),
    _must("5.2.2", "another type: discard", "5_2_2_packet_of_an_unknown_type_is_discarded"),
    _said("5.2.3", "the VRID is the virtual router's", "5_2_3_vrid_names_the_virtual_router"),
    _must("5.2.4", "an owner's priority is 255", "5_2_4_owner_sends_255"),
    _must("5.2.4", "the others' is 1 to 254", "5_2_4_others_send_1_to_254"),
    _said("5.2.5", "the count is that of the addresses",
          "5_2_5_count_is_the_number_of_addresses"),
    _must("5.2.5", "a count of 0: ignore", "5_2_5_advert_without_addresses_is_ignored"),
    _must("5.2.6", "the reserved bits are sent as 0", "5_2_6_reserve_is_0_when_sent"),
    _must("5.2.6", "and not looked at", "5_2_6_reserve_is_ignored_when_received"),
    _said("5.2.7", "the interval is in centiseconds", "5_2_7_interval_is_in_centiseconds"),
    _must("5.2.8", "IPv4: the sum is over the message alone",
          "5_2_8_checksum_of_ipv4_covers_the_packet_alone"),
    _must("5.2.8", "IPv6: and over a pseudo-header",
          "5_2_8_checksum_of_ipv6_covers_a_pseudo_header"),
    _must("5.2.9", "IPv6: the first address is link-local",
          "5_2_9_first_ipv6_address_is_link_local"),
    _must("5.2.9", "all addresses are of the IP header's family",
          "5_2_9_addresses_are_of_the_header_s_family"),
    # 6.1
    _said("6.1", "Skew_Time and Active_Down_Interval", "6_1_skew_time_and_active_down_interval"),
    _must("6.1", "without Accept_Mode neighbour discovery passes all the same",
          "kernel/6_1_neighbour_discovery_passes_where_packets_are_not_accepted"),
    # 6.4.1
    _must("6.4.1", "start of an owner: advert, announcements, Adver_Timer, Active",
          "6_4_1_owner_sends_announces_and_becomes_active"),
    _must("6.4.1", "start of others: own interval, Active_Down_Timer, Backup",
          "6_4_1_others_wait_active_down_interval_as_backup"),
    # 6.4.2
    _said("6.4.2", "a backup holds no address", "6_4_2_backup_does_not_hold_the_addresses"),
    _must("6.4.2", "a backup answers no ARP request for the addresses",
          "kernel/6_4_2_backup_answers_no_arp_request"),
    _must("6.4.2", "nor a neighbour solicitation",
          "kernel/6_4_2_backup_answers_no_solicitation"),
    _must("6.4.2", "nor does it send router advertisements", reason=NO_ADVERTISEMENTS),
    _must("6.4.2", "a backup discards frames to the virtual MAC",
          "kernel/6_4_2_backup_discards_frames_to_the_virtual_mac"),
    _must("6.4.2", "a backup accepts no packet to the addresses",
          "kernel/6_4_2_backup_accepts_no_packet_to_the_addresses"),
    _must("6.4.2", "shutdown: no timer, Initialize",
          "6_4_2_shutdown_cancels_the_timer_and_says_nothing"),
    _must("6.4.2", "the timer fires: advert, announcements, Adver_Timer, Active",
          "6_4_2_timer_sends_announces_and_becomes_active"),
    _must("6.4.2", "priority 0: the timer is Skew_Time",
          "6_4_2_priority_0_sets_the_timer_to_skew_time"),
    _must("6.4.2", "no preemption, or not lower: the sender's interval, a new timer",
          "6_4_2_advert_that_is_given_way_to_sets_interval_and_timer"),
    _must("6.4.2", "lower: discard", "6_4_2_lower_priority_is_discarded"),
    # 6.4.3
    _said("6.4.3", "a master holds the addresses", "6_4_3_active_holds_the_addresses"),
    _must("6.4.3", "it answers ARP requests for the addresses",
          "kernel/6_4_3_active_answers_arp_requests"),
    _must("6.4.3", "it is in their solicited-node groups",
          "kernel/6_4_3_active_is_a_member_of_the_solicited_node_groups"),
    _must("6.4.3", "it answers solicitations with the Router flag",
          "kernel/6_4_3_active_answers_solicitations_as_a_router"),
    _must("6.4.3", "it sends router advertisements", reason=NO_ADVERTISEMENTS),
    _must("6.4.3", "it forwards frames to the virtual MAC",
          "kernel/6_4_3_active_forwards_what_is_sent_to_the_virtual_mac"),
    _must("6.4.3", "it accepts packets to the addresses as owner or with Accept_Mode",
          "6_4_3_packets_are_accepted_by_the_owner_and_in_accept_mode",
          "kernel/6_4_3_active_accepts_packets_where_it_is_to"),
    _must("6.4.3", "and otherwise not",
          "6_4_3_packets_are_not_accepted_otherwise",
          "kernel/6_4_3_active_accepts_no_packets_where_it_is_not_to"),
    _must("6.4.3", "shutdown: no timer, priority 0, Initialize",
          "6_4_3_shutdown_sends_priority_0"),
    _must("6.4.3", "the timer fires: advert, timer", "6_4_3_timer_sends_and_is_set_again"),
    _must("6.4.3", "priority 0: advert, timer", "6_4_3_priority_0_is_answered_at_once"),
    _must("6.4.3", "higher, or equal from a higher address: Backup, the sender's interval",
          "6_4_3_the_better_one_makes_it_backup",
          "6_4_3_addresses_are_compared_as_unsigned_numbers"),
    _must("6.4.3", "others: discard, and send an advert", "6_4_3_others_are_discarded_and_told"),
    # 7
    _must("7.1", "TTL or hop limit is 255", "7_1_ttl_or_hop_limit_is_255"),
    _must("7.1", "the version is 3", "7_1_version_is_3"),
    _must("7.1", "the type is 1", "7_1_type_is_1"),
    _must("7.1", "the packet is complete", "7_1_packet_is_complete"),
    _must("7.1", "the checksum is right", "7_1_checksum_is_right",
          "7_1_checksum_may_leave_the_pseudo_header_out_where_the_file_says_so"),
    _must("7.1", "the VRID is one of the receiving interface",
          "7_1_vrid_is_configured_on_the_interface"),
    _must("7.1", "the receiver is no owner (erratum 8298: say so, and go on)",
          "7_1_owner_does_not_listen"),
    _must("7.1", "the interval is not 0 (erratum 8301)", "7_1_interval_is_not_zero"),
    _must("7.1", "a check fails: discard", "7_1_packet_that_fails_a_check_is_discarded"),
    _must("7.2", "the fields are the virtual router's",
          "7_2_fields_are_those_of_the_virtual_router"),
    _must("7.2", "the checksum is computed", "7_2_checksum_is_computed"),
    _must("7.2", "the source MAC is the virtual one", "7_2_source_mac_is_the_virtual_one",
          "kernel/7_2_adverts_leave_from_the_virtual_mac",
          "kernel/7_2_adverts_leave_from_the_interface_s_mac_by_keepalived_s_default"),
    _must("7.2", "the source is the primary or link-local address",
          "7_2_source_is_the_primary_or_link_local_address"),
    _must("7.2", "the protocol is 112", "7_2_protocol_is_112"),
    _must("7.2", "the destination is the group", "7_2_destination_is_the_group"),
    _said("7.3", "announcements name the virtual MAC",
          "7_3_announcements_name_the_mac_that_they_are_given"),
    _must("7.4", "no interface identifier is made of the virtual MAC",
          "kernel/7_4_no_interface_identifier_is_made_of_the_virtual_mac"),
    # 8
    _must("8.1.1", "redirects come from the address that the host used", reason=NO_REDIRECTS),
    _must("8.1.2", "ARP is answered with the virtual MAC",
          "kernel/8_1_2_arp_is_answered_with_the_virtual_mac",
          "kernel/8_1_2_arp_is_answered_with_the_physical_mac_by_keepalived_s_default"),
    _must("8.1.2", "and never with the physical one",
          "kernel/8_1_2_arp_is_never_answered_with_the_physical_mac"),
    _must("8.1.2", "at boot no gratuitous ARP before address and MAC are there",
          "kernel/8_1_2_no_arp_before_address_and_virtual_mac_are_there"),
    _must("8.1.3", "proxy ARP names the virtual MAC",
          reason="proxy_arp is the host's switch; neither engine sets it"),
    _must("8.2.1", "redirects come from the address that the host used", reason=NO_REDIRECTS),
    _must("8.2.2", "solicitations are answered with the virtual MAC",
          "kernel/8_2_2_solicitations_are_answered_with_the_virtual_mac"),
    _must("8.2.2", "and never with the physical one",
          "kernel/8_2_2_solicitations_are_never_answered_with_the_physical_mac"),
    _must("8.2.2", "its own solicitations name the virtual MAC",
          "kernel/8_2_2_solicitations_of_the_virtual_router_name_the_virtual_mac"),
    _must("8.2.2", "and never the physical one",
          "kernel/8_2_2_solicitations_of_the_virtual_router_never_name_the_physical_mac"),
    _must("8.2.2", "at boot no neighbour message before address and MAC are there",
          "kernel/8_2_2_no_neighbour_message_before_address_and_virtual_mac_are_there"),
    _must("8.2.3", "backups advertise the options of the owner", reason=NO_ADVERTISEMENTS),
    _said("8.3.2", "nobody but an owner has 255",
          "8_3_2_priorities_below_255_are_never_raised_to_it"),
    _said("8.4", "one version for each instance", "8_4_version_2_is_not_believed"),
    _must("8.4.2", "a master of both versions sends both", reason=ONE_VERSION),
    _must("8.4.2", "a backup of both times out by the master's rate", reason=ONE_VERSION),
    _must("8.4.2", "and translates seconds", reason=ONE_VERSION),
)  # fmt: skip

RFC3768 = (
    # 5
    _said("5.2.2", "the group is 224.0.0.18", "5_2_2_destination_is_224_0_0_18"),
    _must("5.2.2", "nobody forwards a packet to the group",
          "kernel/5_1_1_2_adverts_are_not_forwarded"),
    _must("5.2.3", "adverts have TTL 255", "5_2_3_ttl_is_255"),
    _must("5.2.3", "another TTL: discard", "5_2_3_packet_whose_ttl_is_not_255_is_discarded"),
    _said("5.3.1", "version 2, type 1", "5_3_1_version_is_2_and_type_1"),
    _must("5.3.2", "another type: discard", "5_3_2_packet_of_an_unknown_type_is_discarded"),
    _must("5.3.4", "an owner's priority is 255", "5_3_4_owner_sends_255"),
    _must("5.3.4", "the others' is 1 to 254", "5_3_4_others_send_1_to_254"),
    _must("5.3.6", "unknown or other authentication: discard",
          "5_3_6_unknown_or_other_authentication_is_discarded"),
    _said("5.3.7", "the interval is in seconds", "5_3_7_interval_is_in_seconds"),
    _said("5.3.8", "the sum is over the whole message", "5_3_8_checksum_covers_the_packet_alone"),
    _said("5.3.9", "all addresses are listed",
          "5_3_9_addresses_are_all_of_the_virtual_router"),
    _said("5.3.10", "the authentication data are 0 and not looked at",
          "5_3_10_authentication_data_is_0_when_sent_and_ignored_when_received"),
    # 6
    _said("6.1", "Skew_Time", "6_1_skew_time_does_not_depend_on_the_interval"),
    _must("6.4.1", "start of an owner: advert, ARP, Adver_Timer, Master",
          "6_4_1_owner_becomes_master_at_once"),
    _must("6.4.1", "start of others: Master_Down_Timer, Backup", "6_4_1_others_become_backup"),
    _must("6.4.2", "a backup answers no ARP request for the addresses",
          "kernel/6_4_2_backup_answers_no_arp_request"),
    _must("6.4.2", "a backup discards frames to the virtual MAC",
          "kernel/6_4_2_backup_discards_frames_to_the_virtual_mac"),
    _must("6.4.2", "a backup accepts no packet to the addresses",
          "kernel/6_4_2_backup_accepts_no_packet_to_the_addresses"),
    _must("6.4.2", "shutdown: no timer, Initialize", "6_4_2_shutdown_cancels_the_timer"),
    _must("6.4.2", "the timer fires: advert, ARP, Adver_Timer, Master",
          "6_4_2_timer_sends_announces_and_becomes_master"),
    _must("6.4.2", "priority 0: the timer is Skew_Time",
          "6_4_2_priority_0_sets_master_down_timer_to_skew_time"),
    _must("6.4.2", "no preemption, or not lower: a new timer",
          "6_4_2_advert_that_is_given_way_to_resets_the_timer"),
    _must("6.4.2", "lower: discard", "6_4_2_lower_priority_is_discarded"),
    _must("6.4.3", "a master answers ARP requests for the addresses",
          "kernel/6_4_3_active_answers_arp_requests"),
    _must("6.4.3", "it forwards frames to the virtual MAC",
          "kernel/6_4_3_active_forwards_what_is_sent_to_the_virtual_mac"),
    _must("6.4.3", "it accepts no packet to the addresses unless it owns them",
          "6_4_3_packets_are_not_accepted_by_who_does_not_own_the_address"),
    _must("6.4.3", "and does if so", "6_4_3_packets_are_accepted_by_the_owner"),
    _must("6.4.3", "shutdown: no timer, priority 0, Initialize",
          "6_4_3_shutdown_sends_priority_0"),
    _must("6.4.3", "the timer fires: advert, timer", "6_4_3_timer_sends_and_is_set_again"),
    _must("6.4.3", "priority 0: advert, timer", "6_4_3_priority_0_is_answered"),
    _must("6.4.3", "higher, or equal from a higher address: Backup",
          "6_4_3_the_better_one_makes_it_backup"),
    _must("6.4.3", "others: discard", "6_4_3_others_are_discarded"),
    # 7
    _must("7.1", "the TTL is 255", "7_1_ttl_is_255"),
    _must("7.1", "the version is 2", "7_1_version_is_2"),
    _must("7.1", "the packet is complete", "7_1_packet_is_complete"),
    _must("7.1", "the checksum is right", "7_1_checksum_is_right"),
    _must("7.1", "the VRID is one of the receiving interface",
          "7_1_vrid_is_configured_on_the_interface"),
    _must("7.1", "the receiver is no owner", "7_1_owner_does_not_listen"),
    _must("7.1", "the authentication is ours, and is performed",
          "7_1_authentication_is_ours_and_performed"),
    _must("7.1", "a check fails: discard", "7_1_packet_that_fails_a_check_is_discarded"),
    _must("7.1", "other addresses, and not from an owner: drop",
          "7_1_other_addresses_of_who_is_no_owner_are_dropped"),
    _must("7.1", "the interval is ours", "7_1_interval_is_ours"),
    _must("7.2", "the fields are the virtual router's",
          "7_2_fields_are_those_of_the_virtual_router"),
    _must("7.2", "the checksum is computed", "7_2_checksum_is_computed"),
    _must("7.2", "the source MAC is the virtual one", "7_2_source_mac_is_the_virtual_one",
          "kernel/7_2_adverts_leave_from_the_virtual_mac"),
    _must("7.2", "the source is the primary address", "7_2_source_is_the_primary_address"),
    _must("7.2", "the protocol is 112", "7_2_protocol_is_112"),
    _must("7.2", "the destination is the group", "7_2_destination_is_the_group"),
    # 8
    _must("8.2", "ARP is answered with the virtual MAC",
          "kernel/8_1_2_arp_is_answered_with_the_virtual_mac"),
    _must("8.2", "and never with the physical one",
          "kernel/8_1_2_arp_is_never_answered_with_the_physical_mac"),
    _must("8.3", "proxy ARP names the virtual MAC",
          reason="proxy_arp is the host's switch; neither engine sets it"),
)  # fmt: skip
