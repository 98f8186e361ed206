"""Which run a training goes on with, and what it refuses to do silently."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from helpers_project import error_of, finish, made_project
from helpers_xtts import of_kind

from engine import eventlog
from engine.dataset import clips
from engine.errors import (
    BaseModelError,
    BusyError,
    DatasetError,
    InputError,
    NotExactError,
    RefusedError,
)
from engine.events import (
    ClipDropped,
    Evaluated,
    Event,
    Resumed,
    Step,
    Warned,
)
from engine.jobs import LOG_NAME
from engine.project import Project
from engine.training import checkpoint, runs
from engine.xtts import train


@pytest.fixture(scope="module")
def trained(
    tmp_path_factory: pytest.TempPathFactory, tiny_base: Path, shared_home: Path
) -> Project:
    """A project with one finished run of two epochs."""
    project = made_project(tmp_path_factory.mktemp("trained") / "voice", tiny_base)
    outcome = finish(train.session(project))
    assert outcome.state == "finished", outcome.error
    return project


@pytest.fixture
def project(trained: Project, tmp_path: Path) -> Project:
    """A copy of the trained project."""
    shutil.copytree(trained.folder, tmp_path / "voice")
    return replace(trained, folder=tmp_path / "voice")


def _events(project: Project, run: str = "0001") -> list[Event]:
    return [r.event for r in eventlog.read_all(project.runs_dir / run / LOG_NAME)]


def test_a_finished_run_is_not_repeated_unasked(project: Project) -> None:
    with pytest.raises(RefusedError, match="--more 1"):
        train.session(project)


def test_a_finished_run_goes_on_with_more_epochs(project: Project) -> None:
    longer = project.with_values({"training.epochs": 3})
    assert finish(train.session(longer, resume=True)).state == "finished"
    events = _events(project)
    (resumed,) = of_kind(events, Resumed)
    assert (resumed.step, resumed.epoch) == (6, 2)
    assert [s.step for s in of_kind(events, Step)] == list(range(1, 10))


def test_another_schedule_gets_its_own_lengths(project: Project) -> None:
    run = project.runs_dir / "0001"
    kept = runs.effective_settings(project.with_values({"training.epochs": 40}), run)
    assert (kept.restart_epochs, kept.decay_epochs) == (1.0, 0.0)
    changed = project.with_values({"training.epochs": 40, "training.scheduler": "step"})
    given = runs.effective_settings(changed, run)
    assert (given.restart_epochs, given.decay_epochs) == (0.0, 10.0)


def test_fresh_starts_beside_the_old_run(project: Project) -> None:
    assert finish(train.session(project, fresh=True)).state == "finished"
    assert sorted(p.name for p in project.runs_dir.iterdir()) == ["0001", "0002"]
    assert len(of_kind(_events(project), Step)) == 6


def test_resume_without_a_run_is_refused(tmp_path: Path, tiny_base: Path) -> None:
    with pytest.raises(InputError, match="no run to resume"):
        train.session(made_project(tmp_path / "voice", tiny_base), resume=True)


@pytest.mark.parametrize("key", ["learning_rate", "seed", "batch_size"])
def test_another_computation_is_refused_by_name(project: Project, key: str) -> None:
    changed = project.with_values(
        {"training.epochs": 3, f"training.{key}": 3e-4 if "rate" in key else 3}
    )
    outcome = finish(train.session(changed))
    assert isinstance(outcome.error, NotExactError)
    assert f"settings.{key}" in str(outcome.error)
    assert "--inexact" in str(outcome.error)


def test_a_limit_that_changes_the_clips_is_refused(project: Project) -> None:
    changed = project.with_values({"training.epochs": 3, "dataset.max_text_tokens": 20})
    assert "dataset was" in error_of(finish(train.session(changed)))


def test_naming_the_device_that_was_taken_anyway_changes_nothing(project: Project) -> None:
    same = project.with_values({"training.epochs": 3, "training.precision": "fp32"})
    assert finish(train.session(same, resume=True)).state == "finished"


def test_a_changed_measure_looks_for_the_best_anew(project: Project) -> None:
    heavier = project.with_values({"training.epochs": 3, "training.text_loss_weight": 1.0})
    assert finish(train.session(heavier, inexact=True)).state == "finished"
    evaluations = of_kind(_events(project), Evaluated)
    assert evaluations[-1].loss > evaluations[0].loss
    assert evaluations[-1].best
    steps = of_kind(_events(project), Step)
    assert [s.step for s in steps] == list(range(1, 10))
    assert all(s.step <= s.steps for s in steps)


def test_nothing_holds_the_model_after_the_end(project: Project) -> None:
    import gc

    import torch

    changed = project.with_values({"training.epochs": 3, "training.seed": 9})
    session = train.session(changed)
    outcome = finish(session)
    assert isinstance(outcome.error, NotExactError)
    gc.collect()
    large = [
        o for o in gc.get_objects() if isinstance(o, torch.nn.Parameter) and o.numel() > 50_000
    ]
    assert large == []


def test_a_changed_dataset_needs_to_be_allowed(project: Project) -> None:
    listed = clips.read(project.dataset_dir)
    clips.write(project.dataset_dir, [replace(listed[0], text="changed."), *listed[1:]])
    longer = project.with_values({"training.epochs": 3})
    assert "dataset was" in error_of(finish(train.session(longer)))
    assert finish(train.session(longer, inexact=True)).state == "finished"
    assert [w.code for w in of_kind(_events(project), Warned)] == ["not_exact"]


def test_a_damaged_newest_checkpoint_is_stepped_over_and_said(project: Project) -> None:
    newest, older = checkpoint.readable(project.runs_dir / "0001")
    path = newest.folder / checkpoint.WEIGHTS
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    longer = project.with_values({"training.epochs": 3})
    assert finish(train.session(longer)).state == "finished"
    events = _events(project)
    (resumed,) = of_kind(events, Resumed)
    assert resumed.step == older.step
    assert resumed.passed_over == [newest.folder.name]
    (aside,) = newest.folder.parent.glob(f"damaged-{newest.folder.name}-*")
    assert (aside / checkpoint.WEIGHTS).is_file(), "it is left to be looked at"
    assert [w.code for w in of_kind(events, Warned)] == ["checkpoint_damaged"]


def test_no_whole_checkpoint_refuses_to_start_over(project: Project) -> None:
    for folder in checkpoint.folders(project.runs_dir / "0001"):
        (folder / checkpoint.MANIFEST).unlink()
    outcome = finish(train.session(project))
    assert isinstance(outcome.error, RefusedError)
    assert "--fresh" in str(outcome.error)


def test_one_writer_at_a_time(project: Project) -> None:
    held = train.session(project, fresh=True)
    with pytest.raises(BusyError):
        train.session(project, fresh=True)
    held.stop("request")
    assert finish(held).state == "stopped"
    assert finish(train.session(project, fresh=True)).state == "finished"


def test_a_stop_before_the_first_step_saves_nothing_and_resumes(project: Project) -> None:
    session = train.session(project, fresh=True)
    session.stop("SIGINT")
    outcome = finish(session)
    assert outcome.state == "stopped"
    assert checkpoint.folders(session.job.folder) == []


def test_no_clips_is_said_with_the_remedy(tmp_path: Path, tiny_base: Path) -> None:
    project = made_project(tmp_path / "voice", tiny_base)
    clips.write(project.dataset_dir, [])
    with pytest.raises(DatasetError, match="voicetui prepare"):
        train.session(project)
    assert not project.runs_dir.exists()


def test_clips_of_another_language_are_refused(project: Project) -> None:
    with pytest.raises(DatasetError, match="prepared for en, but project"):
        train.session(replace(project, language="de"), fresh=True)


def test_a_run_keeps_the_settings_that_were_given_for_one_time(project: Project) -> None:
    given = project.with_values({"training.epochs": 4, "training.learning_rate": 1e-3})
    session = train.session(given, fresh=True)
    session.job.subscribe(lambda record: session.stop("SIGINT") if record.kind == "saved" else None)
    assert finish(session).state == "stopped"
    assert finish(train.session(project)).state == "finished"
    steps = of_kind(_events(project, "0002"), Step)
    assert [s.step for s in steps] == list(range(1, 13))
    assert {s.epochs for s in steps} == {4}
    with pytest.raises(RefusedError, match="has done 4 epochs"):
        train.session(project)


def test_a_change_of_project_toml_is_noticed(project: Project) -> None:
    edited = replace(project, values={**project.values, "training.epochs": 3, "training.seed": 5})
    assert "settings.seed was 1 and is 5" in error_of(finish(train.session(edited)))


def test_a_run_that_saved_nothing_is_begun_again_or_passed_over_by_name(project: Project) -> None:
    session = train.session(project, fresh=True)
    session.stop("SIGINT")
    finish(session)
    with pytest.raises(RefusedError, match="Run 0002 was begun and saved nothing; run 0001"):
        train.session(project)
    longer = project.with_values({"training.epochs": 3})
    assert finish(train.session(longer, resume=True)).state == "finished"
    assert of_kind(_events(project, "0001"), Resumed)
    assert finish(train.session(project, fresh=True)).state == "finished"
    assert sorted(path.name for path in project.runs_dir.iterdir()) == ["0001", "0002"]


def test_no_held_out_clips_is_said(tmp_path: Path, tiny_base: Path) -> None:
    project = made_project(tmp_path / "voice", tiny_base)
    listed = [c for c in clips.read(project.dataset_dir) if c.split == "train"]
    clips.write(project.dataset_dir, listed)
    assert "no eval clips" in error_of(finish(train.session(project)))


def test_excluded_clips_are_named_before_training(tmp_path: Path, tiny_base: Path) -> None:
    project = made_project(tmp_path / "voice", tiny_base, epochs=1)
    listed = clips.read(project.dataset_dir)
    clips.write(project.dataset_dir, [replace(listed[0], text="日本語"), *listed[1:]])
    finish(train.session(project))
    (dropped,) = of_kind(_events(project), ClipDropped)
    assert dropped.clip == listed[0].id
    assert "vocabulary" in dropped.reason


def test_a_base_that_went_away_is_named(project: Project, tmp_path: Path) -> None:
    gone = replace(project, base=str(tmp_path / "gone"))
    with pytest.raises(BaseModelError, match="gone"):
        train.session(gone, fresh=True)
