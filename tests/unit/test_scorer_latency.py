"""Candidate and champion called in turn in one process: the times are those of the rows, and nothing else comes back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scorer_models import write_features, write_model

from gates.inputs import latency
from gates.inputs.latency import WARM_UP, time_calls
from gates.inputs.sandbox import isolation
from gates.inputs.scorer import Asked, ScorerFailed

PAIRS = 200


def sleeper(seconds: float, code: str = "") -> str:
    """A model that takes its time."""
    return f"""
import time
{code}

class Model:
    def predict_proba(self, X):
        assert X.shape == (1, 1)
        time.sleep({seconds})
        return np.full((1, 2), .5)
"""


def test_the_slower_model_takes_longer_on_every_row(tmp_path: Path) -> None:
    features = write_features(tmp_path / "f.parquet", 30)
    quick, slow = (write_model(tmp_path / name, sleeper(s)) for name, s in (("quick", 0.001), ("slow", 0.004)))
    found = time_calls(quick, slow, features, asked=Asked("binary"), pairs=PAIRS, timeout_s=60)
    assert found.candidate.shape == found.champion.shape == (PAIRS,)
    assert found.candidate.dtype == found.champion.dtype == np.float64
    assert found.isolation == isolation()[0]
    assert 0.001 <= found.candidate.min() < 0.004 <= found.champion.min()
    assert np.median(found.champion / found.candidate) > 1.5


def test_pairs_are_of_one_row_and_their_order_alternates(tmp_path: Path) -> None:
    """Each model writes down when it was called with which row; both modules have one name and different contents."""
    source = """
import os, time
CALLS = []

class Model:
    def predict(self, X):
        path = "/tmp/calls" if os.path.exists("/scorer") else os.path.join(os.getcwd(), "calls")
        with open(path, "a") as file:
            file.write(f"NAME {X['a'].iloc[0]:.6f}\\n")
        lines = open(path).read().split("\\n")[:-1]
        calls = [line.split() for line in lines]
        for first, second in zip(calls[::2], calls[1::2]):
            assert first[1] == second[1], "another row"
            assert first[0] != second[0], "twice the same model"
        firsts = [name for name, _ in calls[::2]]
        assert all(one != two for one, two in zip(firsts, firsts[1:])), "the order does not alternate"
        assert len(calls) < 2 or len({name for name, _ in calls}) == 2
        return [1.0]
"""
    one = write_model(tmp_path / "one", source.replace("NAME", "one"))
    two = write_model(tmp_path / "two", source.replace("NAME", "two"))
    features = write_features(tmp_path / "f.parquet", 7)
    found = time_calls(one, two, features, asked=Asked("numeric"), pairs=PAIRS, timeout_s=60)
    assert (found.candidate > 0).all()
    assert (found.champion > 0).all()


def test_a_first_release_is_timed_alone(tmp_path: Path) -> None:
    model = write_model(tmp_path / "one", sleeper(0.0))
    features = write_features(tmp_path / "f.parquet", 1)
    found = time_calls(model, None, features, asked=Asked("binary"), pairs=PAIRS, timeout_s=60)
    assert (found.candidate.shape, found.champion.shape) == ((PAIRS,), (0,))


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (f"bytes({16 * PAIRS})", "the times that came back are none"),
        (f"np.full({2 * PAIRS}, -5).tobytes()", "the times that came back are none"),
        (f"np.full({2 * PAIRS}, 2**62).tobytes()", "the times that came back are none"),
        (f"np.full({2 * PAIRS - 1}, 5).tobytes()", "not the times of 200 pairs"),
        (f"np.full({2 * PAIRS + 1}, 5).tobytes()", "not the times of 200 pairs"),
    ],
)
def test_times_that_are_none_fail(tmp_path: Path, answer: str, said: str) -> None:
    source = f"""
import os, sys

class Model:
    def predict_proba(self, X):
        os.write(int(sys.argv[2]), {answer})
        os._exit(0)
"""
    one, two = write_model(tmp_path / "one", source), write_model(tmp_path / "two", source)
    features = write_features(tmp_path / "f.parquet", 5)
    with pytest.raises(ScorerFailed, match=said):
        time_calls(one, two, features, asked=Asked("binary"), pairs=PAIRS, timeout_s=60)


def test_a_model_that_fails_or_sleeps_is_told(tmp_path: Path) -> None:
    good = write_model(tmp_path / "good", sleeper(0.0))
    bad = write_model(tmp_path / "bad", "class Model:\n    def predict_proba(self, X): raise RuntimeError('no')\n")
    features = write_features(tmp_path / "f.parquet", 5)
    with pytest.raises(ScorerFailed, match="RuntimeError: no"):
        time_calls(good, bad, features, asked=Asked("binary"), pairs=PAIRS, timeout_s=60)
    slow = write_model(tmp_path / "slow", sleeper(10.0))
    with pytest.raises(ScorerFailed, match="did not answer within 5 s"):
        time_calls(good, slow, features, asked=Asked("binary"), pairs=PAIRS, timeout_s=5)


@pytest.mark.parametrize(
    ("environment", "shared"),
    [
        ({}, False),
        ({"CI": "true"}, True),
        ({"CI": "false"}, False),
        ({"GITHUB_ACTIONS": "1"}, True),
        ({"CI": ""}, False),
    ],
)
def test_a_shared_runner_says_so(environment: dict[str, str], shared: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latency.os, "sched_getaffinity", lambda _: range(4), raising=False)
    monkeypatch.setattr(latency.os, "cpu_count", lambda: 4)
    monkeypatch.setattr(latency, "_limited", lambda _: False)
    assert latency._shared(environment) == shared
    monkeypatch.setattr(latency.os, "cpu_count", lambda: 8)
    assert latency._shared(environment)


@pytest.mark.parametrize(("text", "limited"), [("max 100000\n", False), ("150000 100000\n", True), ("", False)])
def test_a_share_of_the_processors_is_seen(tmp_path: Path, text: str, limited: bool) -> None:
    (tmp_path / "cpu.max").write_text(text)
    assert latency._limited(tmp_path / "cpu.max") == limited
    assert not latency._limited(tmp_path / "missing")


def test_the_warm_up_is_not_counted(tmp_path: Path) -> None:
    source = sleeper(0.0).replace(
        "time.sleep(0.0)", f"CALLS.append(1)\n        time.sleep(.02 * (len(CALLS) <= {WARM_UP}))"
    )
    model = write_model(tmp_path / "one", source.replace("import time", "import time\nCALLS = []"))
    features = write_features(tmp_path / "f.parquet", 1)
    found = time_calls(model, None, features, asked=Asked("binary"), pairs=PAIRS, timeout_s=60)
    assert np.median(found.candidate) < 0.02
