"""The blocks of the health checks.

PURE; data only.
"""

from __future__ import annotations

from hanode.conf.language.kinds import Codes, Hex, Weight
from hanode.conf.language.kinds_address import Ip
from hanode.conf.language.kinds_machine import Interface, User
from hanode.conf.language.kinds_words import REGEX_OPTIONS, Lenient, Numbers, Pattern, Several
from hanode.conf.language.schema import NEXT, Block, Keyword, block, switch, word
from hanode.conf.language.values import (
    Choice,
    Command,
    Int,
    Timer,
    Word,
    Words,
)

LONG = 18_446_744_073_709_551_614
OFFSET = Lenient(Int(0, 2**64 - 1))
CONNECTING_TIME = 4_294_967_295

RETRYING = (
    word(
        "retry",
        Int(0, 4294967295),
        "Failed tries after which the server is down.",
        default="1",
        field="retry",
        engine="runs",
    ),
    word(
        "delay_before_retry",
        Timer(0, LONG),
        "Seconds between failed tries.",
        default="1",
        field="delay_before_retry_us",
        engine="runs",
    ),
    word(
        "warmup",
        Timer(0, LONG),
        "The first check comes at random within so many seconds.",
        default="delay_loop",
        engine="runs",
    ),
    word(
        "delay_loop",
        Timer(1, LONG),
        "Seconds between checks.",
        default="the virtual server's",
        engine="runs",
    ),
    switch("alpha", "The server counts as down until the first check.", engine="runs"),
    switch("log_all_failures", "Log every failure, not only the last one."),
)

CONNECTING = (
    word(
        "connect_ip",
        Ip(),
        "The address to check instead of the server's.",
        field="connect_ip",
        engine="runs",
    ),
    word(
        "connect_port",
        Int(1, 65535),
        "The port to check instead of the server's.",
        field="connect_port",
        engine="runs",
    ),
    word("bindto", Ip(), "Own address to check from."),
    word("bind_port", Int(1, 65535), "Own port to check from."),
    word("bind_if", Interface(), "Own interface to check from."),
    word(
        "connect_timeout",
        Timer(1, CONNECTING_TIME),
        "Seconds that a connection may take.",
        default="5",
        field="connect_timeout_us",
        engine="runs",
    ),
    word("fwmark", Int(0, 4294967295), "Mark of the check's packets."),
)

HTTP = (
    word(
        "nb_get_retry",
        Int(1, 4294967295),
        "Old word for retry.",
        old="write retry",
        successor="retry",
    ),
    word("virtualhost", Word("a host name"), "The host name to ask for."),
    word("http_protocol", Choice(("1.0", "1.0C", "1.0c", "1.1")), "HTTP version.", default="1.0"),
    switch("enable_sni", "Name the host in the TLS greeting."),
    word("sni_name", Word("a host name"), "The name for the TLS greeting.", since=NEXT),
    switch("fast_recovery", "Try all pages at once after a failure."),
    switch("tls_compliant", "Refuse connections that end without a farewell.", since="2.2.8"),
    word("url", None, "A page, and what is expected of it.", opens="url", repeats=True),
)

URL = (
    word("path", Word("a page's path"), "The page."),
    word(
        "digest",
        Pattern("[0-9A-Fa-f]{32}", "an MD5 sum of 32 hexadecimal digits"),
        "MD5 sum of the page.",
        keeps="first",
    ),
    word(
        "status_code",
        Lenient(Codes()),
        "Expected status codes.",
        default="200-299",
        keeps="both",
    ),
    word("virtualhost", Word("a host name"), "The host name to ask for."),
    word("regex", Lenient(Words("a pattern")), "A pattern that the page must hold."),
    word("regex_no_match", None, "The pattern must not be there."),
    word("regex_options", Lenient(Several(REGEX_OPTIONS)), "Options of the pattern."),
    word("regex_min_offset", OFFSET, "Where the pattern may begin, at least."),
    word("regex_max_offset", OFFSET, "Where the pattern may begin, at most."),
    word(
        "regex_stack",
        Lenient(Numbers(0, 2**64 - 1, "the first and the largest size in bytes")),
        "Memory for the pattern.",
    ),
    switch("tls_compliant", "Refuse connections that end without a farewell.", since="2.2.8"),
)


def _check(name: str, *own: Keyword, connects: bool = True) -> Block:
    """A check that the engine does not make yet."""
    rows = (*(CONNECTING if connects else ()), *RETRYING, *own)
    return block(name, rows, engine="planned")


BLOCKS = (
    block("TCP_CHECK", (*CONNECTING, *RETRYING)),
    _check("HTTP_GET", *HTTP),
    _check("SSL_GET", *HTTP),
    block("url", URL),
    _check(
        "SMTP_CHECK",
        word("helo_name", Word("a host name"), "The name to greet with."),
        word("host", None, "Another address to check (old).", opens="host", repeats=True),
    ),
    block("host", CONNECTING, engine="planned"),
    _check(
        "DNS_CHECK",
        word(
            "type",
            Choice(
                ("A", "NS", "CNAME", "SOA", "MX", "TXT", "AAAA", "RRSIG", "DNSKEY"), any_case=True
            ),
            "What to ask for.",
            default="SOA",
        ),
        word(
            "name",
            Pattern(
                r"\.|(?:[^.]{2,}\.)*[^.]+\.?",
                "a name whose labels have at least two letters (2.2.7 takes others for empty)",
                mild=True,
            ),
            "The name to ask for.",
            default=".",
            keeps="first",
        ),
    ),
    _check(
        "MISC_CHECK",
        word("misc_path", Command(), "The command; exit status 0 is success."),
        word(
            "misc_timeout",
            Timer(0, 4_294_000_000, whole=True),
            "Seconds after which it counts as failed.",
            default="delay_loop",
        ),
        word("misc_dynamic", None, "Its exit status sets the weight."),
        word("user", User(), "User and group to run as."),
        connects=False,
    ),
    _check(
        "UDP_CHECK",
        word("payload", Hex(needed=1), "What to send."),
        word("require_reply", Hex(wildcard=True), "What must come back; nothing: anything."),
        word("min_reply_length", Int(0, 65535), "Shortest answer.", default="0"),
        word("max_reply_length", Int(0, 65535), "Longest answer.", default="255"),
    ),
    _check("PING_CHECK"),
    block(
        "FILE_CHECK",
        (
            word("track_file", Word("a name"), "The track_file block to follow."),
            word(
                "weight",
                Weight(2_147_483_647, ("reverse", "noreverse")),
                "Multiplied by the number in the file.",
            ),
        ),
    ),
    block(
        "BFD_CHECK",
        (
            word("name", Word("a name"), "The bfd_instance to follow.", keeps="first"),
            switch("alpha", "The server counts as down until the session is up."),
        ),
    ),
)
