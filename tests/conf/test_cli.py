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
    assert lines[-3] == "1 file: 3 warnings"
    assert lines[-2].startswith("not looked at: this machine's")
    assert "\033" not in done.stdout


def test_check_never_shows_the_password() -> None:
    for words in (("check", PAIR_A), ("check", "--json", PAIR_A), ("merge", f"x={PAIR_A}")):
        done = hanode(*words)
        shown = done.stderr if words[0] == "merge" else done.stdout
        assert "auth-pass-long" in shown
        assert "ninechar" not in shown


def test_files_that_move_the_same_address_are_compared_as_nodes(tmp_path: Path) -> None:
    done = hanode("check", PAIR_A, PAIR_B)
    assert done.returncode == 0
    assert "\ncompared as the nodes of one cluster: pair_a, pair_b\n" in done.stdout
    other = tmp_path / "pair_b.conf"
    other.write_text(text_of(CORPUS / "pair_b.conf").replace("router_id 7", "router_id 8"))
    done = hanode("check", PAIR_A, str(other))
    assert done.returncode == 1
    assert "pair_a and pair_b have different virtual_router_id 7 and 8" in done.stdout
    assert "= write virtual_router_id 7 as on pair_a" in done.stdout
    other.write_text(text_of(CORPUS / "pair_b.conf").replace("192.168.192.", "10.9.8."))
    apart = hanode("check", PAIR_A, str(other)).stdout
    assert "\ncompared as" not in apart
    for name in ("pair_a", "pair_b"):
        assert f"\n{name} is not compared with the other files: it has no address" in apart


def test_nodes_of_files_with_one_name_are_called_by_their_directories(tmp_path: Path) -> None:
    for node, source in (("one", "pair_a.conf"), ("two", "pair_b.conf")):
        (tmp_path / node).mkdir()
        (tmp_path / node / "keepalived.conf").write_text(text_of(CORPUS / source))
    files = [str(tmp_path / node / "keepalived.conf") for node in ("one", "two")]
    done = hanode("check", *files, files[0])
    assert "nodes of one cluster: one/keepalived, two/keepalived" in done.stdout
    assert "2 files: " in done.stdout


def test_the_test_vector_is_said_in_words(tmp_path: Path) -> None:
    minus = "\N{MINUS SIGN}"
    said = []
    for one, other in ((152, 101), (102, 101)):
        for node, state, priority in (("A", "MASTER", one), ("B", "BACKUP", other)):
            (tmp_path / f"{node}.conf").write_text(
                "vrrp_script service {\n    script /bin/true\n    weight 3\n}\n"
                f"vrrp_instance g {{\n    state {state}\n    interface eth0\n"
                f"    virtual_router_id 5\n    priority {priority}\n"
                "    virtual_ipaddress {\n        192.0.2.10/24\n    }\n"
                "    track_script {\n        service\n    }\n}\n"
            )
        said.append(hanode("check", str(tmp_path / "A.conf"), str(tmp_path / "B.conf")).stdout)
    assert f"155 {minus} 3 = 152, still above 104 of B: never fails over" in said[0]
    assert f"105 {minus} 3 = 102, below 104 of B: it fails over" in said[1]
    assert "the addresses move back at once" in said[1]


def test_carets_stand_below_wide_characters_and_tabs(tmp_path: Path) -> None:
    path = tmp_path / "x.conf"
    path.write_text('\t漢字\t漢字 x\nglobal_defs {\n\tvrrp_version "é́漢" 4\n}\n')
    lines = hanode("check", str(path)).stdout.split("\n")
    assert lines[1:3] == ["      1 | \t漢字\t漢字 x", "        | \t^^^^"]
    at = next(n for n, line in enumerate(lines) if "vrrp_version" in line and " | " in line)
    assert lines[at + 1] == "        | \t             ^^^^^"


def test_a_long_line_is_shown_around_the_place(tmp_path: Path) -> None:
    path = tmp_path / "x.conf"
    path.write_text(f"global_defs {{ {' ' * 400}frobnicate {' ' * 400}}}\n")
    lines = hanode("check", str(path)).stdout.split("\n")
    assert max(map(len, lines[1:3])) < 180
    assert "frobnicate" in lines[1]
    assert lines[2].index("^") == lines[1].index("frobnicate")


def test_a_problem_of_many_lines_is_marked_to_the_end_of_the_first(tmp_path: Path) -> None:
    path = tmp_path / "x.conf"
    path.write_text("$W=one \\\n  two\nglobal_defs {\n    $W\n}\n")
    lines = hanode("check", str(path)).stdout.split("\n")
    assert lines[0].startswith(f"{path}:4:5: warning: ")
    assert lines[2] == "        |     ^^"


def test_a_terminal_gets_colours_and_a_pipe_none() -> None:
    command = f"{sys.executable} -m hanode check {PAIR_A}"
    done = subprocess.run(
        ["script", "-qec", command, "/dev/null"],
        capture_output=True,
        text=True,
        cwd=PROJECT,
        timeout=60,
        check=False,
        env={"TERM": "xterm", "PATH": "/usr/bin:/bin"},
    )
    assert done.returncode == 0
    assert "\033[1;33mwarning:\033[0m" in done.stdout
    assert "\033[1;33m\t^^^^^^^^\033[0m" in done.stdout


HERE = """\
global_defs { script_user root
    enable_script_security
}
vrrp_instance one {
    interface ks0
    virtual_router_id 1
    notify /no/such/script
    notify_master SCRIPT
    virtual_ipaddress {
        192.0.2.5/24
        192.0.2.10/24
        198.51.100.10/24
    }
    authentication {
        auth_type PASS
        auth_pass secret
    }
}
"""


@pytest.mark.needs("root", "netns")
def test_here_the_machine_s_scripts_addresses_and_modes_are_looked_at(tmp_path: Path) -> None:
    script, path = tmp_path / "run.sh", tmp_path / "x.conf"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o757)
    path.write_text(HERE.replace("SCRIPT", str(script)))
    path.chmod(0o644)

    def found(*words: str) -> list[tuple[str, int]]:
        steps = (
            "ip link add ks0 type veth peer name ks1 && ip address add 192.0.2.5/24 dev ks0 && "
            f'exec "{sys.executable}" -m hanode check --json {" ".join(words)} "{path}"'
        )
        done = subprocess.run(
            ["unshare", "-n", "sh", "-c", steps],
            capture_output=True,
            text=True,
            cwd=PROJECT,
            timeout=60,
            check=True,
        )
        return [(p["code"], p["line"]) for p in json.loads(done.stdout)["problems"]]

    assert found("--here") == [
        ("script-missing", 7),
        ("script-writable", 8),
        ("vip-is-own", 10),
        ("vip-outside", 12),
        ("secret-readable", 16),
    ]
    assert found() == []
    assert "not looked at" not in hanode("check", "--no-here", str(path)).stdout


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


def test_merge_writes_nothing_while_there_are_errors() -> None:
    done = hanode("merge", f"a={CORPUS / 'broken.conf'}", f"b={PAIR_B}")
    assert done.returncode == 1
    assert done.stdout == ""
    assert "missing-brace" in done.stderr
    assert done.stderr.endswith("; nothing is written before the errors are corrected\n")


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


def test_diff_of_documents_names_the_nodes_of_what_not_all_have(tmp_path: Path) -> None:
    old, new = tmp_path / "old.conf", tmp_path / "new.conf"
    old.write_text(hanode("merge", f"a={PAIR_A}", f"b={PAIR_B}").stdout)
    text = old.read_text().replace("@a priority 150", "@a priority 130")
    new.write_text(text.replace("advert_int 1", "advert_int 2"))
    said = hanode("diff", str(old), str(new)).stdout.split("\n")
    assert "vrrp_instance VI_WEB: priority 150 → 130 on a (an address may move)" in said
    assert "vrrp_instance VI_WEB: advert_int 1 → 2 (the adverts change)" in said
    alone = hanode("diff", "--node", "b", str(old), str(new)).stdout
    assert "priority" not in alone


def test_diff_follows_includes(tmp_path: Path) -> None:
    for side in ("old", "new"):
        (tmp_path / side).mkdir()
        (tmp_path / side / "main.conf").write_text("include part.conf\n")
        (tmp_path / side / "part.conf").write_text(f"global_defs {{\n router_id {side}\n}}\n")
    done = hanode("diff", *(str(tmp_path / side / "main.conf") for side in ("old", "new")))
    assert "router_id old → new" in done.stdout


def test_explain() -> None:
    assert "from 1 to 255" in hanode("explain", "priority").stdout
    assert "nat_mask" in hanode("explain", "nat_mask").stdout
    assert hanode("explain", "fast_recovery").returncode == 0
    told = hanode("explain", "quorum-high")
    assert (told.returncode, told.stdout.count("\n")) == (0, 1)
    assert "weight" in told.stdout


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("check",), "FILE"),
        (("check", "/no/such.conf"), "/no/such.conf cannot be read: No such file or directory"),
        (("check", "/tmp"), "/tmp cannot be read: Is a directory"),
        (("check", "/bin/ls"), "/bin/ls is no text"),
        (("check", "--target", "nginx", PAIR_A), "nginx is no target"),
        (("check", "--json", "/no/such.conf"), "/no/such.conf cannot be read"),
        (("fmt", "/tmp"), "/tmp cannot be read: Is a directory"),
        (("diff", PAIR_A, "/no/such.conf"), "/no/such.conf cannot be read"),
        (("merge", "a="), "is not NODE=FILE"),
        (("merge", "a=/no/such.conf"), "/no/such.conf cannot be read"),
        (("explain",), "name a word"),
        (("check", "--colour", PAIR_A), "--colour"),
        (("fmt", "--in-place", "-"), "standard input cannot be written in place"),
        (("fmt", "--in-place", "--check", PAIR_A), "not allowed with"),
        (("diff", PAIR_A), "B"),
        (("merge", PAIR_A), "is not NODE=FILE"),
        (("merge", f"a={PAIR_A}", f"a={PAIR_B}"), "a is named twice"),
        (("merge", f"@a={PAIR_A}"), "is not NODE=FILE"),
        (("explain", "priorty"), "did you mean priority?"),
        (("explain", "vip-differ"), "did you mean vips-differ?"),
        (("explain", "\033[31mred\nline"), "no word of keepalived's configuration"),
        (("check", "\033[31m.conf"), "cannot be read"),
    ],
)
def test_a_wrong_command_is_one_sentence(words: tuple[str, ...], says: str) -> None:
    done = hanode(*words)
    assert done.returncode == 2
    assert says in done.stderr
    assert done.stderr.count("\n") == 1
    assert "\033" not in done.stderr
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
