"""The registry port on Unity Catalog, by MLflow's own client against a simulated workspace."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from simulators.databricks_workspace import OTHER, OWNER, Workspace, served

from gates.errors import UsageError
from gates.inputs.mlflow_registry import MlflowRegistry
from gates.inputs.model_digest import digest_model
from gates.inputs.registry import NotRegistered, RegistryForbidden, RegistryUnavailable, parse_uri
from gates.inputs.registry_lookup import version_of_alias

NAME = "main.ml.flights"
MLMODEL = """\
flavors:
  python_function: {loader_module: nothing}
signature:
  inputs: '[{"type": "double", "name": "a", "required": true}]'
  outputs: '[{"type": "double", "required": true}]'
"""


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    found = Workspace()
    for number in ("1", "2"):
        folder = tmp_path / number
        (folder / "data").mkdir(parents=True)
        (folder / "MLmodel").write_text(MLMODEL)
        (folder / "data" / "weights").write_text(number)
        found.register(NAME, number, folder)
    with served(found) as address:
        monkeypatch.setenv("DATABRICKS_HOST", address)
        monkeypatch.setenv("DATABRICKS_TOKEN", OWNER)
        yield found


def test_a_version_is_resolved_and_fetched_whole_by_its_digest(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    registry = MlflowRegistry("databricks-uc")
    found = registry.resolve(f"models:/{NAME}/2")
    assert (found.features, found.version.digest) == (("a",), digest_model(tmp_path / "2"))
    folder = registry.fetch(found.version, tmp_path / "fetched")
    assert (folder / "data" / "weights").read_text() == "2"
    assert {each.name for each in tmp_path.iterdir()} == {"1", "2", "fetched"}
    (tmp_path / "2" / "data" / "weights").write_text("changed")
    assert registry.digest(NAME, "2") == digest_model(tmp_path / "2") != found.version.digest


def test_its_owner_moves_aliases_and_a_server_asks_without_mlflow(workspace: Workspace) -> None:
    registry = MlflowRegistry("databricks-uc")
    registry.set_alias(NAME, "deployed-production", "1")
    registry.set_alias(NAME, "deployed-production", "2")
    assert registry.aliases(NAME) == {"deployed-production": "2"}
    assert registry.resolve(f"models:/{NAME}@deployed-production").version.version == "2"
    environ = {"DATABRICKS_HOST": workspace.address, "DATABRICKS_TOKEN": OTHER}
    assert version_of_alias("databricks-uc", NAME, "deployed-production", environ) == "2"
    with pytest.raises(NotRegistered):
        version_of_alias("databricks-uc", NAME, "champion", environ)
    registry.set_tag(NAME, "2", "gates.archived", "2026-01-01")
    assert registry.tags(NAME, "2") == {"gates.archived": "2026-01-01"}
    registry.delete_alias(NAME, "deployed-production")
    assert registry.aliases(NAME) == {}


def test_whoever_does_not_own_the_model_is_told_what_to_ask_for(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABRICKS_TOKEN", OTHER)
    registry = MlflowRegistry("databricks-uc")
    assert registry.aliases(NAME) == {}
    with pytest.raises(RegistryForbidden) as caught:
        registry.set_alias(NAME, "champion", "1")
    assert (caught.value.code, caught.value.exit_code) == ("registry.forbidden", 4)
    assert "owner" in str(caught.value.remedy)
    assert isinstance(caught.value, RegistryUnavailable)
    assert workspace.models[NAME]["aliases"] == {}


@pytest.mark.parametrize("name", ["flights", "ml.flights", "main.ml.", "main.ml.Flights", "main.m l.f", "a.b.c.d"])
def test_a_name_that_the_catalog_cannot_have_is_refused_before_it_is_asked(workspace: Workspace, name: str) -> None:
    with pytest.raises(UsageError) as caught:
        MlflowRegistry("databricks-uc").resolve(f"models:/{name}/1")
    assert (caught.value.code, "<catalog>.<schema>.<model>" in str(caught.value.remedy)) == ("registry.name", True)


@pytest.mark.parametrize("alias", ["latest", "v7", "V7", "a b", "", "é"])
def test_an_alias_that_is_reserved_is_refused(workspace: Workspace, alias: str) -> None:
    with pytest.raises(UsageError) as caught:
        MlflowRegistry("databricks-uc").set_alias(NAME, alias, "1")
    assert caught.value.code == "registry.alias"


def test_the_older_workspace_registry_and_stages_are_refused_with_advice() -> None:
    for uri, instead in (("databricks", "databricks-uc"), ("databricks://dev", "databricks-uc://dev")):
        with pytest.raises(UsageError) as caught:
            MlflowRegistry(uri)
        assert (caught.value.code, instead in str(caught.value.remedy)) == ("registry.workspace", True)
    for stage, instead in (("Production", "@deployed-production"), ("staging", "@deployed-staging"), ("Archived", "7")):
        with pytest.raises(UsageError) as caught:
            parse_uri(f"models:/{NAME}/{stage}")
        assert caught.value.code == "registry.stage"
        assert instead in str(caught.value.remedy) or instead == "7"
        assert f"models:/{NAME}/<number>" in str(caught.value.remedy)
