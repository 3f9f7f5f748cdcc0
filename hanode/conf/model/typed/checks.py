"""The health checks by attributes.

PURE.
"""

from __future__ import annotations

from typing import ClassVar

from hanode.conf.language.kinds import Weight
from hanode.conf.model.attributes import Inner, Part, Said, Switch
from hanode.conf.model.typed.line_values import Command, command
from hanode.conf.model.typed.tracking import Weighted


class Source:
    """Wherefrom a check connects."""

    __slots__ = ()

    bindto = Said[str]()
    bind_port = Said[int]()
    bind_if = Said[str]()
    fwmark = Said[int]()


class Connecting(Source):
    """Whereto and wherefrom a check connects."""

    __slots__ = ()

    connect_ip = Said[str]()
    connect_port = Said[int]()
    connect_timeout_us = Said[int]()


class Schedule:
    """When a check is made."""

    __slots__ = ()

    warmup_us = Said[int]()
    delay_loop_us = Said[int]()
    alpha = Said[bool]()
    log_all_failures = Said[bool]()


class Retrying(Schedule):
    """When a check is made, and how often it must fail."""

    __slots__ = ()

    retry = Said[int]()
    delay_before_retry_us = Said[int]()


class TcpWords(Source, Schedule):
    """The keywords of TCP_CHECK that are no fields of `TcpCheck`."""

    __slots__ = ()
    BLOCK: ClassVar[str] = "TCP_CHECK"


class Url(Part):
    """A page, and what is expected of it."""

    __slots__ = ()
    BLOCK: ClassVar[str] = "url"
    path = Said[str]()
    digest = Said[str]()
    status_code = Said[tuple[tuple[int, int], ...]]()
    virtualhost = Said[str]()
    regex = Said[tuple[str, ...]]()
    regex_no_match = Switch()
    regex_options = Said[tuple[str, ...]]()
    regex_min_offset = Said[int]()
    regex_max_offset = Said[int]()
    regex_stack = Said[tuple[int, ...]]()
    tls_compliant = Said[bool]()


class HttpCheck(Connecting, Retrying, Part):
    """HTTP_GET: up when web pages answer as expected."""

    __slots__ = ()
    BLOCK: ClassVar[str] = "HTTP_GET"

    urls = Inner(Url, "url")
    nb_get_retry = Said[int]()
    virtualhost = Said[str]()
    http_protocol = Said[str]()
    enable_sni = Said[bool]()
    sni_name = Said[str]()
    fast_recovery = Said[bool]()
    tls_compliant = Said[bool]()


class SslCheck(HttpCheck):
    """SSL_GET: the same over TLS."""

    __slots__ = ()
    BLOCK: ClassVar[str] = "SSL_GET"


class SmtpHost(Connecting, Part):
    """`host` of SMTP_CHECK: another address to check."""

    __slots__ = ()
    BLOCK: ClassVar[str] = "host"


class SmtpCheck(Connecting, Retrying, Part):
    """SMTP_CHECK: up when a mail server greets."""

    __slots__ = ()
    BLOCK: ClassVar[str] = "SMTP_CHECK"

    hosts = Inner(SmtpHost, "host")
    helo_name = Said[str]()


class DnsCheck(Connecting, Retrying, Part):
    """DNS_CHECK: up when a name server answers."""

    __slots__ = ()
    BLOCK: ClassVar[str] = "DNS_CHECK"
    type = Said[str]()
    name = Said[str]()


class MiscCheck(Retrying, Part):
    """MISC_CHECK: up when a command succeeds."""

    __slots__ = ()
    BLOCK: ClassVar[str] = "MISC_CHECK"
    misc_path = Said[Command](made=command)
    misc_timeout_us = Said[int]()
    misc_dynamic = Switch()
    user = Said[tuple[str, ...]]()


class UdpCheck(Connecting, Retrying, Part):
    """UDP_CHECK: up when a datagram is not refused, or answered."""

    __slots__ = ()
    BLOCK: ClassVar[str] = "UDP_CHECK"
    payload = Said[str]()
    require_reply = Said[str]()
    min_reply_length = Said[int]()
    max_reply_length = Said[int]()


class PingCheck(Connecting, Retrying, Part):
    """PING_CHECK: up when it answers a ping."""

    __slots__ = ()
    BLOCK: ClassVar[str] = "PING_CHECK"


class FileCheck(Part):
    """FILE_CHECK: up, and weighted, by the number in a file."""

    __slots__ = ()
    BLOCK: ClassVar[str] = "FILE_CHECK"
    track_file = Said[str]()
    weight = Said[Weighted](kind=Weight(2_147_483_647))


class BfdCheck(Part):
    """BFD_CHECK: up while a BFD session is."""

    __slots__ = ()
    BLOCK: ClassVar[str] = "BFD_CHECK"
    name = Said[str]()
    alpha = Said[bool]()


OtherCheck = (
    HttpCheck
    | SslCheck
    | SmtpCheck
    | DnsCheck
    | MiscCheck
    | UdpCheck
    | PingCheck
    | FileCheck
    | BfdCheck
)
"""Every check but TCP_CHECK, which is bound (`hanode.conf.model.model`)."""

CHECKS: dict[str, type[OtherCheck]] = {
    kind.BLOCK: kind
    for kind in (
        HttpCheck, SslCheck, SmtpCheck, DnsCheck, MiscCheck, UdpCheck, PingCheck, FileCheck,
        BfdCheck,
    )
}  # fmt: skip
