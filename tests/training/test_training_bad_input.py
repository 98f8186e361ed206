"""What training refuses before its first step, and a dataset that is edited under it."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from helpers_project import error_of, finish, made_project
from helpers_xtts import of_kind

from engine import eventlog
from engine.dataset import clips
from engine.errors import InputError
from engine.events import Event, Step, Warned
from engine.jobs import LOG_NAME
from engine.project import Project
from engine.settings import TrainingSettings
from engine.training import contradictions, runs
from engine.xtts import train


def _events(project: Project, run: str = "0001") -> list[Event]:
    return [r.event for r in eventlog.read_all(project.runs_dir / run / LOG_NAME)]


@pytest.fixture(scope="module")
def edited(tmp_path_factory: pytest.TempPathFactory, tiny_base: Path, shared_home: Path) -> Project:
    """A project whose table of clips was edited while its one run trained."""
    project = made_project(tmp_path_factory.mktemp("edited") / "voice", tiny_base, epochs=2)
    session = train.session(project)

    def edit(record: Any) -> None:
        if isinstance(record.event, Step) and record.event.step == 1:
            listed = clips.read(project.dataset_dir)
            clips.write(project.dataset_dir, [replace(listed[0], text="she said."), *listed[1:]])

    session.job.subscribe(edit)
    outcome = finish(session)
    assert outcome.state == "finished", outcome.error
    return project


def test_a_dataset_edited_under_a_run_is_told_once_and_the_run_goes_on(edited: Project) -> None:
    events = _events(edited)
    (told,) = of_kind(events, Warned)
    assert told.code == "dataset_edited"
    assert "clips that it started with" in told.means
    assert [s.step for s in of_kind(events, Step)] == list(range(1, 7))


def test_a_continued_run_says_that_the_dataset_is_another(edited: Project) -> None:
    assert "dataset was" in error_of(finish(train.session(runs.with_more(edited, 1))))


def test_a_checkpoint_of_another_base_is_refused_by_name(
    edited: Project, tiny_base: Path, tmp_path: Path
) -> None:
    from engine.xtts import random_base

    other = tmp_path / "other"
    random_base.make(other, seed=1)
    changed = replace(edited, base=str(other)).with_values({"training.epochs": 3})
    assert "base was" in error_of(finish(train.session(changed, resume=True)))


def test_a_base_that_does_not_fit_its_config_is_named(
    edited: Project, tiny_base: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(tiny_base, broken)
    config = json.loads((broken / "config.json").read_text())
    config["model_args"]["gpt_n_model_channels"] *= 2
    (broken / "config.json").write_text(json.dumps(config))
    message = error_of(finish(train.session(replace(edited, base=str(broken)), fresh=True)))
    assert str(broken / "model.pth") in message
    assert "does not fit config.json" in message


def test_a_batch_larger_than_the_data_is_refused(edited: Project) -> None:
    large = edited.with_values({"training.batch_size": 7})
    outcome = finish(train.session(large, fresh=True))
    assert "batch_size is 7, but there are only 6 clips" in error_of(outcome)


def test_an_effective_batch_larger_than_the_data_is_told() -> None:
    settings = TrainingSettings(batch_size=2, accumulation=4)
    told = contradictions.small_data(settings, 6)
    assert told is not None
    assert "batch_size x accumulation is 8, but there are only 6" in told.seen
    assert "accumulation=1" in told.remedy
    assert contradictions.small_data(settings, 8) is None
    assert contradictions.small_data(replace(settings, batch_tokens=500), 6) is None
    contradictions.check_batch(replace(settings, batch_size=99, batch_tokens=500), 6)


def test_more_epochs_come_after_those_that_were_asked_for(edited: Project) -> None:
    more = runs.with_more(edited, 3)
    assert more.settings.training.epochs == 5
    assert "training.early_stop_epochs" not in more.overrides
    unfinished = runs.with_more(edited.with_values({"training.epochs": 9}), 3)
    assert unfinished.settings.training.epochs == 12
    # A change so large was never reached, so the run ended early after its second epoch.
    early = {"training.early_stop_epochs": 1, "training.early_stop_change": 1.0}
    ended = runs.with_more(edited.with_values({"training.epochs": 9, **early}), 3)
    assert ended.settings.training.epochs == 5
    assert ended.settings.training.early_stop_epochs == 0


def test_more_of_nothing_is_an_error(tmp_path: Path, tiny_base: Path) -> None:
    with pytest.raises(InputError, match="no run that --more could continue"):
        runs.with_more(made_project(tmp_path / "voice", tiny_base), 3)
