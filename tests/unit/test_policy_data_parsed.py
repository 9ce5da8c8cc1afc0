"""The shipped data lie beside the module as JSON too: the same documents to the type, under the digest of their YAML."""

from __future__ import annotations

import pytest
from simulators.policy_world import with_facts

from gates.decide.policies import PolicySet, parse_data
from gates.errors import UsageError
from gates.resources import policies_folder


def test_what_is_kept_is_what_the_yaml_says(monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = PolicySet.load()
    monkeypatch.setattr("gates.decide.policies.parse_data", None)
    kept = PolicySet.load().data
    for path, content in shipped.files.items():
        if not path.endswith("data.yaml"):
            continue
        node = kept
        for part in path.split("/")[:-1]:
            node = node[part]
        assert repr(node) == repr(parse_data(path, content)), path


def test_what_the_owners_write_is_checked_whatever_its_bytes_are() -> None:
    shipped = (policies_folder() / "release/data.yaml").read_text()
    with pytest.raises(UsageError) as refused:
        with_facts("tier: high", overrides={"staging": shipped})
    assert refused.value.code == "policy.data"


@pytest.mark.parametrize(
    "text",
    ["enforcement: {all: {level: deny, enforce_from: 2026-13-01T00:00:00Z}}", "[" * 3000, "limits: !!int many", "\xff"],
)
def test_what_is_no_yaml_is_refused_with_its_file(text: str) -> None:
    with pytest.raises(UsageError, match=r"not YAML: .+") as refused:
        parse_data("overrides/staging/data.yaml", text.encode("latin-1"))
    assert (refused.value.code, refused.value.where) == ("policy.data", "overrides/staging/data.yaml")
