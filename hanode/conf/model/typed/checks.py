"""The health checks by attributes.

PURE.
"""

from __future__ import annotations

from typing import ClassVar

from hanode.conf.language.kinds import Weight
from hanode.conf.model.attributes import AllBlocks, LastValue, Part, Switch
from hanode.conf.model.typed.line_values import Command, command
from hanode.conf.model.typed.tracking import Weighted


class Source:
    """The source of a check's connection."""

    __slots__ = ()

    bindto = LastValue[str]()
    bind_port = LastValue[int]()
    bind_if = LastValue[str]()
    fwmark = LastValue[int]()


class Connecting(Source):
    """The source and the destination of a check's connection."""

    __slots__ = ()

    connect_ip = LastValue[str]()
    connect_port = LastValue[int]()
    connect_timeout_us = LastValue[int]()


class Schedule:
    """When a check is made."""

    __slots__ = ()

    warmup_us = LastValue[int]()
    delay_loop_us = LastValue[int]()
    alpha = LastValue[bool]()
    log_all_failures = LastValue[bool]()


class Retrying(Schedule):
    """When a check is made, and how often it must fail."""

    __slots__ = ()

    retry = LastValue[int]()
    delay_before_retry_us = LastValue[int]()


class TcpWords(Source, Schedule):
    """The keywords of TCP_CHECK that are no fields of `TcpCheck`."""

    __slots__ = ()
    BLOCK: ClassVar[str] = "TCP_CHECK"


class Url(Part):
    """A page, and what is expected of it."""

    __slots__ = ()
    BLOCK: ClassVar[str] = "url"
    path = LastValue[str]()
    digest = LastValue[str]()
    status_code = LastValue[tuple[tuple[int, int], ...]]()
    virtualhost = LastValue[str]()
    regex = LastValue[tuple[str, ...]]()
    regex_no_match = Switch()
    regex_options = LastValue[tuple[str, ...]]()
    regex_min_offset = LastValue[int]()
    regex_max_offset = LastValue[int]()
    regex_stack = LastValue[tuple[int, ...]]()
    tls_compliant = LastValue[bool]()


class HttpCheck(Connecting, Retrying, Part):
    """HTTP_GET: up when web pages answer as expected."""

    __slots__ = ()
    BLOCK: ClassVar[str] = "HTTP_GET"

    urls = AllBlocks(Url, "url")
    nb_get_retry = LastValue[int]()
    virtualhost = LastValue[str]()
    http_protocol = LastValue[str]()
    enable_sni = LastValue[bool]()
    sni_name = LastValue[str]()
    fast_recovery = LastValue[bool]()
    tls_compliant = LastValue[bool]()


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

    hosts = AllBlocks(SmtpHost, "host")
    helo_name = LastValue[str]()


class DnsCheck(Connecting, Retrying, Part):
    """DNS_CHECK: up when a name server answers."""

    __slots__ = ()
    BLOCK: ClassVar[str] = "DNS_CHECK"
    type = LastValue[str]()
    name = LastValue[str]()


class MiscCheck(Retrying, Part):
    """MISC_CHECK: up when a command succeeds."""

    __slots__ = ()
    BLOCK: ClassVar[str] = "MISC_CHECK"
    misc_path = LastValue[Command](parse=command)
    misc_timeout_us = LastValue[int]()
    misc_dynamic = Switch()
    user = LastValue[tuple[str, ...]]()


class UdpCheck(Connecting, Retrying, Part):
    """UDP_CHECK: up when a datagram is not refused, or answered."""

    __slots__ = ()
    BLOCK: ClassVar[str] = "UDP_CHECK"
    payload = LastValue[str]()
    require_reply = LastValue[str]()
    min_reply_length = LastValue[int]()
    max_reply_length = LastValue[int]()


class PingCheck(Connecting, Retrying, Part):
    """PING_CHECK: up when it answers a ping."""

    __slots__ = ()
    BLOCK: ClassVar[str] = "PING_CHECK"


class FileCheck(Part):
    """FILE_CHECK: up, and weighted, by the number in a file."""

    __slots__ = ()
    BLOCK: ClassVar[str] = "FILE_CHECK"
    track_file = LastValue[str]()
    weight = LastValue[Weighted](kind=Weight(2_147_483_647))


class BfdCheck(Part):
    """BFD_CHECK: up while a BFD session is."""

    __slots__ = ()
    BLOCK: ClassVar[str] = "BFD_CHECK"
    name = LastValue[str]()
    alpha = LastValue[bool]()


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
