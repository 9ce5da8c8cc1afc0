"""A place for each serving adapter: how it is opened, edited by hand, wrecked, and followed by the traffic."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simulators.databricks_workspace import OWNER, Workspace, served_until_exit

from gates.apply.serving.databricks import DatabricksServing, DatabricksWords
from gates.apply.serving.file_serving import FileServing
from gates.apply.serving.interface import Serves, Serving
from gates.apply.serving.kserve import KServeServing, KServeWords, parse_manifest
from gates.apply.serving.nginx import NginxServing, NginxWords

MANIFEST = """\
# The team's own words stay as they are.
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata:
  name: flights  # found by this name
  annotations:
    team: "delays"
spec:
  predictor:
    minReplicas: 1
    model:
      modelFormat: {name: mlflow}   # the runtime
      storageUri: s3://models/first
"""


@dataclass
class Place:
    """Opens the adapter anew each time, as another process would."""

    open: Callable[[], Serving]
    edit: Callable[[], None]
    """Change a share of the traffic, or which version is loaded, behind the statement's back."""
    wreck: Callable[[], None]
    follow: Callable[[], None] = lambda: None
    """Let the traffic follow what the target states."""


def file_place(folder: Path) -> Place:
    path = folder / "target.json"
    return Place(
        lambda: FileServing(path),
        lambda: (
            _swap(path, '"percent": 100', '"percent": 99')
            if '"percent": 100' in path.read_text()
            else _swap(path, '"percent": 5', '"percent": 6')
        ),
        lambda: path.write_bytes(b"\xff\xfe"),
    )


def kserve_place(folder: Path) -> Place:
    path, status = folder / "deploy" / "model.yaml", folder / "status.json"
    path.parent.mkdir(parents=True)
    path.write_text(MANIFEST)
    words = KServeWords("s3://models/{model}/{version}/{digest}", status=str(status))

    def follow() -> None:
        Cluster(path, status).follow()

    follow()
    return Place(
        lambda: KServeServing(path, words),
        lambda: _swap(path, "storageUri: s3://models/flights", "storageUri: s3://elsewhere/flights"),
        lambda: path.write_text("kind: [InferenceService"),
        follow,
    )


@dataclass
class Cluster:
    """What a KServe controller makes of a manifest, as the live object's status says it."""

    manifest: Path
    status: Path

    def follow(self, **wrong: Any) -> None:
        """Roll the manifest out; `wrong` replaces words of the predictor's status."""
        live = json.loads(json.dumps(parse_manifest(self.manifest.read_bytes(), "manifest")))
        before = json.loads(self.status.read_text()) if self.status.exists() else {}
        generation = int(before.get("metadata", {}).get("generation", 0)) + 1
        percent = live["spec"]["predictor"].get("canaryTrafficPercent", 100)
        name = f"flights-predictor-{generation:05}"
        traffic = [{"latestRevision": True, "percent": percent, "revisionName": name}]
        if percent < 100:
            traffic.append(
                {"latestRevision": False, "percent": 100 - percent, "revisionName": "previous", "tag": "prev"}
            )
        live["metadata"]["generation"] = generation
        live["status"] = {
            "observedGeneration": generation,
            "components": {
                "predictor": {"latestCreatedRevision": name, "latestReadyRevision": name, "traffic": traffic} | wrong
            },
        }
        self.status.write_text(json.dumps(live))


def _swap(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def nginx_place(folder: Path) -> Place:
    path, status = folder / "split.conf", folder / "status"
    words = NginxWords("$arg_customer", "model_{version}", "true", "true", str(status), steady_s=0)

    def follow() -> None:
        found = NginxServing(path, words).read()
        status.parent.mkdir(parents=True, exist_ok=True)
        status.write_text(found.stated if isinstance(found, Serves) else "nothing")

    return Place(
        lambda: NginxServing(path, words),
        lambda: (
            _swap(path, "* model_1;", "* model_2;") if "* model_1;" in path.read_text() else _swap(path, "95%", "94%")
        ),
        lambda: path.write_bytes(b"\xff"),
        follow,
    )


@dataclass
class DatabricksPlace(Place):
    """Its workspace too, for tests of what only it does."""

    workspace: Workspace = field(default_factory=Workspace)


def databricks_place(folder: Path) -> DatabricksPlace:
    del folder
    workspace = Workspace()
    workspace.make_endpoint("flights-delay", "flights", "0", workload_size="Small", environment_vars={"A": "b"})
    served_until_exit(workspace)
    words = DatabricksWords("flights-delay", "/Volumes/main/ml/gates/staging", wait_s=20, poll_s=0.01)

    def open_() -> DatabricksServing:
        os.environ |= {"DATABRICKS_HOST": workspace.address, "DATABRICKS_TOKEN": OWNER}
        return DatabricksServing(words)

    def edit() -> None:
        routes = workspace.endpoint["config"]["traffic_config"]["routes"]
        if len(routes) == 1:
            workspace.endpoint["config"]["served_entities"][0]["entity_version"] = "77"
            return
        routes[0]["traffic_percentage"] -= 1
        routes[1]["traffic_percentage"] += 1

    return DatabricksPlace(
        open_,
        edit,
        lambda: workspace.files.update({name: b"{" for name in workspace.files if name.endswith("delay.json")}),
        workspace=workspace,
    )


PLACES: dict[str, Callable[[Path], Place]] = {
    "file": file_place,
    "kserve": kserve_place,
    "nginx": nginx_place,
    "databricks": databricks_place,
}
