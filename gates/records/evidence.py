"""Evidence and bundle: what was measured, about whom, from which bytes, sealed."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from gates.records.base import Digest, Micros, ModelVersion, Name, Record, RowDigest, SchemaVersion
from gates.records.measurement import Measurement
from gates.records.plan import TableRole

EVIDENCE_TYPE = "urn:model-gates:evidence:v1"
BUNDLE_TYPE = "urn:model-gates:bundle:v1"

Isolation = Literal["namespace", "process", "none"]
"""How the model ran: in namespaces of its own, as a bare process, or not at all (predictions supplied)."""


class TableIdentity(Record):
    """A table as it was read: digest of the bytes of its file, or files, and the number of rows.

    Of a feature store, a request log or a query it is the digest of the attachment `source-ROLE.json`.

    Attributes
    ----------
    snapshot: of a table that has versions, which one: `delta:12`. Of a source, which: `feast:0.67.0`.
    """

    role: TableRole
    uri: Name
    digest: Digest
    rows: Annotated[int, Field(ge=0)]
    as_of_us: Micros | None = None
    snapshot: Name | None = None


class Code(Record):
    """What computed the figures."""

    distribution: Name = "model-gates"
    version: Name
    revision: Name | None = None


class Attachment(Record):
    """Bytes in the store that explain figures: reliability bins, causes, logs."""

    name: Name
    digest: Digest
    media_type: Name


class Changelog(Record):
    """What was changed, why, and what is expected of it; in one line each."""

    what: Name | None = None
    why: Name | None = None
    impact: Name | None = None


class Tag(Record):
    name: Name
    value: str


class Metadata(Record):
    """Where a candidate comes from, as its version and its training run say. What nobody said is absent.

    Attributes
    ----------
    training_snapshot, validation_snapshot: digest or version of the rows that it was fitted and chosen on.
    query_digest, as_of_us: of the query that made them, and the time up to which it saw.
    feature_definitions, label_definition: digest or text. parameters: digest of the training's parameters.
    environment: digest of the packages or the image. code_revision: of the training code.
    vulnerability_scan: digest of the scan's report.
    authors: whoever triggered training or measuring, or committed since the champion's revision: up to code_revision, and
    up to what was checked out where the candidate was measured.
    since_revision: the champion's, from which on committers are named; absent where the history could not be read.
    """

    training_snapshot: Name | None = None
    validation_snapshot: Name | None = None
    query_digest: Name | None = None
    as_of_us: Micros | None = None
    feature_definitions: Name | None = None
    label_definition: Name | None = None
    parameters: Digest | None = None
    environment: Name | None = None
    code_revision: Name | None = None
    tags: tuple[Tag, ...] = ()
    changelog: Changelog = Changelog.model_construct()
    vulnerability_scan: Name | None = None
    authors: tuple[Name, ...] = ()
    since_revision: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{7,64}$")] | None = None


class Evidence(Record):
    """The predicate of a gate's in-toto statement; the statement's subject is the candidate."""

    schema_version: SchemaVersion = "v1"
    gate: Name
    candidate: ModelVersion
    champion: ModelVersion | None = None
    plan_digest: Digest
    tables: tuple[TableIdentity, ...]
    code: Code
    isolation: Isolation
    started_us: Micros
    finished_us: Micros
    measurements: tuple[Measurement, ...]
    attachments: tuple[Attachment, ...] = ()


class EvidenceRef(Record):
    """A sealed statement: the gate and the digest of its exact envelope bytes."""

    gate: Name
    digest: Digest


class Bundle(Record):
    """The manifest: all evidence of one candidate. Its own envelope's digest is the bundle's name.

    Attributes
    ----------
    holdout_sketch: the smallest digests of the holdout's rows, ascending: by them looks at a part of it are counted.
    """

    schema_version: SchemaVersion = "v1"
    candidate: ModelVersion
    champion: ModelVersion | None = None
    plan_digest: Digest
    evidence: tuple[EvidenceRef, ...]
    attachments: tuple[Attachment, ...] = ()
    holdout_digest: Digest | None = None
    holdout_sketch: tuple[RowDigest, ...] | None = None
    metadata: Metadata | None = None
    created_us: Micros
