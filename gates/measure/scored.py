"""Labels beside scores, one row for each row of the holdout: what the model-quality gates read. First step of measure.

The scores come from the scorer process (`scored`) or from a table of predictions (`supplied`). Labels are joined here,
in the table engine; the process that runs the model never has them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gates.errors import UsageError
from gates.inputs.tables import Tables, column, reading, row, scalar
from gates.measure.interface import OpenTable, Scored
from gates.plan.labels import label_pair
from gates.records import Plan, Reason

if TYPE_CHECKING:
    import ibis.expr.types as ir

ROW_ID = "row_id"
NULL = "(null)"
"""What a missing value of a slice or cluster column is called; a text of the same form counts with it."""

SETS = ("set_0", "set_1")
"""Prediction-set membership of class 0 and class 1."""


KINDS: tuple[Callable[[Any], bool], ...] = (
    lambda kind: kind.is_numeric(),
    lambda kind: kind.is_boolean(),
    lambda kind: kind.is_string(),
    lambda kind: kind.is_temporal(),
)
"""Two columns can be a key of each other only within one of these."""


def write_features(tables: Tables, holdout: OpenTable, plan: Plan, path: Path) -> int:
    """Write what the scorer may see: `row_id` and the plan's features, never the label. Returns the number of rows.

    Rows are shuffled by a hash of the table's digest and their position: a holdout that is sorted by its label would
    tell the answers by its order.

    Raises
    ------
    UsageError: no features, one that the holdout lacks, the label or `row_id` among them.
    """
    features, where = plan.columns.features, holdout.identity.uri
    if not features:
        raise UsageError("no features are named, nor in the model's signature", code="features.none", where=where)
    for name, what in ((plan.columns.label, "the label"), (ROW_ID, "the row's number")):
        if name in features:
            raise UsageError(f'"{name}" is {what}, and no feature', code="features.leak", where=where)
    for name in features:
        column(holdout.table, name, where=where)
    numbered = _numbered(holdout)
    with reading(where):
        kept = tables.keep(numbered.select(ROW_ID, *features).order_by(ROW_ID))
        kept.to_parquet(path)
        return int(scalar(kept.count()))


def scored_by_scorer(
    tables: Tables, plan: Plan, holdout: OpenTable, candidate: Path, champion: Path | None = None
) -> Scored | Reason:
    """Join the scorer's predictions to the holdout's labels.

    Parameters
    ----------
    candidate, champion: Parquet with `row_id` (that of `write_features`) and `p`; the candidate's also with `set_0` and
        `set_1` where its model gives prediction sets.

    Raises
    ------
    UsageError: an unknown column, a label that is not 0 or 1, scores outside [0, 1] or of only 0 and 1.
    """
    if plan.task != "binary":
        return Reason.NOT_PROVIDED
    if holdout.identity.rows == 0:
        return Reason.EMPTY_TABLE
    base = _labelled(plan, _numbered(holdout), holdout.identity.uri, (ROW_ID,))
    own = _Part(tables.read(candidate, where="candidate's predictions"), "candidate's predictions")
    parts = [own.select((ROW_ID,), {"p": "p", **_sets(SETS if SETS[0] in own.table.columns else ())})]
    if champion is not None:
        other = _Part(tables.read(champion, where="champion's predictions"), "champion's predictions")
        parts.append(other.select((ROW_ID,), {"q": "p"}))
    return _assemble(tables, plan, [base, *parts], "scored")


def scored_by_tables(tables: Tables, plan: Plan, opened: Mapping[str, OpenTable]) -> Scored | Reason:
    """Join supplied predictions to the labels by the plan's key.

    Label, cluster and slices are columns of the holdout where there is one, else of the predictions table itself.
    Without a key a champion's table is paired by position, and only if it repeats the label, equal in every row.

    Raises
    ------
    UsageError: as `scored_by_scorer`; also no key where one is needed.
    """
    predictions, holdout = opened.get("predictions"), opened.get("holdout")
    if plan.task != "binary" or predictions is None or plan.columns.score is None:
        return Reason.NOT_PROVIDED
    champion = opened.get("champion_predictions")
    # Before any type is looked at: an empty CSV has none.
    if any(table.identity.rows == 0 for table in (holdout or predictions, champion) if table):
        return Reason.EMPTY_TABLE
    keys, scores = plan.columns.key, {"p": plan.columns.score, **_sets(plan.columns.set_columns)}
    if champion is None and plan.columns.champion_score is not None:
        scores["q"] = plan.columns.champion_score
    if holdout is not None:
        if not keys:
            raise _no_key(predictions.identity.uri)
        base = _labelled(plan, holdout.table, holdout.identity.uri, keys)
        parts = [base, _Part(predictions.table, predictions.identity.uri).select(keys, scores)]
    else:
        table = predictions.table if keys or champion is None else _by_position(predictions.table)
        by = () if champion is None else keys or (ROW_ID,)
        parts = [_labelled(plan, table, predictions.identity.uri, by, scores)]
    if champion is not None:
        parts.append(_champion(plan, champion))
    return _assemble(tables, plan, parts, "supplied")


@dataclass(frozen=True)
class _Part:
    """An expression, and what errors call it. After `select` its columns have our own names, keys being k0, k1, ..."""

    table: ir.Table
    where: str

    def select(self, keys: tuple[str, ...], columns: Mapping[str, str]) -> _Part:
        """Choose keys and columns {ours: theirs}; each is brought to the type that its part asks for."""
        chosen = {f"k{index}": column(self.table, name, where=self.where) for index, name in enumerate(keys)}
        for ours, theirs in columns.items():
            chosen[ours] = self._typed(ours, theirs)
        return _Part(self.table.select(**chosen), self.where)

    def _typed(self, ours: str, theirs: str) -> ir.Value:
        found = column(self.table, theirs, where=self.where)
        if ours in {"y", "y_again"}:
            return _label(found, theirs, self.where)
        if ours in {"p", "q"}:
            return _score(found, theirs, self.where)
        if ours in SETS:
            return _member(found, theirs, self.where)
        return found.cast("string").fill_null(NULL)


def _labelled(
    plan: Plan, table: ir.Table, where: str, keys: tuple[str, ...], scores: Mapping[str, str] | None = None
) -> _Part:
    if plan.columns.label is None:
        raise UsageError("no label column is named", code="column.unknown", where=where, remedy="columns.label")
    chosen = {"y": plan.columns.label, **(scores or {})}
    if plan.parameters.cluster is not None:
        chosen["cluster"] = plan.parameters.cluster
    chosen |= {f"slice_{index}": name for index, name in enumerate(plan.parameters.slices)}
    return _Part(table, where).select(keys, chosen)


def _champion(plan: Plan, champion: OpenTable) -> _Part:
    where, score = champion.identity.uri, plan.columns.champion_score or str(plan.columns.score)
    if plan.columns.key:
        return _Part(champion.table, where).select(plan.columns.key, {"q": score})
    label = str(plan.columns.label)
    if label not in champion.table.columns:
        raise _no_key(where)
    return _Part(_by_position(champion.table), where).select((ROW_ID,), {"q": score, "y_again": label})


def _sets(names: tuple[str, ...]) -> dict[str, str]:
    return dict(zip(SETS, names, strict=True)) if names else {}


def _no_key(where: str) -> UsageError:
    return UsageError("no key says which rows belong together", code="key.none", where=where, remedy="name columns.key")


def _by_position(table: ir.Table) -> ir.Table:
    import ibis

    return table.drop(*({ROW_ID} & set(table.columns))).mutate(**{ROW_ID: ibis.row_number()})


def _numbered(holdout: OpenTable) -> ir.Table:
    """Number the rows in an order that tells nothing and is the same each time: by hash of digest and position."""
    import ibis

    @ibis.udf.scalar.builtin  # type: ignore[untyped-decorator]
    def md5(text: str) -> str: ...  # type: ignore[empty-body]

    placed = _by_position(holdout.table)
    mixed = md5(ibis.literal(holdout.identity.digest) + placed[ROW_ID].cast("string"))
    return placed.mutate(**{ROW_ID: ibis.row_number().over(order_by=[mixed, placed[ROW_ID]])})


def _label(found: ir.Value, name: str, where: str) -> ir.Value:
    """0 or 1; null where the label is null or NaN; another value stays itself, or is -1 where it is text."""
    import ibis

    kind = found.type()
    if kind.is_boolean() or kind.is_integer() or kind.is_decimal():
        return found.cast("float64")
    if kind.is_floating():
        return found.isnan().ifelse(ibis.null("float64"), found.cast("float64"))
    if not kind.is_string():
        raise UsageError(f'label "{name}" is of type {kind}', code="label.invalid", where=where, remedy="store 0 and 1")
    with reading(where):
        texts = found.name("text").as_table().distinct()
        values = [
            str(value) for value in texts.filter(texts["text"].notnull()).limit(3)["text"].to_pyarrow().to_pylist()
        ]
    pair = label_pair(values)
    if values and pair is None:
        shown = ", ".join(f'"{value}"' for value in sorted(values))
        raise UsageError(
            f'label "{name}" has values such as {shown}: which of them is 1 is not certain',
            code="label.invalid",
            where=where,
            remedy="store 0 and 1",
        )
    negative, positive = pair or ("0", "1")
    return ibis.cases((found == positive, 1.0), (found == negative, 0.0), (found.notnull(), -1.0))


def _score(found: ir.Value, name: str, where: str) -> ir.Value:
    kind = found.type()
    if not kind.is_numeric():
        raise UsageError(
            f'score "{name}" is of type {kind}', code="score.invalid", where=where, remedy="give probabilities"
        )
    return found.cast("float64")


def _member(found: ir.Value, name: str, where: str) -> ir.Value:
    """Membership of a class in the prediction set; unknown is no member, so that it cannot help coverage."""
    kind = found.type()
    if not (kind.is_boolean() or kind.is_numeric()):
        raise UsageError(f'set column "{name}" is of type {kind}', code="set.invalid", where=where)
    return (found if kind.is_boolean() else found == 1).fill_null(False)


def _assemble(tables: Tables, plan: Plan, parts: list[_Part], predictions: str) -> Scored | Reason:
    where = parts[0].where
    with reading(where):
        joined = _pair(tables, parts)
        if isinstance(joined, Reason):
            return joined
        kept = tables.keep(_finished(joined))
        problem = _problem(kept, plan, parts)
    if problem is not None:
        return problem
    names = kept.columns
    return Scored(
        table=kept.drop("y_again") if "y_again" in names else kept,
        rows=int(scalar(kept.count())),
        champion="q" in names,
        clustered="cluster" in names,
        predictions=predictions,
        levels=(plan.parameters.coverage_level,) if "covered_0" in names else (),
    )


def _pair(tables: Tables, parts: list[_Part]) -> ir.Table | Reason:
    """Join the parts one to one by their keys; each row of each part has exactly one partner, or there is a Reason."""
    first, *others = parts
    keys = [name for name in first.table.columns if name.startswith("k") and name[1:].isdigit()]
    if others and any(_repeated(part.table, keys) for part in parts):
        return Reason.KEYS_NOT_UNIQUE
    joined = first.table
    for other in others:
        _same_kinds(first, other, keys)
        partner = other.table.rename({f"{name}_again": name for name in keys})
        both = joined.inner_join(partner, [joined[name] == partner[f"{name}_again"] for name in keys])
        kept = tables.keep(both.drop(*(f"{name}_again" for name in keys)))
        if not scalar(kept.count()) == scalar(joined.count()) == scalar(partner.count()):
            return Reason.ROWS_UNPAIRED
        joined = kept
    return joined.drop(*keys)


def _repeated(table: ir.Table, keys: list[str]) -> bool:
    counted = table.group_by(keys).aggregate(times=table.count())
    return bool(scalar(counted.filter(counted.times > 1).count()) > 0)


def _same_kinds(left: _Part, right: _Part, keys: list[str]) -> None:
    for name in keys:
        kinds = left.table[name].type(), right.table[name].type()
        same = any(all(test(kind) for kind in kinds) for test in KINDS)
        if not same:
            raise UsageError(
                f"a key is of type {kinds[1]} here and {kinds[0]} in {left.where}", code="key.kind", where=right.where
            )


def _finished(joined: ir.Table) -> ir.Table:
    if SETS[0] not in joined.columns:
        return joined
    zero, one = joined[SETS[0]], joined[SETS[1]]
    covered = ((joined.y == 1) & one) | ((joined.y == 0) & zero)
    return joined.mutate(covered_0=covered, width_0=zero.cast("float64") + one.cast("float64")).drop(*SETS)


def _problem(kept: ir.Table, plan: Plan, parts: list[_Part]) -> Reason | None:
    """Look at every value once. What the caller can mend is a UsageError, what the data lack is a Reason."""
    scores = [name for name in ("p", "q") if name in kept.columns]
    counts = {"rows": kept.count(), "null_y": kept.y.isnull().sum(), "bad_y": kept.y.notin([0.0, 1.0]).sum()}
    for name in scores:
        value = kept[name]
        lost = value.isnull() | value.isnan()
        counts[f"lost_{name}"] = lost.sum()
        counts[f"outside_{name}"] = (~lost & ~value.between(0.0, 1.0)).sum()
        counts[f"soft_{name}"] = (lost | value.notin([0.0, 1.0])).sum()
    if "y_again" in kept.columns:
        counts["other_y"] = (kept.y != kept.y_again).sum()
    seen = {name: int(value or 0) for name, value in row(kept.aggregate(**counts)).items()}
    where = parts[0].where
    if seen["bad_y"]:
        raise UsageError(
            f'label "{plan.columns.label}" is neither 0 nor 1 in {seen["bad_y"]} of {seen["rows"]} rows',
            code="label.invalid",
            where=where,
            remedy="a binary task has labels 0 and 1",
        )
    for name in scores:
        _probability(name, seen, parts)
    if seen.get("other_y"):
        return Reason.ROWS_UNPAIRED
    if seen["null_y"]:
        return Reason.NULL_LABELS
    return Reason.NAN_SCORES if any(seen[f"lost_{name}"] for name in scores) else None


def _probability(name: str, seen: Mapping[str, int], parts: list[_Part]) -> None:
    where = next(part.where for part in parts if name in part.table.columns)
    whose = "candidate's" if name == "p" else "champion's"
    if seen[f"outside_{name}"]:
        raise UsageError(
            f"{seen[f'outside_{name}']} of {seen['rows']} of the {whose} scores lie outside [0, 1]",
            code="score.outside",
            where=where,
            remedy="give probabilities, not margins, odds or percents",
        )
    if not seen[f"soft_{name}"]:
        raise UsageError(
            f"the {whose} scores are all 0 or 1",
            code="score.classes",
            where=where,
            remedy="give the probability (predict_proba), not the predicted class",
        )
