"""From counts to measurements: shares of all pairs, or with exact bounds where the pairs are a sample of traffic.

Clopper-Pearson where pairs are independent, Korn-Graubard where they come in clusters (stats/proportions).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gates.measure.census import census, unmeasured
from gates.measure.claims import NOTHING, Claim, family, row_params
from gates.measure.interface import Given
from gates.measure.parity.compare import Feature
from gates.measure.parity.counts import Counts, Lag, Piece
from gates.measure.stats.figure import Figure, Floats, Ints
from gates.measure.stats.proportions import coverage
from gates.records import Item, Measurement, Param, Plan, Reason
from gates.records.base import Scalar
from gates.records.plan import Alike

MISMATCH, MISSING, NULL, TOO_OLD = "parity.mismatch", "parity.missing", "parity.null", "parity.too_old"
NOT_FOUND, PAIRS = "parity.not_found", "parity.pairs"
METHODS = {
    MISMATCH: "share of paired keys whose values differ; finite numbers by |a-b| <= t*(min(1, mean|a|) + max(|a|,|b|))",
    MISSING: "share of the table's keys without a partner in the other; full outer join",
    NULL: "share of the pairs with a value offline, that have null or NaN online",
    TOO_OLD: "share of the pairs with a value offline, whose value online was written longer before than lag_s",
    NOT_FOUND: "share of the pairs with a value offline, of whose entity the online store has no such feature",
    PAIRS: "keys that both tables have",
}


@dataclass(frozen=True)
class Basis:
    """What figures stand on.

    Attributes
    ----------
    sampled: the pairs are a sample of those that the claim is about. cluster: the column by which they hang together.
    """

    sampled: bool
    cluster: str | None
    plan: Plan

    @classmethod
    def of(cls, given: Given) -> Basis:
        sampled = any(table.scope for table in given.plan.tables if table.role in ("offline", "online"))
        return cls(sampled, given.plan.parameters.cluster if sampled else None, given.plan)

    def claim(self, check: str, size: int, **values: Scalar) -> Claim:
        """Return what is said of figures of a check, of so many that are looked at together."""
        params = tuple(Param(name=name, value=value) for name, value in values.items())
        if not self.sampled:
            return Claim(check, "data", family(check, size), METHODS[check], params, scope="census")
        bounds = "Clopper-Pearson" if self.cluster is None else "Korn-Graubard"
        params = (*params, *row_params(self.plan, self.cluster))
        return Claim(check, "data", family(check, size), f"{METHODS[check]}; {bounds}", params)

    def share(self, hits: Floats, n: Floats, cluster: Ints | None) -> Figure | Reason:
        """Return the share of hits: of all rows, or with exact bounds of a sample; arguments as of `coverage`."""
        filled = n > 0
        if not filled.any():
            return Reason.EMPTY_TABLE
        if self.sampled:
            cluster = None if cluster is None else cluster[filled]
            return coverage(hits[filled], n[filled], cluster, minimum_clusters=self.plan.parameters.minimum_clusters)
        return Figure.exact(float(hits.sum() / n.sum()), int(n.sum()))


def features(
    given: Given,
    basis: Basis,
    found: Mapping[str, Feature],
    counts: Counts,
    lags: Mapping[str, Lag],
    statuses: Mapping[str, str],
) -> Iterator[Measurement]:
    """Return the mismatches of the whole and of each slice, and what became of the values that offline has."""
    size = len(given.plan.columns.features) * len(counts.pieces)
    for item in items(given):
        feature = found.get(item.name) if item is not None else None
        if item is None or feature is None:
            yield no_mismatch(given, basis, Reason.COLUMN_MISSING, item)
            continue
        claim = basis.claim(MISMATCH, size, **_rules(given, feature))
        for piece in counts.pieces:
            kinds = piece.features[feature.name]
            share = basis.share(kinds.mismatches, piece.pairs, piece.cluster)
            share = Reason.ROWS_UNPAIRED if share == Reason.EMPTY_TABLE else share
            yield claim.measured(share, piece.where, item)
        for piece in counts.pieces:
            yield from _absences(basis, item, piece, size, lags.get(feature.name), told=feature.name in statuses)


def _absences(
    basis: Basis, item: Item, piece: Piece, size: int, lag: Lag | None, *, told: bool
) -> Iterator[Measurement]:
    """Shares of the values that offline has; `told`: an online store says what became of each."""
    kinds = piece.features[item.name]
    wanted: list[tuple[Claim, Floats]] = [(basis.claim(NULL, size), kinds.null)]
    if lag is not None or told:
        lags: dict[str, Scalar] = {} if lag is None else {"lag_s": lag.seconds}
        wanted.append((basis.claim(TOO_OLD, size, **lags, **({"told": "by the store"} if told else {})), kinds.old))
    if told:
        wanted.append((basis.claim(NOT_FOUND, size), kinds.lost))
    for claim, hits in wanted:
        yield claim.measured(basis.share(hits, kinds.values, piece.cluster), piece.where, item)


def items(given: Given) -> list[Item | None]:
    """One for each feature of the plan; without any, one figure still says that there is none."""
    return [Item(kind="feature", name=name) for name in given.plan.columns.features] or [None]


def no_mismatch(given: Given, basis: Basis, reason: Reason, item: Item | None) -> Measurement:
    """Return what stands in place of a feature's mismatches."""
    claim = basis.claim(MISMATCH, len(given.plan.columns.features), tolerance=given.plan.parameters.parity_tolerance)
    return _without(claim, Reason.NOT_PROVIDED if item is None else reason, item)


def paired(found: int | Reason) -> Measurement:
    """Return of how many pairs all other figures are: a fact of these tables, also where they are a sample."""
    if isinstance(found, Reason):
        return unmeasured(PAIRS, found, unit="rows", method=METHODS[PAIRS])
    return census(PAIRS, found, n=found, unit="rows", method=METHODS[PAIRS])


def no_missing(basis: Basis, reason: Reason) -> Iterator[Measurement]:
    """Return what stands in place of the keys without a partner."""
    for side in ("offline", "online"):
        yield _without(basis.claim(MISSING, 2), reason, Item(kind="table", name=side))


def missing(basis: Basis, sides: Mapping[str, tuple[Floats, Floats, Ints | None] | Reason]) -> Iterator[Measurement]:
    """Return the keys without a partner, by side.

    Parameters
    ----------
    sides: by side, keys without a partner, keys, and codes of their clusters, by cell; or why there is no figure.
    """
    for side, cells in sides.items():
        item, claim = Item(kind="table", name=side), basis.claim(MISSING, len(sides))
        if isinstance(cells, Reason):
            yield _without(claim, cells, item)
        else:
            yield claim.measured(basis.share(*cells), NOTHING, item)


def _without(claim: Claim, reason: Reason, item: Item | None) -> Measurement:
    return claim.measured(reason, NOTHING, item)


def _rules(given: Given, feature: Feature) -> dict[str, Scalar]:
    named: dict[str, Scalar] = {}
    if feature.rules:
        named["rule"] = "; ".join(map(say, feature.rules))
    else:
        named["tolerance"] = given.plan.parameters.parity_tolerance
    if feature.stricter:
        named["stricter"] = "; ".join(map(say, feature.stricter))
    return named | ({"text": "nfc"} if feature.nfc else {})


def say(rule: Alike) -> str:
    """Return what a rule says of numbers, in its own words."""
    words = {"absolute": rule.absolute, "relative": rule.relative, "ulp": rule.ulp}
    return ", ".join(f"{word} {value:g}" for word, value in words.items() if value is not None)
