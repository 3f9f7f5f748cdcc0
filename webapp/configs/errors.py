"""The reasons why a change of a document is refused; each is a sentence for the user."""

from __future__ import annotations

from webapp.configs.language import Found, NodeProblem, found_of, whole_document


class ConfigError(Exception):
    """Nothing was changed."""


class ConfigRefused(ConfigError):
    """The document would have errors."""

    def __init__(self, problems: tuple[NodeProblem, ...] | Found) -> None:
        self.found = problems if isinstance(problems, Found) else found_of(problems)
        self.problems = self.found.problems
        errors = [each for each in self.problems if each.is_error]
        first = str(errors[0].problem) if errors else "the document was refused"
        more = f" (and {self.found.errors - 1} more)" if self.found.errors > 1 else ""
        super().__init__(f"{first}{more}")


class StaleDraft(ConfigError):
    """Somebody else saved first."""

    def __init__(self, expected: int, actual: int) -> None:
        self.expected, self.actual = expected, actual
        super().__init__(
            f"The configuration was changed meanwhile (version {actual}, yours began at "
            f"{expected}). Load the page again and repeat your change."
        )


class AddressTaken(ConfigError):
    """A group has the address already, perhaps in another form."""

    def __init__(self, typed: str, there: str, owner: str, group: str, excluded: bool) -> None:
        form = "" if there == typed else f", written {there}"
        where = f"{form}{', not in its adverts' if excluded else ''}"
        if owner == group:
            then = "the kernel would hold it twice. Remove that one, if it is the wrong one"
        else:
            then = "two nodes could answer for it at one time. Remove it there first"
        super().__init__(f"{typed} is an address of {owner} already{where}; {then}.")


class RealServerTaken(ConfigError):
    """The virtual server has this real server already."""

    def __init__(self, ip: str, port: int | None, server: str) -> None:
        name = ip if port is None else f"{ip}:{port}"
        super().__init__(f"{name} is a real server of {server} already; change that one.")


class NothingToPush(ConfigError):
    """The nodes already run what the document says."""

    def __init__(self) -> None:
        super().__init__("There is nothing to push: the nodes already run this configuration.")


class TooLarge(ConfigRefused):
    """A text or a number is too large for the database."""

    def __init__(self) -> None:
        message = (
            "a word or number of this configuration is too large to keep; shorten names to 255 "
            "characters and look for a number with too many digits"
        )
        super().__init__((whole_document("too-large", message),))


class BadImport(ConfigError):
    """The files cannot become a cluster; the sentence names the file and the reason."""


class UnreadableRow(ConfigError):
    """A row has JSON with a part that this release does not know, and that it would lose."""

    def __init__(self, row: str, field: str, why: str) -> None:
        self.row, self.field, self.why = row, field, why
        super().__init__(
            f"The configuration cannot be read: in the {row}, the field {field} {why}. Nothing was "
            "changed; run the release of Keepsight that wrote this row, or restore the database's "
            "backup that belongs to this one."
        )

    def __reduce__(self) -> tuple[type[UnreadableRow], tuple[str, str, str]]:
        """Rows are read in other processes, too."""
        return type(self), (self.row, self.field, self.why)
