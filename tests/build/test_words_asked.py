"""The builders ask an object only for words that its block has."""

from __future__ import annotations

from typing import Any

import pytest

from hanode.build import build, words
from hanode.conf import NEWEST, check

FROB = "frob 1\n"
EVERYWHERE = f"""
{FROB}
global_defs {{ {FROB} }}
garp_group {{ {FROB} interface eth0 }}
vrrp_script chk {{ {FROB} script /bin/true }}
vrrp_track_process web {{ {FROB} process nginx }}
track_file load {{ {FROB} file /run/load }}
track_group T {{ {FROB} group {{ V }} }}
vrrp_sync_group G {{ {FROB} group {{ V }} }}
vrrp_instance V {{
    {FROB} interface eth0
    virtual_router_id 51
    auth_hmac {{ {FROB} key 1 {"k" * 32} }}
    track_script {{ chk }}
    virtual_ipaddress {{ 10.0.0.1/24 }}
}}
virtual_server 10.0.0.1 80 {{
    {FROB} protocol TCP
    real_server 10.0.0.2 80 {{ {FROB} TCP_CHECK {{ {FROB} }} }}
}}
"""
"""A word that keepalived ignores in each block: then each word is really looked for."""


def test_every_word_that_is_asked_for_is_one_of_its_block(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: set[tuple[type[Any], str]] = set()
    real = words.keyword_behind

    def recorded(owner: type[Any], name: str) -> str:
        asked.add((owner, name))
        return real(owner, name)

    monkeypatch.setattr(words, "keyword_behind", recorded)
    build(check(EVERYWHERE, target=NEWEST).model)
    assert len({owner for owner, _ in asked}) >= 10, "each kind of block was asked"
    assert [(owner.__name__, name) for owner, name in asked if not hasattr(owner, name)] == []
