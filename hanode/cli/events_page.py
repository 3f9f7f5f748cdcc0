"""docs/events.md: every kind of event, with its data, its severity and what it changes.

DRIVER. `hanode events --markdown` prints it, a test compares it. What a field means is the string
below it in `hanode/events.py`, so the page is read from that source.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
import itertools
from typing import Any, get_args

from hanode import events

HEAD = """\
# Events

What a node reports, kind by kind: made from `hanode/events.py` by
`python -m hanode events --markdown > docs/events.md`. An event on the wire is one JSON object:

```json
{"kind": "tracker", "subject": "script chk_http", "cause": "failed 3 times: exit code 1",
 "wall_us": 1763820217000000, "mono_us": 17000000,
 "data": {"kind": "script", "up": false, "value": 0}, "journal": "0f8f…", "seq": 17, "v": 1}
```

`wall_us` are microseconds since the epoch, `mono_us` microseconds of the node's monotonic clock;
`seq` numbers the events of one `journal` without a gap. `data` differs from kind to kind.
Whoever reads events keeps a kind that it does not know, and shows it plainly; fields of the data
that it does not know mean nothing to it. The topics say what of a cluster's page is read again.

Severities:

"""


def markdown() -> str:
    """The whole page."""
    notes = _notes()
    severities = " ".join(notes["Severity"].split()).split(". ")
    lines = [f"* **{name}**: {what.rstrip('.')}" for name, what in _pairs(severities)]
    parts = [_section(cls, notes) for cls in events.REGISTRY.values()]
    return HEAD + "\n".join([*lines, "", "\n".join(parts)])


def _pairs(sentences: list[str]) -> list[tuple[str, str]]:
    parts = [sentence.partition(": ") for sentence in sentences]
    assert tuple(name for name, _, _ in parts) == get_args(events.Severity)
    return [(name, what) for name, _, what in parts]


def _section(cls: type[events.Known], notes: dict[str, str]) -> str:
    lines = [
        f"## {cls.kind}",
        "",
        _one_line(cls.__doc__ or ""),
        "",
        f"* Severity: {_one_line(inspect.getdoc(cls.severity) or '')}",
        f"* Topics: {', '.join(cls.topics)}",
        "",
        "| data | type | meaning |",
        "|---|---|---|",
    ]
    for field in dataclasses.fields(cls):
        if field.name not in ("subject", "cause"):
            name = cls.wire_names.get(field.name, field.name)
            meaning = notes.get(f"{cls.__name__}.{field.name}", "")
            lines.append(f"| `{name}` | {_type(field)} | {_one_line(meaning)} |")
    return "\n".join([*lines, ""])


def _type(field: dataclasses.Field[Any]) -> str:
    words = str(field.type).replace("tuple[str, ...]", "list of str")
    return words.replace(" | None", ", may be missing")


def _notes() -> dict[str, str]:
    """The strings below names and below fields of classes: `Severity`, `Transition.old`."""
    found: dict[str, str] = {}
    tree = ast.parse(inspect.getsource(events))
    bodies = [("", tree.body)]
    bodies += [(f"{n.name}.", n.body) for n in tree.body if isinstance(n, ast.ClassDef)]
    for prefix, body in bodies:
        for above, below in itertools.pairwise(body):
            name = _name(above)
            if name and isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
                found[prefix + name] = str(below.value.value)
    return found


def _name(node: ast.stmt) -> str:
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return node.target.id
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    return ""


def _one_line(text: str) -> str:
    return " ".join(text.split())
