"""From counts to a cause, or to `unknown`: pure rules, no tables.

A cause is named where, with CONFIDENCE each,
1. there are at least FEWEST rows;
2. the exact lower limit of its explained share is over EXPLAINED (Clopper and Pearson 1934);
3. of what chance leaves unexplained it explains over BEYOND_CHANCE: (s - c) / (1 - c), Cohen's kappa (1960, eq. 1), at
   the lower limit of s and the upper limit of c;
4. of the rows that it and a rival as special explain differently, it explains more than half: the exact sign test of
   discordant pairs (McNemar 1947).
Otherwise, or with two causes at once, the answer is `unknown`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gates.measure.parity.causes.hypotheses import Cause, Code, Tally
from gates.measure.stats.figure import RUNGS
from gates.measure.stats.proportions import proportion

FEWEST = 50
"""Rows. Of fewer a constant that explains them could give their values away, and rule 2 could not be met."""

EXPLAINED = 0.9
BEYOND_CHANCE = 0.8
CONFIDENCE = 0.99

_RUNG = int(abs(RUNGS - CONFIDENCE).argmin())

Discordant = Callable[[Tally, Tally], tuple[int, int]]
"""Of two hypotheses: rows that only the first explains, and rows that only the second does."""


def decide(tallies: Sequence[Tally], rows: int, discordant: Discordant) -> Cause:
    """Name the cause of `rows` mismatches, or `unknown`."""
    if rows < FEWEST:
        return Cause("unknown", rows, why="few")
    best = _best_of_each_code(tallies)
    for level in sorted({tally.hypothesis.level for tally in best}):
        fit = [tally for tally in best if tally.hypothesis.level == level and fits(tally)]
        if not fit:
            continue
        first = max(fit, key=lambda tally: tally.explained)
        rivals = [tally for tally in fit if tally is not first and not _beats(*discordant(first, tally))]
        if rivals:
            codes: set[Code] = {tally.hypothesis.code for tally in (first, *rivals)} - {"unknown"}
            uncoded = next((tally for tally in (first, *rivals) if tally.hypothesis.code == "unknown"), None)
            detail = {} if uncoded is None else uncoded.hypothesis.detail
            return Cause(
                "unknown", rows, first.explained, detail=detail, candidates=tuple(sorted(codes)), why="ambiguous"
            )
        return named(first)
    return Cause("unknown", rows, max((tally.explained for tally in best), default=0), why="nothing")


def fits(tally: Tally) -> bool:
    """Say whether a hypothesis meets rules 1 to 3."""
    if tally.rows < FEWEST or tally.explained <= EXPLAINED * tally.rows:  # a lower limit is under its estimate
        return False
    lower, chance = lower_limit(tally.explained, tally.rows), _chance(tally)
    return lower > EXPLAINED and chance < 1 and (lower - chance) / (1 - chance) > BEYOND_CHANCE


def named(tally: Tally) -> Cause:
    """Return the cause that a tally is of."""
    hypothesis = tally.hypothesis
    return Cause(
        hypothesis.code,
        tally.rows,
        tally.explained,
        lower=lower_limit(tally.explained, tally.rows),
        chance=_plain_chance(tally),
        detail=hypothesis.detail,
        why="uncoded" if hypothesis.code == "unknown" else None,
    )


def lower_limit(explained: int, rows: int) -> float:
    """Return the exact one-sided lower limit of a share at CONFIDENCE; 0 without rows."""
    if explained == 0 or rows == 0:
        return 0.0
    if explained == rows:  # the limit L is where L^rows = 1 - CONFIDENCE; most causes explain all, and need no scipy
        return float((1 - CONFIDENCE) ** (1 / rows))
    return float(proportion(explained / rows, rows)[0][_RUNG])


def _plain_chance(tally: Tally) -> float:
    if tally.share_by_chance is not None:
        return tally.share_by_chance
    return tally.hits / tally.dealt if tally.dealt else 0.0


def _chance(tally: Tally) -> float:
    if tally.share_by_chance is not None or not tally.dealt:
        return _plain_chance(tally)
    return 1 - lower_limit(tally.dealt - tally.hits, tally.dealt)


def _best_of_each_code(tallies: Sequence[Tally]) -> list[Tally]:
    """By code and level the tally that explains the most; of a code that fits at one level the others are no rivals."""
    best: dict[tuple[Code, float], Tally] = {}
    for tally in tallies:
        place = (tally.hypothesis.code, tally.hypothesis.level)
        if place not in best or (fits(tally), tally.explained) > (fits(best[place]), best[place].explained):
            best[place] = tally
    return list(best.values())


def _beats(only_first: int, only_second: int) -> bool:
    return lower_limit(only_first, only_first + only_second) > 0.5
