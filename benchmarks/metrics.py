"""All metrics of a binary model against its champion, on a million rows and seven slices: ours beside scikit-learn.

Ours gives each metric's paired difference or ratio with bounds at nine confidences, for the whole and each slice;
scikit-learn a point for each model. The query gives the sums of the losses and the counts of decisions, and no ranks.
"""

from __future__ import annotations

from pathlib import Path

import processes

METRICS = ("auc", "average_precision", "log_loss", "brier", "precision", "recall", "f1", "mcc")


def make(rows: int, path: Path) -> str:
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(0)
    x = rng.normal(-0.5, 1.5, rows)
    y = rng.random(rows) < 1 / (1 + np.exp(-x))
    p, q = (1 / (1 + np.exp(-(x + spread * rng.normal(size=rows)))) for spread in (0.4, 0.6))
    segment = np.char.add("s", (np.arange(rows) % 7).astype(str))
    pd.DataFrame({"y": y.astype(int), "p": p, "q": q, "segment": segment}).to_parquet(path, index=False)
    return f"{len(METRICS)} metrics of two models on {rows:,} rows and 7 slices"


def query(path: str) -> str:
    """The bare one: what sums say, rolled up outside."""
    import duckdb

    duckdb.sql("SET threads = 2")
    sums = ", ".join(
        f"sum(-ln(CASE WHEN y = 1 THEN {s} ELSE 1 - {s} END)), sum(({s} - y) * ({s} - y)), "
        f"count_if({s} >= .5 AND y = 1), count_if({s} >= .5)"
        for s in ("p", "q")
    )
    found = duckdb.sql(f"SELECT segment, count(*), sum(y), {sums} FROM '{path}' GROUP BY ALL").fetchall()
    return f"Brier {sum(row[4] for row in found) / sum(row[1] for row in found):.6f}"


def gates(path: str) -> str:
    """The regression gate on a file, as `gates check` runs it."""
    from gates.inputs.tables import Tables
    from gates.measure.interface import Given
    from gates.measure.regression import RegressionGate
    from gates.measure.scored import scored_by_tables
    from gates.records import Columns, ModelVersion, Parameters, Plan, Requirement

    digest = "sha256:" + "0" * 64
    wanted = tuple(
        Requirement(environment="development", check=f"regression.{name}_vs_champion", role="no-harm", each="segment")
        for name in METRICS
    )
    with Tables() as tables:
        opened = {"predictions": tables.open_file("predictions", Path(path))}
        plan = Plan(
            model="m",
            task="binary",
            tier="high",
            environments=("development",),
            requirements=wanted,
            parameters=Parameters(slices=("segment",)),
            columns=Columns(label="y", score="p", champion_score="q"),
            independent_rows=True,
            tables=(),
            policy_digest=digest,
            spec_digest=digest,
        )
        scored = scored_by_tables(tables, plan, opened)
        champion = ModelVersion(name="m", version="1", digest=digest)
        found = RegressionGate().measure(Given(plan, opened, scored, champion)).measurements
    brier = next(m for m in found if m.check == "regression.brier" and m.subject == "candidate")
    paired = [m for m in found if m.check.endswith("_vs_champion") and m.status == "measured"]
    return f"Brier {brier.estimate:.6f}; {len(paired)} paired figures"


def sklearn(path: str) -> str:
    import pandas as pd
    from sklearn import metrics

    frame = pd.read_parquet(path)

    def points(part: pd.DataFrame) -> list[float]:
        found = []
        for score in (part["p"], part["q"]):
            y, hard = part["y"], score >= 0.5
            found += [metrics.roc_auc_score(y, score), metrics.average_precision_score(y, score)]
            found += [metrics.log_loss(y, score), metrics.brier_score_loss(y, score)]
            found += [metrics.precision_score(y, hard), metrics.recall_score(y, hard)]
            found += [metrics.f1_score(y, hard), metrics.matthews_corrcoef(y, hard)]
        return found

    slices = [points(part) for _, part in frame.groupby("segment")]
    return f"Brier {points(frame)[3]:.6f}; {sum(map(len, slices)) + 2 * len(METRICS)} points"


if __name__ == "__main__":
    processes.main(__file__, {"query": query, "gates": gates, "sklearn": sklearn}, "query", make, 1_000_000)
