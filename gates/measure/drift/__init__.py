"""The drift gate: are the judged rows of the population that the model learned from?"""

from gates.measure.drift.gate import DriftGate

__all__ = ["DriftGate"]
