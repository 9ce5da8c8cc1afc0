"""The fairness gate: does the model treat groups alike, and does a score of p mean p in each of them?"""

from gates.measure.fairness.gate import FairnessGate

__all__ = ["FairnessGate"]
