"""Texts of many shapes, each of a given size: `test_bounds` reads them at two sizes.

Every keyword that keeps a name, every repetition, nesting, macro and mistake that a text may have
in any number stands here once.
"""

from __future__ import annotations

from collections.abc import Callable

Shape = Callable[[int], str]
SHAPES: dict[str, Shape] = {}


def shape(make: Shape) -> Shape:
    SHAPES[make.__name__] = make
    return make


def low(i: int) -> str:
    """The end of an address."""
    return f"{i >> 8 & 255}.{i & 255}"


def inst(i: int, body: str = "") -> str:
    return (
        f"vrrp_instance V{i} {{\n interface eth{i // 255}\n virtual_router_id {i % 255 + 1}\n"
        f" priority 100\n virtual_ipaddress {{\n 10.{i >> 16 & 255}.{low(i)}/24\n }}\n{body}}}\n"
    )


def vs(i: int, body: str = "") -> str:
    return (
        f"virtual_server 10.{i >> 16 & 255}.{low(i)} 80 {{\n lb_algo rr\n lb_kind DR\n"
        f" protocol TCP\n real_server 10.1.{low(i)} 80 {{\n TCP_CHECK {{\n connect_timeout 3\n"
        f" }}\n }}\n{body}}}\n"
    )


@shape
def open_blocks(n: int) -> str:
    return "a {\n" * n


@shape
def open_braces(n: int) -> str:
    return "{" * n


@shape
def open_braces_lines(n: int) -> str:
    return "{\n" * n


@shape
def close_braces(n: int) -> str:
    return "}" * n


@shape
def close_lines(n: int) -> str:
    return "}\n" * n


@shape
def pairs(n: int) -> str:
    return "{}" * n


@shape
def a_pairs(n: int) -> str:
    return "a { }\n" * n


@shape
def a_one_line(n: int) -> str:
    return "a { " * n


@shape
def a_nested_closed(n: int) -> str:
    return "a {\n" * n + "}\n" * n


@shape
def known_nested(n: int) -> str:
    return "vrrp_instance A {\n" * n


@shape
def gd_nested(n: int) -> str:
    return "global_defs {\n" * n


@shape
def unknown_words(n: int) -> str:
    return "".join(f"word{i} x\n" for i in range(n))


@shape
def near_words(n: int) -> str:
    return "".join(f"vrrp_instanc{i} x\n" for i in range(n))


@shape
def same_unknown(n: int) -> str:
    return "wordx x\n" * n


@shape
def instances(n: int) -> str:
    return "".join(inst(i) for i in range(n))


@shape
def instances_same(n: int) -> str:
    return inst(1) * n


@shape
def instances_trackfile(n: int) -> str:
    return "".join(f"vrrp_track_file f{i} {{\n file /x{i}\n}}\n" for i in range(n)) + "".join(
        inst(i, f" track_file {{\n f{i}\n }}\n") for i in range(n)
    )


@shape
def instances_script(n: int) -> str:
    return "".join(f"vrrp_script f{i} {{\n script /x{i}\n}}\n" for i in range(n)) + "".join(
        inst(i, f" track_script {{\n f{i}\n }}\n") for i in range(n)
    )


@shape
def instances_process(n: int) -> str:
    return "".join(f"vrrp_track_process f{i} {{\n process x{i}\n}}\n" for i in range(n)) + "".join(
        inst(i, f" track_process {{\n f{i}\n }}\n") for i in range(n)
    )


@shape
def instances_bfd(n: int) -> str:
    return "".join(
        f"bfd_instance f{i} {{\n neighbor_ip 10.1.{low(i)}\n source_ip 10.0.0.1\n}}\n"
        for i in range(n)
    ) + "".join(inst(i, f" track_bfd {{\n f{i}\n }}\n") for i in range(n))


@shape
def instances_iface(n: int) -> str:
    return "".join(inst(i, f" track_interface {{\n eth{i}\n }}\n") for i in range(n))


@shape
def instances_group(n: int) -> str:
    return (
        "vrrp_sync_group G {\n group {\n"
        + "".join(f"V{i}\n" for i in range(n))
        + "}\n}\n"
        + "".join(inst(i) for i in range(n))
    )


@shape
def instances_groups(n: int) -> str:
    return "".join(
        f"vrrp_sync_group G{i} {{\n group {{\n V{i}\n V{i + 1}\n}}\n}}\n" for i in range(n)
    ) + "".join(inst(i) for i in range(n))


@shape
def unicast(n: int) -> str:
    return inst(
        1,
        " unicast_src_ip 10.0.0.1\n unicast_peer {\n"
        + "".join(f"10.2.{low(i)}\n" for i in range(n))
        + "}\n",
    )


@shape
def vips(n: int) -> str:
    return inst(
        1,
        " virtual_ipaddress_excluded {\n"
        + "".join(f"10.2.{low(i)}/24\n" for i in range(n))
        + "}\n",
    )


@shape
def vips_same(n: int) -> str:
    return inst(1, " virtual_ipaddress_excluded {\n" + "10.2.0.1/24\n" * n + "}\n")


@shape
def routes(n: int) -> str:
    return inst(
        1,
        " virtual_routes {\n"
        + "".join(f"10.2.{low(i)}/32 via 10.0.0.2 dev eth0\n" for i in range(n))
        + "}\n",
    )


@shape
def rules(n: int) -> str:
    return inst(
        1,
        " virtual_rules {\n"
        + "".join(f"from 10.2.{low(i)}/32 table 2\n" for i in range(n))
        + "}\n",
    )


@shape
def virtuals(n: int) -> str:
    return "".join(vs(i) for i in range(n))


@shape
def virtuals_same(n: int) -> str:
    return vs(1) * n


@shape
def reals_same(n: int) -> str:
    return vs(1, " real_server 10.0.0.1 80 {\n weight 1\n }\n" * n)


@shape
def reals(n: int) -> str:
    return vs(
        1,
        "".join(f" real_server 10.3.{low(i)} 80 {{\n weight 1\n }}\n" for i in range(n)),
    )


@shape
def vsgroups(n: int) -> str:
    return "".join(
        f"virtual_server_group G{i} {{\n 10.0.{low(i)} 80\n}}\n"
        f"virtual_server group G{i} {{\n lb_algo rr\n lb_kind DR\n}}\n"
        for i in range(n)
    )


@shape
def vsgroup_big(n: int) -> str:
    return (
        "virtual_server_group G {\n"
        + "".join(f" 10.0.{low(i)} 80\n" for i in range(n))
        + "}\nvirtual_server group G {\n lb_algo rr\n lb_kind DR\n}\n"
    )


@shape
def checks_many(n: int) -> str:
    return vs(
        1, " real_server 10.9.0.1 80 {\n" + " TCP_CHECK {\n connect_timeout 3\n }\n" * n + " }\n"
    )


@shape
def urls_many(n: int) -> str:
    return vs(
        1,
        " real_server 10.9.0.1 80 {\n HTTP_GET {\n"
        + " url {\n path /\n status_code 200\n }\n" * n
        + " }\n }\n",
    )


@shape
def seq_instances(n: int) -> str:
    return f"~SEQ(I,1,{n}) vrrp_instance V$I {{ interface eth0; }}\n"


@shape
def seq_lines(n: int) -> str:
    return f"global_defs {{\n~SEQ(I,1,{n}) word$I x\n}}\n"


@shape
def definitions(n: int) -> str:
    return "".join(f"$D{i}=x{i}\n" for i in range(n)) + "".join(
        f"router_id $D{i}\n" for i in range(n)
    )


@shape
def definitions_same(n: int) -> str:
    return "$D=x\nrouter_id $D\n" * n


@shape
def def_multiline(n: int) -> str:
    return "$D=a \\\n" + "b \\\n" * n + "c\n$D\n"


@shape
def def_cont_cond(n: int) -> str:
    return "@A $D=a \\\n" * n


@shape
def chain(n: int) -> str:
    return "$D0=x\n" + "".join(f"$D{i + 1}=$D{i}\n" for i in range(n)) + f"router_id $D{n}\n"


@shape
def conditions(n: int) -> str:
    return "".join(f"@N{i} a {i}\n" for i in range(n))


@shape
def conditions_true(n: int) -> str:
    return "@A router_id x\n" * n


@shape
def cond_in_brace(n: int) -> str:
    return "".join("a { @A b { @B c }\n" for i in range(n))


@shape
def cond_one_line(n: int) -> str:
    return "a { @A " * n


@shape
def at_line(n: int) -> str:
    return "@A " * n


@shape
def includes(n: int) -> str:
    return "include x\n" * n


@shape
def long_word(n: int) -> str:
    return "router_id " + "x" * n + "\n"


@shape
def long_line(n: int) -> str:
    return "router_id " + "x " * n + "\n"


@shape
def quotes(n: int) -> str:
    return 'a "' * n


@shape
def quotes_lines(n: int) -> str:
    return 'a "b\n' * n


@shape
def escapes(n: int) -> str:
    return "a " + "\\" * n + "\n"


@shape
def hashes(n: int) -> str:
    return "# \n" * n


@shape
def comments(n: int) -> str:
    return "router_id x # c\n" * n


@shape
def dollars(n: int) -> str:
    return "$" * n + "\n"


@shape
def refs(n: int) -> str:
    return "$A=x\n" + "a " + "$A " * n + "\n"


@shape
def refs_unknown(n: int) -> str:
    return "a " + "$A " * n + "\n"


@shape
def tildes(n: int) -> str:
    return "~SEQ(A,1,2) " * n + "\n"


@shape
def lst(n: int) -> str:
    return "~LST(A," + ",".join(map(str, range(n))) + ") router_id $A\n"


@shape
def lst_braces(n: int) -> str:
    return "~LST({A,B}," + ",".join(f"{{{i},{i}}}" for i in range(n)) + ") router_id $A\n"


@shape
def parens(n: int) -> str:
    return "~LST(" + "(" * n + "\n"


@shape
def blanks(n: int) -> str:
    return " " * n + "x\n"


@shape
def newlines(n: int) -> str:
    return "\n" * n


@shape
def unclosed_quote(n: int) -> str:
    return 'a "' + "x" * n


@shape
def unclosed_block_words(n: int) -> str:
    return "vrrp_instance A {\n" + " foo bar\n" * n


@shape
def global_defs_many(n: int) -> str:
    return "global_defs {\n router_id x\n}\n" * n


@shape
def notify_same(n: int) -> str:
    return inst(1, " notify_master /x\n" * n)


@shape
def at_sign_nodes(n: int) -> str:
    return "".join(f"@N{i} router_id x\n" for i in range(n))


@shape
def static_addr(n: int) -> str:
    return (
        "static_ipaddress {\n" + "".join(f"10.2.{low(i)}/24 dev eth0\n" for i in range(n)) + "}\n"
    )


@shape
def static_routes(n: int) -> str:
    return (
        "static_routes {\n"
        + "".join(f"10.2.{low(i)}/32 via 10.0.0.2 dev eth0\n" for i in range(n))
        + "}\n"
    )


@shape
def track_groups(n: int) -> str:
    return "".join(f"track_group T{i} {{\n group {{\n V{i}\n }}\n}}\n" for i in range(n)) + "".join(
        inst(i) for i in range(n)
    )


@shape
def garp_groups(n: int) -> str:
    return "garp_group {\n interfaces {\n" + "".join(f"eth{i}\n" for i in range(n)) + "}\n}\n"
