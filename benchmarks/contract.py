"""A contract of 41 rules on a million rows of 21 columns: ours beside a hand-written query, Great Expectations, soda and pandera.

Each column of twenty may hold no null and nothing outside its range, and the key is unique. Ours reads the rules from a
contract in the Open Data Contract Standard, checks the types of all columns besides, and gives 87 figures as evidence.
Peers run in an environment of their own, see `peers.txt`; without $PEERS they are left out.
"""

from __future__ import annotations

import json
from pathlib import Path

import processes

COLUMNS = tuple(f"x{i}" for i in range(20))
LOW, HIGH = -4.5, 4.5


def make(rows: int, path: Path) -> str:
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(0)
    pd.DataFrame({"id": np.arange(rows), **{name: rng.normal(size=rows) for name in COLUMNS}}).to_parquet(
        path, index=False
    )
    options = {"minimum": LOW, "maximum": HIGH}
    columns = [
        {"name": name, "logicalType": "number", "required": True, "logicalTypeOptions": options} for name in COLUMNS
    ]
    table = {"name": "t", "properties": [{"name": "id", "logicalType": "integer", "unique": True}, *columns]}
    head = {"apiVersion": "v3.2.0", "kind": "DataContract", "id": "t", "version": "1.0.0", "schema": [table]}
    path.with_suffix(".odcs.yaml").write_text(json.dumps(head, indent=1), encoding="utf-8")
    return f"a contract of 41 rules on {rows:,} rows of 21 columns"


def query(path: str) -> str:
    """The bare one: a flat aggregate."""
    import duckdb

    duckdb.sql("SET threads = 2")
    counted = [f"count_if({x} IS NULL), count_if(NOT ({x} BETWEEN {LOW} AND {HIGH}))" for x in COLUMNS]
    found = duckdb.sql(f"SELECT count(id) - count(DISTINCT id), {', '.join(counted)} FROM '{path}'").fetchall()[0]
    return f"{sum(found)} rows"


def gates(path: str) -> str:
    """The part of the data gate that is the contract's, with reading it, as `gates check` runs it."""
    from gates.inputs.contracts import read_contracts
    from gates.inputs.tables import Tables
    from gates.measure.data.contract import contracts
    from gates.measure.interface import Given
    from gates.records import Plan, Reason, Table

    digest = "sha256:" + "0" * 64
    table = Table(role="holdout", uri=path, contract=str(Path(path).with_suffix(".odcs.yaml")))
    read = read_contracts([table], Path())
    with Tables() as tables:
        opened = tables.open_all([table], base=Path())
        plan = Plan(
            model="m",
            task="binary",
            tier="high",
            environments=("development",),
            requirements=(),
            tables=(table,),
            policy_digest=digest,
            spec_digest=digest,
        )
        found = contracts(Given(plan, opened, Reason.NOT_PROVIDED, None, contracts=read)).measurements
    return f"{sum(figure.estimate or 0 for figure in found if figure.check == 'data.contract'):.0f} rows"


def great_expectations(path: str) -> str:
    import great_expectations as gx
    import pandas as pd

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    asset = context.data_sources.add_pandas("p").add_dataframe_asset("t")
    batch = asset.add_batch_definition_whole_dataframe("b")
    rules = [gx.expectations.ExpectColumnValuesToBeUnique(column="id")]
    for name in COLUMNS:
        rules.append(gx.expectations.ExpectColumnValuesToNotBeNull(column=name))
        rules.append(gx.expectations.ExpectColumnValuesToBeBetween(column=name, min_value=LOW, max_value=HIGH))
    frame = pd.read_parquet(path)
    found = batch.get_batch({"dataframe": frame}).validate(gx.ExpectationSuite("s", expectations=rules))
    return f"{sum(each.result['unexpected_count'] for each in found.results)} rows"


def soda(path: str) -> str:
    import logging

    import duckdb
    from soda.scan import Scan

    logging.disable(logging.CRITICAL)
    connection = duckdb.connect()
    connection.sql("SET threads = 2")
    connection.sql(f"CREATE VIEW t AS SELECT * FROM '{path}'")
    checks = ["  - duplicate_count(id) = 0"]
    for name in COLUMNS:
        checks.append(f"  - missing_count({name}) = 0")
        checks.append(f"  - invalid_count({name}) = 0:\n      valid min: {LOW}\n      valid max: {HIGH}")
    scan = Scan()
    scan.disable_telemetry()
    scan.add_duckdb_connection(connection, data_source_name="d")
    scan.set_data_source_name("d")
    scan.add_sodacl_yaml_str("checks for t:\n" + "\n".join(checks))
    scan.execute()
    checks = scan.get_scan_results()["checks"]
    return f"{sum(int(check['diagnostics']['value']) for check in checks)} rows"


def pandera(path: str) -> str:
    import pandas as pd
    import pandera.pandas as pa

    between = pa.Check.between(LOW, HIGH)
    columns = {name: pa.Column(float, between, nullable=False) for name in COLUMNS}
    schema = pa.DataFrameSchema({"id": pa.Column(int, unique=True), **columns})
    try:
        schema.validate(pd.read_parquet(path), lazy=True)
    except pa.errors.SchemaErrors as error:
        return f"{len(error.failure_cases)} rows"
    return "0 rows"


WAYS = {"query": query, "gates": gates, "great_expectations": great_expectations, "soda": soda, "pandera": pandera}

if __name__ == "__main__":
    processes.main(__file__, WAYS, "query", make, 1_000_000, peers={"great_expectations", "soda", "pandera"})
