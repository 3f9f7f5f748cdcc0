"""Why a push does not start."""

from __future__ import annotations

from webapp.configs.errors import ConfigError


class RolloutBusy(ConfigError):
    """Another rollout of the cluster is under way."""

    def __init__(self, number: int) -> None:
        super().__init__(
            f"Revision {number} is still on its way to the nodes; push again when it is done."
        )
