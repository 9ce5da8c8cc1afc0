"""How a model is to serve, as its file says: replicas, size, capture of requests, traffic and variables. Input of DECIDE.

Values of variables are looked at here and go no further: the record says what they look like, never what they are.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from gates.bundle.canonical import digest_bytes
from gates.errors import UsageError
from gates.plan.document import MAX_BYTES, parse_document
from gates.records.base import Name, first_fault
from gates.records.decision import ServingConfiguration, Variable

Percent = Annotated[int, Field(strict=True, ge=0, le=100)]
Count = Annotated[int, Field(strict=True, ge=0, le=100_000)]

NAMED_LIKE_A_SECRET = re.compile(
    r"passw(or)?d|passphrase|(?<![a-z])pwd|secret|token|credential|(api|private|access|encryption|signing|master)[-_. ]?key",
    re.IGNORECASE,
)
SECRETS = {
    "an access key": re.compile(r"\b((AKIA|ASIA)[0-9A-Z]{16}|AIza[\w-]{35})(?![\w-])"),
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY"),
    "a token": re.compile(
        r"\b(gh[oprsu]_[A-Za-z0-9]{36}|github_pat_\w{20,}|glpat-[\w-]{20,}|dapi[0-9a-f]{32}|xox[abeprs]-[\w-]{10,}"
        r"|hf_[A-Za-z0-9]{30,}|sk-[\w-]{20,}|[sr]k_(live|test)_\w{16,}|npm_[A-Za-z0-9]{36}|pypi-[\w-]{20,})"
    ),
    "a web token": re.compile(r"\beyJ[\w-]{6,}\.[\w-]{6,}\.[\w-]*"),
    "credentials of a request": re.compile(r"\b(bearer|basic)\s+[\w.~+/-]{8,}=*", re.IGNORECASE),
    "a password in a URL": re.compile(r"://[^/\s:@]*:[^/\s@]+@"),
    "a password among settings": re.compile(r"\b(password|passwd|pwd|accountkey)\s*=\s*[^\s;&]", re.IGNORECASE),
}


class _Form(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class _Replicas(_Form):
    minimum: Count
    maximum: Count | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.maximum is not None and self.maximum < self.minimum:
            raise ValueError("`maximum` is less than `minimum`")
        return self


class _Capture(_Form):
    percent: Percent


class _Share(_Form):
    version: Name
    percent: Percent


class _Secret(_Form):
    from_secret: Name


class _File(_Form):
    replicas: _Replicas | None = None
    size: Name | None = None
    capture: _Capture | None = None
    traffic: tuple[_Share, ...] = ()
    variables: dict[Name, _Secret | str | int | float | bool] = Field(default_factory=dict)


def read_serving_configuration(path: Path, *, name: str) -> ServingConfiguration | None:
    """Read the configuration of one environment; None where there is no such file, which policy may deny.

    Parameters
    ----------
    name: what errors call the file.

    Raises
    ------
    UsageError: `serving.invalid`: it cannot be read, or a word means nothing.
    """
    if not path.exists():
        return None
    try:
        raw = path.read_bytes()[: MAX_BYTES + 1]
        said = _File.model_validate(parse_document(raw, name).value)
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", code="serving.invalid", where=name) from error
    except ValidationError as error:
        remedy = "docs/metadata.md shows the form"
        raise UsageError(first_fault(error), code="serving.invalid", where=name, remedy=remedy) from error
    return ServingConfiguration(
        digest=digest_bytes(raw),
        minimum_replicas=said.replicas.minimum if said.replicas else None,
        maximum_replicas=said.replicas.maximum if said.replicas else None,
        size=said.size,
        capture_percent=said.capture.percent if said.capture else None,
        traffic=tuple(share.percent for share in said.traffic),
        variables=tuple(_variable(key, value) for key, value in sorted(said.variables.items())),
    )


def _variable(name: str, value: _Secret | str | float) -> Variable:
    if isinstance(value, _Secret):
        return Variable(name=name, kind="reference")
    looks = ["a secret by its name"] if NAMED_LIKE_A_SECRET.search(name) and str(value) else []
    looks += [kind for kind, form in SECRETS.items() if form.search(str(value))]
    return Variable(name=name, kind="plain", looks_like=tuple(looks))
