"""Why a push does not start."""

from __future__ import annotations

from webapp.configs.errors import ConfigError


class PolicyForbids(ConfigError):
    """A node's own policy would refuse the file."""

    def __init__(self, node: str, sentence: str) -> None:
        super().__init__(f"{node} would refuse it, because its policy forbids it: {sentence}")


class RolloutBusy(ConfigError):
    """Another rollout of the cluster is under way."""

    def __init__(self, number: int) -> None:
        super().__init__(
            f"Revision {number} is still on its way to the nodes; push again when it is done."
        )
