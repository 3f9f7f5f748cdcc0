"""The policy's files: what they say, how several add up, and what is no policy."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hanode.policy import DEFAULT, PolicyError, from_toml

SAMPLE = Path(__file__).parents[2] / "contrib" / "policy.toml"


def test_without_a_file_nothing_that_is_pushed_runs_as_root() -> None:
    policy = from_toml([])
    assert policy == DEFAULT
    assert "root" not in policy.users
    assert policy.files == ()


def test_a_file_replaces_defaults_and_further_ones_add() -> None:
    policy = from_toml(
        [
            ("a", '[programs]\nusers = ["haproxy"]\nadd = false\n[network]\ninterfaces = ["eth1"]'),
            ("b", '[programs]\nusers = ["root", "haproxy"]\nadd = true'),
        ]
    )
    assert policy.users == ("haproxy", "root")
    assert policy.add_programs
    assert policy.interfaces == ("eth1",)
    assert policy.written == DEFAULT.written
    assert policy.files == ("a", "b")


def test_the_sample_says_the_defaults() -> None:
    """What it shows in comments is what holds without it."""
    text = SAMPLE.read_text()
    assert from_toml([("x", text)]) == from_toml([("x", "")])
    prose = re.compile("# [^ ]|##")
    shown = (line.removeprefix("#") for line in text.splitlines() if not prose.match(line))
    everything = "\n".join(shown)
    assert everything.count(" = [") == 12, "every list"
    policy = from_toml([("x", everything)])
    assert policy == from_toml([("x", "")]), "every value in the sample is the default's"


WRONG = {
    "[programs\n": "f is no TOML",
    "[program]\nadd = true": "f: there is no [program]; the tables are programs, files, network",
    "add = true": "f: there is no [add]",
    "[programs]\nuser = []": "f: [programs] has no user; it has add, users",
    '[programs]\nadd = "yes"': "f: add in [programs] is true or false",
    '[programs]\nusers = "root"': "f: users in [programs] is a list of words",
    "[programs]\nusers = [0]": "f: users in [programs] is a list of words",
    '[programs]\nusers = ["a b"]': "f: users in [programs] has names; 'a b' is none",
    '[files]\nwritten = ["tmp"]': "f: written in [files] has whole paths without ..; 'tmp' is none",
    '[files]\nkeys = ["/etc/../x"]': "f: keys in [files] has whole paths without ..",
    '[network]\naddresses = ["10.0.0.0/33"]': "f: addresses in [network] has networks and hosts",
    '[network]\naddresses = ["10.0.0.300"]': "f: addresses in [network] has networks and hosts",
    '[network]\nnamespaces = ["../x"]': "f: namespaces in [network] has names; '../x' is none",
}


@pytest.mark.parametrize("text", WRONG)
def test_what_is_wrong_is_said_in_one_sentence(text: str) -> None:
    with pytest.raises(PolicyError) as told:
        from_toml([("f", text)])
    assert str(told.value).startswith(WRONG[text])
    assert "\n" not in str(told.value)
