"""A resumed run is the run that was never interrupted, to the last bit."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from helpers_xtts import hex_losses, make_loop

from engine.control import Control
from engine.errors import StopRequested
from engine.events import Evaluated, Event, Step
from engine.settings import TrainingSettings
from engine.training import checkpoint
from engine.training.checkpoint import OPTIMIZER, RNG, WEIGHTS

# 11 clips, one a batch, three batches a step: four steps an epoch, the last one shorter.
EPOCHS = 5
STEPS = 20


class Straight:
    """The uninterrupted run, with a checkpoint of every step."""

    def __init__(self, folder: Path, base: Path, features: Any) -> None:
        self._base, self._features = base, features
        self.folder = folder
        self.events: list[Event] = []
        self.loop(folder, self.events.append, save_every_steps=1, keep_checkpoints=1000).run()
        self.losses = hex_losses(self.events)
        self.evaluations = [e.loss.hex() for e in self.events if isinstance(e, Evaluated)]
        # Of a step that was saved again after its evaluation, the first has the bare state.
        self.saved = {c.step: c for c in checkpoint.readable(folder)}

    def loop(self, folder: Path, emit: Callable[[Event], None], **changed: Any) -> Any:
        """A loop over the same base and features, from the beginning."""
        return make_loop(
            folder, self._base, self._features, emit=emit, **{"epochs": EPOCHS} | changed
        )

    def state_of(self, step: int) -> dict[str, Any]:
        return tensors_of(self.saved[step])


def tensors_of(saved: checkpoint.Checkpoint) -> dict[str, Any]:
    """The hashes of all tensors of a checkpoint: weights, optimiser and random states."""
    return {name: saved.files[name]["sha256"] for name in (WEIGHTS, OPTIMIZER, RNG)}


@pytest.fixture(scope="module")
def straight(
    tmp_path_factory: pytest.TempPathFactory, tiny_base: Path, toy_features: Any
) -> Straight:
    return Straight(tmp_path_factory.mktemp("straight"), tiny_base, toy_features)


def _newest(run: Path) -> checkpoint.Checkpoint:
    found = checkpoint.newest(run, lambda: None)
    assert found is not None
    return found[0]


def _stop_at_step(control: Control, step: int) -> Callable[[Event], None]:
    def watch(event: Event) -> None:
        if isinstance(event, Step) and event.step == step:
            control.stop("SIGTERM")

    return watch


def test_the_run_has_dropout_accumulation_and_twenty_steps(straight: Straight) -> None:
    assert sorted(straight.losses) == list(range(1, STEPS + 1))
    assert len(set(straight.losses.values())) == STEPS
    assert len(straight.evaluations) == EPOCHS
    assert TrainingSettings().dropout == 0.1


@pytest.mark.parametrize("step", range(STEPS))
def test_resume_at_every_step_gives_the_next_step_bit_for_bit(
    straight: Straight, tmp_path: Path, step: int
) -> None:
    """Equal weights, optimiser and random states after the next step make all later steps equal."""
    events: list[Event] = []
    control = Control()
    stop = _stop_at_step(control, step + 1)
    loop = straight.loop(
        tmp_path, lambda event: (events.append(event), stop(event))[0], control=control
    )
    if step:
        folder = straight.saved[step].folder
        shutil.copytree(folder, tmp_path / checkpoint.FOLDER / folder.name)
        loop.restore(_newest(tmp_path))
    with pytest.raises(StopRequested):
        loop.run()
    assert hex_losses(events) == {step + 1: straight.losses[step + 1]}
    assert tensors_of(_newest(tmp_path)) == straight.state_of(step + 1)


# Before the first step, amid an epoch, in its last and shorter step, in the first of the next one.
@pytest.mark.parametrize("batches_seen", [2, 5, 11, 12])
def test_a_stop_inside_an_accumulation_loses_less_than_a_step(
    straight: Straight, tmp_path: Path, batches_seen: int
) -> None:
    control = Control()
    events: list[Event] = []
    loop = straight.loop(tmp_path, events.append, control=control)
    seen = 0
    compute = loop.task.sums

    def counted(batch: Any) -> Any:
        nonlocal seen
        seen += 1
        if seen == batches_seen:
            control.stop("SIGINT")
        return compute(batch)

    loop.task.sums = counted
    with pytest.raises(StopRequested) as stop:
        loop.run()
    done = len(hex_losses(events))
    assert stop.value.step == done
    if done:
        assert _newest(tmp_path).step == done
        assert tensors_of(_newest(tmp_path)) == straight.state_of(done)
    else:
        assert checkpoint.newest(tmp_path, lambda: None) is None


def test_many_interruptions_in_one_run_change_nothing(straight: Straight, tmp_path: Path) -> None:
    events: list[Event] = []
    for step in (3, 4, 9, 14):
        control = Control()
        stop = _stop_at_step(control, step)
        loop = straight.loop(
            tmp_path,
            lambda event, stop=stop: (events.append(event), stop(event))[0],
            control=control,
        )
        if checkpoint.folders(tmp_path):
            loop.restore(_newest(tmp_path))
        with pytest.raises(StopRequested):
            loop.run()
    last = straight.loop(tmp_path, events.append)
    last.restore(_newest(tmp_path))
    last.run()
    assert hex_losses(events) == straight.losses
    assert [e.loss.hex() for e in events if isinstance(e, Evaluated)] == straight.evaluations
    assert tensors_of(_newest(tmp_path)) == straight.state_of(STEPS)


def test_a_stop_inside_an_evaluation_repeats_the_evaluation(
    straight: Straight, tmp_path: Path
) -> None:
    control = Control()
    events: list[Event] = []
    loop = straight.loop(tmp_path, events.append, control=control, epochs=1)
    held_out = loop.task.held_out
    loop.task.held_out = lambda: (control.stop("SIGTERM"), held_out())[1]
    with pytest.raises(StopRequested):
        loop.run()
    assert not [e for e in events if isinstance(e, Evaluated)]
    again = straight.loop(tmp_path, events.append, epochs=1)
    again.restore(_newest(tmp_path))
    again.run()
    assert len(hex_losses(events)) == STEPS // EPOCHS
    assert [e.loss.hex() for e in events if isinstance(e, Evaluated)] == straight.evaluations[:1]
