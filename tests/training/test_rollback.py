"""Three bad steps in a row: back to what was good, with half the rate, and exactly so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from helpers_xtts import hex_losses, make_loop

from engine.control import Control
from engine.errors import StopRequested
from engine.events import Event, RolledBack, Saved, Step
from engine.jobs import Job
from engine.training import checkpoint, runs

# 11 clips, three a step: four steps an epoch.
BAD = (6, 7, 8)


def _spoil(loop: Any, steps: tuple[int, ...]) -> None:
    """Losses without numbers at these steps, until the run was rolled back once."""
    compute = loop.task.sums

    def sums(batch: Any) -> Any:
        training = loop.task.model.training
        bad = training and not loop.progress.rollbacks and loop.progress.step + 1 in steps
        return {k: v * (float("nan") if bad else 1.0) for k, v in compute(batch).items()}

    loop.task.sums = sums


def _loop(folder: Path, base: Path, features: Any, events: list[Event], **changed: Any) -> Any:
    return make_loop(folder, base, features, emit=events.append, **changed)


def _after(events: list[Event]) -> list[Event]:
    at = next(i for i, event in enumerate(events) if isinstance(event, RolledBack))
    return events[at:]


def test_a_run_goes_back_to_its_checkpoint_with_half_the_rate(
    tmp_path: Path, tiny_base: Path, toy_features: Any
) -> None:
    events: list[Event] = []
    loop = _loop(tmp_path, tiny_base, toy_features, events, epochs=2)
    _spoil(loop, BAD)
    loop.run()
    (back,) = [e for e in events if isinstance(e, RolledBack)]
    assert (back.step, back.from_step, back.rollbacks) == (4, 8, 1)
    rates = [(e.step, e.lr) for e in events if isinstance(e, Step)]
    before = dict(rates[:8])
    after = dict(rates[8:])
    assert after[5] == back.learning_rate == before[5] / 2
    assert sorted(after) == list(range(5, 9))
    assert loop.progress.rollbacks == 1
    saved = [e.checkpoint for e in events if isinstance(e, Saved)]
    assert saved[:2] == ["step-000004", "step-000004-1"]
    assert all(bool(p.isfinite().all()) for p in loop.parameters.values())


def test_without_a_checkpoint_it_goes_back_to_the_start(
    tmp_path: Path, tiny_base: Path, toy_features: Any
) -> None:
    """What follows is, to the last bit, a run that was begun with half the rate."""
    events: list[Event] = []
    loop = _loop(tmp_path / "back", tiny_base, toy_features, events, epochs=1)
    _spoil(loop, (2, 3, 4))
    loop.run()
    assert _after(events)[0] == RolledBack(0, 4, 5e-4, 1)
    other: list[Event] = []
    _loop(
        tmp_path / "half", tiny_base, toy_features, other,
        epochs=1, learning_rate=5e-4, final_learning_rate=5e-7,
    ).run()  # fmt: skip
    assert hex_losses(_after(events)) == hex_losses(other)


def test_a_resume_after_a_rollback_is_exact(
    tmp_path: Path, tiny_base: Path, toy_features: Any
) -> None:
    """The run is stopped by what saves the checkpoint of the rollback, and goes on from that."""
    straight: list[Event] = []
    loop = _loop(tmp_path / "straight", tiny_base, toy_features, straight)
    _spoil(loop, BAD)
    loop.run()

    events: list[Event] = []
    control = Control()
    run = tmp_path / "stopped"

    def watch(event: Event) -> None:
        events.append(event)
        if isinstance(event, RolledBack):
            control.stop("SIGTERM")

    first = make_loop(run, tiny_base, toy_features, emit=watch, control=control)
    _spoil(first, BAD)
    with pytest.raises(StopRequested):
        first.run()
    again = make_loop(run, tiny_base, toy_features, emit=events.append)
    _spoil(again, BAD)
    found = checkpoint.newest(run, lambda: None)
    assert found is not None
    again.restore(found[0])
    assert again.progress.rollbacks == 1
    again.run()
    assert hex_losses(_after(events)) == hex_losses(_after(straight))
    # A rate that a person chose is not halved.
    job = Job(tmp_path / "job", runs.KIND)
    runs.restore(job, again, found[0], {}, {"settings.learning_rate"})
    job.close()
    assert again.progress.rollbacks == 0


def test_a_checkpoint_amid_bad_steps_is_no_good_one(
    tmp_path: Path, tiny_base: Path, toy_features: Any
) -> None:
    """Step 4 ends an epoch and is saved, though it was bad; so it is back to step 3.

    What is newer is gone then, or a resumed run would begin with it.
    """
    events: list[Event] = []
    control = Control()

    def watch(event: Event) -> None:
        events.append(event)
        if isinstance(event, RolledBack):
            control.stop("SIGTERM")

    loop = make_loop(
        tmp_path, tiny_base, toy_features, emit=watch, control=control, save_every_steps=1
    )
    _spoil(loop, (4, 5, 6))
    with pytest.raises(StopRequested):
        loop.run()
    assert [e.step for e in events if isinstance(e, Saved)] == [1, 2, 3, 4, 3]
    found = checkpoint.newest(tmp_path, lambda: None)
    assert found is not None
    assert found[0].folder.name == "step-000003-1"
    assert (found[0].progress.rollbacks, found[0].progress.skipped) == (1, 0)
