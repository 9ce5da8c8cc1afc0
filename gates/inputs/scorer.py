"""Scores rows with a model that is taken to be hostile.

Place in the flow: the regression and calibration gates' figures start here. Features go in, scores come out, labels
never come near: the measuring process neither imports nor unpickles the model, and joins the labels itself. (A pyfunc
that walked the call stack for `y` scored AUC 1.0 on random labels.)

The model's answer is bytes of a fixed layout (gates/inputs/scorer_child.py); what it means is checked here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gates.errors import EngineError, UsageError
from gates.inputs.sandbox import Ended, Job, last_line, run
from gates.records.evidence import Isolation

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa  # type: ignore[import-untyped, unused-ignore]

_CHILD = Path(__file__).with_name("scorer_child.py")
_ROW_BYTES = {16: ("p",), 18: ("p", "set_0", "set_1")}


@dataclass(frozen=True)
class ScoreRun:
    """What was scored, and how well the model was shut in.

    Attributes
    ----------
    isolation: `namespace`, or `process` where the system gives no namespaces.
    columns: columns of the output beside row_id. open_because: why `process`; else empty.
    """

    isolation: Isolation
    rows: int
    columns: tuple[str, ...]
    open_because: str = ""


class ScorerFailed(EngineError):
    """The model raised, ended, ran out of time, or answered something that is not its rows' scores."""

    default_code = "scorer.failed"


class NotAProbability(UsageError):
    """Scores that cannot be probabilities: outside [0, 1], or only 0 and 1."""

    default_code = "scorer.not_a_probability"


def score(model_dir: Path, features: Path, out: Path, *, task: str, timeout_s: float) -> ScoreRun:
    """Score all rows of `features` with the MLflow model in `model_dir` and write `out`.

    Parameters
    ----------
    features: Parquet, `row_id` (int64, unique) and the feature columns. The model can see row ids and the order of
    rows: neither may tell the label.
    out: Parquet, written with `row_id` in the same order, `p` (float64, P(y = 1); NaN is passed on) and, where the
    model gives prediction sets, `set_0` and `set_1` (bool).
    timeout_s: wall-clock seconds for the whole run.

    Raises
    ------
    UsageError: task other than `binary`, no model folder, a table without a usable row_id.
    NotAProbability: see there. ScorerFailed: all else that the model can do wrong.
    """
    import pyarrow.parquet as pq  # type: ignore[import-untyped, unused-ignore]

    if task != "binary":
        raise UsageError(
            f"models of task {task} are not scored here",
            code="scorer.task",
            remedy="give their predictions as a table of role predictions",
        )
    if not model_dir.is_dir():
        raise UsageError("no such model folder", code="scorer.model", where=str(model_dir))
    row_id = _row_ids(features)
    ended = run(Job(_CHILD, model_dir, features, max(_ROW_BYTES) * len(row_id), timeout_s))
    _check_end(ended, features, model_dir, timeout_s)
    table = _read(ended.output, row_id)
    _check_probabilities(table.column("p").to_numpy(), model_dir)
    pq.write_table(table, out)
    return ScoreRun(ended.isolation, len(row_id), tuple(table.column_names[1:]), ended.open_because)


def _row_ids(features: Path) -> npt.NDArray[np.int64]:
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        column = pq.read_table(features, columns=["row_id"]).column("row_id")
        if column.null_count:
            raise UsageError("row_id has nulls", code="scorer.features", where=str(features))
        return np.asarray(column.cast(pa.int64()).to_numpy(), dtype=np.int64)
    except (OSError, KeyError, pa.ArrowException) as error:
        raise UsageError(
            f"no readable column row_id: {last_line(str(error))}", code="scorer.features", where=str(features)
        ) from error


def _check_end(ended: Ended, features: Path, model_dir: Path, timeout_s: float) -> None:
    if ended.code is None:
        raise ScorerFailed(
            f"the model did not answer within {timeout_s:g} s", code="scorer.timeout", where=str(model_dir)
        )
    if ended.code != 0:
        said = _without_features(last_line(ended.errors), features)
        raise ScorerFailed(
            f"the model's process ended with code {ended.code}: {said}",
            where=str(model_dir),
            remedy="score one row with it in a fresh environment made from its requirements",
        )


def _read(output: bytes, row_id: npt.NDArray[np.int64]) -> pa.Table:
    """Take the answer apart; its size says whether there are sets."""
    import numpy as np
    import pyarrow as pa

    rows = len(row_id)
    names = _ROW_BYTES.get(len(output) // rows if rows else min(_ROW_BYTES))
    if names is None or len(output) % max(rows, 1):
        raise ScorerFailed(f"the model's process wrote {len(output)} bytes, not the scores of {rows} rows")
    if not np.array_equal(np.frombuffer(output, np.int64, rows), row_id):
        raise ScorerFailed("the row ids that came back are not those that were given")
    columns: dict[str, npt.NDArray[np.generic]] = {"row_id": row_id}
    columns["p"] = np.frombuffer(output, np.float64, rows, offset=8 * rows)
    for position, name in enumerate(names[1:]):
        columns[name] = np.frombuffer(output, np.uint8, rows, offset=(16 + position) * rows) != 0
    return pa.table({name: pa.array(column, from_pandas=False) for name, column in columns.items()})


def _check_probabilities(p: npt.NDArray[np.float64], model_dir: Path) -> None:
    import numpy as np

    known = p[~np.isnan(p)]
    outside = int(np.count_nonzero((known < 0) | (known > 1)))
    if outside:
        raise NotAProbability(
            f"{outside} of {len(p)} scores lie outside [0, 1] ({known.min():g} to {known.max():g})",
            where=str(model_dir),
            remedy="log a model whose predict_proba gives P(y = 1)",
        )
    if len(known) and bool(np.isin(known, (0.0, 1.0)).all()):
        raise NotAProbability(
            "the scores are only 0 and 1: labels, not probabilities",
            where=str(model_dir),
            remedy="log the model with a flavour that has predict_proba, or let predict answer a column p",
        )


def _without_features(line: str, features: Path) -> str:
    """Mask what a message repeats of the rows: their texts, and numbers that stand in a column of floats."""
    import pyarrow as pa  # type: ignore[import-untyped, unused-ignore]
    import pyarrow.compute as pc  # type: ignore[import-untyped, unused-ignore]
    import pyarrow.parquet as pq  # type: ignore[import-untyped, unused-ignore]

    line = "".join(char if char.isprintable() else "?" for char in line)[:300]
    numbers = set(re.findall(r"-?\d+\.\d+(?:e[+-]?\d+)?", line))
    found: set[str] = set()
    for column in pq.read_table(features).drop_columns(["row_id"]).columns:
        if pa.types.is_floating(column.type):
            values = column.cast(pa.float64())
            found |= {number for number in numbers if pc.is_in(pa.scalar(float(number)), values).as_py()}
        elif pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            found |= {text for text in pc.unique(column).to_pylist() if text and text in line}
    for text in sorted(found, key=len, reverse=True):
        line = re.sub(rf"(?<!\w){re.escape(text)}(?!\w)", "***", line)
    return line
