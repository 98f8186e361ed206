"""Checkpoints on disk: committed whole, verified, kept and given up by rule."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from engine.errors import DamagedError, DiskFullError, RefusedError
from engine.training import checkpoint
from engine.training.checkpoint import Evaluation, Progress, Snapshot


def _snapshot(step: int, best: int | None = None) -> Snapshot:
    tensors = {"w": torch.full((4, 3), float(step)), "half": torch.ones(2, dtype=torch.bfloat16)}
    rng = {"cpu": torch.arange(16, dtype=torch.uint8)}
    progress = Progress(step=step, epoch=1, best_loss=0.5, best_step=best)
    return Snapshot(
        progress, tensors, {"0.step": torch.ones(())}, rng, {"python": [1]}, {"base": "b"}
    )


def _commit(run: Path, *steps: int, best: int | None = None) -> None:
    for step in steps:
        checkpoint.commit(run, _snapshot(step, best))


def test_what_is_read_is_what_was_written(tmp_path: Path) -> None:
    _commit(tmp_path, 7)
    found = checkpoint.newest(tmp_path, lambda: None)
    assert found is not None
    saved, damaged = found
    assert (saved.step, damaged, saved.facts["base"]) == (7, {}, "b")
    assert saved.progress == Progress(step=7, epoch=1, best_loss=0.5, best_step=None)
    weights = checkpoint.load_tensors(saved, checkpoint.WEIGHTS)
    assert torch.equal(weights["w"], torch.full((4, 3), 7.0))
    assert weights["half"].dtype == torch.bfloat16
    assert not list((tmp_path / checkpoint.FOLDER).glob(".tmp-*"))


def test_what_was_evaluated_is_read_as_it_was_written(tmp_path: Path) -> None:
    judged = (Evaluation(1, 40, 3.1), Evaluation(2, 80, None))
    snapshot = replace(_snapshot(80), progress=Progress(step=80, evaluations=judged))
    checkpoint.commit(tmp_path, snapshot)
    assert checkpoint.readable(tmp_path)[0].progress == snapshot.progress


def test_a_run_goes_back_to_what_no_bad_step_came_before(tmp_path: Path) -> None:
    def back() -> int | None:
        found = checkpoint.newest_good(tmp_path, lambda: None)
        return found and found.step

    assert back() is None
    for step, skipped in ((1, 0), (2, 0), (3, 1)):
        snapshot = _snapshot(step)
        progress = replace(snapshot.progress, skipped=skipped)
        checkpoint.commit(tmp_path, replace(snapshot, progress=progress))
    assert back() == 2
    folders = {saved.step: saved.folder for saved in checkpoint.readable(tmp_path)}
    _damage_flip(folders[2])
    assert back() == 1
    shutil.rmtree(folders[1])
    assert back() == 3


def test_a_run_without_checkpoints_has_none(tmp_path: Path) -> None:
    assert checkpoint.newest(tmp_path, lambda: None) is None


def test_steps_are_ordered_as_numbers(tmp_path: Path) -> None:
    _commit(tmp_path, 999_999, 1_000_000, 90)
    assert [c.step for c in checkpoint.readable(tmp_path)] == [1_000_000, 999_999, 90]


def _damage_flip(folder: Path) -> None:
    path = folder / checkpoint.WEIGHTS
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    path.write_bytes(data)


def _damage_truncate(folder: Path) -> None:
    os.truncate(folder / checkpoint.OPTIMIZER, 10)


def _damage_missing(folder: Path) -> None:
    (folder / checkpoint.RNG).unlink()


def _damage_manifest(folder: Path) -> None:
    path = folder / checkpoint.MANIFEST
    path.write_text(path.read_text().replace('"base": "b"', '"base": "c"'))


def _damage_no_manifest(folder: Path) -> None:
    (folder / checkpoint.MANIFEST).unlink()


def _damage_state(folder: Path) -> None:
    (folder / checkpoint.STATE).write_text("{}")


def _damage_swap(folder: Path) -> None:
    other = folder.parent / "step-000001"
    shutil.copy(other / checkpoint.WEIGHTS, folder / checkpoint.WEIGHTS)


DAMAGES = [
    _damage_flip, _damage_truncate, _damage_missing, _damage_manifest,
    _damage_no_manifest, _damage_state, _damage_swap,
]  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_newest_is_passed_over_by_name(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    _commit(tmp_path, 1, 2)
    damage(tmp_path / checkpoint.FOLDER / "step-000002")
    found = checkpoint.newest(tmp_path, lambda: None)
    assert found is not None
    assert found[0].step == 1
    ((folder, reason),) = found[1].items()
    assert folder.name == "step-000002"
    assert "step-000002" in reason


def test_none_whole_refuses_to_start_over(tmp_path: Path) -> None:
    _commit(tmp_path, 1)
    _damage_flip(tmp_path / checkpoint.FOLDER / "step-000001")
    with pytest.raises(RefusedError, match="--fresh"):
        checkpoint.newest(tmp_path, lambda: None)


def test_what_a_killed_writer_left_is_not_a_checkpoint(tmp_path: Path) -> None:
    _commit(tmp_path, 1)
    shutil.copytree(
        tmp_path / checkpoint.FOLDER / "step-000001", tmp_path / checkpoint.FOLDER / ".tmp-0123"
    )
    assert [c.step for c in checkpoint.readable(tmp_path)] == [1]


def test_pruning_keeps_the_newest_and_the_best(tmp_path: Path) -> None:
    _commit(tmp_path, 10, 20, 30, 40, 50)
    checkpoint.prune(tmp_path, keep=2, best_step=20)
    assert [c.step for c in checkpoint.readable(tmp_path)] == [50, 40, 20]


def test_damaged_checkpoints_never_push_a_good_one_out(tmp_path: Path) -> None:
    _commit(tmp_path, 10, 20, 30)
    _damage_no_manifest(tmp_path / checkpoint.FOLDER / "step-000030")
    _damage_truncate(tmp_path / checkpoint.FOLDER / "step-000020")
    checkpoint.prune(tmp_path, keep=1, best_step=None)
    assert [c.step for c in checkpoint.readable(tmp_path)] == [10]


def test_a_step_saved_again_replaces_the_first_only_after_its_commit(tmp_path: Path) -> None:
    _commit(tmp_path, 10)
    _commit(tmp_path, 10, best=10)
    assert [c.folder.name for c in checkpoint.readable(tmp_path)] == [
        "step-000010-1",
        "step-000010",
    ]
    checkpoint.prune(tmp_path, keep=5, best_step=10)
    (kept,) = checkpoint.readable(tmp_path)
    assert kept.progress.best_step == 10


def test_people_pick_best_last_or_a_step(tmp_path: Path) -> None:
    _commit(tmp_path, 10, 20, 30, best=20)
    assert checkpoint.pick(tmp_path, "last").step == 30
    assert checkpoint.pick(tmp_path, "best").step == 20
    assert checkpoint.pick(tmp_path, "10").step == 10
    with pytest.raises(RefusedError, match="one of these steps: 30, 20, 10"):
        checkpoint.pick(tmp_path, "11")


def test_no_room_is_said_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _commit(tmp_path, 1)
    usage = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr("engine.files.shutil.disk_usage", lambda path: usage)
    with pytest.raises(DiskFullError, match="The next checkpoint needs"):
        _commit(tmp_path, 2)
    assert [path.name for path in (tmp_path / checkpoint.FOLDER).iterdir()] == ["step-000001"]


@pytest.mark.parametrize("limit", [60, 300])
def test_a_full_disk_is_told_as_such_and_leaves_the_old_ones(
    tmp_path: Path, fork: Callable[..., Any], limit: int
) -> None:
    """safetensors wraps the system's error in its own."""
    _commit(tmp_path, 1)

    def work() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        with pytest.raises(DiskFullError, match="step-000002"):
            _commit(tmp_path, 2)

    assert fork(work).wait() == 0
    assert [c.step for c in checkpoint.readable(tmp_path)] == [1]


def test_a_file_that_cannot_be_read_is_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _commit(tmp_path, 1, 2)
    whole = checkpoint.sha256_file

    def failing(path: Path, progress: Any = None) -> str:
        if path.parent.name == "step-000002":
            raise OSError(5, "Input/output error")
        return whole(path, progress)

    monkeypatch.setattr(checkpoint, "sha256_file", failing)
    found = checkpoint.newest(tmp_path, lambda: None)
    assert found is not None
    assert found[0].step == 1
    assert "Input/output error" in next(iter(found[1].values()))


def test_tensors_that_do_not_fit_change_nothing(tmp_path: Path) -> None:
    _commit(tmp_path, 7)
    (saved,) = checkpoint.readable(tmp_path)
    targets = {"w": torch.zeros(4, 3), "half": torch.zeros(3)}
    with pytest.raises(DamagedError, match="half"):
        checkpoint.copy_into(saved, checkpoint.WEIGHTS, targets)
    assert not targets["w"].any()
    targets["half"] = torch.zeros(2)
    checkpoint.copy_into(saved, checkpoint.WEIGHTS, targets)
    assert torch.equal(targets["w"], torch.full((4, 3), 7.0))


def test_differences_are_named() -> None:
    then: dict[str, Any] = {"base": "1", "settings": {"seed": 1, "dropout": 0.1}}
    now: dict[str, Any] = {"base": "1", "settings": {"seed": 2, "dropout": 0.1}}
    assert checkpoint.differences(then, now) == {"settings.seed": "was 1 and is 2"}


def test_nothing_in_a_checkpoint_is_pickled(tmp_path: Path) -> None:
    _commit(tmp_path, 1)
    names = {path.name for path in (tmp_path / checkpoint.FOLDER / "step-000001").iterdir()}
    assert {Path(name).suffix for name in names} == {".safetensors", ".json"}
    assert json.loads((tmp_path / checkpoint.FOLDER / "step-000001" / "manifest.json").read_text())
