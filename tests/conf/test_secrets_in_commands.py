"""Secrets in the arguments of commands are masked, and nothing else is."""

from __future__ import annotations

import time

import pytest

from hanode import conf

SECRET = [
    """script "/usr/bin/curl -H 'Authorization: Bearer hunter2.x' http://h/" """,
    """script "/usr/bin/curl -H 'authorization: hunter2' http://h/" """,
    """script "/usr/bin/curl -H 'X-Api-Key: hunter2 and more' http://h/" """,
    """script "/usr/bin/curl -H X-Auth-Token:hunter2 http://h/" """,
    """script "/usr/bin/curl -u admin:hunter2 http://h/" """,
    """script "/usr/bin/curl --user admin:hunter2 http://h/" """,
    """script "/usr/bin/curl http://admin:hunter2@h/" """,
    """script "/usr/bin/curl http://h/?a=1&token=hunter2&b=2" """,
    """script "/usr/bin/curl http://h/?key=hunter2" """,
    """script "/usr/bin/curl -d {\\"password\\":\\"hunter2\\"} http://h/" """,
    """notify "/x/y.sh --token hunter2 --port 80" """,
    """notify "/x/y.sh --token=hunter2" """,
    """notify "/x/y.sh --auth-token hunter2,and;more" """,
    """notify "/x/y.sh -password 'a hunter2'" """,
    """notify "/x/y.sh '--secret=a hunter2'" """,
    """notify_master "/x/y.sh TOKEN=hunter2 B=c" root""",
    """quorum_up "/bin/sh -c 'PGPASSWORD=hunter2 psql'" """,
    """misc_path "/usr/bin/mysql -uroot -phunter2 -e 'select 1'" """,
    """misc_path "/usr/bin/mysqladmin --password=hunter2 ping" """,
    """misc_path "/usr/bin/redis-cli -a hunter2 ping" """,
    """misc_path "/usr/bin/snmpget -v2c -c hunter2 h oid" """,
    """notify "/x https://hooks.slack.com/services/T00/B00/hunter2" """,
    """notify "/x ghp_hunter2hunter2hunter2" """,
    """notify "/x https://api.telegram.org/bot123456789:AAhunter2hunter2hunter2hunter2x/send" """,
    """notify "/x aB3dE5fG7hunter2L1mN3pQ5rS7" """,
    """@NodeA notify "/x aB3dE5fG7hunter2L1mN3pQ5rS7" """,
    """$API_TOKEN=hunter2""",
    """# token: hunter2""",
    """$P=hunter2\nnotify "/x --password $P" """,
    """-    notify "/x --token hunter2"\n+    notify "/x --token hunter2b" """,
]


@pytest.mark.parametrize("text", SECRET)
def test_it_is_masked(text: str) -> None:
    masked = conf.mask_secrets(text)
    assert "hunter2" not in masked
    assert " more" not in masked
    assert conf.MASK in masked
    assert conf.mask_secrets(masked) == masked, "what is masked stays as it is"
    assert len(conf.mask_secrets(text, keep_length=True)) == len(text)
    assert "hunter2" not in conf.mask_secrets(text, keep_length=True)


PLAIN = [
    'script "/usr/bin/killall -0 haproxy"',
    'script "/usr/bin/curl -fs -m 2 http://127.0.0.1:8080/health"',
    'script "/etc/keepalived/check_apiserver.sh 192.168.192.200 6443"',
    'script "/usr/bin/test -e /run/x/healthy"',
    'script "/usr/local/bin/check.sh --pass-file /etc/x --timeout 3"',
    'notify "/etc/keepalived/notify.sh INSTANCE VI_1 MASTER 100"',
    "digest 640205b7b0fc66c1ea91c463fac6334d",
    "auth_type PASS",
    "virtual_ipaddress { 2001:db8::1/64 }",
    "script_user keepalived_script",
    "track_file pass { file /run/token }",
]


@pytest.mark.parametrize("text", PLAIN)
def test_what_is_no_secret_is_shown(text: str) -> None:
    assert conf.mask_secrets(text) == text


def test_a_change_of_a_token_is_told_without_it() -> None:
    old, new = (
        conf.check(f'vrrp_script s {{\n script "/x --token {value}"\n}}\n').model
        for value in ("hunter2", "hunter3")
    )
    (change,) = conf.diff(old, new)
    assert "hunter" not in change.text


@pytest.mark.parametrize(
    "piece",
    ["a", "-a", "+a", "mysql ", "://:", "--token ", "x=a ", '"', "'a", "a.", "pass", "token-",
     "?token", "eyJ.", "{", "notify ", "$a ", "-u a:", "1:"],
)  # fmt: skip
def test_no_text_takes_more_than_its_length(piece: str) -> None:
    """Ten times the text takes about ten times as long, not a hundred times."""
    text = "script " + piece * (300_000 // len(piece))
    began = time.process_time()
    conf.mask_secrets(text)
    assert time.process_time() - began < 3.0
