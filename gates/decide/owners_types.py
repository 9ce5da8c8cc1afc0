"""Rego of policy owners, typed: a built-in that is given what it cannot take is found before it is in force.

The compiled policies leave undefined what OPA's strict errors refuse, so that a rule of this kind would say nothing there.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from gates.decide.build_module import run_opa
from gates.decide.opa_binary import OpaBinary
from gates.decide.policies import PolicySet
from gates.errors import EngineError
from gates.resources import policies_folder, schema_folder

_INPUT = b"""# METADATA
# scope: subpackages
# schemas:
#   - input: schema["decision-input.v1"]
package custom
"""


def misfits(opa: OpaBinary, policies: PolicySet) -> list[str]:
    """Return what OPA's check, strict and by the schemas, says of the owners' sources: one line each, with the place."""
    if not any(path.startswith("custom/") for path in policies.rego):
        return []
    with tempfile.TemporaryDirectory(prefix="gates-check-") as folder:
        policies.write_bundle(Path(folder) / "policies")
        (Path(folder) / "policies" / "custom" / "input.rego").write_bytes(_INPUT)
        schemas, capabilities = str(schema_folder()), str(policies_folder() / "capabilities.json")
        given = ["--schema", schemas, "--capabilities", capabilities, "--bundle", "policies"]
        try:
            run_opa(opa, Path(folder), "check", "--strict", *given)
        except EngineError as error:
            _, *said = re.split(r"\s(?=policies/)", error.message)
            return [" ".join(one.removeprefix("policies/").split()) for one in said] or [error.message]
    return []
