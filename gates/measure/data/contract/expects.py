"""What a contract expects of a number, and by how much a number misses it. Pure arithmetic, without rounding."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from gates.records import Param

OPERATORS = (
    "mustBe",
    "mustNotBe",
    "mustBeGreaterThan",
    "mustBeGreaterOrEqualTo",
    "mustBeLessThan",
    "mustBeLessOrEqualTo",
    "mustBeBetween",
    "mustNotBeBetween",
)


@dataclass(frozen=True)
class Expects:
    """An operator of the standard with its number, or its two.

    Attributes
    ----------
    percent: the numbers are percents of the rows looked at, and not rows.
    whole: what is expected of is a count, and what is missing is counted in rows too.
    """

    operator: str = "mustBe"
    numbers: tuple[float, ...] = (0,)
    percent: bool = False
    whole: bool = True

    def missed_by(self, measured: float, rows: int) -> float:
        """Return 0 where the expectation is met, else how far off it is; at least 1 where it is a count.

        A count's is the smallest number of rows by which it would have to differ. Both ends of `mustBeBetween` are
        allowed, and neither of `mustNotBeBetween`.

        Parameters
        ----------
        rows: of which the numbers are percents. NaN or infinite measurements miss by infinity.
        """
        if not math.isfinite(measured):
            return math.inf
        low, high = (self._exact(number, rows) for number in (self.numbers[0], self.numbers[-1]))
        gap, touching = _gap(self.operator, Fraction(measured), low, high)
        if gap == 0 and not touching:
            return 0.0
        if not self.whole:
            return float(gap) or 1.0
        return float(math.floor(gap) + 1 if touching else math.ceil(gap))

    def _exact(self, number: float, rows: int) -> Fraction:
        # what is written is meant: .1 is a tenth, and not the nearest double
        written = Fraction(repr(number))
        return written * rows / 100 if self.percent else written

    def params(self) -> tuple[Param, ...]:
        """Return what the contract allows, for policies to put a bound on; nothing where it allows nothing."""
        if self == Expects():
            return ()
        ends = [".lower", ".upper"] if len(self.numbers) == 2 else [""]
        allowed = [
            Param(name=f"{self.operator}{end}", value=number) for end, number in zip(ends, self.numbers, strict=True)
        ]
        return (*allowed, Param(name="unit", value="percent")) if self.percent else tuple(allowed)

    @property
    def most(self) -> float:
        """The most that is allowed; infinite where nothing is too much."""
        unlimited = ("mustNotBe", "mustNotBeBetween", "mustBeGreaterThan", "mustBeGreaterOrEqualTo")
        return math.inf if self.operator in unlimited else self.numbers[-1]

    def __str__(self) -> str:
        said = " and ".join(f"{number:g}" for number in self.numbers)
        return f"{self.operator} {said}{' percent' if self.percent else ''}"


def _gap(operator: str, value: Fraction, low: Fraction, high: Fraction) -> tuple[Fraction, bool]:
    """The distance to what is allowed, and whether its edge itself is not."""
    zero = Fraction(0)
    if operator == "mustNotBe":
        return zero, value == low
    if operator == "mustNotBeBetween":
        return (min(value - low, high - value), True) if low <= value <= high else (zero, False)
    if operator == "mustBeGreaterThan":
        return max(zero, low - value), value <= low
    if operator == "mustBeLessThan":
        return max(zero, value - high), value >= high
    below = operator in ("mustBe", "mustBeGreaterOrEqualTo", "mustBeBetween") and value < low
    above = operator in ("mustBe", "mustBeLessOrEqualTo", "mustBeBetween") and value > high
    return (low - value if below else value - high if above else zero), False
