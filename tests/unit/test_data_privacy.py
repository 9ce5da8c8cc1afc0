"""What tells who a row is about: the smallest cell of quasi-identifiers, and what errors may repeat of a row."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from contract_world import column, contract
from data_world import answer, given, table

from gates.errors import UsageError, masked, without_values
from gates.inputs.contracts import parse_contract
from gates.inputs.opened import Contract, OpenTable
from gates.inputs.tables import Tables
from gates.measure.data import personal
from gates.measure.data.cells import smallest_cell
from gates.measure.data.classes import refuse_shown, untagged_columns
from gates.measure.interface import Given
from gates.records import Backfill, Reason, Table

QUASI = {"quasi_identifiers": ("age", "sex")}


def smallest(**tables: Any) -> dict[str, Any]:
    opened = [table(role, **content) for role, content in tables.items()]
    return {m.item.name: answer(m) for m in smallest_cell(given(*opened, columns=QUASI)) if m.item}


class TestSmallestCell:
    def test_as_pandas_counts_it(self) -> None:
        rng = np.random.default_rng(4)
        age = np.where(rng.random(3000) < 0.1, np.nan, rng.integers(3, 8, 3000) * 10.0)
        sex = pd.Series(rng.choice(["f", "m"], 3000)).where(rng.random(3000) < 0.9)
        frame = pd.DataFrame({"age": age, "sex": sex})
        expected = frame.groupby(["age", "sex"], dropna=False).size().min()
        assert smallest(holdout=frame, training=pd.concat([frame, frame])) == {
            "holdout": expected,
            "training": 2 * expected,
        }

    def test_what_has_no_cells(self) -> None:
        assert smallest(holdout={"age": [1.0]}) == {"holdout": Reason.COLUMN_MISSING}
        assert smallest(holdout={"age": [], "sex": []}) == {"holdout": Reason.EMPTY_TABLE}
        assert smallest() == {"holdout": Reason.TABLE_MISSING}
        (found,) = smallest_cell(given(table("holdout", age=[1]), columns={}))
        assert found.reason is Reason.NOT_PROVIDED


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("Could not convert string 'ann@mail.org' to DOUBLE", "Could not convert string 'aaa@aaaa.aaa' to DOUBLE"),
        ('can\'t cast "Tok-8F3a"\n for x', 'can\'t cast "Aaa-9A9a" for x'),
        ("INT64 with value 4111111111111111 is too large", "INT64 with value 99999999999… is too large"),
        ("1 of 2 values", "1 of 2 values"),
        ("at 0.7312", "at 9.9999"),
    ],
)
def test_other_libraries_words_lose_their_values(message: str, shown: str) -> None:
    assert without_values(message) == shown
    assert masked("Zoë 7") == "Aaa 9"


MAIL = "ann@mail.org"


def classed(*columns: Any) -> Contract:
    text = yaml.safe_dump(contract(*columns))
    return parse_contract(text.encode(), "c.yaml", None, "holdout")


def with_contract(rows: Any, *columns: Any, **changes: Any) -> Given:
    asked = given(table("holdout", **rows), columns={"key": ("id",), "groups": changes.pop("groups", ())}, **changes)
    return replace(asked, contracts={"holdout": classed(*columns)})


class TestClasses:
    def test_columns_without_a_class_are_counted(self) -> None:
        said = (
            column("a", classification="Public"),
            column("b", classification="confidential"),
            column("c"),
            column("d", physicalName="e", classification="restricted", tags=["pii"]),
        )
        (found,) = untagged_columns(with_contract({name: [1] for name in "abcef"}, *said))
        assert (found.estimate, found.n, found.scope) == (3, 5, "census")
        (none,) = untagged_columns(given(table("holdout", a=[1]), columns={}))
        assert none.reason is Reason.NOT_PROVIDED

    @pytest.mark.parametrize("said", [{"tags": ["PHI"]}, {"classification": "restricted"}])
    def test_no_slice_or_group_by_what_must_not_be_shown(self, said: Any) -> None:
        for words in ({"slices": ("sex",)}, {"groups": ("sex",)}):
            asked = with_contract({"sex": ["f"]}, column("sex", **said), **words)
            with pytest.raises(UsageError, match='column "sex" is') as caught:
                refuse_shown(asked.plan, asked.contracts)
            assert caught.value.code == "slice.restricted"
        asked = with_contract({"sex": ["f"]}, column("sex", **said))
        plan = asked.plan.model_copy(update={"backfill": Backfill(partition="sex", from_us=0, to_us=10)})
        with pytest.raises(UsageError, match="groups and partitions are shown"):
            refuse_shown(plan, asked.contracts)
        for hidden in (
            column("SEX", **said),
            column("sex", "object", classification="public", properties=[column("of", **said)]),
            column("sex", "array", items={"logicalType": "string", **said}),
        ):
            asked = with_contract({"sex": ["f"]}, hidden, slices=("sex",))
            with pytest.raises(UsageError, match=r'column "(?i:sex)" is'):
                refuse_shown(asked.plan, asked.contracts)
        fine = with_contract({"sex": ["f"]}, column("sex", classification="sensitive"), slices=("sex",))
        refuse_shown(fine.plan, fine.contracts)

    def test_an_object_is_classed_by_its_parts_where_all_of_them_are(self) -> None:
        parts = [column("x", classification="public"), column("y", classification="internal")]
        whole, half = column("a", "object", properties=parts), column("b", "object", properties=[*parts, column("z")])
        (found,) = untagged_columns(with_contract({"a": [1], "b": [1]}, whole, half))
        assert found.estimate == 1


@contextmanager
def opened(folder: Path, rows: pa.Table) -> Iterator[OpenTable]:
    pq.write_table(rows, folder / "holdout.parquet")
    with Tables(threads=1) as tables:
        yield tables.open(Table(role="holdout", uri="holdout.parquet"), base=folder)


class TestPersonalData:
    def found(self, asked: Given) -> tuple[dict[str, Any], Any, str]:
        figures, notes = personal.untagged_personal_data(asked)
        named = {one.item.name: one for one in figures if one.item}
        content = notes[0].content.decode() if notes else "{}"
        return named, json.loads(content), "".join(one.model_dump_json() for one in figures) + content

    def test_every_value_of_a_small_table(self) -> None:
        rows = {
            "id": range(4),
            "mail": [MAIL, "none", None, "bo.b+x@mail.org"],
            "card": [4111111111111111, 4111111111111112, 5500005555555559, 7],
            "bank": ["DE89370400440532013000", "DE89370400440532013001", "x", "y"],
            "call": ["+44 20 7946 0958", "call +1 415 555 2671", "415 555", "2025-01-01"],
            "host": ["10.1.2.3", "1.5", "v1", "a.b"],
            "tagged": [MAIL] * 4,
            "amount": [1.5] * 4,
            "late": [True, False, None, True],
        }
        asked = with_contract(rows, column("tagged", tags=["PII"]))
        named, note, everything = self.found(asked)
        assert {name: one.estimate for name, one in named.items()} == {
            "holdout.id": 0,
            "holdout.mail": pytest.approx(2 / 3),
            "holdout.card": 0.5,
            "holdout.bank": 0.25,
            "holdout.call": 0.5,
            "holdout.host": 0.25,
            "holdout.amount": 0,
        }
        assert {one.scope for one in named.values()} == {"census"}
        by_column = {line["column"]: line for line in note["personal_data"]}
        assert by_column["mail"]["values"] == 3
        assert by_column["mail"]["found"] == {"EMAIL_ADDRESS": 2}
        assert "a@aaaa" in by_column["mail"]["shape"]
        assert "mail.org" not in everything
        assert "41111" not in everything

    @pytest.mark.parametrize(
        ("values", "share"),
        [
            ([4111111111111111.0, None, 5500005555555559.0, 1.5], 2 / 3),
            ([Decimal("4111111111111111.00"), Decimal("7.25"), None, Decimal(8)], 1 / 3),
            ([[MAIL], ["x", MAIL], [], None], 1),
            ([{"mail": MAIL, "n": 1}, {"mail": "x", "n": 4111111111111111}, {"mail": "x", "n": 2}, None], 2 / 3),
            ([MAIL.encode(), b"x", None, b"y"], 1 / 3),
            (["x " * 20_000 + MAIL, "x", "y", "z"], 1 / 4),
            ([json.dumps({"m": [MAIL]}), "{}", "[]", "1"], 1 / 4),
        ],
    )
    def test_whatever_type_it_is_kept_in(self, tmp_path: Path, values: list[Any], share: float) -> None:
        for most in (1000, 2):
            with opened(tmp_path, pa.table({"key": range(4), "v": values})) as holdout:
                asked = given(holdout, columns={"key": ("key",)}, personal_rows=most)
                figure = self.found(asked)[0]["holdout.v"]
            assert figure.reason is None
            if most == 1000:
                assert (figure.estimate, figure.scope) == (pytest.approx(share), "census")

    @pytest.mark.parametrize("values", [[b"\xff\xfe"], ["x" * 100_001], [[b"\xff"]]])
    def test_what_nobody_can_look_into_is_not_clean(self, tmp_path: Path, values: list[Any]) -> None:
        with opened(tmp_path, pa.table({"v": values})) as holdout:
            assert self.found(given(holdout, columns={}))[0]["holdout.v"].reason is Reason.NOT_PROVIDED

    def test_nothing_to_look_at_is_not_clean(self, tmp_path: Path) -> None:
        for none in (pa.table({"v": [True]}), pa.table({"v": pa.array([None], pa.string())})):
            with opened(tmp_path, none) as holdout:
                (figure,), _ = personal.untagged_personal_data(given(holdout, columns={}))
            assert figure.reason is Reason.EMPTY_TABLE

    def test_a_column_that_is_mostly_null_is_drawn_from_its_values(self) -> None:
        rows = {"id": np.arange(5000), "mail": [None] * 4999 + [MAIL]}
        figure = self.found(given(table("holdout", **rows), columns={"key": ("id",)}, personal_rows=10))[0]
        assert (figure["holdout.mail"].estimate, figure["holdout.mail"].n) == (1, 1)

    def test_a_sample_is_said_to_be_one(self) -> None:
        rows = {"id": np.arange(2000), "mail": [MAIL if i % 4 == 0 else "x" for i in range(2000)]}
        asked = with_contract(rows, column("id"), personal_rows=200)
        figure = self.found(asked)[0]["holdout.mail"]
        assert (figure.scope, figure.n) == ("sample", 200)
        assert figure.bounds[2].lower < 0.25 < figure.bounds[2].upper
        assert self.found(asked)[0]["holdout.mail"] == figure

    def test_without_the_extra_nothing_is_said_to_be_clean(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "presidio_analyzer.predefined_recognizers", None)
        (figure,), notes = personal.untagged_personal_data(with_contract({"mail": [MAIL]}, column("mail")))
        assert figure.reason is Reason.EXTRA_MISSING
        assert notes == ()
