"""Each hint of a problem of one node, and the edits that it asks for: one for each way it offers.

A hint that is not here fails `test_advice`: then it gets an entry, or is reworded until it can be
done. Deeds use the hint's own words wherever it has any.
"""

from __future__ import annotations

import re

from tests.conf.advice.deeds import (
    GROUP_OF,
    Deed,
    Task,
    at_most,
    closed_above,
    defined_above,
    freely,
    half_moved,
    in_all_members,
    in_the_group,
    instance,
    joined,
    longer_loop,
    moved,
    peers_written,
    portless,
    second_named,
    service,
    to_the_root,
)

NEEDED = {
    "script": "/bin/true", "file": "/run/tracked", "process": "nginx",
    "neighbor_ip": "192.0.2.2", "misc_path": "/bin/true",
}  # fmt: skip
"""What a definition lacks, by keyword."""

HINTS: tuple[tuple[str, Deed], ...] = (
    # --- words ---
    (r"did you mean ([^?]+)\?", lambda t, m: [t.word(m[1])]),
    (r"remove the line(?:: .*)?", lambda t, m: [t.remove()]),
    (r"leave the line out: .*", lambda t, m: [t.remove()]),
    (r"remove the(?: authentication)? block", lambda t, m: [t.remove(t.owner("authentication"))]),
    (r"move it to (\w+).*", moved),
    (
        r"(\w+)'s word for it is (\w+)",
        lambda t, m: [t.write(m[2]) if m[2] == "native_ipv6" else t.word(m[2])],
    ),
    (r"write it on a line of its own", lambda t, m: [t.every(r"^(\s*@\w+) @\w+ ", r"\1 ")]),
    (
        r"write (script|file|process|neighbor_ip|misc_path) in it",
        lambda t, m: [t.add(t.around(t.at), f"{m[1]} {NEEDED[m[1]]}")],
    ),
    (
        r"write bind_if and the interface in it",
        lambda t, m: [t.add(t.around(t.at), "bind_if eth0")],
    ),
    (r"write one address on each line.*", lambda t, m: [t.write("192.0.2.10/24")]),
    (r"correct the braces above.*", closed_above),
    (
        r"write before it what the block is, or remove it and its \}",
        lambda t, m: [
            t.put(t.at, t.at + 2, "    track_interface {", "        eth1", "    }"),
            t.remove(),
        ],
    ),
    (r"shorten it to what is sent.*", lambda t, m: [t.every(r"(auth_pass .{8}).*", r"\1")]),
    (
        r"write (\w+) at the root, with the interface in it",
        lambda t, m: [to_the_root(Task(t.remove(), t.problem), f"{m[1]} {{\n    eth0\n}}")],
    ),
    (
        r"write group \{ with (.*) in it, one on each line",
        lambda t, m: [
            t.put(
                t.at,
                t.at + len(m[1].split(" and ")),
                "    group {",
                *(f"        {name}" for name in m[1].split(" and ")),
                "    }",
            )
        ],
    ),
    # --- instances ---
    (
        r"write virtual_router_id with a number.*",
        lambda t, m: [t.add(instance(t), "virtual_router_id 77")],
    ),
    (r"write interface NAME", lambda t, m: [t.add(instance(t), "interface eth1")]),
    (r"write the interface on which .*", lambda t, m: [t.write("interface eth0")]),
    (r"give it another name", second_named),
    (r"write the members of both into one of them", lambda t, m: [t.remove()]),
    (r"use another number", lambda t, m: [t.write("virtual_router_id 77")]),
    (r"write auth_pass", lambda t, m: [t.add(t.owner("authentication"), "auth_pass secret")]),
    (r"write auth_type PASS", lambda t, m: [t.add(t.owner("authentication"), "auth_type PASS")]),
    (r"use a priority up to 254", lambda t, m: [t.say(instance(t), "priority 254")]),
    (
        r"use a priority up to 254, or state MASTER",
        lambda t, m: [t.write("priority 254"), t.say(instance(t), "state MASTER")],
    ),
    (r"write (state BACKUP) on every node .*", lambda t, m: [t.say(instance(t), m[1])]),
    (r"write (state BACKUP), or remove it", lambda t, m: [t.say(instance(t), m[1]), t.remove()]),
    (r"remove one of the two", lambda t, m: [t.remove(), t.every(r"^ +nopreempt\n", "")]),
    (
        r"write (version 3), or (advert_int \S+)",
        lambda t, m: [t.say(instance(t), m[1]), t.write(m[2])],
    ),
    (r"write (advert_int \S+)", lambda t, m: [t.write(m[1])]),
    (r"write (\S+) or less", lambda t, m: [t.write(f"advert_int {m[1]}")]),
    (r"write (?:unicast_peer with )?the other nodes' addresses.*", peers_written),
    (r"unicast_peer lists the other nodes only", lambda t, m: [t.remove()]),
    (r"write the line without what repeats it", lambda t, m: [t.every(r"~SEQ\([^)]*\) ", "")]),
    (r"remove one of the lines", lambda t, m: [t.remove()]),
    (r"write another address in one of them", freely),
    (r"use a free address", freely),
    (
        r"write an address such as fe80::1 first",
        lambda t, m: [t.put(t.at, t.at, "        fe80::1/64")],
    ),
    (r"move those from here on to virtual_ipaddress_excluded, on every node", half_moved),
    (
        r"switch strict mode off(, or remove the line)?",
        lambda t, m: [
            t.every(r"^ *(?:vrrp_strict|strict_mode)\n", ""),
            *([t.remove()] if m[1] else []),
        ],
    ),
    (
        r"remove strict mode unless .*",
        lambda t, m: [t.every(r"^ *(?:vrrp_strict|strict_mode)\n", "")],
    ),
    # --- tracking ---
    (r"define it, above its use", defined_above),
    (r"write vrrp in its bfd_instance too", lambda t, m: [t.add(t.block("bfd_instance"), "vrrp")]),
    (
        r"write a priority of at (?:most|least) (\d+)",
        lambda t, m: [t.say(instance(t), f"priority {m[1]}")],
    ),
    (
        r"write weight 0 behind (\S+), which means FAULT, or track it in (\w+)(?:, with (\w+))?",
        lambda t, m: [t.behind("weight 0"), in_the_group(t, m[1], m[2], m[3])],
    ),
    (r"track it in the group only", lambda t, m: [t.remove()]),
    (
        r"write weight 0 behind (\S+), which means FAULT, or remove nopreempt",
        lambda t, m: [t.behind("weight 0"), t.every(r"^ +nopreempt\n", "")],
    ),
    (
        r"write weight 0 noreverse behind (\S+)",
        lambda t, m: [t.write(f"{m[1]} weight 0 noreverse")],
    ),
    (
        r"write no_track behind the addresses on (\S+), .*",
        lambda t, m: [t.every(rf"(dev {m[1]}\b.*)$", r"\1 no_track")],
    ),
    # --- sync groups ---
    (r"write the name of a vrrp_instance, or remove the line", lambda t, m: [t.remove()]),
    (r"keep it in one group", lambda t, m: [t.remove(t.owner("vrrp_sync_group"))]),
    (
        r"name its instances",
        lambda t, m: [t.every(r"^    group \{\n", "    group {\n        one\n        two\n")],
    ),
    (r"write the same state in all members", lambda t, m: [in_all_members(t, "state BACKUP", "")]),
    (
        r"use priorities up to 254 in all members",
        lambda t, m: [in_all_members(t, "priority 254", "")],
    ),
    (
        r"write nopreempt in all members or in none",
        lambda t, m: [in_all_members(t, "nopreempt", ""), in_all_members(t, None, "nopreempt")],
    ),
    # --- virtual servers ---
    (r"join the two blocks", joined),
    (r"remove one of them", lambda t, m: [t.remove()]),
    (r"write a real_server", lambda t, m: [t.add(service(t), "real_server 192.0.2.21 80 {\n}")]),
    (
        r"write ((?:protocol|lb_algo|lb_kind|persistence_timeout) \w+)",
        lambda t, m: [t.add(service(t), m[1])],
    ),
    (
        r"write (weight 1) in one of them",
        lambda t, m: [Task(t.text, t.problem).say(t.block("    real_server"), m[1])],
    ),
    (
        r"keep one of ops and persistence_timeout",
        lambda t, m: [t.remove(), t.every(r"^ +persistence_timeout 9\n", "")],
    ),
    (r"write another scheduler, such as (\w+)", lambda t, m: [t.write(f"lb_algo {m[1]}")]),
    (r"write the group", lambda t, m: [t.text + GROUP_OF % t.lines[t.at].split()[2]]),
    (
        r"write an address of the same IP version(?:, or (lb_kind TUN), .*)?",
        lambda t, m: [
            t.every("2001:db8::(?:22|30)", "192.0.2.77"),
            *([t.say(service(t), m[1])] if m[1] else []),
        ],
    ),
    (
        r"leave the port out(?:, and write (connect_port \d+) in its checks, .*)?",
        lambda t, m: [portless(t, m[1])],
    ),
    (
        r"write a virtual_server_group for each port, or (lb_kind NAT)",
        lambda t, m: [t.every(r"^( +192.0.2.10)(?: 0)?$", r"\1 80"), t.say(service(t), m[1])],
    ),
    (
        r"use the same port, or NAT",
        lambda t, m: [
            t.every(r"(192.0.2.(?:22|30)) 81", r"\1 80"),
            t.say(service(t), "lb_kind NAT"),
        ],
    ),
    (
        r"write (a|an) (\w+)(?: and an interval)? of at (?:most|least) (\d+)",
        lambda t, m: [at_most(t, m[2], m[3])],
    ),
    (
        r"write a (\w+) of at most ([\d.]+), or a (delay_loop of at least ([\d.]+))",
        lambda t, m: [at_most(t, m[1], m[2]), longer_loop(t, m[4])],
    ),
    (
        r"remove the line, or write another server",
        lambda t, m: [t.remove(), t.every(r"(sorry_server) \S+", r"\1 192.0.2.99")],
    ),
    (
        r"write (\S+) into a virtual_ipaddress, unless .*",
        lambda t, m: [t.append(t.block("    virtual_ipaddress"), m[1])],
    ),
    # --- addresses, routes ---
    (r"write brd \+, which takes that of the network", lambda t, m: [t.every(r"brd \S+", "brd +")]),
    (r"leave brd out", lambda t, m: [t.every(r" brd \S+", "")]),
    (
        r"write dev and an interface, or no_track, behind it",
        lambda t, m: [t.behind("dev eth0"), t.behind("no_track")],
    ),
    (r"write no_track behind it", lambda t, m: [t.behind("no_track")]),
    (r"write priority and a number behind it", lambda t, m: [t.behind("priority 500")]),
    (
        r"keep it in one of them, or write a metric of its own behind each",
        lambda t, m: [t.remove(t.around(t.at)), t.behind("metric 77")],
    ),
    # --- commands ---
    (r"write (\S+) instead of (\S+)", lambda t, m: [t.every(rf'"{m[2]}\b', f'"{m[1]}')]),
    (r"write a program's path", lambda t, m: [t.every("/usr/bin$", "/usr/bin/sound")]),
    (r"write the path of (\w+)", lambda t, m: [t.every(rf'"{m[1]}\b', f'"/bin/{m[1]}')]),
    (
        r"leave quorum_down out, or sorry_server",
        lambda t, m: [t.remove(), t.every(r"^ +sorry_server .*\n", "")],
    ),
    (r"write root behind the command", lambda t, m: [t.every(r'(" )nobody$', r"\1root")]),
    (r"write user root in vrrp_script", lambda t, m: [t.say(t.around(t.at), "user root")]),
    (
        r"write the commands into a file of their own, and run that",
        lambda t, m: [t.write('script "/bin/true"')],
    ),
    (
        r"write the program and its arguments in one pair of quotes",
        lambda t, m: [t.write(f'{t.lines[t.at].split()[0]} "/bin/echo a b"')],
    ),
    (
        r"write (process .*), or (full_command) behind it",
        lambda t, m: [t.write(m[1]), t.add(t.around(t.at), m[2])],
    ),
    (
        r"write (lvs_sync_daemon) in global_defs, with the interface and the instance",
        lambda t, m: [Task(t.remove(), t.problem).add(t.block("global_defs"), f"{m[1]} eth0 one")],
    ),
    (
        r"write (.+) in global_defs",
        lambda t, m: [t.add(t.block("global_defs"), *m[1].split(" and "))],
    ),
    (
        r"write the condition on the line that uses the name",
        lambda t, m: [t.every(r"=@NodeA (.*)(\n(?:.*\n)*    )\$NAM", r"=\1\2@NodeA $NAM")],
    ),
    # --- signed adverts ---
    (r"write (active_key 1)", lambda t, m: [t.say(t.block("    auth_hmac"), m[1])]),
    (
        r"write (key 1) and a key of 32 to 64 bytes, and (active_key 1)",
        lambda t, m: [
            Task(t.say(t.block("    auth_hmac"), m[2]), t.problem).add(
                t.block("    auth_hmac"), f"{m[1]} {'k' * 32}"
            )
        ],
    ),
    (r"give each key a number of its own", lambda t, m: [t.write(f"key 1 {'k' * 32}", t.at - 1)]),
    (r"remove authentication; .*", lambda t, m: [t.remove(t.block("    authentication"))]),
    (r"write (mode enforce) once every node signs, .*", lambda t, m: [t.every("mode \\w+", m[1])]),
    (
        r"write the path without a link: readlink -f (\S+) shows it",
        lambda t, m: [t.every(rf"(?<!/usr){m[1]}", f"/usr{m[1]}")],
    ),
    # --- text as people paste it ---
    (r"save it as UTF-8 without a BOM", lambda t, m: [t.text.removeprefix("\ufeff")]),
    (r"write plain blanks", lambda t, m: [t.every("\u00a0", " ")]),
    (r"remove it", lambda t, m: [t.every("\u200b", "")]),
    (r"write the plain sign", lambda t, m: [t.every("[\u201c\u201d]", '"')]),
    (
        r"fill it in first; .*",
        lambda t, m: [
            t.every(r"\{\{ priority \}\}|<IP>", lambda f: "99" if "{" in f[0] else "192.0.2.10")
        ],
    ),
    (r"begin comments with #", lambda t, m: [t.every(r"//|/\*", "#")]),
    (r"statements end with their line; remove the ;", lambda t, m: [t.every(r" ?;$", "")]),
    (
        r"write a value that holds # or ! in double quotes",
        lambda t, m: [t.write('process "nginx#2"')],
    ),
    (
        r"start it with the config id of one of them, or write lines for this node",
        lambda t, m: [t.every("include other", "@NodeA $MORE=1")],
    ),
    (
        r"write the secret itself, or leave the line as it was",
        lambda t, m: [t.every("\u2022+", "secret")],
    ),
    # --- the statement as it shall be ---
    (r"write (\w+)", lambda t, m: [t.every(rf"^(\s*){t.lines[t.at].split()[0]}\b", rf"\1{m[1]}")]),
    (r"write (script_user root)", lambda t, m: [t.every(r"script_user \S+", m[1])]),
    (r"write ((?:notify\w*|script|process|unicast_src_ip) .+)", lambda t, m: [t.write(m[1])]),
)


def done(task: Task) -> list[str]:
    """The texts after doing what the hint says. Raises KeyError for a hint that nobody can do."""
    hint = task.problem.hint
    assert hint is not None
    for pattern, deed in HINTS:
        match = re.fullmatch(pattern, hint)
        if match is not None:
            return list(deed(task, match))
    raise KeyError(f"nothing here does what the hint says: {hint}")
