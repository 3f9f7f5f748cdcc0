"""An instance by its words, and what is built of it."""

from __future__ import annotations

from hanode import conf
from hanode.build import Built, build
from hanode.vrrp.engine_settings import (
    InstanceSettings,
)

GLOBALS = "global_defs {{\n{}\n}}\n"
INSTANCE = """\
vrrp_instance {name} {{
    interface eth0
    virtual_router_id {vrid}
    {words}
    virtual_ipaddress {{
        {vips}
    }}
}}
"""


def built(text: str) -> Built:
    return build(conf.check(text, node="NodeA").model)


def text(words: str = "", vips: str = "192.0.2.1/24", *, name: str = "V", vrid: int = 7) -> str:
    return INSTANCE.format(name=name, vrid=vrid, words=words, vips=vips)


def instance(words: str = "", vips: str = "192.0.2.1/24", before: str = "") -> InstanceSettings:
    result = built(before + text(words, vips))
    assert result.errors == ()
    return result.vrrp.instances[0]
