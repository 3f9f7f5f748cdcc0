"""The examples of docs/conf.md run and give the results that the page shows."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

from hanode import conf

PAGE = Path(__file__).parents[2] / "docs" / "conf.md"


def examples() -> list[str]:
    return re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)


def test_every_line_gives_what_stands_behind_it() -> None:
    names: dict[str, Any] = {}
    said = 0
    for example in examples():
        lines = example.split("\n")
        for node in ast.parse(example).body:
            code = ast.unparse(node)
            if not isinstance(node, ast.Expr):
                exec(code, names)
                continue
            assert node.end_lineno is not None
            _, _, result = lines[node.end_lineno - 1].partition("  # ")
            assert repr(eval(code, names)) == result, code
            said += 1
    assert said >= 20


def test_every_public_call_is_on_the_page() -> None:
    calls = {name for name in conf.__all__ if name.islower() and callable(getattr(conf, name))}
    unsaid = {name for name in calls if f"`{name}" not in PAGE.read_text()}
    assert unsaid <= {
        "effective_priority",
        "has_errors",
        "in_order",
        "merge_models",
        "node_ids",
        "worst",
    }
