"""What a gate's run says of the number of its figures: each of several parts names it, and a lone figure does not."""

from __future__ import annotations

from gates.measure.census import census
from gates.measure.interface import Findings
from gates.measure.run import counted
from gates.records import Item, Measurement, Slice

UA = Slice(kind="value", column="carrier", value="UA")


def _figure(check: str, name: str | None = None, where: Slice | None = None) -> Measurement:
    item = None if name is None else Item(kind="table", name=name)
    made = census(check, 0, n=1, unit="rows", method="m", item=item)
    return made if where is None else made.model_copy(update={"slice": where})


def test_each_figure_of_a_part_says_how_many_there_are() -> None:
    figures = (
        _figure("data.rows"),
        _figure("parity.missing", "offline"),
        _figure("parity.missing", "online"),
        _figure("parity.missing", "online", UA),
        _figure("backfill.keys_added"),
        _figure("backfill.keys_added", "2013-01-01"),
        _figure("backfill.keys_added", "2013-01-02"),
        _figure("backfill.keys_added", "2013-01-02"),
    )
    found = counted(Findings(figures, ()))
    assert [one.items for one in found.measurements] == [None, 2, 2, 1, 3, 3, 3, 3]
    assert [one.model_copy(update={"items": None}) for one in found.measurements] == list(figures)
