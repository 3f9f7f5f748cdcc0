"""The kinds of values in the language: how each is read, written and described.

PURE. `read` takes the words after a keyword (without their quotes) and gives the value, or raises
`BadValue` with a sentence's second half ("must be …"); `write` gives the words back. Numbers are
decimal and strict, as `keepalived -t` has them. Times become integers of microseconds. Whoever
wants a value calls `read_words`, which also knows what keepalived takes odd words for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from hanode.conf.language.ip import family as family
from hanode.conf.language.ip import is_ip as is_ip

ANY_NUMBER_OF_WORDS = 1_000
HUGE = 1_000_000_000
"""An upper limit beyond this is nobody's concern; messages leave it out."""
NOTHING: Any = object()
"""Of a BadValue: keepalived takes no value, or only the machine knows which."""

Sort = Literal["written", "fifo", "read", "key", "include", "namespace", "interface", "address"]
"""What of the machine a word names: a file that is written, made as a FIFO, read, read as a key or
included; a network namespace; an interface; an address, a network, a range or a host."""
Thing = tuple[Sort, str]


class BadValue(ValueError):
    """The words do not fit; the text completes "priority …"; `index` is the word to blame.

    `mild`: keepalived takes them without a word, or only the machine knows. `taken` is the value
    that keepalived then has; `instead` is what is meant, where that is clear.
    """

    def __init__(
        self,
        message: str,
        index: int = 0,
        *,
        mild: bool = False,
        taken: Any = NOTHING,
        instead: str | None = None,
    ) -> None:
        super().__init__(message)
        self.instead = instead
        self.index = index
        self.mild = mild
        self.taken = taken

    def inside(self, make: Callable[[Any], Any]) -> BadValue:
        """The same of a larger value, which `make` gives for the part that was read."""
        taken = self.taken if self.taken is NOTHING else make(self.taken)
        return BadValue(str(self), self.index, mild=self.mild, taken=taken)


class TooFewWords(BadValue):
    """A value is missing."""


@dataclass(frozen=True, slots=True)
class Value:
    """What may stand after a keyword. This one: any words, kept as they are."""

    least: ClassVar[int] = 0
    at_most: ClassVar[int] = ANY_NUMBER_OF_WORDS

    @property
    def most(self) -> int:
        """How many words it takes; what stands after them is superfluous."""
        return self.at_most

    @property
    def shape(self) -> str:
        """In words, for messages and help."""
        return "any words"

    def taken(self, words: list[str]) -> int:
        """How many of the words are its own, where the next option of a line may follow."""
        return min(self.most, len(words))

    def read(self, words: list[str]) -> Any:
        """The value of the words; raises BadValue."""
        return tuple(words)

    def write(self, value: Any) -> tuple[str, ...]:
        """The words of a value."""
        return tuple(value)

    def things(self, words: Sequence[str]) -> Iterable[Thing]:
        """What of the machine the words name; programs and users are `Script` and `User`."""
        return ()


@dataclass(frozen=True, slots=True)
class Words(Value):
    """At least one word, kept as they are."""

    what: str = "a value"
    least: ClassVar[int] = 1

    @property
    def shape(self) -> str:
        return self.what


@dataclass(frozen=True, slots=True)
class Word(Value):
    """One word: a name, a path, an interface."""

    what: str = "a word"
    limit: int = 0
    least: ClassVar[int] = 1
    at_most: ClassVar[int] = 1

    @property
    def shape(self) -> str:
        return self.what

    def read(self, words: list[str]) -> Any:
        if self.limit and len(words[0]) > self.limit:
            raise BadValue(f"must be {self.what} of at most {self.limit} characters")
        return words[0]

    def write(self, value: Any) -> tuple[str, ...]:
        return (value,)


@dataclass(frozen=True, slots=True)
class InterfaceName(Word):
    """The name of a network interface: at most 15 characters, no colon and no slash."""

    what: str = "the name of an interface"
    limit: int = 15

    def read(self, words: list[str]) -> Any:
        name = Word.read(self, words)
        if ":" in name:
            base, _, label = name.partition(":")
            message = f"needs an interface: {name} is a label; write {base or 'its interface'}"
            if base and label:
                message += f", and behind the address label {name}"
            raise BadValue(message, taken=name)
        if "/" in name:
            raise BadValue(f"needs an interface, whose name has no slash, not {name}", taken=name)
        return name


class Flag(Value):
    """A keyword that stands alone."""

    __slots__ = ()

    at_most: ClassVar[int] = 0

    @property
    def shape(self) -> str:
        return "stands alone"

    def read(self, words: list[str]) -> Any:
        return True

    def write(self, value: Any) -> tuple[str, ...]:
        return ()


TRUE_WORDS = ("on", "true", "yes")
FALSE_WORDS = ("off", "false", "no")


class Bool(Value):
    """on/off/true/false/yes/no; nothing means on."""

    __slots__ = ()

    at_most: ClassVar[int] = 1

    @property
    def shape(self) -> str:
        return "on or off (nothing: on)"

    def read(self, words: list[str]) -> Any:
        if words and words[0] not in TRUE_WORDS + FALSE_WORDS:
            raise BadValue("must be on, off, true, false, yes or no")
        return not words or words[0] in TRUE_WORDS

    def write(self, value: Any) -> tuple[str, ...]:
        return () if value else ("off",)


@dataclass(frozen=True, slots=True)
class Choice(Value):
    """One of some words."""

    options: tuple[str, ...]
    any_case: bool = False
    """Upper and lower case are the same; the value is in upper case."""
    code: str = "bad-value"
    """Of the problem that another word is."""
    meant: tuple[tuple[str, str], ...] = ()
    """Words that are often written, in lower case, and the allowed one that they mean."""
    least: ClassVar[int] = 1
    at_most: ClassVar[int] = 1

    @property
    def shape(self) -> str:
        return one_of(self.options)

    def read(self, words: list[str]) -> Any:
        word = words[0].upper() if self.any_case else words[0]
        if word not in self.options:
            raise BadValue(f"must be {self.shape}")
        return word

    def write(self, value: Any) -> tuple[str, ...]:
        return (value,)


@dataclass(frozen=True, slots=True)
class Int(Value):
    """A whole number in a range."""

    low: int
    high: int
    least: ClassVar[int] = 1
    at_most: ClassVar[int] = 1

    @property
    def shape(self) -> str:
        if self.high > HUGE:
            return f"a whole number from {self.low}"
        return f"a whole number from {self.low} to {self.high}"

    def read(self, words: list[str]) -> Any:
        # Nothing in quotes is 0 to keepalived.
        word = words[0] or "0"
        if not re.fullmatch(r"[+-]?0{0,99}[0-9]{1,20}", word):
            raise BadValue(f"must be {self.shape}")
        value = int(word)
        if not words[0] or not self.low <= value <= self.high:
            message = f"must be {self.shape}, not {words[0] or 'nothing'}"
            if not words[0] and self.low <= 0 <= self.high:
                raise BadValue(message, mild=True, taken=0)
            raise BadValue(message)
        return value

    def write(self, value: Any) -> tuple[str, ...]:
        return (str(value),)


@dataclass(frozen=True, slots=True)
class Perhaps(Value):
    """A value that may be left away; it is then None."""

    inner: Value

    @property
    def most(self) -> int:
        return self.inner.most

    def taken(self, words: list[str]) -> int:
        return self.inner.taken(words)

    @property
    def shape(self) -> str:
        return f"{self.inner.shape}, or nothing"

    def read(self, words: list[str]) -> Any:
        return self.inner.read(words) if words else None

    def write(self, value: Any) -> tuple[str, ...]:
        return () if value is None else self.inner.write(value)

    def things(self, words: Sequence[str]) -> Iterable[Thing]:
        return self.inner.things(words)


@dataclass(frozen=True, slots=True)
class Timer(Value):
    """Seconds with up to six decimals; the value is in microseconds."""

    low_us: int
    high_us: int
    whole: bool = False
    """No decimals."""
    least: ClassVar[int] = 1
    at_most: ClassVar[int] = 1

    @property
    def shape(self) -> str:
        kind = "whole seconds" if self.whole else "seconds"
        if self.high_us > HUGE * 1_000_000:
            least = f"from {seconds(self.low_us)}" if self.low_us > 1 else "above 0"
            return f"{kind} {least if self.low_us else 'from 0'}"
        return f"{kind} from {seconds(self.low_us)} to {seconds(self.high_us)}"

    def read(self, words: list[str]) -> Any:
        match = re.fullmatch(r"\+?([0-9]{0,20})(?:\.([0-9]*))?", words[0])
        if not words[0]:
            taken = 0 if self.low_us <= 0 else NOTHING
            mild = self.low_us <= 0
            raise BadValue(f"must be {self.shape}, not nothing", mild=mild, taken=taken)
        decimals = match is not None and match.group(2) is not None
        if not match or not (match.group(1) or match.group(2)) or (decimals and self.whole):
            raise BadValue(f"must be {self.shape}")
        fraction = (match.group(2) or "") + "0000000"
        value = int(match.group(1) or 0) * 1_000_000 + int(fraction[:6])
        value += fraction[6] >= "5"
        if not self.low_us <= value <= self.high_us:
            raise BadValue(f"must be {self.shape}, not {words[0]}")
        if len(fraction) > 13:
            message = f"has at most six decimals; keepalived rounds {words[0]}"
            raise BadValue(message, mild=True, taken=value)
        return value

    def write(self, value: Any) -> tuple[str, ...]:
        return (seconds(value),)


class Script(Value):
    """A command, quoted where it has arguments, and perhaps a user and a group."""

    __slots__ = ()

    least: ClassVar[int] = 1
    runs: ClassVar[bool] = True

    @property
    def shape(self) -> str:
        return 'a command ("in quotes" with its arguments), perhaps a user and a group'


class Command(Script):
    """A command that keepalived misses only at the end of its block, or never."""

    __slots__ = ()

    least: ClassVar[int] = 0

    def read(self, words: list[str]) -> Any:
        if not words:
            raise BadValue(f"needs {self.shape}", mild=True)
        return Script.read(self, words)


def read_words(value: Value, words: Sequence[str], odd: list[BadValue] | None = None) -> Any:
    """The value that keepalived takes of the words after a keyword, without their quotes.

    Everything that needs a value gets it here. Raises TooFewWords, or BadValue where keepalived
    takes none; what is odd about words that it does take is put into `odd`.
    """
    if len(words) < value.least:
        raise TooFewWords(f"needs {value.shape}")
    try:
        return value.read(list(words[: value.most]))
    except BadValue as error:
        if error.taken is NOTHING:
            raise
        if odd is not None:
            odd.append(error)
        return error.taken


def accepted(value: Value, words: Sequence[str]) -> bool:
    """Whether keepalived accepts these words after a keyword, be it with a warning."""
    try:
        read_words(value, words)
    except BadValue as error:
        return error.mild
    return True


def read_prefixed(word: str) -> tuple[str, int | None]:
    """`IP[/len]`; raises BadValue with a whole sentence."""
    ip, slash, length = word.partition("/")
    if not is_ip(ip):
        raise BadValue(f"{word} is no IP address")
    if not slash:
        return ip, None
    most = 32 if family(ip) == 4 else 128
    if not re.fullmatch(r"\+?[0-9]{1,3}", length) or int(length) > most:
        message = f"the prefix length of {word} must be from 0 to {most}"
        raise BadValue(message, mild=not length, taken=NOTHING if length else (ip, 0))
    return ip, int(length)


def seconds(us: int) -> str:
    """Microseconds as keepalived writes seconds: `1`, `0.25`."""
    whole, fraction = divmod(abs(us), 1_000_000)
    text = f"{whole}.{fraction:06d}".rstrip("0").rstrip(".") if fraction else str(whole)
    return f"-{text}" if us < 0 else text


def one_of(options: tuple[str, ...]) -> str:
    """`A, B or C`."""
    if len(options) == 1:
        return options[0]
    return f"{', '.join(options[:-1])} or {options[-1]}"
