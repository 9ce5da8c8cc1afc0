"""Two figures are the same: in every field, or nearly in those that are reckoned."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from gates.measure.stats.figure import Figure
from gates.records import Reason


def same(first: Figure | Reason, second: Figure | Reason, *, exact: bool = False) -> None:
    if isinstance(first, Reason) or isinstance(second, Reason):
        assert first is second
        return
    for field in fields(Figure):
        one, other = getattr(first, field.name), getattr(second, field.name)
        if exact or one is None or isinstance(one, int):
            assert np.all(one == other), field.name
        else:
            np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-7, err_msg=field.name)
