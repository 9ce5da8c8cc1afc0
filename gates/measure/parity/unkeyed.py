"""Two tables without common keys: is the mean, the spread or the share of gaps of a feature another one online?

Numbers (truth values and times too) by the standardised difference of their means and the ratio of their variances;
texts by the share of each of 16 buckets of their hashes, of which the one that moved most counts. A null, a NaN and an
infinity are gaps. The rows are a sample of a window, and the figures have bounds (stats/shift).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from gates.inputs.opened import OpenTable
from gates.measure.census import table_of
from gates.measure.claims import NOTHING, Claim, family, row_params
from gates.measure.grouping import group_of
from gates.measure.interface import Given, Note
from gates.measure.parity.chances import unequal_chances
from gates.measure.parity.figures import items
from gates.measure.parity.profiles import (
    CELLS,
    Frame,
    Look,
    Profile,
    fingerprint,
    frames,
    profile,
    read_fingerprint,
)
from gates.measure.stats.figure import Figure
from gates.measure.stats.proportions import coverage
from gates.measure.stats.shift import (
    Estimate,
    Powers,
    largest,
    mean_difference,
    share_difference,
    variance_ratio,
)
from gates.measure.sums import Where
from gates.records import WHOLE, Item, Measurement, Param, Reason

if TYPE_CHECKING:
    import ibis.expr.types as ir

SMD, RATIO, GAPS = "parity.smd", "parity.variance_ratio", "parity.missing_rate_difference"
FINGERPRINT = "parity-fingerprint.csv"
_UNITS = {SMD: "standard deviations", RATIO: "ratio", GAPS: "ratio"}
_METHODS = {
    SMD: "difference of the means, online less offline, over the root of the mean variance; delta method",
    RATIO: "variance online over variance offline; delta method on the logarithm",
    GAPS: "share of rows without a finite value online less that offline; Newcombe on exact limits",
}


def unpaired(given: Given) -> tuple[Measurement, ...]:
    """Compare the online table with the fingerprint of an earlier run, else with the offline table."""
    sides = _sides(given)
    if isinstance(sides, Reason):
        claims = [_claim(given, check, remembered=False) for check in _UNITS]
        return tuple(claim.measured(sides, NOTHING, item) for item in items(given) for claim in claims)
    before, after, remembered = sides
    return tuple(
        figure
        for name in given.plan.columns.features
        for figure in _compared(given, name, before, after, remembered=remembered)
    )


def remember(given: Given) -> Note | None:
    """Return the fingerprint of the offline table, where the plan asks for one."""
    offline = table_of(given, "offline")
    if given.plan.parity is None or not given.plan.parity.fingerprint or isinstance(offline, Reason):
        return None
    names = [name for name in given.plan.columns.features if name in offline.table.columns]
    found = profile(offline.table, names, frames([offline.table], names), cluster=None, cells=True)
    return Note(name=FINGERPRINT, media_type="text/csv", content=fingerprint(found))


def _sides(given: Given) -> tuple[Profile, Profile, bool] | Reason:
    online, names = table_of(given, "online"), given.plan.columns.features
    earlier = table_of(given, "fingerprint")
    offline = table_of(given, "offline")
    if isinstance(online, Reason):
        return online
    if online.identity.rows == 0:
        return Reason.EMPTY_TABLE
    if unequal_chances(given):
        return Reason.NOT_PROVIDED
    cluster = given.plan.parameters.cluster
    if cluster is not None and cluster not in online.table.columns:
        return Reason.COLUMN_MISSING
    if isinstance(earlier, OpenTable):
        return _remembered(earlier, online, names, cluster)
    if isinstance(offline, Reason):
        return offline
    if offline.identity.rows == 0:
        return Reason.EMPTY_TABLE
    if cluster is not None and cluster not in offline.table.columns:
        return Reason.COLUMN_MISSING
    common = frames([offline.table, online.table], names)
    first, second = (profile(one.table, names, common, cluster=_group(given, one)) for one in (offline, online))
    return first, second, False


def _remembered(
    earlier: OpenTable, online: OpenTable, names: Sequence[str], cluster: str | None
) -> tuple[Profile, Profile, bool] | Reason:
    if cluster is not None:  # a fingerprint has sums of all rows, of which nobody can say how they hang together
        return Reason.FEW_CLUSTERS
    before = read_fingerprint(earlier.table)
    if before is None:
        return Reason.COLUMN_MISSING
    own = frames([online.table], names)
    shared = {name: _around(look.frame, own[name]) for name, look in before.looks.items() if name in own and look.frame}
    return before, profile(online.table, names, shared, cluster=None), True


def _group(given: Given, side: OpenTable) -> ir.Value | None:
    cluster = given.plan.parameters.cluster
    return None if cluster is None else group_of(given.plan, side.table[cluster])


def _around(before: Frame, own: Frame) -> Frame:
    """The earlier center, and a scale that holds the values of now: the sums of the earlier ones can be put into it."""
    reach = abs(own.center - before.center) + own.scale
    scale = before.scale
    while scale < reach:
        scale *= 2
    return Frame(before.center, scale)


def _compared(given: Given, name: str, before: Profile, after: Profile, *, remembered: bool) -> Iterator[Measurement]:
    item, one, two = Item(kind="feature", name=name), before.looks.get(name), after.looks.get(name)
    rows = int(after.rows.sum())
    where = Where(WHOLE, 1_000_000, rows, None)
    claims = {check: _claim(given, check, remembered=remembered) for check in _UNITS}
    if one is None or two is None or one.kind != two.kind:
        for claim in claims.values():
            yield claim.measured(Reason.COLUMN_MISSING, where, item)
        return
    gaps = _gaps(before, one, after, two, given.plan.parameters.minimum_clusters)
    yield claims[GAPS].measured(gaps, where, item)
    if one.kind == "number":
        smd, ratio = _moved(given, before, one, after, two)
        yield claims[SMD].measured(smd, where, item)
        yield claims[RATIO].measured(ratio, where, item)
    elif one.kind == "text":
        yield claims[SMD].measured(_bucket(given, before, one, after, two), where, item)
    else:
        # Of lists and objects a hash would see that they are others, and of embeddings they always are.
        yield claims[SMD].measured(Reason.COLUMN_MISSING, where, item)


def _gaps(before: Profile, one: Look, after: Profile, two: Look, minimum: int) -> Figure | Reason:
    shares = [
        coverage(side.rows - look.values, side.rows, side.cluster, minimum_clusters=minimum)
        for side, look in ((before, one), (after, two))
    ]
    for share in shares:
        if isinstance(share, Reason):
            return share
    first, second = (share for share in shares if isinstance(share, Figure))
    return share_difference(first, second)


def _moved(
    given: Given, before: Profile, one: Look, after: Profile, two: Look
) -> tuple[Figure | Reason, Figure | Reason]:
    if two.frame is None:
        return Reason.FEW_EVENTS, Reason.FEW_EVENTS
    first, second = before.of(one, two.frame), after.of(two, two.frame)
    if first is None or second is None:
        return Reason.FEW_EVENTS, Reason.FEW_EVENTS
    parameters = given.plan.parameters
    fewest, clusters = parameters.minimum_events, parameters.minimum_clusters
    smd = mean_difference(first, second, fewest=fewest, minimum_clusters=clusters)
    ratio = variance_ratio(first, second, fewest=fewest, minimum_clusters=clusters)
    return smd.figure() if isinstance(smd, Estimate) else smd, ratio


def _bucket(given: Given, before: Profile, one: Look, after: Profile, two: Look) -> Figure | Reason:
    parameters, parts = given.plan.parameters, []
    for cell in range(CELLS):
        first, second = _indicator(before, one, cell), _indicator(after, two, cell)
        if first is None or second is None:
            continue
        part = mean_difference(
            first, second, fewest=parameters.minimum_events, minimum_clusters=parameters.minimum_clusters
        )
        if part is Reason.NO_SPREAD:  # all values are in one bucket, and in another one on the other side
            return Reason.NO_SPREAD
        if isinstance(part, Reason):
            return part
        parts.append(part)
    return largest(parts) if parts else Reason.FEW_EVENTS


def _indicator(side: Profile, look: Look, cell: int) -> Powers | None:
    """Whether a value is in a cell, as a number; None where a fingerprint leaves the cell out."""
    if look.buckets is None or np.isnan(look.buckets[cell]).any():
        return None
    return Powers(look.values, np.repeat(look.buckets[cell][None, :], 4, axis=0), side.cluster)


def _claim(given: Given, check: str, *, remembered: bool) -> Claim:
    reference = Param(name="reference", value="fingerprint" if remembered else "offline")
    parameters = (reference, *row_params(given.plan, given.plan.parameters.cluster))
    size = 2 * len(given.plan.columns.features)
    return Claim(check, "data", family(check, size), _METHODS[check], parameters, unit=_UNITS[check])
