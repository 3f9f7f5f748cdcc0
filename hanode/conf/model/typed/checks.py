"""The health checks by attributes.

PURE.
"""

from __future__ import annotations

from typing import ClassVar

from hanode.conf.language.kinds import Weight
from hanode.conf.model.attributes import AllBlocks, KeptValue, Part, Switch
from hanode.conf.model.typed.line_values import Command, program
from hanode.conf.model.typed.tracking import Weighted


class Source:
    """The source of a check's connection."""

    __slots__ = ()

    bindto = KeptValue[str]()
    bind_port = KeptValue[int]()
    bind_if = KeptValue[str]()
    fwmark = KeptValue[int]()


class Connecting(Source):
    """The source and the destination of a check's connection."""

    __slots__ = ()

    connect_ip = KeptValue[str]()
    connect_port = KeptValue[int]()
    connect_timeout_us = KeptValue[int]()


class Schedule:
    """When a check is made."""

    __slots__ = ()

    warmup_us = KeptValue[int]()
    delay_loop_us = KeptValue[int]()
    alpha = KeptValue[bool]()
    log_all_failures = KeptValue[bool]()


class Retrying(Schedule):
    """When a check is made, and how often it must fail."""

    __slots__ = ()

    retry = KeptValue[int]()
    delay_before_retry_us = KeptValue[int]()


class TcpWords(Source, Schedule):
    """The keywords of TCP_CHECK that are no fields of `TcpCheck`."""

    __slots__ = ()
    BLOCK: ClassVar[str] = "TCP_CHECK"


class Url(Part):
    """A page, and what is expected of it."""

    __slots__ = ()
    BLOCK: ClassVar[str] = "url"
    path = KeptValue[str]()
    digest = KeptValue[str]()
    status_code = KeptValue[tuple[tuple[int, int], ...]](join=lambda some, more: some + more)
    virtualhost = KeptValue[str]()
    regex = KeptValue[tuple[str, ...]]()
    regex_no_match = Switch()
    regex_options = KeptValue[tuple[str, ...]]()
    regex_min_offset = KeptValue[int]()
    regex_max_offset = KeptValue[int]()
    regex_stack = KeptValue[tuple[int, ...]]()
    tls_compliant = KeptValue[bool]()


class HttpCheck(Connecting, Retrying, Part):
    """HTTP_GET: up when web pages answer as expected."""

    __slots__ = ()
    BLOCK: ClassVar[str] = "HTTP_GET"

    urls = AllBlocks(Url, "url")
    nb_get_retry = KeptValue[int]()
    virtualhost = KeptValue[str]()
    http_protocol = KeptValue[str]()
    enable_sni = KeptValue[bool]()
    sni_name = KeptValue[str]()
    fast_recovery = KeptValue[bool]()
    tls_compliant = KeptValue[bool]()


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
    helo_name = KeptValue[str]()


class DnsCheck(Connecting, Retrying, Part):
    """DNS_CHECK: up when a name server answers."""

    __slots__ = ()
    BLOCK: ClassVar[str] = "DNS_CHECK"
    type = KeptValue[str]()
    name = KeptValue[str]()


class MiscCheck(Retrying, Part):
    """MISC_CHECK: up when a command succeeds."""

    __slots__ = ()
    BLOCK: ClassVar[str] = "MISC_CHECK"
    misc_path = KeptValue[Command](parse=program)
    misc_timeout_us = KeptValue[int]()
    misc_dynamic = Switch()
    user = KeptValue[tuple[str, ...]]()


class UdpCheck(Connecting, Retrying, Part):
    """UDP_CHECK: up when a datagram is not refused, or answered."""

    __slots__ = ()
    BLOCK: ClassVar[str] = "UDP_CHECK"
    payload = KeptValue[str]()
    require_reply = KeptValue[str]()
    min_reply_length = KeptValue[int]()
    max_reply_length = KeptValue[int]()


class PingCheck(Connecting, Retrying, Part):
    """PING_CHECK: up when it answers a ping."""

    __slots__ = ()
    BLOCK: ClassVar[str] = "PING_CHECK"


class FileCheck(Part):
    """FILE_CHECK: up, and weighted, by the number in a file."""

    __slots__ = ()
    BLOCK: ClassVar[str] = "FILE_CHECK"
    track_file = KeptValue[str]()
    weight = KeptValue[Weighted](kind=Weight(2_147_483_647))


class BfdCheck(Part):
    """BFD_CHECK: up while a BFD session is."""

    __slots__ = ()
    BLOCK: ClassVar[str] = "BFD_CHECK"
    name = KeptValue[str]()
    alpha = KeptValue[bool]()


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
