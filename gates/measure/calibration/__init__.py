"""The calibration gate: does a score of p mean p, and do prediction sets cover what they promise?"""

from gates.measure.calibration.gate import CalibrationGate

__all__ = ["CalibrationGate"]
