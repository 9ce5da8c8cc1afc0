"""A registered model, loaded and asked: what the programs of the scorer process share. Everything below is in its power.

It imports nothing of this project, and runs on whatever Python the model's own environment has (3.9 on): there is no
view of ours here.
"""

from __future__ import annotations

import json
import pickle
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    Floats = npt.NDArray[np.float64]
    Truths = npt.NDArray[np.bool_]

_INSIDE = ("_mapie_classifier.estimator_.single_estimator_",)
"""Where the classifier lies in an object that has prediction sets and no probabilities of its own (MAPIE)."""


class Model:
    """A model folder's model. `native` is the flavour's own object, `pyfunc` MLflow's; one of them may be missing."""

    def __init__(self, folder: Path) -> None:
        self._described = _mlmodel(folder)
        self.native, self.pyfunc = _load(folder, self._described)

    def in_order(self, features: pd.DataFrame) -> pd.DataFrame:
        """Return the signature's columns in its order; all as they are where there is none."""
        inputs = json.loads((self._described.get("signature") or {}).get("inputs") or "[]")
        names = [column["name"] for column in inputs if "name" in column]
        missing = [name for name in names if name not in features.columns]
        if missing:
            raise KeyError(f"the features lack {', '.join(missing)}")
        return features[names] if names else features

    def probability(self, features: pd.DataFrame) -> Floats:
        """P(y = 1), shape (n,): predict_proba's second column, or what the pyfunc answers."""
        import numpy as np

        classifier = self._classifier()
        if classifier is not None:
            answer = np.asarray(classifier.predict_proba(features))
            if answer.ndim == 2 and answer.shape[1] == 2:
                return answer[:, 1].astype(np.float64)
            if answer.ndim == 2 and answer.shape[1] > 2:
                raise ValueError(f"predict_proba has {answer.shape[1]} classes, the task is binary")
        elif self.pyfunc is not None:
            answer = _column(self.pyfunc.predict(features), ("p", "probability"))
        else:
            raise TypeError(f"{type(self.native).__name__} has no predict_proba")
        return _one_each(answer)

    def probabilities(self, features: pd.DataFrame, classes: list[str]) -> Floats:
        """P(y = class), shape (n, classes), in their order.

        Where the model says which class a column is of (`classes_`, or names of columns), that is believed; else its
        order is taken to be that of `classes`.
        """
        import numpy as np

        classifier = self._classifier()
        if classifier is not None:
            answer, names = classifier.predict_proba(features), getattr(classifier, "classes_", None)
        elif self.pyfunc is not None:
            answer = self.pyfunc.predict(features)
            names = getattr(answer, "columns", None)
        else:
            raise TypeError(f"{type(self.native).__name__} has no predict_proba")
        found = np.asarray(answer)
        if found.ndim != 2 or found.shape[1] != len(classes):
            raise ValueError(
                f"{len(classes)} probabilities a row are wanted, the model answered an array of {found.shape}"
            )
        return found[:, _places(names, classes)].astype(np.float64)

    def point(self, features: pd.DataFrame) -> Floats:
        """The predicted number, shape (n,): what `predict` answers."""
        answer = (self.native if self.pyfunc is None else self.pyfunc).predict(features)
        return _one_each(_column(answer, ("p", "prediction")))

    def sets(self, features: pd.DataFrame, classes: list[str], level: float) -> Truths | None:
        """Membership of the classes in the prediction set at a level, shape (n, classes); None where there are none.

        MAPIE's (labels, sets[n, classes, levels]) is understood, and a bare array.
        """
        import numpy as np

        if not callable(getattr(self.native, "predict_set", None)):
            return None
        answer = self.native.predict_set(features)
        sets = np.asarray(answer[1] if isinstance(answer, tuple) else answer)
        if sets.ndim == 3:
            said = self._levels(sets.shape[2], level)
            if level not in said:
                return None
            sets = sets[:, :, said.index(level)]
        if sets.shape != (len(features), len(classes)):
            raise ValueError(
                f"predict_set answered an array of shape {sets.shape}, not ({len(features)}, {len(classes)})"
            )
        return sets[:, _places(getattr(self._classifier(), "classes_", None), classes)].astype(bool)

    def intervals(self, features: pd.DataFrame, level: float) -> tuple[list[float], Floats]:
        """Levels, and ends of the intervals, shape (n, 2, levels); no levels where the model gives no intervals.

        MAPIE's (points, intervals[n, 2, levels]) is understood, and a bare array; one of shape (n, 2) has one level.
        """
        import numpy as np

        if not callable(getattr(self.native, "predict_interval", None)):
            return [], np.empty((len(features), 2, 0))
        answer = self.native.predict_interval(features)
        ends = np.asarray(answer[1] if isinstance(answer, tuple) else answer)
        ends = ends[:, :, None] if ends.ndim == 2 else ends
        if ends.ndim != 3 or ends.shape[:2] != (len(features), 2):
            raise ValueError(
                f"predict_interval answered an array of shape {ends.shape}, not ({len(features)}, 2, levels)"
            )
        return self._levels(ends.shape[2], level), ends.astype(np.float64)

    def quantiles(self, features: pd.DataFrame, levels: list[float]) -> Floats | None:
        """Predicted quantiles, shape (n, levels); None where the model gives none or none are wanted."""
        import numpy as np

        if not levels or not callable(getattr(self.native, "predict_quantiles", None)):
            return None
        found = np.asarray(self.native.predict_quantiles(features, levels))
        if found.shape != (len(features), len(levels)):
            raise ValueError(
                f"predict_quantiles answered an array of shape {found.shape}, not ({len(features)}, {len(levels)})"
            )
        return found.astype(np.float64)

    def answer(self, features: pd.DataFrame, task: str, classes: list[str]) -> Floats:
        """What a served call answers: the task's scores."""
        if task == "multiclass":
            return self.probabilities(features, classes)
        return self.point(features) if task == "numeric" else self.probability(features)

    def _classifier(self) -> Any:
        """The object that has predict_proba: the native one, or the one inside it."""
        for path in ("", *_INSIDE):
            found = self.native
            for name in path.split(".") if path else ():
                found = getattr(found, name, None)
            if callable(getattr(found, "predict_proba", None)):
                return found
        return None

    def _levels(self, count: int, level: float) -> list[float]:
        """Nominal coverages of the last axis: as the model declares them; one that declares none means the wanted one."""
        said = _declared(self.native)
        if len(said) == count:
            return said
        if count == 1 and not said:
            return [level]
        raise ValueError(f"{count} levels were answered, and {len(said)} are declared by confidence_level")


def _mlmodel(folder: Path) -> dict[str, Any]:
    text = (folder / "MLmodel").read_text(encoding="utf-8")
    try:
        from ruamel.yaml import YAML
    except ImportError:  # the model's own environment has MLflow's
        import yaml  # type: ignore[import-untyped, unused-ignore]

        described = yaml.safe_load(text)
    else:
        described = YAML(typ="safe", pure=True).load(text)
    if not isinstance(described, dict):
        raise TypeError("MLmodel is not a mapping")
    return described


def _load(folder: Path, described: dict[str, Any]) -> tuple[Any, Any]:
    """Return (native object or None, pyfunc or None).

    A pickled scikit-learn flavour is loaded without MLflow, whose import takes longer than all the rest: 3.5 s
    against 2.2 s for a run on a few rows (2 cores).
    """
    flavor = (described.get("flavors") or {}).get("sklearn") or {}
    if flavor.get("serialization_format") in {"pickle", "cloudpickle"}:
        if flavor.get("code"):
            sys.path.insert(0, str(folder / flavor["code"]))
        with (folder / flavor["pickled_model"]).open("rb") as file:
            return pickle.load(file), None  # noqa: S301 - this process exists for it
    import mlflow.pyfunc

    loaded = mlflow.pyfunc.load_model(str(folder))
    try:
        return loaded.get_raw_model(), loaded
    except (NotImplementedError, AttributeError):  # flavours without a native object say so in either way
        return None, loaded


def _declared(native: Any) -> list[float]:
    """Levels that a model says it has: `confidence_level`, or what MAPIE keeps of it (`_alphas`, `_alpha`)."""
    import numpy as np

    for name in ("confidence_level", "_alphas", "_alpha"):
        said = getattr(native, name, None)
        if said is not None:
            values = [float(value) for value in np.atleast_1d(np.asarray(said, dtype=np.float64))]
            # 1 - 0.05 is not .95 in every last bit of every library.
            return [round(value if name == "confidence_level" else 1 - value, 12) for value in values]
    return []


def _places(names: Any, classes: list[str]) -> list[int]:
    """Column of each class; as they stand where the names are others (codes that the model was fitted on)."""
    known = [] if names is None else [_name(name) for name in names]
    if sorted(known) != sorted(map(_name, classes)) or len(set(known)) != len(known):
        return list(range(len(classes)))
    return [known.index(_name(name)) for name in classes]


def _name(value: Any) -> str:
    text = str(value)
    try:
        number = float(text)
    except ValueError:
        return text
    return str(int(number)) if number.is_integer() else repr(number)


def _column(answer: Any, wanted: tuple[str, ...]) -> npt.NDArray[Any]:
    import numpy as np

    names = list(getattr(answer, "columns", []))
    for name in wanted:
        if name in names:
            return np.asarray(answer[name])
    if len(names) > 1:
        raise ValueError(f"predict answered several columns, none of them {' or '.join(wanted)}")
    return np.asarray(answer)


def _one_each(answer: npt.NDArray[Any]) -> Floats:
    import numpy as np

    if answer.ndim == 0 or answer.size != answer.shape[0]:
        raise ValueError(f"one score a row is wanted, the model answered an array of shape {answer.shape}")
    return answer.reshape(-1).astype(np.float64)
