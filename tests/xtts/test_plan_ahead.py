"""What a training looks at before its first epoch, and what it tells where memory may be short."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers_project import finish, made_project
from helpers_xtts import of_kind

from engine import eventlog
from engine.errors import FailedError, StopRequested
from engine.events import Event, Planned, Warned
from engine.jobs import LOG_NAME
from engine.project import Project
from engine.settings import TrainingSettings
from engine.training.plan import planned, shortage
from engine.training.precision import Place
from engine.xtts import plan_ahead, plan_process, train

GB = 1_000_000_000
CPU = Place(torch.device("cpu"), "fp32")


def _plan(free: float, *, device: Any = "cuda", **changed: Any) -> Planned:
    """7.5 GB whatever the batch, 1.5 GB for each clip of it."""
    settings = TrainingSettings(**{"batch_size": 8} | changed)
    return planned(
        settings, [9 * GB, round(10.5 * GB)], device=device, precision="bf16",
        longest_seconds=10.9, clips=100, wanted_batch=8, free=round(free * GB), total=24 * GB,
    )  # fmt: skip


@pytest.fixture
def project(tmp_path: Path, tiny_base: Path) -> Project:
    return made_project(tmp_path / "voice", tiny_base, batch_size=3, epochs=1)


@pytest.fixture
def look(
    project: Project, tiny_base: Path, toy_features: Any, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., list[Event]]:
    """Looks ahead on a machine with so much RAM free, where measuring gives or raises `found`."""

    def begin(free: int, found: Planned | Exception) -> list[Event]:
        def measure(*_: Any, **__: Any) -> Planned:
            if isinstance(found, Exception):
                raise found
            return found

        told: list[Event] = []
        monkeypatch.setattr(plan_process, "ram", lambda: (free, free))
        monkeypatch.setattr(plan_process, "measure", measure)
        plan_ahead.look_ahead(
            project, tiny_base, toy_features, CPU, check=lambda: None, emit=told.append
        )
        return told

    return begin


def test_where_memory_is_plenty_nothing_is_measured(look: Callable[..., list[Event]]) -> None:
    assert look(64 * GB, AssertionError("it was measured")) == []


def test_where_memory_may_be_short_the_plan_is_told(look: Callable[..., list[Event]]) -> None:
    enough, short = _plan(23), _plan(15, device="cpu")
    assert look(0, enough) == [enough]
    first, second = look(0, short)
    assert first == short
    assert isinstance(second, Warned)
    assert second.code == "short_of_memory"


def test_what_could_not_be_measured_does_not_end_the_run(look: Callable[..., list[Event]]) -> None:
    (told,) = look(0, FailedError("It was killed: set batch_size=1."))
    assert isinstance(told, Warned)
    assert "set batch_size=1" in told.seen
    with pytest.raises(StopRequested):
        look(0, StopRequested("SIGINT"))


def test_a_larger_batch_or_network_takes_more(
    tiny_base: Path, toy_features: Any, tmp_path: Path
) -> None:
    def bytes_of(base: Path = tiny_base, place: Place = CPU, **changed: Any) -> int:
        return plan_ahead.estimate(TrainingSettings(**changed), base, toy_features, place)

    usual = bytes_of()
    assert bytes_of(batch_size=8) > usual > bytes_of(batch_size=1)
    assert bytes_of(batch_tokens=4000) > usual, "of a budget, as many as fill it"
    assert bytes_of(base=tmp_path) > 7 * GB, "a base without a config counts as the published one"


def test_a_shortage_names_settings_that_fit_and_learn_the_same() -> None:
    assert shortage(_plan(23)) is None
    gpu, cpu = shortage(_plan(15)), shortage(_plan(15, device="cpu"))
    assert gpu is not None
    assert cpu is not None
    assert "8 at a time, take 19.5 GB, and 15.0 GB are free" in gpu.seen
    assert "--set batch_size=4 --set accumulation=2:" in gpu.remedy
    assert "halved" in gpu.means
    assert "halved" not in cpu.means
    budget = shortage(_plan(15, batch_tokens=4000))
    assert budget is not None
    assert "--set batch_tokens=2000 " in budget.remedy
    none_fits = shortage(_plan(9))
    assert none_fits is not None
    assert "gradient_checkpointing=true" in none_fits.remedy


def test_a_training_looks_ahead_when_it_begins_and_not_when_it_goes_on(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan_ahead, "_CLOSE", 0.0)
    measured = []

    def measure(asked: Project, **_: Any) -> Planned:
        measured.append(asked)
        return _plan(23)

    monkeypatch.setattr(plan_process, "measure", measure)
    assert finish(train.session(project)).state == "finished"
    longer = project.with_values({"training.epochs": 2})
    assert finish(train.session(longer)).state == "finished"
    told = [r.event for r in eventlog.read_all(project.runs_dir / "0001" / LOG_NAME)]
    assert measured == [replace(project, overrides=measured[0].overrides)]
    assert len(of_kind(told, Planned)) == 1
    assert told.index(_plan(23)) < [event.kind for event in told].index("epoch")
