"""A keyword in a block that does not have it: the check only warns, so it must do no harm."""

from __future__ import annotations

import pytest

from tests.vrrp.words import GLOBALS, built, text


@pytest.mark.parametrize("word", ["notify_deleted", "notify_master_rx_lower_pri"])
def test_a_word_of_instances_in_a_group_is_named(word: str) -> None:
    group = f"vrrp_sync_group G {{\ngroup {{\nV\n}}\n{word} /bin/true\n}}\n"
    result = built(group + text())
    assert result.ignored == (f"vrrp_sync_group G: this engine does not use {word}",)
    assert len(result.vrrp.sync_groups) == 1


def test_a_namespace_in_global_defs_does_not_count() -> None:
    result = built(GLOBALS.format("net_namespace red") + text())
    assert result.vrrp.net_namespace is None
    assert result.ignored == ("global_defs: this engine does not use net_namespace",)
