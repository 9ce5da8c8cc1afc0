"""The parity gate: does serving compute the features that training saw? A census of the keys in both tables."""

from gates.measure.parity.gate import ParityGate

__all__ = ["ParityGate"]
