"""Parity of two tables of a million rows and 20 features with .1 % planted: ours beside datacompy and a bare query.

datacompy wants an older pandas than ours: DATACOMPY names the interpreter of an environment that has it (`pip install
datacompy==1.1.0`); without, it is left out. Both tables are of one key, the online one in another order.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import processes

FEATURES = 20
PEER = os.environ.get("DATACOMPY")


def make(rows: int, path: Path) -> str:
    """Write the online table beside the offline one, in another order."""
    import duckdb

    duckdb.sql("SET threads = 2; SET preserve_insertion_order = false")
    names = [f"f{index}" for index in range(FEATURES)]
    values = ", ".join(
        f"ln(1 + hash(i * {FEATURES} + {n}) / 18446744073709551616.0) AS {c}" for n, c in enumerate(names)
    )
    duckdb.sql(f"COPY (SELECT i AS k, {values} FROM range({rows}) t(i)) TO '{path}' (FORMAT parquet)")
    wrong = ", ".join(
        f"CASE WHEN hash(k + {n}) % 1000 = 0 THEN {c} + 1 ELSE {c} END AS {c}" for n, c in enumerate(names)
    )
    duckdb.sql(
        f"COPY (SELECT k, {wrong} FROM '{path}' ORDER BY hash(k)) TO '{path.with_suffix('.online')}' (FORMAT parquet)"
    )
    return f"Parity of two tables of {rows:,} rows and {FEATURES} features, .1 % planted"


def query(path: str) -> str:
    """The bare one: a full outer join and a count for each feature, safe for NaN and null."""
    import duckdb

    con = duckdb.connect(config={"threads": 2})
    wrong = ", ".join(
        f"count_if(o.k IS NOT NULL AND n.k IS NOT NULL AND o.f{i} IS DISTINCT FROM n.f{i} "
        f"AND NOT coalesce(abs(o.f{i} - n.f{i}) <= 1e-6 * (1 + abs(o.f{i})), false))"
        for i in range(FEATURES)
    )
    found = con.sql(
        f"SELECT count_if(o.k IS NULL), count_if(n.k IS NULL), {wrong} "
        f"FROM read_parquet('{path}') o FULL JOIN read_parquet('{Path(path).with_suffix('.online')}') n ON o.k = n.k"
    ).fetchall()[0]
    return f"{sum(found[2:]):,} mismatches"


def gates(path: str) -> str:
    """The parity gate, causes included, as `gates check` runs it; GATES_MEMORY bounds the engine's memory."""
    from gates.inputs.tables import Tables
    from gates.measure.interface import Given
    from gates.measure.parity import ParityGate
    from gates.records import Columns, Parameters, Plan, Reason, Table

    digest = "sha256:" + "0" * 64
    with Tables() as tables:
        opened = tables.open_all(
            (Table(role="offline", uri=path), Table(role="online", uri=str(Path(path).with_suffix(".online")))),
            base=Path(path).parent,
        )
        plan = Plan(
            model="m",
            task="binary",
            tier="high",
            environments=("development",),
            requirements=(),
            parameters=Parameters(),
            tables=(),
            columns=Columns(key=("k",), features=tuple(f"f{index}" for index in range(FEATURES))),
            policy_digest=digest,
            spec_digest=digest,
        )
        given = Given(plan=plan, tables=opened, scored=Reason.NOT_PROVIDED, champion=None)
        found = ParityGate().measure(given).measurements
    wrong = sum(round((m.estimate or 0) * m.n) for m in found if m.check == "parity.mismatch")
    return f"{wrong:,} mismatches"


def datacompy(path: str) -> str:
    """The polars comparison, in the environment that has it; here it takes this process's place."""
    if PEER and Path(PEER).absolute() != Path(sys.executable).absolute():
        os.execv(PEER, [PEER, __file__, "datacompy", path])  # noqa: S606 (no shell)
    import polars
    from datacompy.polars import PolarsCompare

    offline, online = (polars.read_parquet(file) for file in (Path(path), Path(path).with_suffix(".online")))
    compared = PolarsCompare(offline, online, join_columns=["k"], abs_tol=1e-6, rel_tol=1e-6)
    return f"{sum(column['unequal_cnt'] for column in compared.column_stats):,} mismatches"


WAYS = {"query": query, "gates": gates} | ({"datacompy": datacompy} if PEER else {})

if __name__ == "__main__":
    processes.main(__file__, WAYS, "query", make, rows=1_000_000)
