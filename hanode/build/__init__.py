"""The settings of both engines, made from a configuration.

PURE. `build` chooses between an object's own word, the enclosing block's and keepalived's
default, so that the engines have nothing left to look up. What the engine cannot do is never
dropped in silence: where running without it would be dangerous it is an error, else `ignored`
names it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from hanode.build import vrrp_settings
from hanode.build.checker import virtual_server
from hanode.build.words import Words
from hanode.check.checker_settings import CheckerSettings, VirtualServerSettings
from hanode.conf import Config, VirtualServer
from hanode.vrrp.engine_settings import VrrpSettings


@dataclass(frozen=True, slots=True)
class Built:
    """The settings of the two engines, and what of the file they leave out."""

    vrrp: VrrpSettings
    checker: CheckerSettings
    errors: tuple[str, ...] = ()
    """One sentence for each thing of the file that this node cannot run, and so leaves out."""
    ignored: tuple[str, ...] = ()
    """One sentence for each thing that has no effect here, without harm."""
    left_out: tuple[str, ...] = ()
    """One sentence for each mistake of a file that was started in spite of it."""


def build(config: Config) -> Built:
    """The settings of a checked configuration, as far as it has no mistakes."""
    errors: list[str] = []
    ignored: list[str] = []
    told = vrrp_settings.settings(config, errors, ignored)
    servers = [virtual_server(s, errors, ignored) for s in config.services if _is_run(s, ignored)]
    root = Words(config)
    checker = CheckerSettings(net_namespace=told.net_namespace)
    if root.says("net_namespace_ipvs"):
        checker = replace(checker, ipvs_namespace=root.text("net_namespace_ipvs") or "")
    kept: dict[str, VirtualServerSettings] = {}
    for server in servers:
        if server is not None and kept.setdefault(server.key, server) is not server:
            errors.append(f"the virtual server {server.key} is there twice")
    checker = replace(checker, virtual_servers=tuple(kept.values()))
    return Built(told, checker, tuple(errors), tuple(ignored))


def _is_run(server: VirtualServer, ignored: list[str]) -> bool:
    if server.ip:
        return True
    what = "a firewall mark" if server.fwmark is not None else "a group of addresses"
    ignored.append(f"virtual_server {server.key}: this engine does not balance {what} yet")
    return False
