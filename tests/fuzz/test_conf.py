"""The configuration language on any input: no exception, no hang, linear time."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given, settings

from hanode import conf
from tests.conf.samples import any_texts


@given(any_texts, any_texts)
@settings(max_examples=200, deadline=2000)
def test_no_function_of_the_package_raises(text: str, other: str) -> None:
    one = conf.check(text, node="a")
    two = conf.check(other, node="b")
    conf.diff(one.model, two.model, others=[two.model])
    conf.check_pair({"a": one.model, "b": two.model})
    merged = conf.merge({"a": text, "b": other})
    conf.check(merged.text, node="b")
    conf.mask_secrets(text)
    conf.apply_fixes(text, one.problems)
    conf.node_ids(text)


LONG = {
    "braces": "{" * 20_000,
    "closing": "}" * 20_000,
    "words": "a " * 50_000,
    "one word": "a" * 200_000,
    "quotes": '"' * 50_001,
    "comments": "#\n" * 50_000,
    "backslashes": "\\" * 100_000,
    "conditions": "@a " * 50_000,
    "conditions behind braces": "{ @a " * 20_000,
    "definitions": "$X=\\\n" * 30_000,
    "references": "$X " * 50_000,
    "open references": "${" * 50_000,
    "repetitions": "~SEQ(" * 20_000,
    "unknown": "frobnicate\n" * 20_000,
    "equal": "vrrp_instance x {\n}\n" * 3_000,
    "nested": "vrrp_instance x {\n" * 3_000,
    "members": "vrrp_sync_group g {\n group {\n"
    + "".join(f"  a{n}\n" for n in range(10_000))
    + " }\n}\n",
    "addresses": "vrrp_instance x {\n virtual_ipaddress {\n"
    + "".join(f"  10.0.{n >> 8}.{n & 255}\n" for n in range(10_000))
    + " }\n}\n",
    "equal addresses": "vrrp_instance x {\n virtual_ipaddress {\n"
    + "  10.0.0.1\n" * 10_000
    + " }\n}\n",
    "tracked": "vrrp_instance x {\n track_script {\n"
    + "".join(f"  s{n} weight 2\n" for n in range(10_000))
    + " }\n}\n",
    "names": "".join(f"vrrp_script s{n} {{\n script /bin/true\n}}\n" for n in range(5_000)),
}


@pytest.mark.parametrize("name", LONG)
def test_long_inputs_end_soon(name: str) -> None:
    started = time.process_time()
    text = LONG[name]
    checked = conf.check(text, node="a")
    conf.render(checked.model)
    conf.mask_secrets(text)
    conf.apply_fixes(text, checked.problems)
    assert time.process_time() - started < 10


def test_what_the_fuzzer_found_is_read() -> None:
    for path in sorted((Path(__file__).parent / "found").glob("*")):
        text = path.read_bytes().decode(errors="surrogateescape")
        assert conf.check(text, node="a").document.text() == text, path.name


BOMBS = {
    "~SEQ in ~SEQ": "~SEQ(a,1,1000) ~SEQ(b,1,1000) ~SEQ(c,1,1000) x $a $b $c\n",
    "recursive $VAR": "$A=$B $B\n$B=$A $A\nx $A\n",
    "doubling $VAR": "$A0=xxxxxxxxxx\n"
    + "".join(f"$A{n}=$A{n - 1} $A{n - 1} $A{n - 1} $A{n - 1}\n" for n in range(1, 30))
    + "x $A29\n",
    "file in itself": "include me\ninclude me\n",
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_macro_bomb_ends_in_a_problem(name: str) -> None:
    text = BOMBS[name]
    started = time.process_time()
    problems = conf.check(text, read=lambda pattern, around: (("me", text),)).problems
    assert {"macro", "include-depth", "too-long"} & {p.code for p in problems}
    assert time.process_time() - started < 5
