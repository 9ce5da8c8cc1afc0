"""`gates.check`: judge a table of predictions by the built-in plan. Supported and versioned, as the command line is.

Nothing is written, signed or applied; no spec, registry, ledger or key is needed. The rules are those of development,
and the answer says what a promotion would require besides.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gates.errors import UsageError
from gates.records import Decision, Measurement

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    from gates.render.view import View

    Table = pd.DataFrame | Path | str
    Column = str | npt.ArrayLike


@dataclass(frozen=True, repr=False)
class CheckResult:
    """The answer. `assert result.allowed, result` gives a test failure that says what is wrong.

    Attributes
    ----------
    allowed: the policies allow. A provisional allow (`decision.basis`) is one too: see `proven`.
    said: what was guessed, in sentences. besides: what the answer does not say.
    """

    schema_version: str
    decision: Decision
    measurements: tuple[Measurement, ...]
    view: View
    said: tuple[str, ...]
    besides: tuple[str, ...]

    @property
    def allowed(self) -> bool:
        return self.decision.allow

    @property
    def proven(self) -> bool:
        """Allowed, and every required check is proven, not merely undecided."""
        return self.decision.allow and self.decision.basis == "proven"

    def __str__(self) -> str:
        from gates.render.text import text

        return "\n".join([*self.said, "", text(self.view), *self.besides])

    __repr__ = __str__

    def _repr_markdown_(self) -> str:
        """What a notebook shows."""
        from gates.render.markdown import markdown

        return "\n\n".join([*self.said, markdown(self.view), *self.besides])


def check(
    data: Table | None = None,
    *,
    label: Column | None = None,
    score: Column | None = None,
    champion: Column | Table | None = None,
    by: str | Sequence[str] = (),
    cluster: str | None = None,
    key: str | Sequence[str] = (),
    positive: str | None = None,
) -> CheckResult:
    """Measure predictions and decide by the built-in plan.

    Parameters
    ----------
    data: a table (pandas, polars, Arrow), or a path of CSV or Parquet; absent where label and score are arrays.
    label, score: names of columns of `data` (guessed where absent), or arrays of shape (n,); a score may have shape
    (n, 2), as predict_proba gives it.
    champion: a column, an array as of scores, or another table or file with the champion's scores.
    by: columns whose every value is judged on its own. cluster: rows with the same value hang together.
    key: columns that pair rows with the champion's table. positive: the label's value that counts as 1.

    Raises
    ------
    UsageError: no such file or column, scores outside [0, 1], or a guess that is not certain.
    """
    by, key = (tuple(map(str, [value] if isinstance(value, str | int) else value)) for value in (by, key))
    with tempfile.TemporaryDirectory(prefix="gates-check-") as folder:
        path, names, uri = _as_file(data, label, score, champion, Path(folder))
        # A table in memory is written to a file, whose name says nothing to who gave the table.
        theirs = None if isinstance(champion, str | Path | None) else "champion's DataFrame"
        return check_file(
            path, uri=uri, champion_uri=theirs, by=by, cluster=cluster, key=key, positive=positive, **names
        )


def _as_file(
    data: Table | None, label: Any, score: Any, champion: Any, folder: Path
) -> tuple[Path, dict[str, Any], str | None]:
    """Bring tables and arrays into files that the table engine reads; names stay names."""
    import pandas as pd

    data, champion = _from_arrow(data), _from_arrow(champion)
    given = {"label": label, "score": score, "champion": champion}
    if isinstance(data, pd.DataFrame):
        # A name that is not a text, as of a table made from an array.
        given = {what: str(name) if _is_name(name, data) else name for what, name in given.items()}
    arrays = {name: value for name, value in given.items() if not isinstance(value, str | Path | pd.DataFrame | None)}
    names = {name: value for name, value in given.items() if name not in arrays}
    if isinstance(champion, pd.DataFrame):
        names["champion"] = _write(champion, folder / "champion.parquet")
    if isinstance(data, str | Path):
        if arrays:
            raise UsageError(
                f"{next(iter(arrays))} is an array beside a file",
                code="check.mixed",
                remedy="name a column of the file",
            )
        return Path(data), names, None
    if data is not None and not isinstance(data, pd.DataFrame):
        raise UsageError(
            f"data is a {type(data).__name__}, not a table or a path",
            code="check.data",
            remedy="pass arrays by name: gates.check(label=y, score=p)",
        )
    if data is None and not {"label", "score"} <= arrays.keys():
        raise UsageError("nothing to check", code="check.nothing", remedy="give a table, or arrays for label and score")
    columns = {} if data is None else _columns(data)
    for name, values in arrays.items():
        columns[name] = _column(name, values)
        names[name] = name
    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        shown = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise UsageError(f"columns of different lengths: {shown}", code="check.lengths")
    return _write(pd.DataFrame(columns), folder / "predictions.parquet"), names, "DataFrame"


def _from_arrow(data: Any) -> Any:
    """Turn a polars or Arrow table (whatever offers the Arrow PyCapsule stream of a struct) into pandas."""
    import pandas as pd

    if isinstance(data, str | Path | pd.DataFrame | pd.Series | None):
        return data
    if not hasattr(data, "__arrow_c_stream__"):
        if hasattr(data, "collect"):
            raise UsageError(
                f"a {type(data).__name__} has no rows yet", code="check.columns", remedy="pass what .collect() returns"
            )
        return data
    import pyarrow as pa

    try:
        return pa.table(data).to_pandas()
    except (pa.ArrowException, TypeError, ValueError):  # a single column is one, too
        return data


def _is_name(name: Any, data: pd.DataFrame) -> bool:
    try:
        return name is not None and not isinstance(name, Path) and name in data.columns
    except TypeError:  # an array or a table has no hash
        return False


def _columns(data: pd.DataFrame) -> dict[str, Any]:
    names = [str(name) for name in data.columns]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UsageError(f'two columns are called "{twice[0]}"', code="check.columns", remedy="rename one of them")
    return {name: data.iloc[:, place].reset_index(drop=True) for place, name in enumerate(names)}


def _column(name: str, values: Any) -> Any:
    import numpy as np
    import pandas as pd

    array = np.asarray(values)
    if array.ndim == 0:
        raise UsageError(f"{name}: there is no column {values!r}", code="column.unknown")
    if name != "label" and array.ndim == 2 and array.shape[1] == 2 and np.allclose(array.sum(axis=1), 1):
        array = array[:, 1]
    if array.ndim != 1:
        raise UsageError(f"{name} has shape {array.shape}, not (n,)", code="check.shape", remedy="give one value a row")
    return pd.Series(array)


def _write(table: Any, path: Path) -> Path:
    import pyarrow as pa

    try:
        table.to_parquet(path, index=False)
    except (pa.ArrowException, ValueError, TypeError) as error:
        raise UsageError(f"a column that no table file can hold: {error}", code="check.columns") from error
    return path


def _argument(part: str, value: str | None) -> str:
    """How remedies name a part to who calls from Python."""
    return f'{part}="{"COLUMN" if value is None else value}"'


def check_file(
    path: Path,
    *,
    label: str | None = None,
    score: str | None = None,
    champion: str | Path | None = None,
    by: Sequence[str] = (),
    cluster: str | None = None,
    key: Sequence[str] = (),
    positive: str | None = None,
    uri: str | None = None,
    champion_uri: str | None = None,
) -> CheckResult:
    """`check` for a file; `champion` is a column of it or another file. Raises as `check`."""
    from gates.flow.file import judge_file

    answer = judge_file(
        path,
        label=label,
        score=score,
        champion=champion,
        by=tuple(by),
        cluster=cluster,
        key=tuple(key),
        positive=positive,
        uri=uri,
        champion_uri=champion_uri,
        option=_argument,
    )
    return CheckResult(
        schema_version="v1",
        decision=answer.decided.decision,
        measurements=answer.decided.bundle.measurements,
        view=answer.view,
        said=answer.said,
        besides=answer.besides,
    )
