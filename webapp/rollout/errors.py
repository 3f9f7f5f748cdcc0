"""What a push may answer instead of starting."""

from __future__ import annotations

from webapp.configs.errors import ConfigError


class RolloutBusy(ConfigError):
    """One push at a time."""

    def __init__(self, number: int) -> None:
        super().__init__(
            f"Revision {number} is still on its way to the nodes; push again when it is done."
        )
