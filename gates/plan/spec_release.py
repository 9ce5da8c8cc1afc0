"""What serves besides the model version, as gates.yaml says it: digests, versions and pins, and `none` for what the
model lacks. Every word is optional; a word that is missing says nothing, `none` says that there is no such part.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from gates.plan.spec_columns import Part
from gates.records.base import Digest, Name
from gates.records.release import Part as PartName
from gates.records.release import Parts, Pin

Lacks = Literal["none"]
Value = Annotated[bool, Field(strict=True)] | Annotated[int, Field(strict=True, gt=-(2**53), lt=2**53)] | Name
"""A version that is written 1.10 would be read as the number 1.1: it is refused, and quoted it is text."""
Pins = Annotated[dict[Name, Value], Field(min_length=1)]

_FIELDS: dict[str, PartName] = {
    "image": "image_digest",
    "preprocessor": "preprocessor_digest",
    "decision_threshold": "decision_threshold",
    "postprocessing": "postprocessing",
    "feature_views": "feature_views",
    "flags": "flags",
    "cache_namespace": "cache_namespace",
    "data_snapshot": "data_snapshot",
    "fallback": "fallback",
}


class ReleaseSpec(Part):
    """All that serves with the model version and moves with it; `none` is said of what the model lacks."""

    image: Digest | Lacks | None = Field(default=None, description="Digest of the serving image.")
    preprocessor: Digest | Lacks | None = Field(default=None, description="Digest of what makes features of requests.")
    decision_threshold: Annotated[float, Field(strict=True, allow_inf_nan=False)] | Lacks | None = Field(
        default=None, description="The score from which on serving says yes; it is served, and no limit of any check."
    )
    postprocessing: Name | None = Field(default=None, description="Version of what comes after the score.")
    feature_views: Pins | Lacks | None = Field(default=None, description="Feature view: the version that is read.")
    flags: Annotated[dict[Name, Name], Field(min_length=1)] | Lacks | None = Field(
        default=None, description="Feature flag: its variant."
    )
    cache_namespace: Name | None = Field(default=None, description="Where features are cached.")
    data_snapshot: Digest | Lacks | None = Field(default=None, description="Digest of the data that serving reads.")
    fallback: Name | None = Field(default=None, description="Batch scores that answer where the model does not.")

    def parts(self) -> Parts:
        """Return it in the plan's form."""
        said = {_FIELDS[word]: value for word, value in self if value is not None}
        found: dict[str, Any] = {field: _value(value) for field, value in said.items() if value != "none"}
        return Parts(**found, lacks=tuple(sorted(field for field, value in said.items() if value == "none")) or None)


def _value(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return tuple(Pin(name=name, value=pinned) for name, pinned in sorted(value.items()))
