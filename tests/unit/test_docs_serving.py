"""What docs/serving.md shows of gates.yaml is read as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

from gates.apply.serving.databricks import DatabricksServing
from gates.apply.serving.flagd import WithFlags
from gates.apply.serving.kserve import KServeServing
from gates.apply.serving.nginx import NginxServing
from gates.apply.serving.opening import open_serving
from gates.plan.spec import load_spec

PAGE = Path(__file__).parents[2] / "docs" / "serving.md"
REST = "model: m\ntask: binary\ncolumns: {label: y}\ntables: {holdout: {uri: h.csv}}\n"


def test_each_example_is_a_spec_and_opens_its_target(tmp_path: Path) -> None:
    targets = []
    for block in re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), flags=re.DOTALL):
        (tmp_path / "gates.yaml").write_text(REST + block)
        spec = load_spec(tmp_path)
        if spec.batch is not None:
            continue
        targets.append(open_serving(spec, "staging"))
        if spec.release is not None:
            assert spec.release.parts().lacks == ("preprocessor_digest",)
    assert [type(target) for target in targets] == [WithFlags, KServeServing, NginxServing, DatabricksServing]
    assert targets[1].name == str(tmp_path / "deploy/staging/model.yaml")


def test_each_word_of_a_target_is_explained() -> None:
    from gates.plan.spec_serving import KINDS, DatabricksSpec, KServeSpec, NginxSpec

    text = PAGE.read_text()
    assert all(f"`{word}`" in text for word in (*KINDS, "flags"))
    assert all(f"{word}:" in text for each in (KServeSpec, DatabricksSpec, NginxSpec) for word in each.model_fields)
