"""Where the policies in force are had by their digest: from the working tree, else from the store."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gates.bundle.trust import Trust
from gates.errors import EvidenceError, UsageError
from gates.project import Project
from gates.records.base import Digest

if TYPE_CHECKING:
    from gates.apply.act import Judge, PoliciesBy
    from gates.bundle.keys import Signer
    from gates.decide.policies import PolicySet


def judge_of(project: Project, signer: Signer) -> Judge:
    """Return who judges the actions that this key asks for."""
    from gates.apply.act import Judge

    return Judge(signer, policies_in_force(project), project.accounts)


def policies_in_force(project: Project) -> PoliciesBy:
    """Return where policies are had by their digest."""
    from gates.apply.act import first_of
    from gates.decide.policies import PolicySet

    def here(digest: Digest, trust: Trust) -> PolicySet:
        try:
            policies = project.policies
        except UsageError as error:
            raise EvidenceError(error.message, code="policy.folder") from error
        if policies.digest != digest:
            raise EvidenceError("the working tree has other policies", code="policy.inactive", where=digest)
        return replace(policies, trust=trust)

    def stored(digest: Digest, trust: Trust) -> PolicySet:
        return PolicySet.from_store(project.store, digest, trust)

    return first_of(here, stored)
