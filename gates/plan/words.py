"""What column names and label values usually mean. Data for `guess`; every list is of whole words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile

from gates.plan.labels import label_pair


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


ZERO_ONE = frozenset({"0", "1", "0.0", "1.0"})

_LABELS = frozenset({"y", "label", "labels", "target", "actual", "actuals", "outcome", "truth", "gt", "observed"})
_LABEL_NAMES = _LABELS | {"y true", "ground truth", "class", "response", "event", "true label"}
_SCORES = _words(
    "score scores proba probas prob probs probability probabilities prediction predictions predicted pred preds "
    "propensity confidence likelihood phat yhat"
)
_SCORE_NAMES = _SCORES | {"p", "p hat", "y hat", "risk", "candidate", "challenger", "new", "model"}
_CHAMPIONS = _words("champion champ baseline old prod production current incumbent previous prev")
_CLASSES = _words("0 1 no yes neg pos negative positive false true n y f t")
_FILLERS = _CLASSES | {"p", "q", "hat", "model", "risk", "percent", "pct", "percentage"}
_PERCENTS = frozenset({"percent", "pct", "percentage"})
_KEYS = frozenset({"id", "key", "uuid", "guid", "rowid", "row id", "index"})
_CLUSTERS = _words("cluster group day date user customer client account patient household session store device week")

_HAPPENED = _words(
    "churned churn churner late delayed fraud fraudulent default defaulted spam malignant sick ill diseased died dead "
    "clicked click bought purchased purchase converted conversion cancelled canceled failed failure fail exited "
    "lapsed attrited attack anomaly anomalous toxic event readmitted responded subscribed"
)
_DID_NOT = _words(
    "retained stayed stay active loyal ontime punctual timely legit legitimate genuine ham benign healthy well alive "
    "survived normal clean nonevent repaid paid ok none kept existing"
)


def tokens(name: str) -> list[str]:
    """Split a name into lower-case words: `churnProba_1` is churn, proba, 1."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[^\W\d_])(?=\d)", " ", name)
    return [part for part in re.split(r"[\W_]+", spaced.casefold()) if part]


def is_label(name: str) -> bool:
    found = tokens(name)
    if set(found) & _SCORES:
        return False
    # `y` alone is a label; as one word of several it says nothing
    return " ".join(found) in _LABEL_NAMES or bool({found[0], found[-1]} & (_LABELS - {"y"})) if found else False


def is_champion(name: str) -> bool:
    """A name of nothing but a champion's and a score's words; `old_price` is a feature."""
    found = set(tokens(name))
    return name.casefold() == "q" or (bool(found & _CHAMPIONS) and found <= _CHAMPIONS | _SCORES | _FILLERS)


def is_score(name: str) -> bool:
    found = tokens(name)
    named = " ".join(found) in _SCORE_NAMES or bool(set(found) & _SCORES) or (found[:1] == ["p"] and _is_class(found))
    return named and not is_champion(name)


def is_percent(name: str) -> bool:
    return bool(set(tokens(name)) & _PERCENTS)


def is_key(name: str) -> bool:
    found = tokens(name)
    return " ".join(found) in _KEYS or found[-1:] == ["id"]


def is_cluster(name: str) -> bool:
    found = tokens(name)
    return bool(found) and found[0] in _CLUSTERS and (len(found) == 1 or found[1:] == ["id"])


def twins(first: str, second: str) -> tuple[str, str] | None:
    """Return two names as (negative, positive) where they differ only in the class: `proba_no`, `proba_yes`."""
    one, two = tokens(first), tokens(second)
    if not one or not two or one[:-1] != two[:-1] or one[-1] == two[-1]:
        return None
    pair = label_pair((one[-1], two[-1])) or direction(sorted((one[-1], two[-1])), "")
    if pair is None:
        return None
    return (first, second) if one[-1] == pair[0] else (second, first)


def direction(values: Sequence[str], column: str) -> tuple[str | None, str | None] | None:
    """Return a label's values as (negative, positive) where words or the column's name leave no doubt, else None."""
    if {*values} <= {"-1", "1"} or {*values} <= {"-1.0", "1.0"}:
        return (values[0], values[-1]) if len(values) == 2 else _alone(values[0]) if values else None
    happened = [value for value in values if _meaning(value, column) is True]
    did_not = [value for value in values if _meaning(value, column) is False]
    if len(happened) > 1 or len(did_not) > 1 or not values or len(values) > 2:
        return None
    if len(happened) + len(did_not) < len(values):  # one value is known: the other is its opposite
        rest = next(value for value in values if value not in (*happened, *did_not))
        if len(values) == 1 or not (happened or did_not):
            return None
        return (rest, happened[0]) if happened else (did_not[0], rest)
    return (did_not[0] if did_not else None), (happened[0] if happened else None)


def _alone(value: str) -> tuple[str | None, str | None]:
    return (value, None) if value.startswith("-") else (None, value)


def _meaning(value: str, column: str) -> bool | None:
    """Say whether a value means that the event happened, did not, or neither is known."""
    found = tokens(value)
    joined = "".join(found)
    if found[:1] in (["not"], ["no"], ["non"]):
        return False
    if joined in _HAPPENED or any(_kin(joined, word) for word in tokens(column)):
        return True
    return False if joined in _DID_NOT else None


def _kin(value: str, word: str) -> bool:
    """Words of one stem: approved and approval, churned and churn."""
    shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(value, word, strict=False)))
    return shared >= max(4, 0.6 * max(len(value), len(word)))


def _is_class(found: list[str]) -> bool:
    return len(found) == 2 and found[1] in _CLASSES
