"""A push makes everything once: the rows' models, the document, and each node's file."""

from __future__ import annotations

import functools
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from hanode import conf
from webapp.accounts.models import User
from webapp.common import workers
from webapp.configs import services as configs
from webapp.configs.rows import foreign
from webapp.configs.rows.compile import models_of, read_rows
from webapp.inventory.models import Cluster
from webapp.rollout import services

THERE: tuple[Callable[..., Any], ...] = (models_of, conf.render, conf.merge_models)
WORK = (read_rows, *THERE)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each was done since; the work itself is done as always."""
    count: Counter[str] = Counter()
    for work in WORK:
        counted = _counted(work, count)
        for module in list(sys.modules.values()):
            if vars(module).get(work.__name__) is work:
                monkeypatch.setattr(module, work.__name__, counted)
    run = workers.run

    def asked(function: Callable[..., Any], *args: Any) -> Any:
        if function is foreign.draw_push:
            count["draw_push"] += 1
        return run(function, *args)

    monkeypatch.setattr(workers, "run", asked)
    return count


def _counted(work: Callable[..., Any], count: Counter[str]) -> Callable[..., Any]:
    @functools.wraps(work)
    def counting(*args: Any, **kwargs: Any) -> Any:
        count[work.__name__] += 1
        return work(*args, **kwargs)

    return counting


ONCE = {"read_rows": 1, "draw_push": 1}
"""In the web process: the rows are read, and the user's own process is asked."""


def test_the_user_s_process_makes_each_file_and_the_document_once(
    cluster: Cluster, made: Counter[str]
) -> None:
    rows = read_rows(cluster)
    made.clear()
    foreign.draw_push(rows, dict.fromkeys(rows, ""))
    assert made == {"models_of": 1, "merge_models": 1, "render": 2}


def test_the_push_page_makes_it_once(
    cluster: Cluster, client: Client, operator: User, made: Counter[str]
) -> None:
    client.force_login(operator)
    where = reverse("push", args=[cluster.slug])
    assert b"Push to 2 nodes" in client.get(where).content
    assert made == ONCE


def test_the_push_makes_it_once(cluster: Cluster, operator: User, made: Counter[str]) -> None:
    rollout = services.push(actor=operator, cluster=cluster, message="", draft_version=1)
    assert made == ONCE
    made.clear()
    assert rollout.revision.document == configs.document_text(cluster)
    files = {file.node.name: file.text for file in rollout.revision.files.all()}
    assert files == {f.node.name: f.new_text for f in configs.pending(cluster).files}


def test_a_push_that_comes_too_late_makes_it_once_for_the_page(
    cluster: Cluster, client: Client, operator: User, made: Counter[str]
) -> None:
    client.force_login(operator)
    answer = client.post(reverse("push", args=[cluster.slug]), {"version": 7})
    assert b"was changed meanwhile" in answer.content
    assert made == ONCE
