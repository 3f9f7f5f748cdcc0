"""Makes a control plane with a large and a small cluster: `python -m tests.e2e.prepared SERVERS`.

Prints the path of a one-time sign-in link.
"""

from __future__ import annotations

import re
import sys

import django
from django.core.management import call_command

from tests.bench.conf import many_servers

SECURE = "\n enable_script_security\n script_user root\n}"
INSTANCE = """vrrp_script up {{
 script /bin/true
}}
vrrp_instance G {{
 state BACKUP
 interface eth0
 virtual_router_id 51
 priority {priority}
 track_script {{
  up
 }}
 virtual_ipaddress {{
  10.255.0.1/24
 }}
 virtual_ipaddress_excluded {{
{addresses}
 }}
}}
"""


def main() -> None:
    """Creates the database, an editor and the clusters."""
    django.setup()
    from webapp.accounts.models import Role, User
    from webapp.accounts.services import sign_in_path
    from webapp.configs.services import import_files

    call_command("migrate", verbosity=0)
    user = User.objects.create_user("edith", role=Role.EDITOR)
    for name, count in (("Large", int(sys.argv[1])), ("Small", 10)):
        servers = many_servers(count).replace("\n}", SECURE, 1)
        held = dict.fromkeys(re.findall(r"(?m)^virtual_server (\S+)", servers))
        addresses = "\n".join(f"  {ip}" for ip in held)
        files = {
            node: INSTANCE.format(priority=priority, addresses=addresses) + servers
            for node, priority in (("NodeA", 100), ("NodeB", 90))
        }
        import_files(actor=user, cluster_name=name, files=files)
    print(sign_in_path(user))


if __name__ == "__main__":
    main()
