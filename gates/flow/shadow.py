"""Shadow: which version gets a copy of the requests. Nothing is decided and nothing moves."""

from __future__ import annotations

from gates.errors import UsageError
from gates.project import Project
from gates.records import Environment, ModelVersion


def shadow(project: Project, environment: Environment, uri: str | None, *, off: bool) -> ModelVersion | None:
    """Name the shadow of an environment, end it, or say which one there is.

    Raises
    ------
    UsageError: gates.yaml names no file for it, another model, no such version. EngineError: nginx refuses.
    EvidenceError: what stands there was edited by hand.
    """
    from gates.apply.serving.opening import open_shadow

    project.check_environment(environment)
    place = open_shadow(project.spec, environment)
    if off:
        place.write(None)
    elif uri is not None:
        version = project.registry.resolve(uri).version
        if version.name != project.spec.model:
            raise UsageError(
                f"another model than {project.spec.model}",
                code="shadow.model",
                where=uri,
                remedy="name a version of it",
            )
        place.write(version)
    return place.read()
