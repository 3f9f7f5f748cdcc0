"""Texts that may be shown: passwords, keys, and what is a secret in a command's arguments.

PURE. Errs on the side of masking: also in comments, in diffs, and where the word is misspelt. What
is masked in arguments is found by the names that stand before it, by the forms of well-known
tokens, and in commands also by the look of a random word.
"""

from __future__ import annotations

import re

MASK = "••••••"

_VALUE = r"(?:\"[^\"\n]*\"?|(?:\\.|[^\s{}\"\\])+)[^\s{}]*"
_PASS = re.compile(rf"(\bauth_pa?s+\w*[ \t]+)({_VALUE})")
_START = r"(?:^[-+ ]?|[{}])[ \t]*(?:@\S+[ \t]+)?"
_PASSWORD = re.compile(rf"({_START}password[ \t]+)({_VALUE})", re.MULTILINE)
_KEY = re.compile(rf"({_START}key[ \t]+[0-9]+[ \t]+)({_VALUE})", re.MULTILINE)
_REFERENCE = re.compile(r"\bauth_pa?s+\w*[ \t]+\"?\$\{?([A-Za-z_]\w*)")


_NAMES = (
    r"(?:pass(?:word|wd|phrase|w)?|pwd|secret|token|bearer|credentials?|signature"
    r"|(?:api|access|auth|private|secret|account|client|shared|encryption|master|license)[-_.]?key"
    r"|(?:auth|client)[-_.]?(?:token|secret)|apikey|community|authkey)"
)
"""How the names of secrets end, in options, variables, headers and addresses."""
_ARGUMENT = r"(?:\\\"[^\"\n]*\\\"|'[^'\n]*'|\"[^\"\n]*\"|(?:\\[^\"\s]|[^\s\"'\\])+)"
_OPTION = re.compile(rf"((?<![\w/])--?(?:\w[\w.-]*[-_.])?{_NAMES}[ \t]+)(?!-)({_ARGUMENT})", re.I)
_QUERY = re.compile(rf"([?&](?:[\w.-]*{_NAMES}|key|sig|auth|code|sid|sv)=)([^\s&\"'#\\]+)", re.I)
_QUOTED = re.compile(rf"([\"'](?:--?)?[\w.-]*{_NAMES}[ \t]*[=:][ \t]*)([^\"'\n]+)(?=[\"'])", re.I)
_ASSIGNED = re.compile(
    rf"((?<![\w.?&-])[\w.-]*{_NAMES}\\?[\"']?[ \t]*[=:][ \t]*)(?!//)({_ARGUMENT})", re.I
)
_HEADER = re.compile(
    r"(authorization[\"']?[ \t]*[:=][ \t]*(?:(?:basic|bearer|token|digest|apikey)[ \t]+)?)"
    rf"({_ARGUMENT})",
    re.I,
)
_BEARER = re.compile(rf"(\bbearer[ \t]+)({_ARGUMENT})", re.I)
_IN_ADDRESS = re.compile(r"(://[^\s/:@\"']*:)([^\s/@\"']+)(?=@)")
_LOGIN = re.compile(
    r"((?:^|[\s\"'])(?:-u|-U|--user|--proxy-user)[ \t=]*[\"']?[^\s:%\"'/-][^\s:%\"'/]*[:%])"
    r"([^\s\"']+)",
    re.MULTILINE,
)
_PROGRAMS = (
    (r"mysql\w*|mariadb[\w-]*|sshpass|mosquitto_\w+", r"-[pP]"),
    (r"redis-cli|valkey-cli", r"-a"),
    (r"ldap\w+", r"-w"),
    (r"snmp\w+", r"-[cAX]"),
    (r"ipmitool", r"-P"),
    (r"openssl", r"-(?:k|K|pass(?:in|out)?)"),
)
"""Programs whose short option is followed by a secret."""
_OF_PROGRAM = tuple(
    re.compile(rf"(\b(?:{programs})\b[^\n]{{0,400}}?[ \t]{option}[ \t=]?)({_ARGUMENT})")
    for programs, option in _PROGRAMS
)
_FORMS = re.compile(
    r"()((?<![\w-])(?:gh[pousr]_\w{16,}|github_pat_\w{16,}|glpat-[\w-]{12,}|xox[abeoprs]-[\w-]{8,}"
    r"|AKIA[0-9A-Z]{12,}|eyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?|sk-[\w-]{16,}|hv[sb]\.[\w-]{16,}"
    r"|dop_v1_\w{16,}|SG\.[\w-]{16,}\.[\w-]+|AIza[\w-]{20,}|\d{6,12}:[\w-]{30,}"
    r"|npm_\w{20,}|pypi-[\w-]{20,}))"
)
_HOOK = re.compile(
    r"(hooks\.slack\.com/(?:services|workflows)/|/api/webhooks/|webhook\.office\.com/|/bot(?=\d+:))"
    r"([^\s\"']+)"
)
_COMMAND = re.compile(
    rf"{_START}(?:script|misc_path|\w*notify\w*|quorum_(?:up|down)|\w+_script)[ \t]+(.*)",
    re.MULTILINE,
)
_RANDOM = re.compile(
    r"(?<![\w./+-])(?:[0-9a-fA-F]{32,}"
    r"|(?=[\w+-]*[0-9])(?=[\w+-]*[a-z])(?=[\w+-]*[A-Z])[\w+-]{22,}={0,2})(?![\w./+-])"
)
_IN_ARGUMENTS = (
    _HEADER,
    _BEARER,
    _OPTION,
    _QUERY,
    _QUOTED,
    _ASSIGNED,
    _IN_ADDRESS,
    _LOGIN,
    *_OF_PROGRAM,
    _HOOK,
    _FORMS,
)
_EVERYWHERE = (_PASS, _PASSWORD, _KEY, *_IN_ARGUMENTS)
_USED = re.compile(r"\$\{?([A-Za-z_]\w*)")


def mask_secrets(text: str, *, keep_length: bool = False) -> str:
    """The text with MASK in the place of every password, key and token.

    With `keep_length` the marks are as many as the characters they hide, so that columns stay.
    """
    return _masked(text, list(_EVERYWHERE), keep_length)


def mask_arguments(argv: tuple[str, ...]) -> str:
    """A command as one line, with MASK in the place of every secret in its arguments."""
    line = " ".join(f"'{word}'" if not word or re.search(r"\s", word) else word for word in argv)
    return _RANDOM.sub(MASK, _masked(line, list(_IN_ARGUMENTS), keep_length=False))


def _masked(text: str, patterns: list[re.Pattern[str]], keep_length: bool) -> str:
    def hidden(secret: str) -> str:
        return MASK[0] * len(secret) if keep_length else MASK

    def masked(match: re.Match[str]) -> str:
        before, secret = match.group(1), match.group(2)
        if secret.startswith(MASK[0] * 3):  # hidden by a pattern before
            return match.group()
        return before + hidden(secret)

    def command(match: re.Match[str]) -> str:
        words = match.group(1)
        head = match.group().removesuffix(words)
        return head + _RANDOM.sub(lambda found: hidden(found.group()), words)

    for name in sorted(secret_names(text)):
        patterns.append(re.compile(rf"(\${re.escape(name)}=[ \t]*)({_VALUE})"))
    for pattern in patterns:
        text = pattern.sub(masked, text)
    return _COMMAND.sub(command, text)


def secret_names(text: str) -> set[str]:
    """The names of definitions (`$NAME=value`) that stand where a secret would stand."""
    if "$" not in text:
        return set()
    found = set(_REFERENCE.findall(text))
    for pattern in _EVERYWHERE:
        for match in pattern.finditer(text):
            found.update(_USED.findall(match.group(2)))
    return found


def shown(words: tuple[str, ...]) -> str:
    """A statement's words as they may be shown."""
    return mask_secrets(" ".join(words))
