"""A node whose auth_hmac cannot be used runs nevertheless, unsigned, and says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from hanode.apply import File, PersistedState
from hanode.cli.run import _resumed
from hanode.proc.supervisor.options import errors_of, keyed

KEY = "k" * 32
TEXT = """\
vrrp_instance V {{
    interface eth0
    virtual_router_id 51
    version 3
    auth_hmac {{
        {}
    }}
    virtual_ipaddress {{
        192.0.2.1/24
    }}
}}
"""


def file(lines: str, revision: int = 0, name: str = "keepalived.conf") -> File:
    return File(revision, TEXT.format(lines), name)


@pytest.mark.parametrize(
    "lines",
    [
        "mode enforce",
        f"key 1 {KEY}",
        f"key 1 {KEY}\nactive_key 2",
        f"key 0 {KEY}\nactive_key 0",
        "key 1 short\nactive_key 1",
        f"key 1 hex:{'0g' * 32}\nactive_key 1",
        "key 1 file:/nowhere/at/all\nactive_key 1",
        "key 1\nactive_key 1",
    ],
)
def test_it_runs_unsigned_and_says_so(lines: str) -> None:
    made = file(lines)
    found = keyed(made, "NodeA")
    assert [(one.name, one.hmac) for one in found.vrrp.instances] == [("V", None)]
    assert any("sent unsigned" in sentence for sentence in found.left_out), found.left_out
    assert errors_of(made, "NodeA"), "a reload and a push refuse it"


@pytest.mark.parametrize("line", ["anti_replay on", "mode strict", "time_window 0", "key 1 short"])
def test_another_mistake_leaves_the_signature(line: str) -> None:
    made = file(f"key 7 {KEY}\nactive_key 7\n{line}")
    found = keyed(made, "NodeA")
    (one,) = found.vrrp.instances
    assert one.hmac is not None
    assert (one.hmac.active, one.hmac.anti_replay, one.hmac.mode) == (7, "time", "enforce")
    assert errors_of(made, "NodeA")


def test_a_pushed_revision_whose_key_is_gone_runs_after_a_restart(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text(KEY)
    made = file(f"key 1 file:{key}\nactive_key 1", revision=5)
    state = PersistedState(made, made, 5)
    assert _resumed(state, "NodeA").built.vrrp.instances[0].hmac is not None
    key.unlink()
    start = _resumed(state, "NodeA")
    assert start.state.live.revision == 5
    assert [one.hmac for one in start.built.vrrp.instances] == [None]
    assert any("there is no such file" in sentence for sentence in start.mistakes)


def test_a_relative_path_is_meant_from_the_folder_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(KEY)
    made = file("key 1 file:key\nactive_key 1", name=str(tmp_path / "keepalived.conf"))
    found = keyed(made, "NodeA")
    assert found.vrrp.instances[0].hmac is not None
    assert found.left_out == ()


@pytest.mark.parametrize(
    ("held", "key"),
    [
        (b"\xff\xfe" * 16, b"\xff\xfe" * 16),
        (b"\xff" * 32 + b"\r\n", b"\xff" * 32),
        (b"\xc3\xa9" * 20 + b"\0rest", b"\xc3\xa9" * 20),
    ],
)
def test_a_key_in_a_file_is_its_bytes(held: bytes, key: bytes, tmp_path: Path) -> None:
    """As keepalived has them; a NUL ends it there."""
    (tmp_path / "key").write_bytes(held)
    (one,) = keyed(file(f"key 1 file:{tmp_path}/key\nactive_key 1"), "NodeA").vrrp.instances
    assert one.hmac is not None
    assert bytes.fromhex(one.hmac.keys[0].key) == key


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    found = keyed(file(f"key 1 file:{tmp_path}\nactive_key 1"), "NodeA")
    assert found.vrrp.instances[0].hmac is None
    assert any("it cannot be read: Is a directory" in sentence for sentence in found.left_out)
