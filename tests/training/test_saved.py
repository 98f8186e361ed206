"""The lists of checkpoints and exports."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
import torch

from engine import lock
from engine.errors import RefusedError, StopRequested
from engine.events import Evaluated, Started
from engine.jobs import Job
from engine.training import checkpoint, saved
from engine.training.checkpoint import Progress, Snapshot


def commit(run: Path, step: int, best: int | None = None) -> Path:
    progress = Progress(step=step, epoch=step // 100, best_step=best, best_loss=3.0)
    tensors = {"w": torch.zeros(4)}
    return checkpoint.commit(run, Snapshot(progress, tensors, tensors, tensors, {}, {"base": "b"}))


def told(run: Path, *losses: tuple[int, float]) -> Job:
    job = Job(run, "train")
    job.emit(Started("train", 1, "0"))
    for step, loss in losses:
        job.emit(Evaluated(step, step // 100, loss, 0.03, loss, 3.0, loss, True, 1.0))
    return job


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Two runs: 0001 with two checkpoints, the first the best; 0002 with one."""
    told(tmp_path / "runs/0001", (100, 3.0), (200, 3.2)).close()
    told(tmp_path / "runs/0002", (100, 3.1)).close()
    commit(tmp_path / "runs/0001", 100, best=100)
    commit(tmp_path / "runs/0001", 200, best=100)
    commit(tmp_path / "runs/0002", 100, best=100)
    return tmp_path


def test_all_runs_are_listed_newest_first_with_their_losses(project: Path) -> None:
    listed = saved.checkpoints(project)
    assert [(s.run, s.step, s.loss) for s in listed] == [
        ("0002", 100, 3.1),
        ("0001", 200, 3.2),
        ("0001", 100, 3.0),
    ]
    assert [(s.is_best, s.is_last) for s in listed] == [(True, True), (False, True), (True, False)]
    assert all(s.bytes > 0 and abs(s.time - time.time()) < 60 for s in listed)
    assert not any(s.is_live for s in listed)


def test_a_damaged_one_is_listed_with_what_is_wrong(project: Path) -> None:
    weights = project / "runs/0001/checkpoints/step-000200" / checkpoint.WEIGHTS
    weights.write_bytes(weights.read_bytes()[:-1])
    damaged, older = saved.checkpoints(project)[1:]
    assert damaged.damage
    assert damaged.step == 200
    assert not damaged.is_last
    assert older.is_last


def test_verifying_finds_a_changed_byte_that_keeps_the_size(project: Path) -> None:
    newest = saved.checkpoints(project)[1]
    assert saved.verify(newest) == ""
    weights = newest.folder / checkpoint.WEIGHTS
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    assert checkpoint.WEIGHTS in saved.verify(newest)


def test_verifying_can_be_stopped(project: Path) -> None:
    def stop() -> None:
        raise StopRequested("request")

    with pytest.raises(StopRequested):
        saved.verify(saved.checkpoints(project)[0], stop)


def test_deleting_takes_the_folder_whole(project: Path) -> None:
    first = saved.checkpoints(project)[2]
    saved.delete(first)
    assert [path.name for path in first.folder.parent.iterdir()] == ["step-000200"]


def test_a_live_run_keeps_its_best_and_its_last(project: Path) -> None:
    run = project / "runs/0001"
    commit(run, 300, best=100)
    with lock.hold(project, "train"):
        job = Job(run, "train")
        job.emit(Started("train", os.getpid(), "0"))
        listed = {s.step: s for s in saved.of_run(run)}
        assert all(s.is_live for s in listed.values())
        for step in (100, 300):
            with pytest.raises(RefusedError, match="stop it first"):
                saved.delete(listed[step])
        saved.delete(listed[200])
        job.close()
    assert [s.step for s in saved.of_run(run)] == [300, 100]


def test_exports_are_listed_with_what_their_card_says(tmp_path: Path) -> None:
    voice = tmp_path / "export/voice"
    voice.mkdir(parents=True)
    (voice / "voicetui.json").write_text(json.dumps({"run": "0001", "step": 200}))
    (voice / "model.pth").write_bytes(b"x" * 1000)
    broken = tmp_path / "export/broken"
    broken.mkdir()
    (broken / "voicetui.json").write_text("[")
    (tmp_path / "export/not-ours").mkdir()
    by_name = {export.folder.name: export for export in saved.exports(tmp_path)}
    assert set(by_name) == {"voice", "broken"}
    assert (by_name["voice"].run, by_name["voice"].step) == ("0001", 200)
    assert by_name["voice"].bytes > 1000
    assert by_name["broken"].step is None
