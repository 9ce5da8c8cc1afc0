"""Changing policies: build, test, lint and compare them before they are put in force."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gates.errors import EngineError, UsageError
from gates.project import DEVELOPMENT
from gates.records.base import is_digest

if TYPE_CHECKING:
    from gates.audit.simulate import Simulation
    from gates.decide.policies import PolicySet
    from gates.decide.policy_changes import Change, Tested
    from gates.project import Project


def owners_folder(project: Project) -> Path:
    """Return the policy owners' folder.

    Raises
    ------
    UsageError: the spec names none.
    """
    if project.spec.policies is None:
        raise UsageError("gates.yaml names no policies", code="spec.policies_missing", remedy="add `policies:` to it")
    return project.spec.path(project.spec.policies)


def build(project: Project, out: Path | None, *, key: Path | None, algorithm: str) -> list[Path]:
    """Compile sources of the owners' own where they are new; with `out`, write the policies as OPA's bundle."""
    from gates.decide.opa_binary import find_opa, get_opa
    from gates.decide.policies import PolicySet
    from gates.decide.policy_bundle import build_owners_module, is_current, write_bundle

    folder = project.spec.path(project.spec.policies) if project.spec.policies else None
    policies = PolicySet.load(folder, project.trust)
    written = []
    if not is_current(policies):
        if folder is None:
            raise EngineError("the shipped module is not of the shipped sources", code="module.stale")
        written.append(build_owners_module(policies, folder, get_opa()))
        policies = PolicySet.load(folder, project.trust)
    if out is not None:
        written += write_bundle(policies, out, opa=find_opa(), key=key, algorithm=algorithm)
    return written


def test(project: Project) -> Tested:
    """Run the owners' own tests by OPA."""
    from gates.decide.opa_binary import get_opa
    from gates.decide.policies import PolicySet
    from gates.decide.policy_changes import test as run

    folder = owners_folder(project)
    return run(PolicySet.load(folder, project.trust), folder, get_opa())


def lint(project: Project, *, holdout: bool = False) -> list[str]:
    """Say what is wrong with the owners' sources and data; with `holdout`, which limits the spec's holdout cannot show."""
    from gates.decide.arithmetic import additions
    from gates.decide.opa_binary import find_opa
    from gates.decide.owners_types import misfits
    from gates.decide.policies import PolicySet
    from gates.decide.policy_lint import below_resolution
    from gates.decide.policy_lint import lint as run

    folder = owners_folder(project)
    policies = PolicySet.load(folder, project.trust)
    found = run(policies, folder)
    opa = find_opa() if any(path.startswith("custom/") for path in policies.rego) else None
    if opa is not None:
        # Without OPA `gates policy build` finds it, which cannot do without.
        found += [*additions(opa, policies.rego), *misfits(opa, policies)]
    if not holdout:
        return found
    from gates.flow.resolution import resolution
    from gates.flow.stages import make_plan

    return [*found, *below_resolution(resolution(project, make_plan(project, DEVELOPMENT, None)))]


def diff(project: Project, one: str, other: str) -> list[Change]:
    """Compare two policy sets, each a folder of policy owners or a digest in the store."""
    from gates.decide.policy_changes import diff as run

    return run(policies_named(project, one), policies_named(project, other))


def policies_named(project: Project, name: str) -> PolicySet:
    """Return a policy set by its digest in the store, or by the owners' folder.

    Raises
    ------
    UsageError: no such folder. EvidenceError: the store lacks the digest.
    """
    from gates.decide.policies import PolicySet

    if is_digest(name):
        return PolicySet.from_store(project.store, name, project.trust)
    return PolicySet.load(Path(name), project.trust)


def simulate(
    project: Project, policy: str | None, *, check: str | None, limits: Sequence[float], jobs: int
) -> list[tuple[float | None, Simulation]]:
    """Judge past decisions again: once under other policies, or once for each limit of a check."""
    from gates.audit.simulate import simulate as run
    from gates.audit.simulate import with_limit

    policies = policies_named(project, policy) if policy else project.policies
    if check is None:
        return [(None, run(project.store, policies, jobs=jobs))]
    return [(limit, run(project.store, with_limit(policies, check, limit), jobs=jobs)) for limit in sorted(limits)]
