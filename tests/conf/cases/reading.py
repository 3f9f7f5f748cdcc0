"""Cases of problems found while the text is read, before rules look at the whole model."""

from __future__ import annotations

from functools import partial

from tests.conf.cases.base import Case

TEXT = """\
global_defs { script_user root
    enable_script_security
}
$NAME=one
vrrp_script up {
    script "/bin/true now"
    interval 2
}
track_file load {
    file /var/load
}
vrrp_track_process web {
    process nginx
    quorum 2
}
bfd_instance peer {
    neighbor_ip 192.0.2.2
    ttl 10
}
garp_group {
    garp_interval 0.5
    interface eth0
}
vrrp_instance one {
    state BACKUP
    interface eth0
    virtual_router_id 1
    priority 100
    unicast_src_ip 192.0.2.1
    unicast_peer {
        192.0.2.2
    }
    virtual_ipaddress {
        192.0.2.10/24
    }
    virtual_routes {
        198.51.100.0/24 via 192.0.2.254 dev eth0
    }
    virtual_rules {
        from 192.0.2.10 table 100 priority 500
    }
    track_script {
        up
    }
}
"""
case = partial(Case, sound=TEXT)
WHOLE = TEXT[TEXT.index("vrrp_instance") :]


def follows(pattern: str, including: str) -> tuple[tuple[str, str], ...] | None:
    """A reader that knows one file, and one that includes itself."""
    return {
        "known": (("known", "# nothing\n"),),
        "other": (("other", "@NodeB global_defs {\n@NodeB }\n"),),
        "self": (("self", "include self\n"),),
    }.get(pattern)


CASES = [
    # what people paste
    case("byte-order-mark", "error", "global_defs {", "\ufeffglobal_defs {", fix=True),
    case("foreign-character", "warning", "priority 100", "priority\u00a0100", fix=True),
    case("foreign-character", "warning", "priority 100", "prio\u200brity 100", fix=True),
    case("foreign-character", "warning", '"/bin/true now"', "“/bin/true now”", fix=True),
    case("template-unfilled", "error", "priority 100", "priority {{ priority }}"),
    case("template-unfilled", "error", "192.0.2.10/24", "<IP>/24"),
    case("comment-foreign", "warning", "    priority 100", "// high\n    priority 100",
         fix=True),
    case("comment-foreign", "warning", "priority 100", "priority 100 /* high */", fix=True),
    case("semicolon-end", "error", "priority 100", "priority 100;", fix=True),
    case("semicolon-end", "warning", "192.0.2.10/24", "192.0.2.10/24 ;", fix=True),
    case("comment-cuts", "warning", "process nginx", "process nginx#2"),
    case("comment-cuts", "error", "process nginx", "process #nginx"),
    case("unknown-keyword", "error", "vrrp_instance", "vrrp_instace", fix=True),
    case("unknown-keyword", "error", "global_defs {", "global defs {", fix=True),
    case("unknown-keyword", "error", "    virtual_ipaddress {", "    virtual_ipadress {",
         fix=True),
    case("condition-in-name", "error", "    priority 100", "    $NAM", line=28,
         sound=TEXT.replace("$NAME=one", "$NAM=@NodeA priority 100")),
    case("include-empty", "info", "$NAME=one", "include gone*.conf", read=follows),
    case("include-twice", "warning", "$NAME=one", "@NodeA include known", read=follows),
    case("nothing-left", "info", "$NAME=one", "include other", read=follows, line=1),
    # words
    case("unknown-keyword", "warning", "priority 100", "prioriti 100", fix=True),
    case("misplaced-keyword", "warning", "    priority 100", "    rise 3"),
    case("retired-keyword", "warning", "    priority 100", "    nat_mask 255.255.255.0", fix=True),
    case("newer-keyword", "warning", "    priority 100", "    owner_ignore_adverts on"),
    case("deprecated-keyword", "warning", "    priority 100", "    vmac_garp_intvl 5", fix=True),
    case("condition-misplaced", "warning", "    priority 100", "    @NodeA @NodeB priority 100"),
    # values
    case("bad-value", "error", "priority 100", "priority 300"),
    case("bad-value", "error", "state BACKUP", "state BACKPU", fix=True),
    case("value-missing", "error", "priority 100", "priority"),
    case("masked-value", "error", "priority 100", 'priority 100\n    authentication {\n'
         "        auth_type PASS\n        auth_pass ••••••\n    }", line=31),
    case("masked-value", "error", '"/bin/true now"', '"/bin/true --token=••••••"'),
    case("extra-words", "warning", "priority 100", "priority 100 200", fix=True),
    case("written-twice", "warning", "priority 100", "priority 100\n    priority 90", line=29),
    case("bad-address", "error", "        192.0.2.10/24", "        192.0.2.300/24"),
    case("unknown-option", "warning", "        192.0.2.10/24", "        192.0.2.10/24 colour",
         fix=True),
    case("prefix-ignored", "warning", "src_ip 192.0.2.1", "src_ip 192.0.2.1/24", fix=True),
    # braces, quotes, lines
    case("block-missing", "warning", "    track_script {\n        up\n    }", "    track_script"),
    case("block-unexpected", "warning", "priority 100", "priority 100 {\n    }"),
    case("extra-brace", "error", "        up\n    }\n}\n", "        up\n    }\n}\n}\n",
         fix=True, line=46),
    case("missing-brace", "error", "        up\n    }\n}\n", "        up\n    }\n",
         fix=True, line=24),
    case("stray-brace", "error", "        up\n    }\n", "        up\n    }\n    {\n    }\n",
         line=45),
    case("not-read", "warning", "    ttl 10\n}", "    ttl 10", line=21),
    case("braces-many", "error", "        up\n    }\n}\n", "        up\n    }\n" + "}\n" * 1_002,
         line=1046),
    case("problems-many", "info", "priority 100", "priority 100\n" + "    gone\n" * 10_001,
         line=1),
    case("too-deep", "error", "priority 100", "{" * 70 + "}" * 70),
    case("unclosed-quote", "error", '"/bin/true now"', '"/bin/true now'),
    case("line-too-long", "error", "$NAME=one", "#" * 1100),
    case("too-long", "error", "$NAME=one", "~SEQ(i, 1000) ~SEQ(j, 100) # no\n" * 11, line=13),
    # macros
    case("undefined-name", "error", "priority 100", "priority ${PRIO}"),
    case("macro", "error", "$NAME=one", "~SEQ(i, 1, 0, 5) # x"),
    case("include-kept", "info", "$NAME=one", "include more.conf"),
    case("include-not-found", "warning", "$NAME=one", "include gone", read=follows),
    case("include-depth", "error", "$NAME=one", "include self", read=follows, line=1),
    # definitions that lack a required keyword
    case("script-not-named", "warning", '    script "/bin/true now"\n', "", line=7),
    case("file-missing", "warning", "    file /var/load\n", "", line=10),
    case("process-missing", "warning", "    process nginx\n", "", line=14),
    case("quorum-range", "warning", "    quorum 2", "    quorum 2\n    quorum_max 1", line=15),
    case("neighbor-missing", "warning", "    neighbor_ip 192.0.2.2\n", "", line=18),
    case("bfd-hops", "warning", "    ttl 10", "    ttl 10\n    max_hops 20", line=20),
    case("garp-group-idle", "warning", "    garp_interval 0.5\n", "", line=22),
    case("garp-group-twice", "warning", "    interface eth0\n}",
         "    interface eth0\n    interface eth0\n}", line=23),
    case("email-empty", "warning", "    enable_script_security",
         "    enable_script_security\n    notification_email {\n    }", line=4),
    case("tracked-twice", "warning", "        up\n", "        up\n        up\n", line=44),
    case("unicast-without-peers", "warning", "    unicast_peer {\n        192.0.2.2\n    }",
         "    unicast_ttl 9", line=43),
    case("route-untracked", "warning", "via 192.0.2.254 dev eth0", "via 192.0.2.254"),
    case("rule-without-priority", "warning", " priority 500", ""),
]  # fmt: skip
