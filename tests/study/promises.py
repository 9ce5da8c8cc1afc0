"""A promise about the rate of an event, and whether runs with a known truth are compatible with it."""

from __future__ import annotations

from dataclasses import dataclass

from scipy import stats

SURPRISE = float(stats.norm.sf(3))
"""The chance of three standard errors on one side: rarer runs than this break a promise."""


@dataclass(frozen=True)
class Promise:
    """An event happens in at most (or, for power, at least) a share of the runs.

    Attributes
    ----------
    what: the event, in words. seen: its count. runs: out of how many. at_most, at_least: the promise; one of them.
    reached: the share that is seen must be `at_least` itself, and not only be compatible with it.
    """

    what: str
    seen: int
    runs: int
    at_most: float | None = None
    at_least: float | None = None
    reached: bool = False

    @property
    def rate(self) -> float:
        return self.seen / self.runs

    @property
    def kept(self) -> bool:
        """Whether so many (or few) are no rarer than three standard errors where the promise is just kept.

        By the binomial itself: three standard errors of a rate near 0 are not what the normal says.
        """
        if self.at_most is not None:
            return bool(stats.binom.sf(self.seen - 1, self.runs, self.at_most) >= SURPRISE)
        if self.reached and self.at_least is not None and self.rate < self.at_least:
            return False
        return bool(stats.binom.cdf(self.seen, self.runs, self.at_least) >= SURPRISE)

    @property
    def words(self) -> str:
        if self.at_most is not None:
            return f"at most {share(self.at_most)}"
        return f"at least {share(self.at_least or 0.0)}{', seen' if self.reached else ''}"


def share(rate: float) -> str:
    """Return a rate with three decimals; 0 and 1 stand only where they are exact."""
    if rate in {0.0, 1.0}:
        return f"{rate:.0f}"
    return "<.001" if rate < 0.0005 else ">.999" if rate >= 0.9995 else f"{rate:.3f}".removeprefix("0")
