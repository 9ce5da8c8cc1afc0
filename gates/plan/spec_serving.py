"""The serving target, as gates.yaml names it: one of its kinds, and the file of feature flags beside it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from gates.plan.placeholders import only
from gates.plan.spec_columns import Part
from gates.records.base import Name

Place = Annotated[Name, only("environment")]


class PullRequestSpec(Part):
    """Asking people on GitHub to merge the branch that was pushed."""

    repository: Annotated[Name, Field(pattern=r"^[\w.-]+/[\w.-]+$")] = Field(description="The repository: owner/name.")
    into: Annotated[Name, Field(pattern=r"^\w[\w./-]*$")] = Field(
        default="main", description="The branch to merge into."
    )
    api: Annotated[Name, Field(pattern=r"^https?://[\w.:\[\]-]+(/[\w./-]*)?$")] = Field(
        default="https://api.github.com", description="The REST interface; of GitHub Enterprise https://HOST/api/v3."
    )


class KServeSpec(Part):
    """An InferenceService in a GitOps repository."""

    manifest: Place = Field(description="The manifest's file; {environment} is the rung.")
    storage_uri: Annotated[Name, only("version", "digest", "model")] = Field(
        description="Where the model server loads a version from; {version}, {digest} and {model} are filled in."
    )
    status: Place | None = Field(
        default=None, description="File or URL of the live object as JSON; without it nobody sees the traffic."
    )
    commit: bool = Field(default=False, description="Commit the manifest, with the decision in a trailer.")
    push: Annotated[Place, Field(pattern=r"^[\w{}][\w./{}-]*$")] | None = Field(
        default=None, description="Push the commit to this branch of origin, without force."
    )
    pull_request: PullRequestSpec | None = Field(
        default=None, description="Ask for the pushed branch to be merged; it is this manifest's own, and is replaced."
    )

    @model_validator(mode="after")
    def _committed(self) -> KServeSpec:
        if self.push is not None and not self.commit:
            raise ValueError("push needs `commit: true`")
        if self.pull_request is not None and "{environment}" not in (self.push or ""):
            raise ValueError("pull_request needs a branch of its own: push: model-gates/{environment}")
        return self


class NginxSpec(Part):
    """A file of split_clients in nginx's http block."""

    config: Place = Field(description="The file, ours alone; {environment} is the rung.")
    key: Annotated[Name, Field(pattern=r"^(\$[a-z0-9_]+)+$")] = Field(
        description="The nginx variable whose value chooses the version, such as $cookie_customer."
    )
    upstream: Annotated[Name, Field(pattern=r"^[\w.{}-]+$"), only("version")] = Field(
        description="The upstream of a version; {version} is filled in."
    )
    test: Name = Field(default="nginx -t", description="Command that checks the configuration.")
    reload: Name = Field(default="nginx -s reload", description="Command that loads it.")
    status: Place | None = Field(
        default=None, description="Address that answers $model_gates_release; without it nobody sees the traffic."
    )
    shadow: Place | None = Field(
        default=None, description="The file of `gates shadow`, ours alone: which version gets a copy of each request."
    )


class DatabricksSpec(Part):
    """A Databricks model serving endpoint."""

    endpoint: Annotated[Place, Field(pattern=r"^[\w.{}-]+$")] = Field(
        description="The endpoint's name; it exists already; {environment} is the rung."
    )
    volume: Annotated[Place, Field(pattern=r"^/Volumes(/[^/]+){3,}$")] = Field(
        description="Folder in a volume for what it states, the rollback pack and the journal."
    )
    entity: Annotated[Name, only("model")] = Field(
        default="{model}", description="The registered model's name in the workspace; {model} is filled in."
    )
    profile: Name | None = Field(default=None, description="Of ~/.databrickscfg; default: what the environment says.")
    wait_minutes: Annotated[int, Field(ge=0, le=240)] = Field(
        default=30, description="How long an update is waited for before the move is left open."
    )


KINDS = ("file", "kserve", "nginx", "databricks")


class Serving(Part):
    """Where the answer is carried out: one kind of target."""

    file: Place | None = Field(default=None, description="The serving file; {environment} is the rung.")
    kserve: KServeSpec | None = Field(default=None, description="An InferenceService manifest.")
    nginx: NginxSpec | None = Field(default=None, description="A split by nginx, by a stable key.")
    databricks: DatabricksSpec | None = Field(default=None, description="A Databricks endpoint.")
    flags: Place | None = Field(default=None, description="A flagd file (JSON) whose flags the release pins.")
    configuration: Place | None = Field(
        default=None, description="How the candidate is to serve: replicas, size, capture, traffic, variables."
    )

    @model_validator(mode="after")
    def _one(self) -> Serving:
        if sum(getattr(self, kind) is not None for kind in KINDS) != 1:
            raise ValueError(f"one of {', '.join(KINDS)}")
        return self

    @property
    def name(self) -> str:
        """The target as the spec writes it: what a decision names."""
        if self.kserve:
            return self.kserve.manifest
        if self.nginx:
            return self.nginx.config
        return self.databricks.endpoint if self.databricks else self.file or ""


class BatchSpec(Part):
    """Scores by the deployed version, a partition at a time."""

    input: Annotated[Name, only("partition", "environment")] = Field(
        description="Parquet or CSV file of requests; {partition} and {environment} are filled in."
    )
    output: Place = Field(description="Folder of the scores; {environment} is the rung.")
