"""A document as pages show it is made once for each version of the draft."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction

from webapp.accounts.models import User
from webapp.configs import services
from webapp.configs.rows import drafts
from webapp.inventory.models import Cluster

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Cluster]:
    """The clusters whose document was made, in order."""
    made: list[Cluster] = []
    real = drafts.drawn

    def counted(cluster: Cluster) -> Any:
        made.append(cluster)
        return real(cluster)

    monkeypatch.setattr(drafts, "drawn", counted)
    return made


def test_a_page_shows_what_was_made_before(cluster: Cluster, made: list[Cluster]) -> None:
    first = services.seen(cluster)
    assert services.seen(cluster) is first
    assert made == [cluster]
    assert first.text == services.document_text(cluster)


def test_after_a_change_it_is_made_anew(cluster: Cluster, editor: User) -> None:
    before = services.seen(cluster)
    text = before.text.replace("priority 100", "priority 120")
    services.save_document(actor=editor, cluster=cluster, text=text, version=before.version)
    after = services.seen(cluster)
    assert after.version == before.version + 1
    assert "priority 120" in after.text


def test_what_a_transaction_sees_may_never_come_to_be(cluster: Cluster, editor: User) -> None:
    before = services.seen(cluster)
    with transaction.atomic():
        group = cluster.groups.get()
        services.save_group(actor=editor, group=group, version=before.version, values={"vrid": 77})
        assert "virtual_router_id 77" in services.seen(cluster).text
        transaction.set_rollback(True)
    group = cluster.groups.get()
    services.save_group(actor=editor, group=group, version=before.version, values={"vrid": 78})
    assert "virtual_router_id 78" in services.seen(cluster).text


def test_only_a_few_are_kept(
    cluster: Cluster, canonical: Cluster, monkeypatch: pytest.MonkeyPatch, made: list[Cluster]
) -> None:
    monkeypatch.setattr(drafts, "KEPT_MAX", 1)
    for one in (cluster, canonical, cluster):
        services.seen(one)
    assert made == [cluster, canonical, cluster]
