"""Linux's own IPVS, in a guest, gives the same results as the fake."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.fakes.ipvs import FakeIpvs
from tests.ipvs.story import tell
from tests.uml.harness import python_in_guest

pytestmark = pytest.mark.needs("uml")


def test_linux_and_the_fake_agree() -> None:
    done = python_in_guest(Path(__file__).with_name("guest_ipvs.py")).check()
    answer = json.loads(done.stdout)
    expected = json.loads(json.dumps(tell(FakeIpvs())))
    for on_linux, on_fake in zip(answer["told"], expected, strict=True):
        assert on_linux == on_fake
    assert answer["unprivileged"] == ("this process may not program IPVS; it needs CAP_NET_ADMIN")
