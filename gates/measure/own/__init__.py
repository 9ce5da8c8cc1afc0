"""Own measurements: figures that this package does not know, with bounds that it computes.

`from gates.measure.own import Successes, Sums, Values, Bare`: what a function of the group `gates.measurements` returns.
"""

from gates.measure.own.gate import GROUP, OwnGate, own_measurement, registered
from gates.measure.own.results import Bare, Result, Successes, Sums, Unusable, Values

__all__ = [
    "GROUP",
    "Bare",
    "OwnGate",
    "Result",
    "Successes",
    "Sums",
    "Unusable",
    "Values",
    "own_measurement",
    "registered",
]
