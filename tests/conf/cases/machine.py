"""Cases of the rules that need facts of the node's machine: its files and addresses."""

from __future__ import annotations

from functools import partial

from hanode.conf.rules.machine import FileFacts, MachineFacts
from tests.conf.cases.base import Case

TEXT = """\
global_defs { script_user root
    enable_script_security
}
vrrp_instance one {
    interface eth0
    virtual_router_id 1
    notify /usr/bin/sound
    authentication {
        auth_type PASS
        auth_pass secret
    }
    virtual_ipaddress {
        192.0.2.10/24
    }
}
"""
FILES = {
    "/etc/keys/one": FileFacts(0o600),
    "/etc/keys/open": FileFacts(0o640),
    "keepalived.conf": FileFacts(0o640),
    "/usr/bin/sound": FileFacts(0o755),
    "/usr/bin/plain": FileFacts(0o644),
    "/usr/bin": FileFacts(0o755, regular=False),
    "/bin": FileFacts(0o755, regular=False, link=True),
    "/bin/sound": FileFacts(0o755),
    "/usr/bin/anyone": FileFacts(0o757),
    "/usr/bin/group": FileFacts(0o775),
    "/open/to/all": FileFacts(0o755),
    "/open": FileFacts(0o777, regular=False),
    "/sticky/to/all": FileFacts(0o755),
    "/sticky": FileFacts(0o1777, regular=False),
    "/usr/bin/theirs": FileFacts(0o755, owner=1000),
}
ADDRESSES = {"eth0": ("192.0.2.1/24",), "eth1": ("203.0.113.1/24",)}
HERE = MachineFacts(FILES.get, ADDRESSES)
OPEN = MachineFacts((FILES | {"keepalived.conf": FileFacts(0o644)}).get, ADDRESSES)

case = partial(Case, sound=TEXT, machine=HERE)
SOUND = "notify /usr/bin/sound"
BLOCK = """    authentication {
        auth_type PASS
        auth_pass secret
    }
"""

SIGNED = TEXT.replace(
    BLOCK,
    "    auth_hmac {\n        key 1 file:/etc/keys/one\n        active_key 1\n    }\n",
)
NEWER = "keepalived-2.4.3"
LINKED = TEXT.replace(SOUND, "notify /bin/sound").replace(
    "    enable_script_security\n", "    enable_script_security\n    use_symlink_paths\n"
)
signed = partial(case, sound=SIGNED, target=NEWER, sound_target=NEWER)

CASES = [
    case("script-behind-link", "error", SOUND, "notify /bin/sound", target="keepalived-2.3.3",
         sound_target="keepalived-2.3.3"),
    case("script-behind-link", "error", "    use_symlink_paths\n", "", target=NEWER, line=7,
         sound_target=NEWER, sound=LINKED),
    signed("hmac-key-file", "error", "file:/etc/keys/one", "file:/etc/keys/gone"),
    signed("hmac-key-file", "error", "        active_key 1",
           "        key 2 file:/etc/keys/gone\n        active_key 1"),
    signed("secret-readable", "warning", "file:/etc/keys/one", "file:/etc/keys/open"),
    case("script-missing", "warning", SOUND, "notify /usr/bin/gone"),
    case("script-not-executable", "warning", SOUND, "notify /usr/bin/plain"),
    case("script-not-executable", "warning", SOUND, "notify /usr/bin"),
    case("script-writable", "warning", SOUND, "notify /usr/bin/anyone"),
    case("script-writable", "warning", SOUND, 'notify "/usr/bin/group with words"'),
    case("script-writable", "warning", SOUND, "notify /usr/bin/theirs"),
    case("script-writable", "warning", "notify /sticky/to/all", "notify /open/to/all",
         sound=TEXT.replace(SOUND, "notify /sticky/to/all")),
    case("script-security", "info", "    enable_script_security\n", "", line=6),
    case("vip-outside", "warning", "        192.0.2.10/24", "        198.51.100.10/24"),
    case("vip-is-own", "warning", "        192.0.2.10/24", "        192.0.2.1/24"),
    case("vip-is-own", "warning", "        192.0.2.10/24", "        203.0.113.1/24 dev eth1"),
    case("secret-readable", "warning", "    virtual_ipaddress", f"{BLOCK}    virtual_ipaddress",
         sound=TEXT.replace(BLOCK, ""), machine=OPEN, line=10),
]  # fmt: skip
