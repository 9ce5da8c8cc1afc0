"""Scores rows with a model that is taken to be hostile.

Place in the flow: the regression and calibration gates' figures start here. Features go in, scores come out, labels
never come near: the measuring process neither imports nor unpickles the model, and joins the labels itself. (A pyfunc
that walked the call stack for `y` scored AUC 1.0 on random labels.)

The model's answer is bytes of a fixed layout (gates/inputs/scorer_child.py); what it means is checked here.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gates.errors import EngineError, UsageError
from gates.inputs.sandbox import Ended, Job, last_line, run
from gates.records.evidence import Isolation
from gates.records.plan import Task

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa  # type: ignore[import-untyped, unused-ignore]

_CHILD = Path(__file__).with_name("scorer_child.py")
MODEL = Path(__file__).with_name("scorer_model.py")
MAX_LEVELS = 32
_HEADER = 5


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


@dataclass(frozen=True)
class Asked:
    """What a model is asked for.

    Attributes
    ----------
    classes: of the label; the order of the scores (multiclass). level: nominal coverage of sets and intervals.
    quantiles: levels of the quantiles that it may predict (numeric).
    """

    task: Task
    classes: tuple[str, ...] = ()
    level: float = 0.9
    quantiles: tuple[float, ...] = ()

    @property
    def scores(self) -> tuple[str, ...]:
        """Names of the scores."""
        return tuple(f"p_{place}" for place in range(len(self.classes))) if self.task == "multiclass" else ("p",)

    @property
    def places(self) -> tuple[str, ...]:
        """Classes of a prediction set, as the model is told them."""
        return ("0", "1") if self.task == "binary" else self.classes

    def argument(self) -> str:
        """What the program in the scorer process reads."""
        return json.dumps({"task": self.task, "classes": self.places, "level": self.level, "quantiles": self.quantiles})


def score(
    model_dir: Path,
    features: Path,
    out: Path,
    *,
    asked: Asked,
    timeout_s: float,
    python: Path | None = None,
) -> ScoreRun:
    """Score all rows of `features` with the MLflow model in `model_dir` and write `out`.

    Parameters
    ----------
    features: Parquet, `row_id` (int64, unique) and the feature columns. The model can see row ids and the order of
    rows: neither may tell the label.
    out: Parquet, written with `row_id` in the same order and the raw columns of gates/measure/scored_columns.py: `p`
    or `p_0`, ... (float64; NaN is passed on) and, where the model gives them, `set_0`, ... (bool, at `level`),
    `lower_0.9` and `upper_0.9`, ... (float64, at the levels that it declares) and `quantile_0.5`, ... (float64).
    timeout_s: wall-clock seconds for the whole run.
    python: the interpreter of the model's own environment; default: this one.

    Raises
    ------
    UsageError: no classes for a multiclass task, no model folder, a table without a usable row_id.
    NotAProbability: see there. ScorerFailed: all else that the model can do wrong.
    """
    import pyarrow.parquet as pq  # type: ignore[import-untyped, unused-ignore]

    if asked.task == "multiclass" and not asked.classes:
        raise UsageError("no classes are named", code="classes.none", remedy="columns.classes")
    if not model_dir.is_dir():
        raise UsageError("no such model folder", code="scorer.model", where=str(model_dir))
    row_id = _row_ids(features)
    size = _size(len(row_id), len(asked.scores), MAX_LEVELS, len(asked.quantiles), len(asked.places))
    job = Job(_CHILD, model_dir, features, size, timeout_s, (MODEL,), (asked.argument(),), python=python)
    ended = run(job)
    check_end(ended, features, model_dir, timeout_s)
    table = _read(ended.output, row_id, asked)
    if asked.task == "binary":
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


def check_end(ended: Ended, features: Path, model_dir: Path, timeout_s: float) -> None:
    """Raise ScorerFailed unless the model's process ended well."""
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


def _size(rows: int, scores: int, levels: int, quantiles: int, places: int) -> int:
    """Bytes of an answer of these numbers of columns."""
    return 8 * (_HEADER + levels) + rows * (8 * (1 + scores + 2 * levels + quantiles) + places)


def _read(output: bytes, row_id: npt.NDArray[np.int64], asked: Asked) -> pa.Table:
    """Take the answer apart. Its header is believed where it is one of the few that can be, and fits the size."""
    import numpy as np
    import pyarrow as pa

    rows = len(row_id)
    given = _counts(output, rows, asked)
    if given is None:
        raise ScorerFailed(f"the model's process wrote {len(output)} bytes, not the scores of {rows} rows")
    scores, levels, quantiles, places = given
    said = np.frombuffer(output, np.float64, levels, offset=8 * _HEADER)
    names = [f"{end}_{float(level)!r}" for level in said for end in ("lower", "upper")]
    if len(set(names)) < len(names) or not bool(((said > 0) & (said < 1)).all()):
        raise ScorerFailed("the model's intervals are of levels that are no levels, or of one level twice")
    names = [*asked.scores[:scores], *names, *(f"quantile_{level!r}" for level in asked.quantiles[:quantiles])]
    begin = 8 * (_HEADER + levels)
    if not np.array_equal(np.frombuffer(output, np.int64, rows, offset=begin), row_id):
        raise ScorerFailed("the row ids that came back are not those that were given")
    columns: dict[str, npt.NDArray[np.generic]] = {"row_id": row_id}
    for name in names:
        begin += 8 * rows
        columns[name] = np.frombuffer(output, np.float64, rows, offset=begin)
    begin += 8 * rows
    for place in range(places):
        columns[f"set_{place}"] = np.frombuffer(output, np.uint8, rows, offset=begin + place * rows) != 0
    return pa.table({name: pa.array(column, from_pandas=False) for name, column in columns.items()})


def _counts(output: bytes, rows: int, asked: Asked) -> tuple[int, int, int, int] | None:
    """Numbers of scores, levels, quantiles and classes of a set by the answer's header; None where it is none."""
    import numpy as np

    if len(output) < 8 * _HEADER:
        return None
    counted, *columns = np.frombuffer(output, np.int64, _HEADER).tolist()
    scores, levels, quantiles, places = columns
    possible = (
        counted == rows
        and scores == (len(asked.scores) if rows else 1)
        and 0 <= levels <= (MAX_LEVELS if asked.task == "numeric" else 0)
        and quantiles in ({0, len(asked.quantiles)} if asked.task == "numeric" else {0})
        and places in ({0} if asked.task == "numeric" else {0, len(asked.places)})
    )
    if not possible or len(output) != _size(rows, scores, levels, quantiles, places):
        return None
    return scores, levels, quantiles, places


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
