"""Runs are written once, what counts is replaced at once, and a job may be killed before or after anything."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from simulators.killer import Countdown, run_and_kill

from gates.apply import batch
from gates.apply.batch import Partition, partitions, restore
from gates.bundle.canonical import digest_bytes
from gates.errors import EvidenceError
from gates.records import ModelVersion

INPUT = digest_bytes(b"requests")


def model(number: int) -> ModelVersion:
    return ModelVersion(name="m", version=str(number), digest=digest_bytes(f"weights {number}".encode()))


def scores(number: int) -> Callable[[Path], int]:
    def score(out: Path) -> int:
        out.write_bytes(f"scores of {number}".encode())
        return 3

    return score


def never(_: Path) -> int:
    pytest.fail("it is scored again")


def count(partition: Partition, number: int) -> None:
    partition.point(partition.keep(model(number), INPUT, scores(number)))


def counted(partition: Partition) -> bytes:
    """What a reader of current.json reads."""
    document = json.loads((partition.path / "current.json").read_text())
    return (partition.path / document["scores"]).read_bytes()


def test_a_model_scores_an_input_once_and_its_run_counts_again(tmp_path: Path) -> None:
    partition = Partition(tmp_path / "2026-01")
    assert partition.current() is None
    for number in (1, 2):
        count(partition, number)
        assert counted(partition) == f"scores of {number}".encode()
    partition.point(partition.keep(model(1), INPUT, never))
    assert counted(partition) == b"scores of 1"
    current = partition.current()
    assert current is not None
    assert (current.model, current.rows) == (model(1), 3)
    partition.keep(model(1), digest_bytes(b"other requests"), scores(9))
    assert len(partition.runs()) == 3
    assert counted(partition) == b"scores of 1"


def test_going_back_changes_every_partition_that_the_model_has_scored_and_names_the_others(tmp_path: Path) -> None:
    for name, numbers in {"a": (1, 2), "b": (2,), "c": (2, 1), "é": (1, 2)}.items():
        for number in numbers:
            count(Partition(tmp_path / name), number)
    assert restore(tmp_path, model(1)) == (("a", "é"), ("b",))
    assert [counted(partition) for partition in partitions(tmp_path)] == [
        b"scores of 1",
        b"scores of 2",
        b"scores of 1",
        b"scores of 1",
    ]
    assert restore(tmp_path, model(1)) == ((), ("b",))
    assert restore(tmp_path / "nothing", model(1)) == ((), ())


def test_an_earlier_run_on_another_input_does_not_count(tmp_path: Path) -> None:
    partition = Partition(tmp_path / "a")
    partition.point(partition.keep(model(1), digest_bytes(b"last month"), scores(1)))
    count(partition, 2)
    assert restore(tmp_path, model(1)) == ((), ("a",))


def test_scores_and_manifests_that_changed_do_not_count(tmp_path: Path) -> None:
    partition = Partition(tmp_path / "a")
    count(partition, 1)
    count(partition, 2)
    run = partition.keep(model(1), INPUT, never)
    partition.scores(run).write_bytes(b"better scores")
    for call in (lambda: partition.keep(model(1), INPUT, never), lambda: restore(tmp_path, model(1))):
        with pytest.raises(EvidenceError) as caught:
            call()
        assert caught.value.code == "batch.changed"
    assert counted(partition) == b"scores of 2"
    manifest = partition.scores(run).with_name("manifest.json")
    good: dict[str, Any] = json.loads(manifest.read_text())
    for bad in ("[]", "{", "{}", json.dumps(good | {"input_digest": digest_bytes(b"another")})):
        manifest.write_text(bad)
        with pytest.raises(EvidenceError):
            partition.runs()
    shutil.rmtree(manifest.parent)
    (partition.path / "current.json").write_text('{"run": "../a"}')
    with pytest.raises(EvidenceError) as caught:
        partition.current()
    assert caught.value.code == "batch.malformed"


def test_a_job_that_is_killed_anywhere_leaves_what_counted_and_the_next_one_finishes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGKILL before each thing that a job does to the disk, one after the other."""
    for effects in range(20):
        partition = Partition(tmp_path / str(effects) / "a")
        count(partition, 1)
        countdown = Countdown(effects)

        def before(call: Callable[..., Any], countdown: Countdown = countdown) -> Callable[..., Any]:
            def effect(*arguments: Any, **named: Any) -> Any:
                countdown.tick()
                return call(*arguments, **named)

            return effect

        def job(partition: Partition = partition, wrap: Any = before) -> None:
            batch.write_atomically = wrap(batch.write_atomically)
            Path.rename = wrap(Path.rename)  # type: ignore[method-assign]
            Path.replace = wrap(Path.replace)  # type: ignore[method-assign]
            Path.write_bytes = wrap(Path.write_bytes)  # type: ignore[method-assign]
            os.link = wrap(os.link)
            count(partition, 2)
            countdown_end()

        def countdown_end(countdown: Countdown = countdown) -> None:
            countdown.tick()

        killed = run_and_kill(job)
        assert counted(partition) in (b"scores of 1", b"scores of 2")
        assert partition.current() is not None
        count(partition, 2)
        assert counted(partition) == b"scores of 2"
        assert restore(partition.path.parent, model(1)) == (("a",), ())
        if not killed:
            assert effects > 5
            return
    pytest.fail("there are more effects than the test knows")


def test_what_killed_jobs_left_is_removed_after_a_day(tmp_path: Path) -> None:
    partition = Partition(tmp_path / "a")
    count(partition, 1)
    for name, age in {".partial-old": 90_000, ".partial-new": 10}.items():
        (partition.path / name).mkdir()
        time = (partition.path / name).stat().st_mtime - age
        os.utime(partition.path / name, (time, time))
    count(partition, 2)
    assert sorted(path.name for path in partition.path.glob(".*")) == [".partial-new"]
