"""What tells who a row is about: the smallest cell of quasi-identifiers, and what errors may repeat of a row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from data_world import answer, given, table

from gates.errors import masked, without_values
from gates.measure.data.cells import smallest_cell
from gates.records import Reason

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
