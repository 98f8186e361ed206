"""Memory that runs out: batches in halves, from the same step on, with the losses of such a run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers_xtts import hex_losses, make_loop, of_kind

from engine.control import Control
from engine.errors import FailedError, StopRequested
from engine.events import Evaluated, Event, OutOfMemory, Saved, Step, Warned
from engine.training import checkpoint
from engine.training.division import divided
from engine.training.task import Micro

# 11 clips in batches of 4, 4 and 3, one a step: three steps an epoch, none of a single clip.
BATCHES = {"batch_size": 4, "accumulation": 1, "epochs": 2}
# In the second of the two epochs.
FULL_AT = 5


class Full:
    """Says that memory is full for more than `most` clips, from step `step` on."""

    def __init__(self, loop: Any, most: int, step: int = 1, *, training_only: bool = True) -> None:
        self._loop, self._most, self._step = loop, most, step
        self._training_only = training_only
        self._compute: Callable[[Any], Any] = loop.task.sums
        self.seen: list[int] = []
        loop.task.sums = self

    def __call__(self, batch: Any) -> Any:
        clips = len(batch[0].text)
        looks = self._loop.task.model.training or not self._training_only
        if looks and self._loop.progress.step + 1 >= self._step:
            self.seen.append(clips)
            if clips > self._most:
                # The random state has moved on by then, as it does on a GPU.
                self._compute(batch)
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return self._compute(batch)


def _evaluations(events: list[Event]) -> list[str]:
    return [event.loss.hex() for event in of_kind(events, Evaluated)]


def _restored(loop: Any, run: Path) -> Any:
    found = checkpoint.newest(run, lambda: None)
    assert found is not None
    loop.restore(found[0])
    return loop


def _stop_at(events: list[Event], control: Control, step: int) -> Callable[[Event], None]:
    def watch(event: Event) -> None:
        events.append(event)
        if isinstance(event, Step) and event.step == step:
            control.stop("SIGTERM")

    return watch


def test_a_run_goes_on_as_one_with_half_the_batch_from_that_step_on(
    tmp_path: Path, tiny_base: Path, toy_features: Any
) -> None:
    events: list[Event] = []
    loop = make_loop(tmp_path / "full", tiny_base, toy_features, emit=events.append, **BATCHES)
    Full(loop, 2, FULL_AT)
    loop.run()
    (told,) = of_kind(events, OutOfMemory)
    assert told == OutOfMemory(FULL_AT, batch_size=2, accumulation=2)
    assert [w.code for w in of_kind(events, Warned)] == ["out_of_memory"]

    # The same run with its batches halved and twice as many a step, told to it by its task.
    other: list[Event] = []
    control = Control()
    run = tmp_path / "other"
    watch = _stop_at(other, control, FULL_AT - 1)
    with pytest.raises(StopRequested):
        make_loop(run, tiny_base, toy_features, emit=watch, control=control, **BATCHES).run()
    halved = {**BATCHES, "batch_size": 2, "accumulation": 2}
    again = make_loop(run, tiny_base, toy_features, emit=other.append, **halved)
    task = again.task
    large, held_out = make_loop(run, tiny_base, toy_features, **BATCHES).task, task.held_out()
    assert [len(m.clips) for m in held_out] == [2], "which are no larger than half a batch"
    task.held_out = lambda: [task.micro([c], None) for c in held_out[0].clips]
    task.epoch = lambda epoch: [
        task.micro(part, epoch)
        for micro in large.epoch(epoch)
        for part in (micro.clips[:2], micro.clips[2:])
    ]
    _restored(again, run).run()
    assert hex_losses(events) == hex_losses(other)
    assert _evaluations(events)[1:] == _evaluations(other)[1:]
    steps = of_kind(events, Step)
    assert [s.step for s in steps] == list(range(1, 7)), "no step is counted twice"
    assert {s.steps for s in steps} == {6}
    assert sum(s.clips for s in steps) == 22


def test_the_effective_batch_stays(tmp_path: Path, tiny_base: Path, toy_features: Any) -> None:
    """Without dropout the losses are those of the whole batches, but for rounding."""
    losses = []
    for most in (4, 1):
        events: list[Event] = []
        loop = make_loop(
            tmp_path / str(most), tiny_base, toy_features, emit=events.append, dropout=0.0,
            **BATCHES | {"epochs": 1},
        )  # fmt: skip
        full = Full(loop, most)
        loop.run()
        losses.append([s.loss for s in of_kind(events, Step)])
    assert losses[1] == pytest.approx(losses[0], rel=1e-5)
    assert full.seen[:2] == [max(full.seen), -(-max(full.seen) // 2)]
    assert [e.accumulation for e in of_kind(events, OutOfMemory)] == [2, 4]
    assert loop.progress.halvings == 2


def test_a_resumed_run_keeps_its_halves(tmp_path: Path, tiny_base: Path, toy_features: Any) -> None:
    straight: list[Event] = []
    loop = make_loop(tmp_path / "a", tiny_base, toy_features, emit=straight.append, **BATCHES)
    Full(loop, 2, 2)
    loop.run()
    events: list[Event] = []
    control = Control()
    run = tmp_path / "b"
    watch = _stop_at(events, control, 4)
    first = make_loop(run, tiny_base, toy_features, emit=watch, control=control, **BATCHES)
    Full(first, 2, 2)
    with pytest.raises(StopRequested):
        first.run()
    again = make_loop(run, tiny_base, toy_features, emit=events.append, **BATCHES)
    full = Full(_restored(again, run), 2)
    again.run()
    assert hex_losses(events) == hex_losses(straight)
    assert _evaluations(events) == _evaluations(straight)
    assert max(full.seen) == 2, "it does not try what did not fit"


def test_a_clip_that_does_not_fit_alone_is_named_with_remedies_that_exist(
    tmp_path: Path, tiny_base: Path, toy_features: Any
) -> None:
    events: list[Event] = []
    loop = make_loop(tmp_path, tiny_base, toy_features, emit=events.append, **BATCHES)
    Full(loop, 0, 3)
    with pytest.raises(FailedError, match=r"clip clip-0\d\d alone") as failed:
        loop.run()
    message = str(failed.value)
    for setting in ("gradient_checkpointing=true", "precision=bf16", "batch_tokens"):
        assert setting in message
    assert [e.step for e in of_kind(events, Saved)] == [2], "what was trained is kept"


def test_held_out_batches_that_do_not_fit_are_halved_too(
    tmp_path: Path, tiny_base: Path, toy_features: Any
) -> None:
    whole: list[Event] = []
    make_loop(
        tmp_path / "a", tiny_base, toy_features, emit=whole.append, **BATCHES | {"epochs": 1}
    ).run()
    events: list[Event] = []
    loop = make_loop(
        tmp_path / "b", tiny_base, toy_features, emit=events.append, **BATCHES | {"epochs": 1}
    )
    Full(loop, 1, 4, training_only=False)
    loop.run()
    assert [e.step for e in of_kind(events, OutOfMemory)] == [4]
    (first,), (second,) = of_kind(whole, Evaluated), of_kind(events, Evaluated)
    assert second.loss == pytest.approx(first.loss, rel=1e-5)


def test_token_budgets_are_halved_as_well(
    tmp_path: Path, tiny_base: Path, toy_features: Any
) -> None:
    events: list[Event] = []
    loop = make_loop(
        tmp_path, tiny_base, toy_features, emit=events.append, batch_tokens=600, accumulation=1,
        epochs=1,
    )  # fmt: skip
    before = max(len(m.clips) for m in loop.task.epoch(0))
    Full(loop, before - 1)
    loop.run()
    assert of_kind(events, OutOfMemory) == [
        OutOfMemory(of_kind(events, OutOfMemory)[0].step, batch_tokens=300, accumulation=2)
    ]
    assert "batch_tokens 300" in of_kind(events, Warned)[0].means


def test_an_evaluation_in_between_changes_the_batches_of_the_next_step(
    tmp_path: Path, tiny_base: Path, toy_features: Any
) -> None:
    """What a resumed run would compute with from there on, so it must be what this one does."""
    loop = make_loop(
        tmp_path, tiny_base, toy_features, evaluate_every_steps=1, **BATCHES | {"epochs": 1}
    )
    compute = loop.task.sums
    seen: list[int] = []

    def sums(batch: Any) -> Any:
        clips = len(batch[0].text)
        if loop.task.model.training:
            seen.append(clips)
        elif clips > 1:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return compute(batch)

    loop.task.sums = sums
    loop.run()
    assert loop.progress.halvings == 1
    first, *others = seen
    assert first >= 3
    assert max(others) == 2
    assert sum(seen) == 11


class _Task:
    def micro(self, clips: Any, epoch: int | None) -> Micro:
        return Micro(tuple(clips), {"text": len(clips)}, 1.0)


def test_halves_keep_the_order_and_single_clips() -> None:
    task: Any = _Task()
    micros = [task.micro(range(5), 0), task.micro([5], 0)]
    found = [m.clips for m in divided(task, micros, 1, 0)]
    assert found == [(0, 1, 2), (3, 4), (5,)]
    assert [m.clips for m in divided(task, micros, 9, 0)] == [(n,) for n in range(6)]
    assert divided(task, micros, 0, 0) == micros
