"""The fake kernel behaves as Linux does in tests/uml/test_ipvs_kernel.py."""

from __future__ import annotations

from tests.fakes.ipvs import FakeIpvs
from tests.ipvs.story import tell


def test_the_story_goes_as_expected() -> None:
    told = {words: outcome for words, outcome in tell(FakeIpvs())}  # noqa: C416
    assert told["nothing is left to do"] == []
    assert told["no such scheduler is refused"] == "REFUSED"
    assert told["no such service is refused"] == "REFUSED"
    names = [service["key"]["ip"] for service, _ in told["a service goes with its destinations"]]
    assert names == ["192.0.2.99", "192.168.192.200"]
