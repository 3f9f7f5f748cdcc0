"""The push page says before the push what a node's machine cannot carry out."""

from __future__ import annotations

import html

import pytest
from django.test import Client

from tests.web.pages.conftest import Say
from tests.web.pages.test_doors import address
from webapp.accounts.models import User
from webapp.configs.services import document_text, save_document
from webapp.inventory.models import Cluster
from webapp.live.models import NodeStatus
from webapp.rollout.cannot import sentences

WHY = "/proc/sys/net is read-only here"


def test_the_first_line_of_each_keyword_is_named() -> None:
    text = "a {\n    # use_vmac\n    use_vmac vrrp.51\n    use_vmac\n    10.0.0.1 use_ipvlan\n}\n"
    assert sentences(text, {"use_vmac": "x", "use_ipvlan": "y", "vrf": "z"}) == [
        "line 3: use_vmac cannot run on this node: x",
        "line 5: use_ipvlan cannot run on this node: y",
    ]
    assert sentences(text, {}) == []


@pytest.mark.parametrize("asked", [True, False])
def test_the_page_says_so_only_of_the_node_and_where_it_is_asked_for(
    asked: bool, cluster: Cluster, editor: User, as_operator: Client, say: Say
) -> None:
    say("NodeA", "MASTER")
    say("NodeB", "BACKUP")
    live = NodeStatus.objects.get(node__name="NodeB")
    live.status = {**live.status, "cannot": {"use_vmac": WHY}}
    live.save()
    if asked:
        text = document_text(cluster).replace("advert_int 1", "advert_int 1\n    use_vmac")
        save_document(actor=editor, cluster=cluster, text=text, version=1)
    page = html.unescape(as_operator.get(address("push", cluster)).content.decode())
    assert (f"use_vmac cannot run on this node: {WHY}" in page) is asked
    assert "NodeA, line" not in page
    assert ("NodeB, line" in page) is asked
