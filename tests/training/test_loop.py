"""What the loop does besides stepping: judging, saving, pausing, refusing bad numbers."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers_xtts import hex_losses, make_loop, of_kind

from engine.control import Control
from engine.errors import FailedError, StopRequested
from engine.events import (
    Continued,
    Epoch,
    Evaluated,
    Event,
    Note,
    Paused,
    RequestDone,
    RolledBack,
    Saved,
    Step,
    Warned,
)
from engine.requests import Request
from engine.training import checkpoint
from engine.training.stepping import backward


def test_the_loss_falls_and_the_best_is_kept(
    tmp_path: Path, tiny_base: Path, toy_features: Any
) -> None:
    events: list[Event] = []
    loop = make_loop(
        tmp_path, tiny_base, toy_features, emit=events.append, epochs=4, keep_checkpoints=1,
        learning_rate=2e-3, scheduler="constant", batch_size=3, accumulation=1,
    )  # fmt: skip
    finished = loop.run()
    evaluations = of_kind(events, Evaluated)
    assert evaluations[-1].loss < evaluations[0].loss
    best = min(evaluations, key=lambda e: e.loss)
    assert finished.summary["best_step"] == best.step
    assert [e.best for e in evaluations] == [
        e.loss < min([p.loss for p in evaluations[:i]], default=float("inf"))
        for i, e in enumerate(evaluations)
    ]
    kept = {c.step for c in checkpoint.readable(tmp_path)}
    assert kept == {finished.summary["step"], best.step}
    assert [e.epoch for e in of_kind(events, Epoch)] == [1, 2, 3, 4]
    steps = of_kind(events, Step)
    assert [s.step for s in steps] == list(range(1, 17))
    assert all(s.steps == 16 and s.grad_norm > 0 for s in steps)
    assert steps[-1].eta == 0
    # A process with torch in it: between 50 MB and what a machine has.
    assert all(5e7 < s.memory < 1e12 for s in steps)
    first = steps[0]
    assert first.loss == pytest.approx(first.loss_text_ce + first.loss_mel_ce)
    assert first.loss_text_ce == pytest.approx(0.01 * first.text_ce)


def test_accumulated_batches_weigh_as_one_large_batch(
    tmp_path: Path, tiny_base: Path, toy_features: Any
) -> None:
    """The gradient of 1 + 1 + 1 clips equals that of 3 clips at once, though lengths differ."""
    gradients = []
    for size, together in ((1, 3), (3, 1)):
        loop = make_loop(
            tmp_path, tiny_base, toy_features, batch_size=size, accumulation=together, dropout=0.0
        )
        micros = (
            [loop.task.micro([c], 0) for c in (0, 1, 2)]
            if size == 1
            else [loop.task.micro([0, 1, 2], 0)]
        )
        totals = {t: sum(m.targets[t] for m in micros) for t in ("text", "mel")}
        for micro in micros:
            backward(loop.task, loop.place, micro, loop.task.batch(micro, 0), totals)
        gradients.append({n: p.grad for n, p in loop.parameters.items() if p.grad is not None})
    for name, gradient in gradients[0].items():
        assert torch.allclose(gradient, gradients[1][name], rtol=1e-3, atol=1e-7), name


def test_clipping_reports_the_true_norm(tmp_path: Path, tiny_base: Path, toy_features: Any) -> None:
    norms = []
    for limit in (0.0, 1e-3):
        events: list[Event] = []
        make_loop(
            tmp_path / str(limit), tiny_base, toy_features, emit=events.append, epochs=1,
            gradient_clip=limit, batch_size=11,
        ).run()  # fmt: skip
        norms.append(of_kind(events, Step)[0].grad_norm)
    assert norms[0] == norms[1] > 1e-3


def test_a_bad_step_never_reaches_the_weights(
    tmp_path: Path, tiny_base: Path, toy_features: Any
) -> None:
    events: list[Event] = []
    loop = make_loop(
        tmp_path,
        tiny_base,
        toy_features,
        emit=events.append,
        epochs=1,
        batch_size=3,
        accumulation=1,
    )
    compute = loop.task.sums
    loop.task.sums = lambda batch: {k: v * float("nan") for k, v in compute(batch).items()}
    before = {name: p.detach().clone() for name, p in loop.parameters.items()}
    with pytest.raises(FailedError, match=r"3 steps in a row .* learning_rate=0\.0001'"):
        loop.run()
    assert all(torch.equal(p, before[name]) for name, p in loop.parameters.items())
    warnings = of_kind(events, Warned)
    # Three steps, and three more after each of three rollbacks.
    assert [w.code for w in warnings] == ["not_finite"] * 12
    assert "clip-0" in warnings[0].seen
    assert [r.learning_rate for r in of_kind(events, RolledBack)] == [5e-4, 2.5e-4, 1.25e-4]


def test_one_bad_step_is_skipped_and_forgotten(
    tmp_path: Path, tiny_base: Path, toy_features: Any
) -> None:
    events: list[Event] = []
    loop = make_loop(tmp_path, tiny_base, toy_features, emit=events.append, epochs=1)
    compute = loop.task.sums
    calls = 0

    def sometimes(batch: Any) -> Any:
        nonlocal calls
        calls += 1
        factor = float("inf") if calls == 2 else 1.0
        return {name: value * factor for name, value in compute(batch).items()}

    loop.task.sums = sometimes
    loop.run()
    assert len(of_kind(events, Warned)) == 1
    assert loop.progress.skipped == 0
    assert all(bool(p.isfinite().all()) for p in loop.parameters.values())


def test_early_stopping_ends_after_its_patience(
    tmp_path: Path, tiny_base: Path, toy_features: Any
) -> None:
    events: list[Event] = []
    loop = make_loop(
        tmp_path, tiny_base, toy_features, emit=events.append, epochs=9, batch_size=11,
        early_stop_epochs=2, early_stop_change=1.0,
    )  # fmt: skip
    loop.run()
    # The first evaluation is always the best so far; none is lower by 1.0 after it.
    evaluations = of_kind(events, Evaluated)
    assert len(evaluations) == 3
    assert [n.code for n in of_kind(events, Note)] == ["early_stop"]
    lowest = min(evaluations, key=lambda e: e.loss)
    assert loop.progress.best_step == lowest.step, "patience does not decide what is best"
    loop.run()
    assert len(of_kind(events, Evaluated)) == 3, "a run that stopped early does not go on unasked"


def test_an_evaluation_without_a_number_is_never_the_best(
    tmp_path: Path, tiny_base: Path, toy_features: Any
) -> None:
    events: list[Event] = []
    loop = make_loop(tmp_path, tiny_base, toy_features, emit=events.append, epochs=2, batch_size=11)
    compute = loop.task.sums

    def broken_at_first(batch: Any) -> Any:
        factor = float("nan") if not loop.task.model.training and loop.progress.epoch == 0 else 1.0
        return {name: value * factor for name, value in compute(batch).items()}

    loop.task.sums = broken_at_first
    loop.run()
    assert [e.best for e in of_kind(events, Evaluated)] == [False, True]
    assert len(of_kind(events, Saved)) == 2


def test_the_first_eta_is_honest(tmp_path: Path, tiny_base: Path, toy_features: Any) -> None:
    events: list[Event] = []
    make_loop(tmp_path, tiny_base, toy_features, emit=events.append, epochs=1).run()
    first = of_kind(events, Step)[0]
    assert first.eta == pytest.approx(3 * first.seconds, rel=0.2, abs=0.1)


def test_a_save_request_is_answered_with_a_checkpoint(
    tmp_path: Path, tiny_base: Path, toy_features: Any
) -> None:
    events: list[Event] = []
    control = Control()
    control.add(Request("abc", "save"))
    control.add(Request("def", "speak"))
    make_loop(
        tmp_path, tiny_base, toy_features, emit=events.append, control=control, epochs=1
    ).run()
    saved, refused = of_kind(events, RequestDone)
    assert (saved.id, saved.ok) == ("abc", True)
    assert (refused.id, refused.ok) == ("def", False)
    assert [s.step for s in of_kind(events, Saved)] == [1, 4]


def test_a_save_is_honoured_while_paused(
    tmp_path: Path, tiny_base: Path, toy_features: Any
) -> None:
    control = Control()
    events: list[Event] = []

    def watch(event: Event) -> None:
        events.append(event)
        if isinstance(event, Paused):
            control.add(Request("abc", "save"))
        if isinstance(event, RequestDone):
            control.resume()

    control.pause()
    make_loop(tmp_path, tiny_base, toy_features, emit=watch, control=control, epochs=1).run()
    assert [s.step for s in of_kind(events, Saved)] == [1, 4]


def test_pause_holds_between_steps_and_resume_goes_on(
    tmp_path: Path, tiny_base: Path, toy_features: Any
) -> None:
    control = Control()
    held = threading.Event()
    events: list[Event] = []

    def watch(event: Event) -> None:
        events.append(event)
        if isinstance(event, Step) and event.step == 2:
            control.pause()
        if isinstance(event, Paused):
            held.set()

    loop = make_loop(tmp_path, tiny_base, toy_features, emit=watch, control=control, epochs=1)
    thread = threading.Thread(target=loop.run)
    thread.start()
    assert held.wait(30)
    assert len(of_kind(events, Step)) == 2
    control.resume()
    thread.join(30)
    assert len(of_kind(events, Step)) == 4
    assert [e.step for e in of_kind(events, Continued)] == [2]


def test_evaluations_come_between_epochs_when_asked(
    tmp_path: Path, tiny_base: Path, toy_features: Any
) -> None:
    """A plateau then lowers the rate amid an epoch, and a resumed run counts as the first one did."""
    events: list[Event] = []
    changed = {
        "evaluate_every_steps": 2, "scheduler": "plateau", "plateau_patience": 0,
        "learning_rate": 2e-2, "epochs": 2,
    }  # fmt: skip
    loop = make_loop(tmp_path / "straight", tiny_base, toy_features, emit=events.append, **changed)
    loop.run()
    assert [e.step for e in of_kind(events, Evaluated)] == [2, 4, 6, 8]
    rates = [s.lr for s in of_kind(events, Step)]
    assert rates == [learning_rate_after(events, step) for step in range(1, 9)]
    best = min(of_kind(events, Evaluated), key=lambda e: e.loss).step
    kept = {c.step for c in checkpoint.readable(tmp_path / "straight")}
    assert best in kept, "the best is saved, also amid an epoch"

    again: list[Event] = []
    control = Control()

    def watch(event: Event) -> None:
        again.append(event)
        if isinstance(event, Step) and event.step == 6:
            control.stop("SIGTERM")

    run = tmp_path / "stopped"
    with pytest.raises(StopRequested):
        make_loop(run, tiny_base, toy_features, emit=watch, control=control, **changed).run()
    # The stop came before the evaluation of step 6, which is done first.
    resumed = make_loop(run, tiny_base, toy_features, emit=again.append, **changed)
    found = checkpoint.newest(run, lambda: None)
    assert found is not None
    resumed.restore(found[0])
    resumed.run()
    assert [e.step for e in of_kind(again, Evaluated)] == [2, 4, 6, 8]
    assert hex_losses(again) == hex_losses(events)
    assert [s.lr for s in of_kind(again, Step)] == rates


def learning_rate_after(events: list[Event], step: int) -> float:
    """The rate of a step as plateau with no patience gives it: halved by each loss no better."""
    best, rate = float("inf"), 2e-2
    for evaluation in of_kind(events, Evaluated):
        if evaluation.step < step:
            if evaluation.loss >= best * (1 - 1e-4):
                rate /= 2
            best = min(best, evaluation.loss)
    return rate
