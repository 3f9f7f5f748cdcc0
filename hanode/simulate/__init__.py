"""What configurations would do, in virtual time: the real machines on a simulated network.

PURE. The public face of the package, for the command line and for the control plane:

    told = simulate({"NodeA": a, "NodeB": b}, ["kill NodeA at 10s"], chance=Random(1).random)
    told.instances[0].no_master    # when its addresses had no master

The same configurations, faults and chance tell the same story. Mistakes of whoever asks are
`SimulationError`s.
"""

from __future__ import annotations

from hanode.simulate.errors import (
    ConfigurationError,
    FaultError,
    SimulationError,
    TooShortError,
)
from hanode.simulate.fault_words import FAULT_FORMS, duration_us
from hanode.simulate.master_times import Span
from hanode.simulate.run import (
    InstanceOutcome,
    Line,
    NodeOutcome,
    Simulation,
    simulate,
)

__all__ = (
    "FAULT_FORMS",
    "ConfigurationError",
    "FaultError",
    "InstanceOutcome",
    "Line",
    "NodeOutcome",
    "Simulation",
    "SimulationError",
    "Span",
    "TooShortError",
    "duration_us",
    "simulate",
)
