"""`hanode check|fmt|diff|merge|explain` as a person runs them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conf.samples import CORPUS, text_of

PROJECT = Path(__file__).resolve().parents[2]
PAIR_A, PAIR_B = str(CORPUS / "pair_a.conf"), str(CORPUS / "pair_b.conf")


def hanode(*words: str, given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "hanode", *words],
        capture_output=True,
        text=True,
        input=given,
        cwd=PROJECT,
        timeout=60,
        check=False,
    )


def test_check_points_at_the_place() -> None:
    done = hanode("check", PAIR_A)
    assert done.returncode == 0
    lines = done.stdout.split("\n")
    at = next(n for n, line in enumerate(lines) if "nat_mask is unknown" in line)
    assert lines[at].startswith(f"{PAIR_A}:29:2: warning: ")
    assert lines[at + 1] == "     29 | \tnat_mask 255.255.255.0"
    assert lines[at + 2] == "        | \t^^^^^^^^"
    assert lines[at + 3] == "        = remove the line"
    assert lines[-2] == "1 file: 3 warnings"
    assert "\033" not in done.stdout


def test_check_never_shows_the_password() -> None:
    for words in (("check", PAIR_A), ("check", "--json", PAIR_A), ("merge", f"x={PAIR_A}")):
        done = hanode(*words)
        shown = done.stderr if words[0] == "merge" else done.stdout
        assert "auth-pass-long" in shown
        assert "ninechar" not in shown


def test_errors_give_exit_code_1() -> None:
    done = hanode("check", str(CORPUS / "broken.conf"))
    assert done.returncode == 1
    assert "missing-brace" in done.stdout
    assert "Traceback" not in done.stderr


def test_json_has_the_whole_problem() -> None:
    done = hanode("check", "--json", PAIR_A, PAIR_B)
    answer = json.loads(done.stdout)
    assert answer["files"] == [PAIR_A, PAIR_B]
    problem = next(p for p in answer["problems"] if p["code"] == "misplaced-keyword")
    assert (problem["file"], problem["line"], problem["column"]) == (PAIR_A, 35, 4)
    assert (problem["end_line"], problem["end_column"]) == (35, 16)
    assert problem["fix"]["text"] == "retry"
    assert problem["severity"] == "warning"
    assert problem["hint"]


def test_a_document_is_checked_for_all_its_nodes(tmp_path: Path) -> None:
    merged = tmp_path / "cluster.conf"
    merged.write_text(hanode("merge", f"a={PAIR_A}", f"b={PAIR_B}").stdout)
    text = merged.read_text()
    assert "@a priority 150" in text
    merged.write_text(text.replace("@b priority 140", "@b priority 500"))
    done = hanode("check", str(merged))
    assert done.returncode == 1
    assert "priority must be" in done.stdout
    assert hanode("check", "--node", "a", str(merged)).returncode == 0
    merged.write_text(text.replace("@b priority 140", "@b priority 150"))
    assert "priority-equal" in hanode("check", str(merged)).stdout


def test_check_follows_includes(tmp_path: Path) -> None:
    (tmp_path / "inner.conf").write_text("frobnicate\n")
    (tmp_path / "main.conf").write_text("include inner.conf\n")
    done = hanode("check", str(tmp_path / "main.conf"))
    assert f"{tmp_path}/inner.conf:1:1: warning" in done.stdout
    (tmp_path / "main.conf").write_text("include gone.conf\n")
    assert "include-not-found" in hanode("check", str(tmp_path / "main.conf")).stdout


def test_fmt_indents_and_changes_nothing_else(tmp_path: Path) -> None:
    text = text_of(CORPUS / "oneline.conf")
    path = tmp_path / "x.conf"
    path.write_text(text)
    assert hanode("fmt", "--check", str(path)).returncode == 1
    assert hanode("fmt", "--in-place", str(path)).returncode == 0
    assert hanode("fmt", "--check", str(path)).returncode == 0
    assert path.read_text().split() == text.split()
    assert hanode("fmt", "-", given="a {\nb\n}\n").stdout == "a {\n    b\n}\n"


def test_diff_says_what_changes() -> None:
    done = hanode("diff", PAIR_A, PAIR_B)
    assert done.returncode == 1
    assert "vrrp_instance VI_WEB: priority 150 → 140 (the adverts change)" in done.stdout
    assert hanode("diff", PAIR_A, PAIR_A).returncode == 0


def test_explain() -> None:
    assert "from 1 to 255" in hanode("explain", "priority").stdout
    assert "nat_mask" in hanode("explain", "nat_mask").stdout
    assert hanode("explain", "fast_recovery").returncode == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("check",), "FILE"),
        (("check", "/no/such.conf"), "/no/such.conf cannot be read: No such file or directory"),
        (("check", "/tmp"), "/tmp cannot be read: Is a directory"),
        (("check", "--target", "nginx", PAIR_A), "nginx is no target"),
        (("check", "--colour", PAIR_A), "--colour"),
        (("fmt", "--in-place", "-"), "standard input cannot be written in place"),
        (("fmt", "--in-place", "--check", PAIR_A), "not allowed with"),
        (("diff", PAIR_A), "B"),
        (("merge", PAIR_A), "is not NODE=FILE"),
        (("merge", f"a={PAIR_A}", f"a={PAIR_B}"), "a is named twice"),
        (("merge", f"@a={PAIR_A}"), "is not NODE=FILE"),
        (("explain", "priorty"), "did you mean priority?"),
    ],
)
def test_a_wrong_command_is_one_sentence(words: tuple[str, ...], says: str) -> None:
    done = hanode(*words)
    assert done.returncode == 2
    assert says in done.stderr
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr


def test_bytes_that_speak_to_terminals_are_not_shown(tmp_path: Path) -> None:
    path = tmp_path / "x.conf"
    path.write_bytes(b"\x1b[31mfrob \xff\n")
    done = hanode("check", str(path))
    assert done.returncode == 0
    assert "\033" not in done.stdout
    assert "unknown-keyword" in done.stdout


def test_bytes_that_are_no_text_come_out_as_they_went_in(tmp_path: Path) -> None:
    path = tmp_path / "x.conf"
    path.write_bytes(b"# caf\xe9\nrouter \xe9\n")
    for words in (("fmt", str(path)), ("merge", f"a={path}")):
        done = subprocess.run(
            [sys.executable, "-m", "hanode", *words],
            capture_output=True,
            cwd=PROJECT,
            timeout=60,
            check=False,
            env={"LC_ALL": "C", "PYTHONIOENCODING": "ascii"},
        )
        assert done.returncode == 0, done.stderr
        assert b"caf\xe9\nrouter \xe9\n" in done.stdout
