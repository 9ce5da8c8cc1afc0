"""What the policies' other entry points see: `plan`, what is to be gated and what could be answered; `activation`, where."""

from typing import Any, Literal

from gates.records.base import Digest, Environment, Name, Record
from gates.records.measurement import Slice
from gates.records.plan import Backfill, Document, Role, TableRole, Task


class Wish(Record):
    """A check that a spec adds to what the policy requires.

    Attributes
    ----------
    role: `prove` for the whole and named slices, `no-harm` for `each`, unless said.
    environments: absent means all.
    """

    check: Name
    role: Role | None = None
    slice: Slice | None = None
    each: Name | None = None
    environments: tuple[Environment, ...] | None = None


class PlanRequest(Record):
    """Facts about a spec, and no limits.

    Attributes
    ----------
    roles: roles of the tables at hand. columns: words of the spec's `columns` that name something. documents: what stands
    beside any of the tables. slices: columns whose values are slices, besides the policy's own.
    cluster: column that groups dependent rows, used where the policy names none. independent_rows: declared so.
    backfill: what the rewrite of a table was to do.
    """

    model: Name
    task: Task
    environments: tuple[Environment, ...]
    built_in: bool
    has_champion: bool
    has_sets: bool
    roles: tuple[TableRole, ...]
    columns: tuple[Name, ...]
    documents: tuple[Document, ...] = ()
    slices: tuple[Name, ...]
    cluster: Name | None = None
    independent_rows: Literal[True] | None = None
    backfill: Backfill | None = None
    extra: tuple[Wish, ...]


class OwnRules(Record):
    """Digests of the Rego of policy owners, by the name of its folder: of the policies in force, and of those to come."""

    in_force: dict[Name, Digest]
    coming: dict[Name, Digest]


class ActivationRequest(Record):
    """Where a policy set is to be put in force.

    Attributes
    ----------
    in_force: what the policies in force there say of each model; absent, as is `custom`, where none are.
    """

    environment: Environment
    in_force: dict[Name, dict[str, Any]] | None = None
    custom: OwnRules | None = None
