"""Calibration of 10 million rows, the whole and seven slices: ours beside a hand-written query and the peers.

Ours gives more than they do: bounds at nine confidences for each figure, exact limits of each bin, and the region of the
decision. The peers give a point estimate of the whole and of each slice. ROWS=1e6 makes it smaller.
"""

from __future__ import annotations

from pathlib import Path

import processes

BINS = 10


def make(rows: int, path: Path) -> str:
    import duckdb

    duckdb.sql("SELECT setseed(0.5)")
    duckdb.sql(
        f"""COPY (SELECT (random() < p)::INT AS y, p, 's' || (i % 7) AS segment
        FROM (SELECT i, 1 / (1 + exp(3 - 6 * random())) AS p FROM range({rows}) AS t(i))) TO '{path}' (FORMAT parquet)"""
    )
    return f"ECE of {rows:,} rows and 7 slices"


def query(path: str) -> str:
    """The bare scan: equal-width bins, one GROUP BY, rolled up."""
    import duckdb

    duckdb.sql("SET threads = 2")
    cells = duckdb.sql(
        f"""SELECT segment, least(floor(p * {BINS}), {BINS - 1}) AS bin, count(*) AS n, sum(p) AS p, sum(y) AS y
        FROM '{path}' GROUP BY ALL"""
    )
    found = cells.query(
        "cells", "SELECT sum(abs(p - y)) / sum(n) FROM (SELECT bin, sum(p) p, sum(y) y, sum(n) n FROM cells GROUP BY 1)"
    )
    return f"{found.fetchall()[0][0]:.5f}"


def gates(path: str) -> str:
    """The calibration gate on a file, as `gates check` runs it."""
    from gates.inputs.tables import Tables
    from gates.measure.calibration import CalibrationGate
    from gates.measure.interface import Given
    from gates.measure.scored import scored_by_tables
    from gates.records import Columns, Parameters, Plan

    digest = "sha256:" + "0" * 64
    with Tables() as tables:
        opened = {"predictions": tables.open_file("predictions", Path(path))}
        plan = Plan(
            model="m",
            task="binary",
            tier="high",
            environments=("development",),
            requirements=(),
            parameters=Parameters(slices=("segment",), bins=BINS),
            columns=Columns(label="y", score="p"),
            independent_rows=True,
            tables=(),
            policy_digest=digest,
            spec_digest=digest,
        )
        scored = scored_by_tables(tables, plan, opened)
        findings = CalibrationGate().measure(Given(plan, opened, scored, None))
    whole = next(m for m in findings.measurements if m.check == "calibration.ece" and m.slice.kind == "whole")
    return f"{whole.estimate:.5f} and {sum(len(m.bounds or ()) for m in findings.measurements):,} bounds"


def sklearn(path: str) -> str:
    import numpy as np
    import pandas as pd
    from sklearn.calibration import calibration_curve

    frame = pd.read_parquet(path)

    def ece(part: pd.DataFrame) -> float:
        true, mean = calibration_curve(part["y"], part["p"], n_bins=BINS)
        counts = np.histogram(part["p"], bins=np.linspace(0, 1, BINS + 1))[0]
        return float((np.abs(true - mean) * counts[counts > 0]).sum() / len(part))

    values = [ece(part) for _, part in frame.groupby("segment")]
    return f"{ece(frame):.5f} and {len(values)} slices"


def mapie(path: str) -> str:
    import pandas as pd
    from mapie.metrics.calibration import expected_calibration_error

    frame = pd.read_parquet(path)
    values = [expected_calibration_error(part["y"], part["p"], num_bins=BINS) for _, part in frame.groupby("segment")]
    return f"{expected_calibration_error(frame['y'], frame['p'], num_bins=BINS):.5f} and {len(values)} slices"


if __name__ == "__main__":
    processes.main(
        __file__, {"query": query, "gates": gates, "sklearn": sklearn, "mapie": mapie}, "query", make, 10_000_000
    )
