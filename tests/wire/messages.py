"""The golden messages: one of every kind, byte for byte as version 1 sends them.

`golden/v1/CLASS.WHAT.json` is one message of that class of `hanode.wire`, on one line. The
messages were recorded from two running nodes and a control plane; the envelopes are signed with a
key that is no secret. `python -m tests.wire.messages` adds the fields that the classes have got
since, and refuses to remove any: that would need a new version.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hanode import wire

GOLDEN = Path(__file__).parent / "golden"
CURRENT = GOLDEN / f"v{wire.VERSION}"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
"""The control plane's key in these messages; its public half is in Enrolment.json."""


def files(*, version: str = "v*") -> list[Path]:
    """The messages of a version, or of all versions."""
    return sorted(GOLDEN.glob(f"{version}/*.json"))


def class_of(file: Path) -> type[Any]:
    """The class of the message in the file."""
    found: type[Any] = getattr(wire, file.name.split(".")[0])
    return found


def message(file: Path) -> Any:
    """The message as today's classes decode it."""
    return wire.from_json(class_of(file), file.read_text())


def classes() -> dict[str, type[Any]]:
    """The dataclasses of hanode.wire."""
    return {
        name: cls
        for name, cls in vars(wire).items()
        if dataclasses.is_dataclass(cls)
        and isinstance(cls, type)
        and cls.__module__ == "hanode.wire"
    }


def parts(value: Any) -> Iterator[Any]:
    """The dataclass and all dataclasses in it."""
    if dataclasses.is_dataclass(value):
        yield value
        for field in dataclasses.fields(value):
            yield from parts(getattr(value, field.name))
    elif isinstance(value, tuple):
        for item in value:
            yield from parts(item)


def lost(old: Any, new: Any, where: str = "") -> list[str]:
    """What the old message contains and the new one lacks."""
    if isinstance(old, dict) and isinstance(new, dict):
        return [
            sentence
            for name, value in old.items()
            for sentence in (
                lost(value, new[name], f"{where}.{name}") if name in new else [f"{where}.{name}"]
            )
        ]
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        pairs = enumerate(zip(old, new, strict=True))
        return [said for at, (a, b) in pairs for said in lost(a, b, f"{where}[{at}]")]
    return [] if old == new else [where]


def extended(file: Path) -> str:
    """The file's text with today's classes. Raises ValueError if that would lose a field."""
    value = message(file)
    if isinstance(value, wire.Signed):
        payload = file.with_name(f"{value.kind.capitalize()}.json")
        unsigned = wire.Signed(value.kind, extended(payload).rstrip("\n"), "")
        signature = base64.b64encode(KEY.sign(unsigned.signed_bytes())).decode()
        return wire.to_json(dataclasses.replace(unsigned, signature=signature)) + "\n"
    text = wire.to_json(value) + "\n"
    if gone := lost(json.loads(file.read_text()), json.loads(text)):
        raise ValueError(f"{file.name}: {', '.join(gone)} would be lost: that is another version")
    return text


def main() -> int:
    """Rewrites the current version's files."""
    try:
        texts = {file: extended(file) for file in files(version=CURRENT.name)}
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    for file, text in texts.items():
        file.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
