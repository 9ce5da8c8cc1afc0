"""What `gates policy build` writes: the module of a set's own sources, and its bundle for OPA, signed with a key."""

from __future__ import annotations

import tempfile
from pathlib import Path

from gates.decide.build_module import compile_rego, run_opa, sidecar_of
from gates.decide.opa_binary import OpaBinary
from gates.decide.owners_types import misfits
from gates.decide.policies import MODULE, MODULE_FOLDER, SIDECAR, PolicySet
from gates.errors import EngineError, UsageError

BUNDLE = "bundle.tar.gz"
FOLDER = "bundle"
ALGORITHMS = ("ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512")


def is_current(policies: PolicySet) -> bool:
    """Whether the set's module is of its sources; a change of data leaves it so."""
    try:
        policies.check_module()
    except EngineError:
        return False
    return True


def build_owners_module(policies: PolicySet, owners: Path, opa: OpaBinary) -> Path:
    """Compile a set with sources of the owners' own, and write the module where `PolicySet.load` finds it.

    Raises
    ------
    EngineError: OPA refuses the sources, their types do not fit, or they use what a decision may not depend on.
    """
    wrong = misfits(opa, policies)
    if wrong:
        raise EngineError("; ".join(wrong), code="module.build")
    module = compile_rego(opa, policies.rego, policies.roots)
    folder = owners / MODULE_FOLDER
    folder.mkdir(exist_ok=True)
    (folder / MODULE).write_bytes(module)
    (folder / SIDECAR).write_bytes(sidecar_of(opa, policies.rego, module))
    return folder / MODULE


def write_bundle(
    policies: PolicySet, out: Path, *, opa: OpaBinary | None, key: Path | None = None, algorithm: str = "ES256"
) -> list[Path]:
    """Write `bundle/` for a sidecar or conftest and, with OPA, `bundle.tar.gz` for a bundle server.

    Parameters
    ----------
    key: private key in PEM; an OPA that is told the public one refuses a bundle that it did not sign.

    Raises
    ------
    UsageError: `policy.signing_key`. EngineError: `opa.unavailable`, OPA refuses.
    """
    if key is not None and not key.is_file():
        raise UsageError("no such key", code="policy.signing_key", where=str(key))
    if key is not None and opa is None:
        raise EngineError("a bundle is signed by OPA, and none is here", code="opa.unavailable")
    out.mkdir(parents=True, exist_ok=True)
    policies.write_bundle(out / FOLDER)
    if opa is None:
        return [out / FOLDER]
    signing = ["--signing-key", str(key.resolve()), "--signing-alg", algorithm] if key else []
    with tempfile.TemporaryDirectory(prefix="gates-bundle-") as folder:
        policies.write_bundle(Path(folder) / "policies")
        named = ["--revision", policies.digest, "--output", BUNDLE]
        run_opa(opa, Path(folder), "build", "--bundle", "policies", *named, *signing)
        (out / BUNDLE).write_bytes((Path(folder) / BUNDLE).read_bytes())
    return [out / FOLDER, out / BUNDLE]
