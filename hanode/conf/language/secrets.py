"""Texts that may be shown: passwords, keys, and what is a secret in a command's arguments.

PURE. Errs on the side of masking: also in comments, in diffs, and where the word is misspelt. What
is masked in arguments is found by the names that stand before it, by the forms of well-known
tokens, and in commands also by the look of a random word.
"""

from __future__ import annotations

import re
from collections.abc import Callable

MASK = "••••••"

_VALUE = r"(?:\"[^\"\n]*\"?|(?:\\.|[^\s{}\"\\])+)[^\s{}]*"
_PASS = re.compile(rf"(\bauth_pa?s+\w*[ \t]+)({_VALUE})")
_START = r"(?<![^\s{}+-])"
"""A word may begin; `_is_first` says whether it is one that keepalived takes for a keyword."""
_PASSWORD = re.compile(rf"({_START}password[ \t]+)({_VALUE})")
_KEY = re.compile(rf"({_START}key[ \t]+[0-9]+[ \t]+)({_VALUE})")
LOOKED_BACK = 2_048
"""Characters before a word that are looked at; a line may have many words."""
_REFERENCE = re.compile(r"\bauth_pa?s+\w*[ \t]+\"?\$\{?([A-Za-z_]\w*)")


_NAMES = (
    r"(?:pass(?:word|wd|phrase|w)?|pwd|secret|token|bearer|credentials?|signature"
    r"|(?:api|access|auth|private|secret|account|client|shared|encryption|master|license)[-_.]?key"
    r"|(?:auth|client)[-_.]?(?:token|secret)|apikey|community|authkey)"
)
"""How the names of secrets end, in options, variables, headers and addresses."""
_ARGUMENT = r"(?:\\\"[^\"\n]*\\\"|'[^'\n]*'|\"[^\"\n]*\"|(?:\\[^\"\s]|[^\s\"'\\])+)"
_OPTION = re.compile(
    rf"((?<![\w/])--?(?:\w[\w.-]{{0,40}}[-_.])?{_NAMES}[ \t]+)(?!-)({_ARGUMENT})", re.I
)
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
    rf"{_START}(?:script|misc_path|\w*notify\w*|quorum_(?:up|down)|\w+_script)[ \t]+"
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
_FIRST = (_PASSWORD, _KEY)
_DEFINED = re.compile(r"\$([A-Za-z_]\w*)=[ \t]*")
_DEFINED_VALUE = re.compile(_VALUE)
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
        if match.re in _FIRST and not _is_first(match.string, match.start()):
            return match.group()
        if secret.startswith(MASK[0] * 3):  # hidden by a pattern before
            return match.group()
        return before + hidden(secret)

    names = frozenset(secret_names(text))
    for pattern in patterns:
        text = pattern.sub(masked, text)
    if names:
        text = _without_values(text, names, hidden)
    return _without_random_words(text, hidden)


def _without_random_words(text: str, hidden: Callable[[str], str]) -> str:
    """The text without the words of commands that look like keys."""
    parts: list[str] = []
    at = 0
    for match in _COMMAND.finditer(text):
        if match.start() < at or not _is_first(text, match.start()):
            continue
        end = text.find("\n", match.end())
        end = len(text) if end < 0 else end
        words = text[match.end() : end]
        parts += (text[at : match.end()], _RANDOM.sub(lambda found: hidden(found.group()), words))
        at = end
    return "".join((*parts, text[at:]))


def _without_values(text: str, names: frozenset[str], hidden: Callable[[str], str]) -> str:
    """The text without the values of these definitions."""
    parts: list[str] = []
    at = 0
    for match in _DEFINED.finditer(text):
        if match.group(1) not in names or match.start() < at:
            continue
        value = _DEFINED_VALUE.match(text, match.end())
        if value is not None and not value.group().startswith(MASK[0] * 3):
            parts += (text[at : match.end()], hidden(value.group()))
            at = value.end()
    return "".join((*parts, text[at:]))


def _is_first(text: str, at: int) -> bool:
    """Whether a word begins a line as keepalived reads it, which is also behind a brace.

    A condition may precede it, and the sign of a difference. Yes, if it cannot be seen.
    """
    line = text.rfind("\n", max(0, at - LOOKED_BACK), at) + 1
    seen = line > 0 or at <= LOOKED_BACK
    before = text[line or max(0, at - LOOKED_BACK) : at]
    lead = before.rstrip(" \t")
    if _begins(lead):
        return True
    word = lead[max(lead.rfind(" "), lead.rfind("\t")) + 1 :]
    ahead = lead[: len(lead) - len(word)].rstrip(" \t")
    if lead == before or "@" not in word:
        return not seen
    condition = word.startswith("@") and _begins(ahead)
    signed = word[:2] in ("-@", "+@") and not ahead
    return condition or signed or "{@" in word or "}@" in word or not seen


def _begins(lead: str) -> bool:
    return lead in ("", "-", "+") or lead[-1] in "{}"


def secret_names(text: str) -> set[str]:
    """The names of definitions (`$NAME=value`) that stand where a secret would stand."""
    if "$" not in text:
        return set()
    found = set(_REFERENCE.findall(text))
    for pattern in _EVERYWHERE:
        for match in pattern.finditer(text):
            if pattern in _FIRST and not _is_first(text, match.start()):
                continue
            found.update(_USED.findall(match.group(2)))
    return found


def shown(words: tuple[str, ...]) -> str:
    """A statement's words as they may be shown."""
    return mask_secrets(" ".join(words))
