"""What is wrong with what somebody wants to have simulated.

PURE.
"""

from __future__ import annotations


class SimulationError(Exception):
    """It cannot be simulated; the text says why."""


class ConfigurationError(SimulationError):
    """A node's configuration has an error, or no instance."""

    def __init__(self, node: str, why: str) -> None:
        super().__init__(why)
        self.node = node


class FaultError(SimulationError):
    """A text is no fault; the text says what one is."""

    def __init__(self, fault: str, why: str) -> None:
        super().__init__(f"{fault!r}: {why}")


class TooShortError(SimulationError):
    """The story would end before one of its faults."""

    def __init__(self, fault: str) -> None:
        super().__init__(f"it ends before the fault `{fault}`")
        self.fault = fault
