"""The regression gate: is the candidate worse than the champion, or no better than a constant, on the same rows?"""

from gates.measure.regression.gate import RegressionGate

__all__ = ["RegressionGate"]
