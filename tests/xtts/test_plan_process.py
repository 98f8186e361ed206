"""A plan that is measured by real steps, in this process and in one of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers_project import made_project

from engine.errors import InputError, SettingError, StopRequested
from engine.events import Stage
from engine.project import Project
from engine.xtts import plan_process


@pytest.fixture(scope="module")
def prepared(
    tmp_path_factory: pytest.TempPathFactory, tiny_base: Path, shared_home: Path
) -> Project:
    return made_project(
        tmp_path_factory.mktemp("plan") / "voice", tiny_base, batch_size=2, accumulation=2
    )


def test_steps_are_measured_and_the_project_is_left_as_it_was(prepared: Project) -> None:
    before = sorted(prepared.folder.rglob("*"))
    told: list[str] = []
    found = plan_process.plan_of(
        prepared, lambda event: told.append(event.name) if isinstance(event, Stage) else None
    )
    assert sorted(prepared.folder.rglob("*")) == before
    assert told == ["loading", "measuring"]
    assert (found.device, found.precision) == ("cpu", "fp32")
    # torch and coqui alone take some hundred MB; four short clips of a tiny network little more.
    assert 1e8 < found.fixed_bytes < found.free_bytes < found.total_bytes * 1.01
    assert found.fits
    assert (found.batch_size, found.accumulation) == (4, 1)
    assert 1.0 < found.longest_seconds < 4.1


def test_what_training_would_refuse_is_refused_here_too(prepared: Project) -> None:
    with pytest.raises(SettingError, match="only 6 clips"):
        plan_process.plan_of(prepared.with_values({"training.batch_size": 50}), lambda _: None)


def test_an_error_of_the_other_process_is_one_here(tmp_path: Path, tiny_base: Path) -> None:
    gone = made_project(tmp_path / "voice", tiny_base)
    (gone.folder / "project.toml").unlink()
    with pytest.raises(InputError, match="not a voice project"):
        plan_process.measure(gone, check=lambda: None, emit=lambda _: None)


def test_a_stop_ends_the_measuring(prepared: Project) -> None:
    def stopped() -> None:
        raise StopRequested("SIGINT")

    with pytest.raises(StopRequested):
        plan_process.measure(prepared, check=stopped, emit=lambda _: None)
