"""Writes the rows of some clusters as JSON, with what they mean: the data of test_row_shapes.

    PYTHONPATH=. python -m tests.web.backend.rows_written > tests/web/backend/data/rows_shape_N.json

N is the shape that the code writes which runs this. It uses a database of its own, in memory or
in a test database, and only what `webapp.configs.services` offers, so that it runs with older
code too: the file of shape 0 was made with commit 5a67313.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import django

NODE = """# {name}, first of its site
global_defs {{
    router_id {name}  # its own name
    enable_script_security
    frob_global 7
}}

vrrp_script chk_web {{
    script "/usr/bin/pgrep nginx"
    interval 2
}}

! The office's addresses
vrrp_instance Office {{
    state {state}
    interface ens33  # uplink
    virtual_router_id 51
    priority {priority}
    advert_int 0.25
{nopreempt}    frob_instance 3 4
    authentication {{
        auth_type PASS
        auth_pass secure12
    }}
    track_script {{
        chk_web weight 5
    }}
    virtual_ipaddress {{
{vips}
    }}
    virtual_ipaddress_excluded {{
        192.0.2.{excluded}/32 dev ens34  # not in the advert
    }}
}}
{more}"""

SERVERS = """
# Web
virtual_server 192.0.2.10 80 {{
    delay_loop {delay}
    lb_algo {algo}
    lb_kind DR
    protocol TCP
    persistence_timeout 300
    quorum 2
    sorry_server 192.0.2.99 80
    real_server 192.0.2.20 80 {{
        weight {weight}
        inhibit_on_failure
        TCP_CHECK {{
            connect_ip 192.0.2.120
            connect_timeout 3
            retry 2  # patient
            delay_before_retry 1
            warmup 4
            frob_check on
        }}
    }}
    real_server 192.0.2.21 80 {{
        weight 1
        HTTP_GET {{
            url {{
                path /alive
                status_code 200
            }}
            connect_timeout 5
        }}
    }}
{only}}}

virtual_server fwmark 7 {{
    lb_algo rr
    lb_kind NAT
    real_server 192.0.2.30 0 {{
        weight 1
    }}
}}
"""

ONLY_HERE = """    real_server 192.0.2.22 80 {
        weight 3
        TCP_CHECK {
            connect_port 8080
        }
    }
"""
INSTANCE = """
vrrp_instance {name} {{
    interface ens33
    virtual_router_id {vrid}
    priority 100
    nopreempt
    state BACKUP
    virtual_ipaddress {{
        198.51.100.{vrid}/24
    }}
}}
"""


def pair() -> dict[str, str]:
    """Two nodes that differ in almost everything that may differ."""
    vips = [f"        192.0.2.{n}/24 label ens33:{n}" for n in (10, 11, 12)]
    first = NODE.format(
        name="alpha", state="BACKUP", priority=150, nopreempt="    nopreempt  # stay\n",
        vips="\n".join(vips), excluded=77, more=INSTANCE.format(name="Lab", vrid=60),
    )  # fmt: skip
    second = NODE.format(
        name="beta", state="BACKUP", priority=100, nopreempt="",
        vips="\n".join([vips[2], vips[0].replace("label ens33:10", "dev ens35"), vips[1]]),
        excluded=78,
        more=INSTANCE.format(name="Spare", vrid=61) + INSTANCE.format(name="Lab", vrid=60),
    )  # fmt: skip
    return {
        "alpha": first + SERVERS.format(delay=6, algo="rr", weight=2, only=ONLY_HERE),
        "beta": second + SERVERS.format(delay="1.5", algo="wrr", weight=5, only=""),
    }


def plain() -> dict[str, str]:
    """nopreempt on both nodes, IPv6, and a time that no column holds."""
    text = (
        "vrrp_instance V6 {\n    state BACKUP\n    interface eth0\n    virtual_router_id 9\n"
        "    version 3\n    nopreempt\n    virtual_ipaddress {\n        fe80::1/64\n"
        "        2001:db8::1/64\n    }\n}\nvirtual_server 2001:db8::1 443 {\n"
        "    delay_loop 18446744073709.551614\n    protocol TCP\n"
        "    real_server 2001:db8::2 443 {\n    }\n}\n"
    )
    return {"n1": text, "n2": text.replace("BACKUP\n", "BACKUP\n    priority 90\n"), "n3": text}


def edited(cluster: Any, actor: Any) -> None:
    """What forms write: a check with some of its fields, a new real server, a new address."""
    from webapp.configs import services

    server = cluster.virtual_servers.first()
    real = server.real_servers.get(ip="192.0.2.20")
    services.save_real_server(
        actor=actor, real=real, version=1, values={"weight": 4, "check_json": {"retry": 5}}
    )
    services.add_real_server(
        actor=actor, server=server, version=2,
        values={"ip": "192.0.2.25", "port": 80, "weight": 1, "check_json": {"connect_port": 81}},
    )  # fmt: skip
    services.add_vip(
        actor=actor, group=cluster.groups.first(), version=3, address="192.0.2.14/24", dev="ens36"
    )


def written() -> dict[str, Any]:
    """{"rows": […], "documents": {slug: text}, "files": {slug: {node: text}}}."""
    from django.core import serializers

    from webapp.accounts.models import Role, User
    from webapp.configs import models, services
    from webapp.inventory.models import Cluster, Node

    actor = User.objects.create_user("writer", role=Role.ADMIN)
    for name, files in (("Pair", pair()), ("Edited", pair()), ("Plain", plain())):
        cluster = services.import_files(actor=actor, cluster_name=name, files=files).cluster
        if name == "Edited":
            edited(cluster, actor)
    kinds = (Cluster, Node, models.Draft, models.Group, models.GroupNode, models.Vip)
    kinds += (models.VirtualServer, models.RealServer)
    rows = [row for kind in kinds for row in kind.objects.order_by("pk")]
    clusters = list(Cluster.objects.all())
    return {
        "rows": json.loads(serializers.serialize("json", rows)),
        "documents": {each.slug: services.document_text(each) for each in clusters},
        "files": {
            each.slug: {f.node.name: f.new_text for f in services.pending(each).files}
            for each in clusters
        },
    }


def main() -> None:
    """Write them to standard output."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")
    django.setup()
    from django.db import connection

    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    json.dump(written(), sys.stdout, ensure_ascii=False, indent=1)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
