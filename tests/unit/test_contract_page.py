"""The contracts that people are shown: the one of docs/contracts.md and the example's."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
from contract_world import AS_OF, broken, figures, found

from gates.inputs.contracts import read_contract
from gates.measure.data.contract.rules import asked
from gates.measure.data.contract.terms import TERMS, named

ROOT = Path(__file__).parents[2]


def test_the_page_s_contract_finds_what_the_page_says(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "contracts.md").read_text(encoding="utf-8")
    said = next(
        block for block in re.findall(r"^```yaml\n(.*?)^```", page, re.DOTALL | re.MULTILINE) if "kind:" in block
    )
    times = pd.to_datetime([AS_OF - 3_600_000_000] * 3, unit="us", utc=True)
    good = pd.DataFrame(
        {
            "flight_id": ["a", "b", "c"],
            "scheduled": times,
            "carrier": ["UA", "9E", "UA"],
            "air_time": [100.0, 200.0, 300.0],
            "landed": times + pd.Timedelta(hours=3),
        }
    )
    assert broken(found(tmp_path, good, said)) == {}
    assert set(figures(found(tmp_path, good, said), "data.contract_incomplete").values()) == {0}
    bad = good.assign(
        flight_id="a", carrier=["UA", "ua", "UA"], air_time=[None, 1e4, 1.0], landed=times - pd.Timedelta("1h")
    )
    assert broken(found(tmp_path, bad, said)) == {
        "primaryKey": 2,
        "carrier.pattern": 1,
        "air_time.maximum": 1,
        "air_time.nullValues": 1,
        "lands later": 3,
    }


def test_the_example_s_contract_names_all_terms() -> None:
    contract = read_contract("flights.odcs.yaml", ROOT / "examples" / "flights", "holdout")
    assert named(contract) == dict.fromkeys(TERMS, True)
    wanted = asked(contract)
    assert len(wanted.rules) > 30
    assert wanted.unchecked == ()
