"""The root of the file, and the static addresses, routes and rules.

PURE; data only.
"""

from __future__ import annotations

from hanode.conf.language.kinds_machine import Include, Namespace, Path
from hanode.conf.language.kinds_words import Service
from hanode.conf.language.schema import block, word
from hanode.conf.language.values import Int, Timer, Word

NAME = Word("a name")
KEY = Path("a name", sort="key")

BLOCKS = (
    block(
        "root",
        (
            word(
                "global_defs",
                None,
                "Settings of the whole node.",
                opens="global_defs",
                repeats=True,
                engine="runs",
            ),
            word(
                "vrrp_instance",
                NAME,
                "Addresses that move together between nodes, and the rules of the election.",
                opens="vrrp_instance",
                repeats=True,
                engine="runs",
            ),
            word(
                "vrrp_sync_group",
                NAME,
                "Instances that are master together or not at all.",
                opens="vrrp_sync_group",
                repeats=True,
                engine="runs",
            ),
            word(
                "vrrp_script",
                NAME,
                "A command whose success or failure changes priorities.",
                opens="vrrp_script",
                repeats=True,
                engine="runs",
            ),
            word(
                "vrrp_track_process",
                NAME,
                "A process whose presence changes priorities.",
                opens="vrrp_track_process",
                repeats=True,
                engine="runs",
            ),
            word(
                "track_file",
                NAME,
                "A file whose number changes priorities.",
                opens="track_file_block",
                repeats=True,
                engine="runs",
            ),
            word("vrrp_track_file", NAME, same_as="track_file"),
            word(
                "bfd_instance",
                Word("a name", 31),
                "A BFD session with a neighbour.",
                opens="bfd_instance",
                repeats=True,
            ),
            word(
                "garp_group",
                None,
                "Interfaces that share the pacing of gratuitous ARP.",
                opens="garp_group",
                repeats=True,
                engine="runs",
            ),
            word(
                "static_ipaddress",
                None,
                "Addresses that this node always has.",
                opens="static_ipaddress",
                repeats=True,
                engine="runs",
            ),
            word(
                "static_routes",
                None,
                "Routes that this node always has.",
                opens="static_routes",
                repeats=True,
                engine="runs",
            ),
            word(
                "static_rules",
                None,
                "Routing rules that this node always has.",
                opens="static_rules",
                repeats=True,
                engine="runs",
            ),
            word(
                "track_group",
                NAME,
                "Instances that follow a static address, route or rule.",
                opens="track_group",
                repeats=True,
                engine="runs",
            ),
            word(
                "virtual_server",
                Service(),
                "A service spread over real servers: IP and port, or fwmark N, or group NAME.",
                opens="virtual_server",
                repeats=True,
                engine="runs",
            ),
            word(
                "virtual_server_group",
                NAME,
                "Addresses and marks that are one virtual server.",
                opens="virtual_server_group",
                repeats=True,
            ),
            word("SSL", None, "Certificates for SSL_GET.", opens="SSL"),
            word(
                "interface_up_down_delays",
                None,
                "How long an interface must be up or down before it counts.",
                opens="interface_up_down_delays",
                engine="runs",
            ),
            word(
                "linkbeat_interfaces",
                None,
                "Interfaces whose link is asked for instead of announced.",
                opens="linkbeat_interfaces",
                engine="runs",
            ),
            word("linkbeat_use_polling", None, "Ask all interfaces for their link.", engine="runs"),
            word(
                "net_namespace",
                Namespace(),
                "The network namespace to run in.",
                keeps="first",
                engine="runs",
            ),
            word(
                "net_namespace_ipvs",
                Namespace(),
                "The network namespace for IPVS.",
                keeps="first",
                engine="runs",
            ),
            word("namespace_with_ipsets", None, "Allow ipsets in a namespace.", engine="ignored"),
            word(
                "instance",
                NAME,
                "The name of this keepalived among several on one machine.",
                keeps="first",
                engine="ignored",
            ),
            word(
                "use_pid_dir",
                None,
                "Put the PID files into a directory of their own.",
                engine="ignored",
            ),
            word(
                "child_wait_time",
                Int(0, 4294967295),
                "Seconds that children have to end.",
                default="5",
                engine="ignored",
            ),
            *(
                word(name, Include(), "Read other files here.", repeats=True)
                for name in ("include", "includer", "includem", "includew", "includeb", "includea")
            ),
        ),
    ),
    block("track_group", (word("group", None, "The instances.", opens="group", engine="runs"),)),
    block(
        "garp_group",
        (
            word(
                "garp_interval",
                Timer(1, 4_294_967_295),
                "Seconds between gratuitous ARPs.",
                engine="runs",
            ),
            word(
                "gna_interval",
                Timer(1, 4_294_967_295),
                "Seconds between unsolicited neighbour advertisements.",
                engine="runs",
            ),
            word("interface", NAME, "The interface that it is about.", repeats=True, engine="runs"),
            word(
                "interfaces",
                None,
                "The interfaces that share the pacing.",
                opens="interfaces",
                engine="runs",
            ),
        ),
    ),
    block(
        "SSL",
        (
            word("password", NAME, "The key's password.", secret=True),
            word("ca", KEY, "File of the authority's certificates."),
            word("certificate", KEY, "File of the certificate."),
            word("key", KEY, "File of the private key."),
        ),
    ),
)
