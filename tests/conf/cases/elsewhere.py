"""Cases of two clusters that meet."""

from __future__ import annotations

from hanode import conf
from tests.conf.cases.base import WritingCase

ONE = """\
vrrp_instance one {
    interface eth0
    virtual_router_id 51
    virtual_ipaddress {
        192.0.2.10/24
    }
}
"""
OTHER = ONE.replace("instance one", "instance web").replace("192.0.2.10", "192.0.2.20")


def codes_of(text: str) -> list[str]:
    """The codes of what this cluster and ONE have in common."""
    clusters = {
        name: {name: conf.check(t, name=name).model} for name, t in (("1", ONE), ("2", text))
    }
    return [problem.code for problem in conf.all_meetings(clusters)]


CASES = [
    WritingCase("address-elsewhere", codes_of, OTHER.replace("2.20", "2.10"), OTHER),
    WritingCase("vrid-elsewhere", codes_of, OTHER, OTHER.replace("id 51", "id 52")),
    WritingCase(
        "vrid-elsewhere", codes_of, OTHER.replace("/24", "/28"), OTHER.replace("0.2.", "9.9.")
    ),
]
