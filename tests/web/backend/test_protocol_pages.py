"""What is written about the control plane's side of the protocol is what it does."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from webapp.accounts.models import User
from webapp.live.topics import TOPICS

DOCS = Path(__file__).resolve().parents[3] / "docs"
PAGE = (DOCS / "protocol.md").read_text()


def command() -> list[str]:
    """As the page says it, without where it writes to."""
    (said,) = re.findall(
        r"`keepsight (export_openapi_schema .*?) --output docs/openapi.json`", PAGE
    )
    return str(said).split()


def test_openapi_json_is_current() -> None:
    made = io.StringIO()
    call_command(*command(), stdout=made)
    again = f"keepsight {' '.join(command())} --output docs/openapi.json"
    assert json.loads(made.getvalue()) == json.loads((DOCS / "openapi.json").read_text()), again


@pytest.mark.django_db
def test_a_running_control_plane_serves_the_same(reader: User) -> None:
    client = Client()
    client.force_login(reader)
    served: Any = client.get("/api/openapi.json", secure=True)
    kept = json.loads((DOCS / "openapi.json").read_text())
    assert {**served.json(), "servers": []} == {**kept, "servers": []}


def test_the_page_has_every_topic_of_the_socket() -> None:
    (row,) = re.findall(r"^\| `changed` \|.*$", PAGE, re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", row)) - {"changed", "topic"} == set(TOPICS)
