"""Fuzzes the configuration language by coverage: no exception and no hang on any bytes.

    python -m tests.fuzz.conf_atheris --seconds 60

An input that raises or takes more than `SLOW_S` seconds is written to tests/fuzz/found/ and ends
the run; tests/fuzz/test_conf.py tries all inputs that are kept there.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import atheris  # type: ignore[import-untyped,import-not-found,unused-ignore]

with atheris.instrument_imports(include=["hanode.conf"]):
    from hanode import conf

FOUND = Path(__file__).parent / "found"
SLOW_S = 10


def one_input(data: bytes) -> None:
    """Does everything that we do to a text from outside."""
    text = data.decode(errors="surrogateescape")
    checked = conf.check(text, node="a")
    assert checked.document.text() == text
    conf.render(checked.model)
    conf.mask_secrets(text)
    conf.apply_fixes(text, checked.problems)


def main() -> None:
    """Starts from the corpora; ends after the given number of seconds."""
    from tests.conf.samples import corpus, text_of

    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--seconds", type=int, default=60)
    options = parser.parse_args()
    FOUND.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as seeds:
        for number, path in enumerate(corpus()):
            text = text_of(path)[:4096].encode(errors="surrogateescape")
            (Path(seeds) / f"{number:03d}").write_bytes(text)
        limits = [
            f"-max_total_time={options.seconds}",
            f"-timeout={SLOW_S}",
            f"-artifact_prefix={FOUND}/",
            "-max_len=4096",
        ]
        atheris.Setup([sys.argv[0], *limits, seeds], one_input)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
