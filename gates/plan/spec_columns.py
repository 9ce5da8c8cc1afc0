"""`columns` of gates.yaml: names of columns by the part that they play, and which of them a task knows."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from gates.records.base import Name
from gates.records.plan import Task


def _distinct(names: tuple[str, ...]) -> tuple[str, ...]:
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f'"{twice}" is named twice')
    return names


Names = Annotated[tuple[Name, ...], AfterValidator(_distinct)]
Level = Annotated[float, Field(strict=True, gt=0, lt=1)]


class Part(BaseModel):
    """A mapping of gates.yaml: its words are known, and it does not change."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False, allow_inf_nan=False)


class IntervalSpec(Part):
    """The columns of a prediction interval."""

    level: Level = Field(description="The coverage that it promises, such as 0.9.")
    lower: Name
    upper: Name

    @field_validator("upper")
    @classmethod
    def _other_end(cls, upper: str, info: ValidationInfo) -> str:
        if upper == info.data.get("lower"):
            raise ValueError(f'"{upper}" is the lower end too')
        return upper


class QuantileSpec(Part):
    """The column of a predicted quantile."""

    level: Level
    column: Name


class ColumnsSpec(Part):
    """Columns with a part to play."""

    label: Name = Field(description="What happened: 0/1, true/false, yes/no; a class; a number.")
    key: Names = Field(default=(), description="Columns that together name a row.")
    time: Name | None = Field(default=None, description="When the row's event happened.")
    ingested: Name | None = Field(
        default=None, description="When the platform learned of an event; see tables.events and backfill.lateness."
    )
    labelled: Name | None = Field(default=None, description="When the row's label came.")
    annotator: Name | None = Field(default=None, description="Who gave the label; see tables.annotations.")
    guideline: Name | None = Field(default=None, description="Version of the rules that the label was given by.")
    quasi_identifiers: Names = Field(
        default=(), description="Columns that together may tell who a row is about: age, postcode, sex."
    )
    weight: Name | None = Field(default=None, description="How much a row counts, beside the others.")
    payoff: Name | None = Field(default=None, description="What the row is worth, in the unit of the payoffs.")
    groups: Names = Field(default=(), description="Columns of the groups that fairness compares.")
    score: Name | None = Field(
        default=None, description="The probability or the predicted number, in a predictions table."
    )
    champion_score: Name | None = Field(default=None, description="The champion's, in a predictions table.")
    classes: Names = Field(default=(), description="The label's values, in the order of the model's probabilities.")
    class_scores: Names = Field(default=(), description="The classes' probabilities, in a predictions table.")
    champion_class_scores: Names = Field(default=(), description="The champion's, in a predictions table.")
    set_columns: Names = Field(
        default=(), description="Prediction-set membership by class; of 0, then of 1, when binary."
    )
    champion_set_columns: Names = Field(default=(), description="The champion's, in a predictions table.")
    intervals: tuple[IntervalSpec, ...] = Field(default=(), description="Prediction intervals, in a predictions table.")
    champion_intervals: tuple[IntervalSpec, ...] = Field(
        default=(), description="The champion's, in a predictions table."
    )
    quantiles: tuple[QuantileSpec, ...] = Field(
        default=(), description="Predicted quantiles; policy says which levels there must be (curve_levels)."
    )
    champion_quantiles: tuple[QuantileSpec, ...] = Field(
        default=(), description="The champion's, in a predictions table."
    )
    features: Names = Field(default=(), description="What the model reads; default: its signature.")

    @field_validator("features")
    @classmethod
    def _no_label(cls, features: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if info.data.get("label") in features:
            raise ValueError(f'the label "{info.data["label"]}" is among the features: the model would read the answer')
        return features

    @field_validator("score", "champion_score", "class_scores", "champion_class_scores")
    @classmethod
    def _no_answer(cls, named: Any, info: ValidationInfo) -> Any:
        label = info.data.get("label")
        if label is not None and (named == label or (isinstance(named, tuple) and label in named)):
            raise ValueError(f'the label "{label}" is no score: the model would be perfect')
        return named

    @field_validator("set_columns", "champion_set_columns", "class_scores", "champion_class_scores", "classes")
    @classmethod
    def _two(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if len(names) == 1:
            raise ValueError("one for each class, and there are at least two")
        return names

    @field_validator("class_scores", "champion_class_scores", "set_columns", "champion_set_columns")
    @classmethod
    def _as_many(cls, names: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        classes = info.data.get("classes", ())
        if names and classes and len(names) != len(classes):
            raise ValueError(f"{len(names)} columns for {len(classes)} classes")
        return names

    @field_validator("intervals", "champion_intervals", "quantiles", "champion_quantiles")
    @classmethod
    def _levels_differ(cls, parts: tuple[IntervalSpec | QuantileSpec, ...]) -> Any:
        levels = [part.level for part in parts]
        twice = next((level for level in levels if levels.count(level) > 1), None)
        if twice is not None:
            raise ValueError(f"the level {twice} is there twice")
        return parts

    def foreign_to(self, task: Task) -> str | None:
        """Return the first word that was said and that a task has no use for."""
        return next((word for word in _FOREIGN[task] if getattr(self, word)), None)


_CLASSES = ("classes", "class_scores", "champion_class_scores")
_NUMBERS = ("intervals", "champion_intervals", "quantiles", "champion_quantiles")
_FOREIGN: dict[Task, tuple[str, ...]] = {
    "binary": (*_CLASSES, *_NUMBERS),
    "multiclass": ("score", "champion_score", *_NUMBERS),
    "numeric": (*_CLASSES, "set_columns", "champion_set_columns"),
}
