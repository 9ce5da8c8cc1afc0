"""gates.yaml: which model, where its tables are, what is measured besides. The spec adds to policy, never softens it.

There is no word for a limit in it, on purpose: limits are the policy owners'. Paths count from the file's folder; the
plan carries them as written, so that one plan has one digest on every machine.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    Field,
    PrivateAttr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from gates.errors import UsageError
from gates.plan.document import read_document
from gates.plan.placeholders import resolve_path
from gates.plan.spec_backfill import BackfillSpec
from gates.plan.spec_columns import ColumnsSpec, Names, Part
from gates.plan.spec_release import ReleaseSpec
from gates.plan.spec_rollback import RollbackSpec
from gates.plan.spec_serving import BatchSpec, Serving
from gates.plan.spec_tables import Location, Tables, TableSpec
from gates.plan.wording import say
from gates.records import Columns, Digest, Environment, Table
from gates.records.base import Name
from gates.records.plan import Parity, Role, Served, TableRole, Task

SPEC_NAME = "gates.yaml"
SCHEMA_ID = "urn:model-gates:schema:gates:v1"
_WORKSPACES = ("databricks", "databricks-uc")
"""Registries whose URI may be this word alone, where the environment says which workspace."""
ModelUri = Annotated[Location, Field(pattern=r"^models:/[^/@]+(/[^/]+|@[^/]+)$")]
Step = Annotated[int, Field(strict=True, ge=1, le=100)]


class ServedSpec(Part):
    """How a feature is compared, besides what policy says: both must hold, so that this is never softer."""

    absolute: Annotated[float, Field(strict=True, ge=0)] | None = Field(
        default=None, description="Numbers: |a - b| <= absolute + relative * max(|a|, |b|), or within ulp."
    )
    relative: Annotated[float, Field(strict=True, ge=0, lt=1)] | None = None
    ulp: Annotated[int, Field(strict=True, ge=0, le=2**20)] | None = Field(
        default=None, description="Units in the last place; of single precision where either column is."
    )
    max_age_s: Annotated[float, Field(strict=True, ge=0)] | None = Field(
        default=None, description="Seconds; an online value that is older is too old."
    )
    written: Name | None = Field(default=None, description="When the online value was written: a column of online.")


class ParitySpec(Part):
    """The comparison of the offline with the online table."""

    written: Name | None = Field(
        default=None, description="When the online values were written: a column of the online table."
    )
    features: dict[Name, ServedSpec] = Field(default={}, description="What is said of a feature.")

    fingerprint: bool = Field(
        default=False, description="Keep what the offline table looks like, for a comparison without the data."
    )

    def plan(self) -> Parity:
        """Return it in the plan's form."""
        features = (Served(feature=name, **said.model_dump()) for name, said in sorted(self.features.items()))
        return Parity(written=self.written, features=tuple(features), fingerprint=self.fingerprint)


class SliceSpec(Part):
    """The rows where a column has a value."""

    column: Name
    value: str


class Extra(Part):
    """A check required besides what policy requires."""

    check: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$")] = Field(description="gate.metric")
    role: Role | None = Field(default=None, description="Default: prove; no-harm where each is given.")
    each: Name | None = Field(default=None, description="For every value of this column.")
    slice: SliceSpec | None = Field(default=None, description="For the rows where a column has a value.")
    environments: tuple[Environment, ...] | None = Field(default=None, description="Default: every rung.")

    @model_validator(mode="after")
    def _one_place(self) -> Extra:
        if self.each is not None and self.slice is not None:
            raise ValueError("each or slice, not both")
        return self

    def wish(self) -> dict[str, Any]:
        """Return what the policy is asked to add."""
        wish = self.model_dump(mode="json", exclude_none=True)
        return wish | ({"slice": {"kind": "value", **wish["slice"]}} if self.slice else {})


class Spec(Part):
    """gates.yaml. It has no limits: those are the policy owners'."""

    schema_version: Literal["v1"] = "v1"
    schema_url: str | None = Field(default=None, alias="$schema", exclude=True, description="For editors.")
    model: Name = Field(description="The registered model's name.")
    task: Task = Field(description="What the model predicts.")
    registry: Location | None = Field(default=None, description="MLflow registry URI.")
    candidate: ModelUri | None = Field(
        default=None, description="Default of --candidate: models:/name@alias or /version."
    )
    champion: ModelUri | None = Field(default=None, description="For development; above it the ledger says.")
    policies: Location | None = Field(default=None, description="The policy owners' folder.")
    trust: Location | None = Field(default=None, description="The policy owners' trust file.")
    store: Location = Field(
        default=".gates/store",
        description="Where evidence is kept, by digest: a folder, or the URL of an fsspec file system; GATES_STORE goes before it.",
    )
    ledger: Location | None = Field(default=None, description="The ledger's URI; needed above development.")
    serving: Serving | None = Field(default=None, description="The serving target.")
    batch: BatchSpec | None = Field(default=None, description="Scores by the deployed version, in files.")
    release: ReleaseSpec | None = Field(default=None, description="What serves besides the model version.")
    rollback: RollbackSpec | None = Field(default=None, description="Where what a rollback needs is found.")
    packages: Literal["ours", "own"] = Field(
        default="ours",
        description="What the model runs with: this installation's packages, or those it was logged with.",
    )
    engine: Literal["duckdb", "spark"] = Field(
        default="duckdb", description="What computes the sums; spark: a running session, else one of this machine."
    )
    columns: ColumnsSpec
    cluster: Name | None = Field(
        default=None,
        description="Rows with the same value hang together; where policy names none. Default: the day in UTC of columns.time.",
    )
    rows: Literal["independent"] | None = Field(
        default=None, description="Declares independent rows, instead of cluster and of days."
    )
    slices: Names = Field(default=(), description="Columns whose every value is measured on its own.")
    extra: tuple[Extra, ...] = Field(default=(), description="Checks besides those of policy.")
    parity: ParitySpec | None = Field(default=None, description="How offline and online are compared.")
    tables: Tables
    backfill: BackfillSpec | None = Field(
        default=None, description="What the rewrite of the table live, which is there as shadow, was to do."
    )
    rollout: dict[Environment, tuple[Step, ...]] = Field(default={}, description="Percent of traffic, step by step.")

    _base: Path = PrivateAttr(default=Path())

    def model_post_init(self, context: Any, /) -> None:
        """Remember the folder of the file, where it was read from one."""
        self._base = (context or {}).get("base", Path())

    @field_validator("columns")
    @classmethod
    def _of_the_task(cls, columns: ColumnsSpec, info: ValidationInfo) -> ColumnsSpec:
        task = info.data.get("task")
        if task is None:
            return columns
        if foreign := columns.foreign_to(task):
            raise ValueError(f"{foreign} is no word of a {task} task")
        if task == "multiclass" and not columns.classes:
            raise ValueError("classes is missing: the label's values, in the order of the model's probabilities")
        if task == "binary" and len(columns.set_columns) > 2:
            raise ValueError("set_columns are of 0, then of 1, in a binary task")
        return columns

    @field_validator("rows")
    @classmethod
    def _one_claim(cls, rows: str | None, info: ValidationInfo) -> str | None:
        if rows is not None and info.data.get("cluster") is not None:
            raise ValueError("rows are independent or in clusters, not both")
        return rows

    @field_validator("backfill")
    @classmethod
    def _compared(cls, backfill: BackfillSpec | None, info: ValidationInfo) -> BackfillSpec | None:
        tables, columns = info.data.get("tables"), info.data.get("columns")
        if backfill is None or tables is None or columns is None:
            return backfill
        if tables.live is None or tables.shadow is None:
            raise ValueError("needs the tables live and shadow")
        if backfill.lateness is not None and columns.ingested is None:
            raise ValueError("lateness needs columns.ingested: when a row came in")
        if said := backfill.left_out(columns):
            raise ValueError(said)
        return backfill

    @model_validator(mode="after")
    def _declared(self) -> Spec:
        if self.backfill is None and (self.tables.live or self.tables.shadow or self.tables.rerun):
            raise ValueError("backfill is missing: what the rewrite of the table live was to do")
        return self

    @field_validator("rollout")
    @classmethod
    def _rises(cls, rollout: dict[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
        for environment, steps in rollout.items():
            if not steps or list(steps) != sorted(set(steps)) or steps[-1] != 100:
                raise ValueError(f"{environment}: steps rise and end at 100, such as [5, 25, 100]")
        return rollout

    @property
    def base(self) -> Path:
        """The folder that relative paths count from."""
        return self._base

    def document(self) -> dict[str, Any]:
        """Return the canonical document: what was said and every default, without the editor's `$schema`."""
        return self.model_dump(mode="json", exclude_none=True)

    @property
    def digest(self) -> Digest:
        """Digest of the canonical document; comments, order and the folder do not count."""
        from gates.bundle.canonical import digest_document

        return digest_document(self.document())

    def path(self, text: str) -> Path:
        """Return a path or file URI of the spec as an absolute path."""
        return resolve_path(text, self._base)

    def uri(self, text: str) -> str:
        """Return a URI with a relative `sqlite:///` path or plain path made absolute; other URIs as they are."""
        if match := re.match(r"^(sqlite(?:\+\w+)?:///)(?!/)([^?]+)(\?.*)?$", text):
            return f"{match[1]}{(self._base / match[2]).absolute()}{match[3] or ''}"
        plain = "://" not in text and not text.startswith("git:") and text not in _WORKSPACES
        return str(self.path(text)) if plain else text

    def plan_tables(self, *, pull_request: bool = False) -> tuple[Table, ...]:
        """Return the tables in the plan's form, by role; URIs as written.

        Parameters
        ----------
        pull_request: the holdout is the one that is named for pull requests.
        """
        found = []
        for role in get_args(TableRole):
            named = "pull_request" if pull_request and role == "holdout" else role
            table: TableSpec | None = getattr(self.tables, named)
            if table is not None:
                found.append(table.record(role, self.columns.time))
        return tuple(found)

    def plan_columns(self, features: tuple[str, ...] = ()) -> Columns:
        """Return the columns in the plan's form; `features` is the signature, used where the spec names none."""
        return Columns(**{**self.columns.model_dump(), "features": self.columns.features or features})


def load_spec(path: Path | str = SPEC_NAME) -> Spec:
    """Read and check gates.yaml (a file, or the folder that holds it).

    Raises
    ------
    UsageError (exit 2): every error at once, one a line: `gates.yaml:12: tables.holdot: unknown word; ...`.
    """
    file = Path(path)
    file = file / SPEC_NAME if file.is_dir() else file
    if not file.is_file():
        raise UsageError("no such file", code="spec.missing", where=str(file), remedy="gates init writes one")
    document = read_document(file)
    try:
        content = {} if document.value is None else document.value
        return Spec.model_validate(content, context={"base": file.absolute().parent})
    except ValidationError as error:
        raise say(error, Spec, document) from error


def spec_schema() -> dict[str, Any]:
    """Return the JSON Schema of gates.yaml, for editors and for `evidence/schema/gates.v1.json`."""
    schema = Spec.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA_ID, **schema}
